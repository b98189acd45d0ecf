"""Reading one state's fields: each is compiled once, with the place it stands at for the message if it cannot be.

What stands in a definition has been judged by `check`; here a field that cannot be read raises `BadProgram`, and a
feature that Cumulet does not carry out raises `NotImplementedHere`, so that nothing half-understood ever runs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.asl.data.expression import Expression, compile_expression
from cumulet.asl.data.jsonpath import compile_path
from cumulet.asl.data.template import Template, compile_template
from cumulet.asl.program import (
    DISCARD,
    END,
    WHOLE,
    Catcher,
    Constant,
    ResultPath,
    Retrier,
    Value,
)
from cumulet.base.errors import CumuletError, NotImplementedHere
from cumulet.base.json import dumps

_NESTED = frozenset({"Branches", "ItemProcessor", "Iterator"})
_TERMINAL = frozenset({"Succeed", "Fail"})


class BadProgramError(CumuletError):
    """A definition that cannot be compiled: where, and why."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{problem} at {place}")
        self.place = place
        self.problem = problem


class Fields:
    """The fields of one state, or of one part of it."""

    def __init__(self, raw: Any, place: str, name: str = "") -> None:
        if not isinstance(raw, Mapping):
            raise BadProgramError(place, "Expected an object")
        self.raw: Mapping[str, Any] = raw
        self.place = place
        self.name = name

    def __contains__(self, field: str) -> bool:
        return field in self.raw

    def bad(self, field: str, problem: str) -> BadProgramError:
        return BadProgramError(f"{self.place}/{field}", problem)

    def get[T](self, field: str, kind: type[T]) -> T | None:
        """A plain field of a JSON type; absent and null are None."""
        value = self.raw.get(field)
        if value is None:
            return None
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return value
        raise self.bad(field, f"Expected {kind.__name__}")

    def need[T](self, field: str, kind: type[T]) -> T:
        value = self.get(field, kind)
        if value is None:
            raise self.bad(field, "Missing field")
        return value

    def number(self, field: str, default: float) -> float:
        value = self.raw.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(field, "Expected number")
        return value

    def parts(self, field: str) -> Iterator["Fields"]:
        """The objects of a list field."""
        for number, part in enumerate(self.get(field, list) or ()):
            yield Fields(part, f"{self.place}/{field}[{number}]", self.name)

    # Compiled fields

    def filter(self, field: str) -> Value | None:
        """InputPath and OutputPath: None lets everything through, null makes it `{}`."""
        if field not in self.raw:
            return None
        path = self.raw[field]
        if path is None:
            return Constant({})
        return None if path == "$" else self.path(field)

    def path(self, field: str) -> Expression:
        """A required path or intrinsic function."""
        text = self.need(field, str)
        try:
            return compile_expression(text)
        except ValueError as problem:
            raise self.bad(field, str(problem)) from problem

    def maybe_path(self, field: str) -> Expression | None:
        return self.path(field) if self.raw.get(field) is not None else None

    def template(self, *fields: str) -> Template | None:
        """The first of these fields that is there, as a payload template."""
        for field in fields:
            if field in self.raw:
                try:
                    return compile_template(self.raw[field])
                except ValueError as problem:
                    raise self.bad(field, str(problem)) from problem
        return None

    def result_path(self) -> ResultPath:
        if "ResultPath" not in self.raw or self.raw["ResultPath"] == "$":
            return WHOLE
        if self.raw["ResultPath"] is None:
            return DISCARD
        text = self.need("ResultPath", str)
        try:
            return ResultPath(compile_path(text))
        except ValueError as problem:
            raise self.bad("ResultPath", str(problem)) from problem

    def assign(self) -> Template | None:
        return self.template("Assign") if self.raw.get("Assign") else None

    def retry(self) -> tuple[Retrier, ...]:
        return tuple(
            Retrier(
                errors=tuple(part.need("ErrorEquals", list)),
                interval=part.number("IntervalSeconds", 1),
                attempts=int(part.number("MaxAttempts", 3)),
                backoff=part.number("BackoffRate", 2.0),
                longest=part.number("MaxDelaySeconds", 0) or None,
                jitter=part.raw.get("JitterStrategy") == "FULL",
            )
            for part in self.parts("Retry")
        )

    def catch(self, exited: str) -> tuple[Catcher, ...]:
        return tuple(
            Catcher(
                errors=tuple(part.need("ErrorEquals", list)),
                next=part.need("Next", str),
                result_path=part.result_path(),
                assign=part.assign(),
                exited=exited,
            )
            for part in self.parts("Catch")
        )

    def shared(self) -> dict[str, Any]:
        """The fields that every state type has, as `State` takes them."""
        kind = self.need("Type", str)
        if self.raw.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise NotImplementedHere(what=f"the query language {self.raw['QueryLanguage']} of the state {self.name}")
        own = dumps({field: value for field, value in self.raw.items() if field not in _NESTED})
        if kind == "Choice" or kind in _TERMINAL or self.raw.get("End") is True:
            following = END
        else:
            following = self.need("Next", str)
        return {
            "name": self.name,
            "next": following,
            "entered": f"{kind}StateEntered",
            "exited": f"{kind}StateExited",
            "input_path": self.filter("InputPath"),
            "output_path": self.filter("OutputPath"),
            "assign": self.assign(),
            "context": "$$" in own,
        }
