"""A shape is the table of an object's fields: kinds, what is required, what excludes what. One function checks any.

A field of the wrong query language, an unknown field and a missing one are reported at the object, as AWS does; what is
wrong with a value is reported at the field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.asl.checks.report import JSONATA, JSONPATH, Place
from cumulet.asl.checks.values import Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A field: what its value may be, and the query language it belongs to ("" for both)."""

    kind: Kind
    language: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object and the rules between them."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Of each group one field at most."""
    choices: tuple[tuple[str, ...], ...] = ()
    """Of each group exactly one field."""
    rules: tuple[Callable[[Mapping[str, Any], Place], None], ...] = ()
    """What else has to hold."""

    def __call__(self, value: Any, place: Place) -> None:
        if not isinstance(value, dict):
            place.wrong("Expected value of type Object")
            return
        self._names(value, place)
        for rule in self.rules:
            rule(value, place)
        for name, item in value.items():
            field = self.fields.get(name)
            if field is not None and field.language in ("", place.language):
                field.kind(item, place.at(name))

    def _names(self, value: Mapping[str, Any], place: Place) -> None:
        for name in value:
            field = self.fields.get(name)
            if field is None:
                place.wrong(f"Field '{name}' is not supported")
            elif field.language not in ("", place.language):
                place.wrong(
                    f"The QueryLanguage is set to '{place.language}', but field '{name}' is only supported "
                    f"for the '{field.language}' QueryLanguage"
                )
        missing = [name for name in self.required if name not in value]
        if missing:
            place.wrong(f"These fields are required: [{', '.join(missing)}]")
        for group in (*self.alternatives, *self.choices):
            if sum(name in value for name in group) > 1:
                place.wrong(f"There should only be one of the following fields: [{', '.join(group)}]")
        for group in self.choices:
            if not any(name in value for name in group):
                place.wrong(f"This object should have only one of the following fields: [{', '.join(group)}]")


def both(**kinds: Kind) -> dict[str, Field]:
    """Fields of both query languages."""
    return {name: Field(kind) for name, kind in kinds.items()}


def for_jsonpath(**kinds: Kind) -> dict[str, Field]:
    """Fields of the JSONPath language only."""
    return {name: Field(kind, JSONPATH) for name, kind in kinds.items()}


def for_jsonata(**kinds: Kind) -> dict[str, Field]:
    """Fields of the JSONata language only."""
    return {name: Field(kind, JSONATA) for name, kind in kinds.items()}
