"""The best sandbox of this machine, found by trying, not by asking for versions."""

import os

from cumulet.base.ids import Entropy
from cumulet.sandbox import bubblewrap
from cumulet.sandbox.api import Sandbox
from cumulet.sandbox.meter import find_meters
from cumulet.sandbox.process import ProcessSandbox


async def choose(entropy: Entropy = os.urandom) -> Sandbox:
    """Bubblewrap where it works, else a plain process; `isolation` says what one has."""
    meters = find_meters(entropy)
    return await bubblewrap.find(meters, entropy) or ProcessSandbox(meters)
