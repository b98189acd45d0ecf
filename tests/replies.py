"""A gate that holds every reply to the model's output shape: an unknown member, or None, fails the call."""

from collections.abc import Mapping
from typing import Any

from cumulet.server.caller import Gate
from cumulet.wire import models
from cumulet.wire.models import Shape
from cumulet.wire.service import Call, Reply


class CheckedGate(Gate):
    """The gate of the tests."""

    async def carry_out(self, service: str, operation: str, input: Mapping[str, Any], call: Call) -> Reply:
        reply = await super().carry_out(service, operation, input, call)
        shape = models.operation(service, operation).output_shape
        if shape is None:
            assert reply == {}, f"{operation} has no output, but answered {reply}"
        else:
            check_reply(shape, reply, operation)
        return reply


def check_reply(shape: Shape, value: Any, where: str) -> None:
    assert value is not None, f"{where} is None: what is absent is left out"
    kind = shape.type_name
    if kind == "structure" and not shape.document:
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where}: the model knows no {unknown}"
        missing = set(shape.required_members) - set(value)
        assert not missing, f"{where}: the model demands {missing}"
        for name, item in value.items():
            check_reply(shape.members[name], item, f"{where}.{name}")
    elif kind == "list":
        for item in value:
            check_reply(shape.member, item, where)
    elif kind == "map":
        for item in value.values():
            check_reply(shape.value, item, where)
    elif kind in PLAIN:
        assert isinstance(value, PLAIN[kind]), f"{where}: {value!r} is no {kind}"


PLAIN: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
}
