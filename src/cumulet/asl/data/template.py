"""Payload templates: JSON in which a member `"name.$": "<expression>"` becomes `"name": <its value>`.

Compiled once: parts without expressions are constants and are shared between renderings, so nobody may change what a
template renders. Raises `TemplateError` with the member at fault, for the checks of a definition.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cumulet.asl.data.expression import Expression, PathSyntaxError, compile_expression
from cumulet.asl.data.scope import Scope

type Render = Callable[[Scope], Any]


class TemplateError(ValueError):
    """A member of the template is no expression, or is there twice, with and without `.$`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Template:
    """A compiled payload template. `expressions` are all that it holds, with their members."""

    __slots__ = ("expressions", "render")

    def __init__(self, render: Render, expressions: list[tuple[str, Expression]]) -> None:
        self.render = render
        self.expressions = expressions


def compile_template(value: Any) -> Template:
    """Any JSON value; only members of objects whose name ends in `.$` are expressions."""
    found: list[tuple[str, Expression]] = []
    render = _compile(value, found)
    return Template(render or (lambda _scope: value), found)


def _compile(value: Any, found: list[tuple[str, Expression]]) -> Render | None:
    """None for a constant."""
    if isinstance(value, dict):
        return _object(value, found)
    if isinstance(value, list):
        return _list(value, found)
    return None


def _object(value: dict[str, Any], found: list[tuple[str, Expression]]) -> Render | None:
    members = list(_members(value, found))
    if all(render is None for _, _, render in members):
        return None
    if all(render is not None for _, _, render in members):
        moving = [(name, render) for name, _, render in members if render is not None]
        return lambda scope: {name: render(scope) for name, render in moving}
    return lambda scope: {name: constant if render is None else render(scope) for name, constant, render in members}


def _members(value: dict[str, Any], found: list[tuple[str, Expression]]) -> Iterator[tuple[str, Any, Render | None]]:
    for name, item in value.items():
        if name.endswith(".$"):
            if name[:-2] in value:
                raise TemplateError(name, f"The field '{name[:-2]}' is there twice")
            yield name[:-2], None, _expression(name, item, found)
        else:
            yield name, item, _compile(item, found)


def _expression(name: str, text: Any, found: list[tuple[str, Expression]]) -> Render:
    if not isinstance(text, str):
        raise TemplateError(name, f"The value for the field '{name}' must be a STRING that contains a JSONPath")
    try:
        expression = compile_expression(text)
    except PathSyntaxError as problem:
        raise TemplateError(name, str(problem)) from None
    found.append((name, expression))
    of_field = expression.of_field
    return lambda scope: of_field(scope, name)


def _list(value: list[Any], found: list[tuple[str, Expression]]) -> Render | None:
    items = [(item, _compile(item, found)) for item in value]
    if all(render is None for _, render in items):
        return None
    return lambda scope: [item if render is None else render(scope) for item, render in items]
