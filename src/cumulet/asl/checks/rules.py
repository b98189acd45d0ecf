"""Rules between the fields of an object that a table cannot say."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.asl.checks import values
from cumulet.asl.checks.report import JSONATA, JSONPATH, Place
from cumulet.asl.data.choice import OPERATORS

_ARN = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:[^:\s]*:[^:\s]*:\S+")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:(?P<rest>.*)")
_FUNCTION_REST = re.compile(r"function:[A-Za-z0-9_-]+(:(\$LATEST|[A-Za-z0-9_-]+))?")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:")
_PATTERN = re.compile(r"arn:[^:]+:states:::.*?(\.sync|\.waitForTaskToken)(:\d+)?$")


def resource(value: Any, place: Place) -> None:
    """The Resource of a Task."""
    if not isinstance(value, str):
        values.text(value, place)
        return
    function = _FUNCTION.fullmatch(value)
    if not _ARN.fullmatch(value) or (function and not _FUNCTION_REST.fullmatch(function["rest"])):
        place.wrong("Value is not a valid resource ARN")
    elif place.express:
        _express_resource(value, place)


def _express_resource(value: str, place: Place) -> None:
    if _ACTIVITY.match(value):
        place.wrong("Express state machine does not support Activity ARN")
    pattern = _PATTERN.fullmatch(value)
    if pattern:  # AWS says it with a blank at the end for the token pattern
        blank = " " if pattern[1] == ".waitForTaskToken" else ""
        place.wrong(f"Express state machine does not support '{pattern[1]}' service integration{blank}")


def credentials_for(state: Mapping[str, Any], place: Place) -> None:
    found = state.get("Credentials")
    if "Credentials" in state and isinstance(state.get("Resource"), str) and _ACTIVITY.match(state["Resource"]):
        place.wrong("The field 'Credentials' is not supported for activities")
    if isinstance(found, dict) and not {"RoleArn", "RoleArn.$"} & found.keys():
        place.at("Credentials").wrong("The field 'RoleArn' is required but was missing")


def credentials(value: Any, place: Place) -> None:
    if not isinstance(value, dict):
        place.wrong("Expected value of type Object")
    else:
        values.payload(value, place)


def heartbeat(state: Mapping[str, Any], place: Place) -> None:
    beat, limit = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if isinstance(beat, int) and isinstance(limit, int) and beat >= limit:
        place.wrong("The value of 'HeartbeatSeconds' must be smaller than the value of 'TimeoutSeconds'")


def catch_all_last(state: Mapping[str, Any], place: Place) -> None:
    """States.ALL stands alone, in the last retrier and in the last catcher."""
    for name in ("Retry", "Catch"):
        entries = state.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            errors = entry.get("ErrorEquals") if isinstance(entry, dict) else None
            alone = isinstance(errors, list) and ("States.ALL" not in errors or len(errors) == 1)
            last = index == len(entries or ()) - 1
            if isinstance(errors, list) and "States.ALL" in errors and not (alone and last):
                place.at(name).item(index).at("ErrorEquals").wrong("States.ALL must appear alone and at end of list")


_NAME = re.compile(r"[^\W\d]\w*")


def assign(value: Any, place: Place) -> None:
    """Variables to set: names are identifiers of 80 characters at most."""
    if not isinstance(value, dict):
        place.wrong("Expected value of type Object")
        return
    for key in value:
        name = key.removesuffix(".$") if place.language == JSONPATH else key
        if name == "states":
            place.wrong("Cannot assign to reserved variable '$states'.", "RESERVED_VARIABLE_NAME")
        elif not _NAME.fullmatch(name) or len(name) > 80:
            reason = "is too long" if _NAME.fullmatch(name) else "contains invalid characters"
            place.wrong(f"Invalid variable name '{name}': the variable name {reason}.", "INVALID_VARIABLE_NAME")
    values.payload(value, place)


_KINDS_OF_RULE = ("And", "Or", "Not", "Variable", "Condition")
_COMPARED: tuple[tuple[str, values.Kind], ...] = (
    ("Path", values.reference_path),
    ("Is", values.boolean),
    ("Boolean", values.boolean),
    ("String", values.text),
    ("Numeric", values.number()),
    ("Timestamp", values.timestamp),
)


def choice_rule(value: Any, place: Place) -> None:
    """A rule of a Choice state: with Next, and perhaps Assign and Output."""
    own = {"Next": values.text, "Comment": values.text, "Assign": assign}
    if place.language == JSONATA:
        own["Output"] = values.jsonata
    if isinstance(value, dict) and "Next" not in value:
        place.wrong("These fields are required: [Next]")
    _condition(value, place, own)


def _condition(value: Any, place: Place, own: Mapping[str, values.Kind]) -> None:
    if not isinstance(value, dict):
        place.wrong("Expected value of type Object")
        return
    for name in value:
        if name not in own and name not in _KINDS_OF_RULE and name not in OPERATORS:
            place.wrong(f"Field '{name}' is not supported")
    for name, kind in own.items():
        if name in value:
            kind(value[name], place.at(name))
    present = [name for name in _KINDS_OF_RULE if name in value]
    if len(present) != 1:
        place.wrong(f"The object must have only one of the following fields, [{', '.join(_KINDS_OF_RULE)}]")
    elif (present[0] == "Condition") != (place.language == JSONATA):
        other = JSONPATH if place.language == JSONATA else JSONATA
        place.wrong(
            f"The QueryLanguage is set to '{place.language}', but field '{present[0]}' is only supported "
            f"for the '{other}' QueryLanguage"
        )
    else:
        _BODIES[present[0]](value, place)


_NESTED: Mapping[str, values.Kind] = {"Comment": values.text}


def _nested(value: Any, place: Place) -> None:
    _condition(value, place, _NESTED)


def _comparison(rule: Mapping[str, Any], place: Place) -> None:
    operators = [name for name in rule if name in OPERATORS]
    if len(operators) != 1:
        place.wrong(f"There should only be one of the following fields: [{', '.join(OPERATORS)}]")
        return
    name = operators[0]
    values.reference_path(rule["Variable"], place.at("Variable"))
    kind = next(kind for mark, kind in _COMPARED if name.endswith(mark) or (mark != "Path" and name.startswith(mark)))
    kind(rule[name], place.at(name))


_BODIES: Mapping[str, Callable[[Mapping[str, Any], Place], None]] = {
    "And": lambda rule, place: values.array_of(_nested)(rule["And"], place.at("And")),
    "Or": lambda rule, place: values.array_of(_nested)(rule["Or"], place.at("Or")),
    "Not": lambda rule, place: _nested(rule["Not"], place.at("Not")),
    "Variable": _comparison,
    "Condition": lambda rule, place: values.jsonata(rule["Condition"], place.at("Condition")),
}
