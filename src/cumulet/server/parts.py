"""What services are made of. One of each a server; tests make their own."""

from dataclasses import dataclass
from pathlib import Path

from cumulet.base.clock import Clock
from cumulet.base.ids import Entropy
from cumulet.base.limits import WorkflowLimits
from cumulet.engine.engine import Engine
from cumulet.sandbox.api import Sandbox
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.wire.service import Caller, CredentialIssuer


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that are shared. `scratch` is a folder that is safe to lose."""

    database: Database
    engine: Engine
    blobs: Blobs
    clock: Clock
    entropy: Entropy
    caller: Caller
    sandbox: Sandbox
    issuer: CredentialIssuer
    endpoint: str
    """Where functions reach this server."""
    scratch: Path
    limits: WorkflowLimits
