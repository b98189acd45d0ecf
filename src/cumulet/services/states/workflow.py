"""An execution as a kind of durable machine: the interpreter, and the programs it runs."""

from cumulet.asl.machine import Interpreter
from cumulet.asl.parse import parse
from cumulet.asl.program import Program
from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import Env, State, Step, Stimulus
from cumulet.store import queries
from cumulet.store.api import Row, Transaction

KIND = "execution"
CACHED_PROGRAMS = 1000


class Workflow:
    """The machine kind "execution"; `spec` is the id of a revision of a state machine."""

    kind = KIND

    def __init__(self, limits: WorkflowLimits) -> None:
        self._interpreter = Interpreter(limits)
        self._programs: dict[str, Program] = {}
        self._sql = queries.load(__package__)

    def program(self, tx: Transaction, spec: str) -> Program:
        """The parsed revision; a revision never changes, so it is parsed once."""
        found = self._programs.get(spec)
        if found is None:
            row = tx.one(self._sql.revision, id=spec)
            if row is None:
                raise LookupError(f"no revision {spec}")
            if len(self._programs) >= CACHED_PROGRAMS:
                self._programs.pop(next(iter(self._programs)))
            found = self._programs[spec] = parse(row["definition"])
        return found

    def advance(self, state: State[Program], stimulus: Stimulus, env: Env) -> Step:
        return self._interpreter.advance(state, stimulus, env)

    def settled(self, tx: Transaction, run: Row, step: Step) -> None:
        """Nothing of our own to write: the engine's row of the run says it all."""
