"""What to do when the database cannot write or is not there: say so, wait, try again.

The engine owes its work to nobody else.
"""

import logging
from collections.abc import Awaitable, Callable

from cumulet.base.clock import SECOND, Clock
from cumulet.store.errors import Contended, Damaged, OutcomeUnknown, StorageFull, Unreachable

log = logging.getLogger(__name__)

OUTAGE = (StorageFull, Unreachable, Contended, OutcomeUnknown, Damaged)
PAUSE = SECOND


async def persist[T](clock: Clock, attempt: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `attempt`, tried again for as long as the database is out."""
    while True:
        try:
            return await attempt()
        except OUTAGE as error:
            log.warning("the engine waits for the database: %s", error)
        await clock.sleep_until(clock.now() + PAUSE)
