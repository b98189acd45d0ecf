"""A definition's text -> `Program`. Every expression is compiled here, once; the machine only runs what came out.

`check` tells authors what is wrong with a definition, in AWS's words; `parse` is for definitions that passed it, and
refuses with `BadProgramError` what it cannot understand, or `NotImplementedHere` what Cumulet does not carry out.
"""

from collections.abc import Callable
from typing import Any

from cumulet.asl.fields import BadProgramError, Fields
from cumulet.asl.program import Flow, Program, State
from cumulet.asl.states import choice, fail, map_, parallel, pass_, succeed, task, wait
from cumulet.base.errors import NotImplementedHere
from cumulet.base.json import JSONDecodeError, loads

__all__ = ["BadProgramError", "parse"]

PLAIN: dict[str, Callable[[Fields], State]] = {
    "Pass": pass_.parse,
    "Task": task.parse,
    "Choice": choice.parse,
    "Wait": wait.parse,
    "Succeed": succeed.parse,
    "Fail": fail.parse,
}
FORKING: dict[str, Callable[[Fields, "Flows"], State]] = {"Parallel": parallel.parse, "Map": map_.parse}


class Flows:
    """The flows of a program as they are found; a nested one gets its number before those within it."""

    def __init__(self) -> None:
        self.found: list[Flow | None] = []

    def add(self, fields: Fields) -> int:
        """Parse one scope of states and give its number."""
        number = len(self.found)
        self.found.append(None)
        states = fields.need("States", dict)
        start = fields.need("StartAt", str)
        if start not in states:
            raise fields.bad("StartAt", f"Missing 'Next' target: {start}")
        place = f"{fields.place}/States"
        parsed = {name: self._state(Fields(raw, f"{place}/{name}", name)) for name, raw in states.items()}
        _check_targets(fields, parsed)
        self.found[number] = Flow(number, start, parsed)
        return number

    def _state(self, fields: Fields) -> State:
        kind = fields.need("Type", str)
        if kind in PLAIN:
            return PLAIN[kind](fields)
        if kind in FORKING:
            return FORKING[kind](fields, self)
        raise fields.bad("Type", f"Unknown state type {kind}")


def _check_targets(fields: Fields, states: dict[str, State]) -> None:
    for state in states.values():
        for target in state.targets():
            if target not in states:
                raise BadProgramError(f"{fields.place}/States/{state.name}", f"Missing 'Next' target: {target}")


def parse(text: str) -> Program:
    """The program of a definition."""
    try:
        raw: Any = loads(text)
    except JSONDecodeError as problem:
        raise BadProgramError("/", f"The definition is not JSON: {problem}") from problem
    fields = Fields(raw, "")
    if raw.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise NotImplementedHere(what=f"the query language {raw['QueryLanguage']}")
    flows = Flows()
    flows.add(fields)
    return Program(
        flows=tuple(flow for flow in flows.found if flow is not None),
        timeout=fields.get("TimeoutSeconds", int),
        variables='"Assign"' in text,
    )
