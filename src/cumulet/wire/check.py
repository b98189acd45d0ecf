"""An input against the constraints of its model: required, length, range, pattern, enum, in AWS's own words.

    1 validation error detected: Value 'x y' at 'name' failed to satisfy constraint: Member must satisfy ...

Most services answer thus, under codes of their own (`CODES`). S3 and EC2 have other words for what is missing and check
the rest themselves, as every service does with the members of `ITS_OWN`. Types have been checked when the request was
parsed; internal callers give the right ones. A shape's checker is made once; what has no constraints costs nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from cumulet.base.errors import AwsError
from cumulet.wire.models import Operation, ServiceModel, Shape
from cumulet.wire.patterns import convert

NOT_NULL: Final = "Member must not be null"

CODES: Final[Mapping[str, str]] = {
    "apigateway": "BadRequestException",
    "cognito-idp": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "route53": "InvalidInput",
}
"""The codes of services that do not say ValidationException, nor ValidationError as those of the query protocol do."""

ITS_OWN: Final[Mapping[str, frozenset[str]]] = {
    "stepfunctions": frozenset({"Arn", "Definition", "LongArn", "Name", "SensitiveData", "TaskToken"}),
    "lambda": frozenset({"Runtime"}),
}
"""Shapes that a service checks itself, with errors of its own: InvalidName, InvalidArn, InvalidDefinition ..."""

SETS_AS_TOLD: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("stepfunctions", "StateMachineType"): ("STANDARD", "EXPRESS"),
}
"""Enumerations that AWS tells in another order than `_order` finds."""

TELLS_NOT_NULL: Final = frozenset({"iam", "lambda"})
"""Services that count "must not be null" among the constraints of a list's members."""


class ValidationException(AwsError):
    """{problem}"""


class ValidationError(AwsError):
    """{problem}"""


class InvalidParameterException(AwsError):
    """{problem}"""


class BadRequestException(AwsError):
    """{problem}"""


class InvalidInput(AwsError):
    """{problem}"""


class MissingParameter(AwsError):
    """The request must contain the parameter {name}"""


class MissingRequestBodyError(AwsError):
    """Request Body is empty"""


class MalformedXML(AwsError):
    """The XML you provided was not well-formed or did not validate against our published schema"""


_ERRORS: Final[Mapping[str, type[AwsError]]] = {
    error.__name__: error
    for error in (ValidationException, ValidationError, InvalidParameterException, BadRequestException, InvalidInput)
}


class Problem(NamedTuple):
    """What is wrong: where (`.1.member.key`, from the value that was checked), the value as told, and the words."""

    path: str
    shown: str
    words: str


type Checker = Callable[[Any], list[Problem] | None]


def check(operation: Operation, input: Mapping[str, Any]) -> None:
    """Raise the service's own error where `input` breaks a constraint of the model."""
    checker = _checker(operation)
    if checker is not None and (problems := checker(input)):
        raise _refusal(operation, problems)


@cache
def _checker(operation: Operation) -> Checker | None:
    return _checkers(operation.service).of(operation.input_shape) if operation.input_shape else None


@cache
def _checkers(model: ServiceModel) -> "Checkers":
    return Checkers(model)


def _refusal(operation: Operation, problems: list[Problem]) -> AwsError:
    model = operation.service
    protocols = model.protocols
    if model.name == "s3":
        payload = operation.input_shape.traits.get("payload", "") if operation.input_shape else ""
        top = any(problem.path == f".{_lower(payload)}" for problem in problems)
        return MissingRequestBodyError() if top else MalformedXML()
    if "ec2" in protocols:
        return MissingParameter(name=problems[0].path.removeprefix("."))
    return _ERRORS[code_of(model)](problem=tell(problems))


def code_of(model: ServiceModel) -> str:
    """The code of a service's validation errors."""
    return CODES.get(model.name, "ValidationError" if "query" in model.protocols else "ValidationException")


def tell(problems: list[Problem]) -> str:
    """All problems as AWS tells them."""
    told = [f"Value{shown} at '{path[1:]}' failed to satisfy constraint: {words}" for path, shown, words in problems]
    return f"{len(told)} validation error{'s' if len(told) > 1 else ''} detected: {'; '.join(told)}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


class Checkers:
    """The checkers of one model's shapes."""

    def __init__(self, model: ServiceModel) -> None:
        self._service = model.name
        self._its_own = ITS_OWN.get(model.name, frozenset())
        self._only_required = model.name == "s3" or "ec2" in model.protocols
        self._name = _lower if "ec2" not in model.protocols else str
        self._structures: dict[str, Checker | None] = {}

    def of(self, shape: Shape) -> Checker | None:
        """The checker of a shape's values, or None where anything goes."""
        if shape.name in self._its_own or shape.document or shape.streaming or shape.eventstream:
            return None
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
        rules = self._rules(shape)
        return _scalar(shape, rules) if rules else None

    def _structure(self, shape: Shape) -> Checker | None:
        if shape.name in self._structures:
            return self._structures[shape.name]
        required = [
            (name, Problem(f".{self._name(name)}", " null", NOT_NULL))
            for name in shape.required_members
            if not shape.members[name].traits.get("idempotencyToken")
        ]
        table: dict[str, tuple[str, Checker]] = {}

        def check(value: Mapping[str, Any]) -> list[Problem] | None:
            problems = [problem for name, problem in required if value.get(name) is None] if required else []
            for name, item in value.items():
                entry = table.get(name)
                if entry is not None and item is not None and (found := entry[1](item)):
                    problems += [Problem(entry[0] + path, shown, words) for path, shown, words in found]
            return problems or None

        self._structures[shape.name] = check  # a shape may hold itself
        for name, member in shape.members.items():
            checker = self.of(member)
            if checker is not None:
                table[name] = (f".{self._name(name)}", checker)
        if not required and not table:
            self._structures[shape.name] = None
        return self._structures[shape.name]

    def _list(self, shape: Shape) -> Checker | None:
        rules = self._rules(shape)
        member = shape.member
        sparse = bool(shape.traits.get("sparse"))
        own = _scalar(shape, rules) if rules else None
        if member.type_name not in {"structure", "list", "map"}:
            told = "Member must satisfy constraint: [{}]"
            within = None if member.name in self._its_own else self._each(shape, member, told, sparse=sparse)
            return _both(own, within)
        inner = self.of(member)
        if inner is None and sparse:
            return own

        def check(value: list[Any]) -> list[Problem] | None:
            problems: list[Problem] = []
            for number, item in enumerate(value, 1):
                if item is None:
                    problems += [] if sparse else [Problem(f".{number}.member", " null", NOT_NULL)]
                elif inner is not None and (found := inner(item)):
                    problems += [Problem(f".{number}.member{path}", shown, words) for path, shown, words in found]
            return problems or None

        return _both(own, check)

    def _map(self, shape: Shape) -> Checker | None:
        rules = self._rules(shape)
        own = _scalar(shape, rules) if rules else None
        keys = self._each(shape, shape.key, "Map keys must satisfy constraint: [{}]", sparse=True)
        checker = _both(own, keys)
        if shape.value.type_name not in {"structure", "list", "map"}:
            told = "Map value must satisfy constraint: [{}]"
            return _both(checker, self._each(shape, shape.value, told, sparse=True, items=_values))
        inner = self.of(shape.value)
        if inner is None:
            return checker

        def check(value: Mapping[str, Any]) -> list[Problem] | None:
            problems: list[Problem] = []
            for key, item in value.items():
                if item is not None and (found := inner(item)):
                    problems += [Problem(f".{key}.member{path}", shown, words) for path, shown, words in found]
            return problems or None

        return _both(checker, check)

    def _each(
        self,
        shape: Shape,
        member: Shape,
        told: str,
        *,
        sparse: bool,
        items: Callable[[Any], Iterable[Any]] = iter,
    ) -> Checker | None:
        """The checker of scalars in a list or map: all their constraints are told when one is broken."""
        rules = self._rules(member)
        if not rules and (sparse or self._only_required):
            return None
        words = [words for _, words in reversed(rules)]
        if self._service in TELLS_NOT_NULL or not words:
            words.append(NOT_NULL)
        text = told.format(", ".join(words)) if rules else NOT_NULL
        sensitive = _sensitive(shape) or _sensitive(member)

        def check(value: Any) -> list[Problem] | None:
            for item in items(value):
                if (item is None and not sparse) or (item is not None and any(rule(item) for rule, _ in rules)):
                    return [Problem("", "" if sensitive else f" '{show(value)}'", text)]
            return None

        return check

    def _rules(self, shape: Shape) -> list[tuple[Callable[[Any], bool], str]]:
        """The constraints of a shape's own value: whether it breaks them, and the words."""
        if self._only_required:
            return []
        traits = shape.traits
        rules: list[tuple[Callable[[Any], bool], str]] = []
        if shape.enum:
            told = ", ".join(self._set(shape))
            allowed = frozenset(shape.enum)
            rules.append((lambda value: value not in allowed, f"Member must satisfy enum value set: [{told}]"))
        if "pattern" in traits and (pattern := convert(traits["pattern"])) is not None:
            matches = pattern.fullmatch
            words = f"Member must satisfy regular expression pattern: {traits['pattern']}"
            rules.append((lambda value: matches(value) is None, words))
        return [*rules, *_bounds(shape)]

    def _set(self, shape: Shape) -> tuple[str, ...] | list[str]:
        told = SETS_AS_TOLD.get((self._service, shape.name))
        return told or _order(shape.enum, spread=self._service == "lambda")


def _bounds(shape: Shape) -> list[tuple[Callable[[Any], bool], str]]:
    """Length or range."""
    low, high = shape.traits.get("min"), shape.traits.get("max")
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if shape.type_name in {"integer", "long", "float", "double"}:
        if low is not None:
            rules.append((lambda value: value < low, f"Member must have value greater than or equal to {low}"))
        if high is not None:
            rules.append((lambda value: value > high, f"Member must have value less than or equal to {high}"))
        return rules
    if low:
        rules.append((lambda value: len(value) < low, f"Member must have length greater than or equal to {low}"))
    if high is not None:
        rules.append((lambda value: len(value) > high, f"Member must have length less than or equal to {high}"))
    return rules


def _scalar(shape: Shape, rules: list[tuple[Callable[[Any], bool], str]]) -> Checker:
    sensitive = _sensitive(shape)

    def problems(value: Any) -> list[Problem] | None:
        shown = "" if sensitive else f" '{show(value)}'"
        return [Problem("", shown, words) for rule, words in rules if rule(value)]

    if len(rules) == 1:
        only = rules[0][0]
        return lambda value: problems(value) if only(value) else None

    def check(value: Any) -> list[Problem] | None:
        for rule, _ in rules:
            if rule(value):
                return problems(value)
        return None

    return check


def _values(value: Mapping[str, Any]) -> Iterable[Any]:
    return value.values()


def _sensitive(shape: Shape) -> bool:
    return bool(shape.traits.get("sensitive"))


def _both(first: Checker | None, second: Checker | None) -> Checker | None:
    """Both checkers in turn; a value with problems of its own is not looked into."""
    if first is None or second is None:
        return first or second
    return lambda value: first(value) or second(value)


def show(value: Any) -> str:
    """A value as Java prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(show, value)) + "]"
    return "null" if value is None else str(value)


def _order(names: list[str], *, spread: bool) -> list[str]:
    """The order in which AWS tells a set: that of a Java hash table, of an older one or of one with spread hashes."""
    size = 16 if spread else 32
    while len(names) > size * 3 // 4:
        size *= 2

    def bucket(name: str) -> int:
        code = 0
        for letter in name:
            code = (31 * code + ord(letter)) & 0xFFFFFFFF
        return ((code ^ code >> 16) if spread else code) & (size - 1)

    return sorted(names if spread else reversed(names), key=bucket)
