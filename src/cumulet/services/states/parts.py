"""What the parts of the Step Functions service share: their tools, and a few look-ups."""

from cumulet.base import json
from cumulet.base.clock import Clock
from cumulet.base.ids import Entropy
from cumulet.base.limits import WorkflowLimits
from cumulet.base.paging import BadToken, read_token
from cumulet.engine.engine import Engine
from cumulet.services.states.errors import InvalidToken, StateMachineDoesNotExist
from cumulet.services.states.routes import pick
from cumulet.store import queries
from cumulet.store.api import Database, Row, Transaction
from cumulet.wire.service import Caller, Service

DEFAULT_PAGE = 100


class Parts(Service):
    """Base of the parts: each part is one subject's operations."""

    def __init__(
        self, database: Database, engine: Engine, clock: Clock, entropy: Entropy, caller: Caller, limits: WorkflowLimits
    ) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._entropy = entropy
        self._caller = caller
        self._limits = limits
        self._sql = queries.load(__package__)

    def _machine(self, tx: Transaction, arn: str) -> Row:
        row = tx.one(self._sql.machine, arn=arn)
        if row is None:
            raise StateMachineDoesNotExist(arn=arn)
        return row

    def _version_for(self, tx: Transaction, machine: str, qualifier: str) -> tuple[Row, str | None]:
        """The version that a number or an alias leads to (by weight, where there are two), and the alias's ARN."""
        arn, alias, number = f"{machine}:{qualifier}", None, qualifier
        if not qualifier.isdecimal():
            found = tx.one(self._sql.alias, arn=arn)
            if found is None:
                raise StateMachineDoesNotExist(arn=arn)
            alias, number = arn, str(pick(json.loads(found["routes"]), self._entropy(8)))
        row = tx.one(self._sql.version, machine=machine, number=int(number))
        if row is None:
            raise StateMachineDoesNotExist(arn=arn)
        return row, alias


def page_size(asked: int | None) -> int:
    """AWS's rule: 0 or nothing means the default of 100."""
    return asked or DEFAULT_PAGE


def position(token: str | None, question: object) -> list[object] | None:
    """Where the page begins that `token` asks for. Raises `InvalidToken`."""
    if token is None:
        return None
    try:
        found = read_token(token, question)
    except BadToken:
        raise InvalidToken from None
    return list(found)
