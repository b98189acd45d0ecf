"""Between a state's JSON and an operation's input and output.

A state machine writes members with a capital first letter whatever the service's model says (`StateMachineArn`), gives
text or JSON where the model wants text or bytes, and reads times as ISO 8601 text. Source: "Learning to use AWS service
SDK integrations" in the Step Functions developer guide, and answers recorded from AWS.
"""

from datetime import UTC, datetime
from typing import Any

from cumulet.base import json
from cumulet.wire.models import Shape

type Problem = str


def to_input(shape: Shape | None, value: Any, problems: list[Problem]) -> Any:
    """`value` of a state as input of `shape`; what the operation does not know is added to `problems`."""
    kind = shape.type_name if shape is not None else ""
    if shape is not None and kind == "structure" and isinstance(value, dict):
        return _structure(shape, value, problems)
    if shape is not None and kind == "list" and isinstance(value, list):
        return [to_input(shape.member, item, problems) for item in value]
    if shape is not None and kind == "map" and isinstance(value, dict):
        return {key: to_input(shape.value, item, problems) for key, item in value.items()}
    if kind == "blob":
        return (value if isinstance(value, str) else json.dumps(value)).encode()
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    if kind == "timestamp" and isinstance(value, str):
        return _instant(value, problems)
    return value


def _structure(shape: Shape, value: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    names = {name[:1].upper() + name[1:]: name for name in shape.members}
    result = {}
    for key, item in value.items():
        name = names.get(key)
        if name is None:
            problems.append(f"The field '{key}' is not supported by Step Functions")
        elif item is not None:
            result[name] = to_input(shape.members[name], item, problems)
    missing = [key for key, name in names.items() if name in shape.required_members and name not in result]
    problems.extend(f"The required parameter '{key}' is missing" for key in missing)
    return result


def _instant(text: str, problems: list[Problem]) -> Any:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        problems.append(f"The value '{text}' is no timestamp")
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def to_output(shape: Shape | None, value: Any) -> Any:
    """An operation's output of `shape` as JSON for a state."""
    kind = shape.type_name if shape is not None else ""
    if shape is not None and kind == "structure" and isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: await to_output(shape.members.get(name), item) for name, item in value.items()
        }
    if shape is not None and kind == "list":
        return [await to_output(shape.member, item) for item in value]
    if shape is not None and kind == "map":
        return {key: await to_output(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if kind == "blob":
        return (await read_all(value)).decode("utf-8", "replace")
    return value


async def read_all(body: Any) -> bytes:
    """A payload, whole: given as bytes or as a stream."""
    if isinstance(body, bytes):
        return body
    return b"".join([piece async for piece in body])
