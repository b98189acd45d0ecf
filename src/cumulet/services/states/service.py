"""AWS Step Functions: state machines and their durable executions.

Operations are methods of the parts: machines, versions, aliases, executions, history, activities, tokens, tags. Not
carried out yet, and refused by name: Express machines, redrive, Map Runs, TestState, logging, tracing.
"""

from cumulet.base.clock import Clock
from cumulet.base.ids import Entropy
from cumulet.base.limits import AWS_TODAY, WorkflowLimits
from cumulet.engine.engine import Engine
from cumulet.services.states.activities import Activities
from cumulet.services.states.aliases import Aliases
from cumulet.services.states.executions import Executions
from cumulet.services.states.history import History
from cumulet.services.states.machines import Machines
from cumulet.services.states.performer import TaskPerformer
from cumulet.services.states.tags import Tags
from cumulet.services.states.tokens import Tokens
from cumulet.services.states.validation import Validation
from cumulet.services.states.workflow import Workflow
from cumulet.store.api import Database
from cumulet.wire.service import Caller


class States(Machines, Aliases, Executions, History, Tokens, Activities, Validation, Tags):
    """Step Functions."""

    model = "stepfunctions"

    def __init__(
        self,
        database: Database,
        engine: Engine,
        clock: Clock,
        entropy: Entropy,
        caller: Caller,
        limits: WorkflowLimits = AWS_TODAY,
    ) -> None:
        super().__init__(database, engine, clock, entropy, caller, limits)
        engine.register(Workflow(limits), TaskPerformer(caller, self._offer))
