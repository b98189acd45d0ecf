"""Names of functions: a name, a partial ARN, a full ARN, each perhaps with a qualifier.

    hello    hello:$LATEST    123456789012:function:hello    arn:aws:lambda:eu-west-1:123456789012:function:hello

Only `$LATEST` is carried out: other qualifiers name versions or aliases, which do not exist, and are answered as AWS
answers for those that do not.
"""

import re
from dataclasses import dataclass

from cumulet.base.arn import Arn
from cumulet.services.lambda_.errors import (
    FunctionNotFound,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from cumulet.wire.service import Call

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A function of an account in a region."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return str(Arn("lambda", self.region, self.account, f"function:{self.name}"))


def parse_name(call: Call, text: str, qualifier: str | None = None) -> Name:
    """The function that `text` names, as seen by the caller; refuses qualifiers other than `$LATEST`."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise InvalidParameterValueException(problem=f"Invalid function name: {text}")
    if len(found["name"]) > 64:
        pattern = "Member must have length less than or equal to 64"
        raise InvalidParameterValueException(
            problem=f"1 validation error detected: Value '{found['name']}' at 'functionName' failed to satisfy "
            f"constraint: {pattern}"
        )
    inside = found["qualifier"]
    if inside and qualifier and inside != qualifier:
        raise InvalidParameterValueException(
            problem="The derived qualifier from the function name does not match the specified qualifier."
        )
    name = Name(found["account"] or call.account, found["region"] or call.region, found["name"])
    if found["region"] and found["region"] != call.region:
        raise ResourceNotFoundException(
            problem=f"Functions from '{found['region']}' are not reachable in this region ('{call.region}')"
        )
    asked = inside or qualifier or LATEST
    if asked != LATEST:
        raise FunctionNotFound(arn=f"{name.arn}:{asked}")
    return name


def parse_arn(text: str) -> Name:
    """The function of an unqualified ARN: what tags are put on."""
    arn = Arn.parse(text)
    kind, _, name = arn.resource.partition(":") if arn else ("", "", "")
    if arn is None or kind != "function":
        raise InvalidParameterValueException(problem=f"Value {text} is not the ARN of a function")
    if ":" in name:
        raise InvalidParameterValueException(
            problem="Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return Name(arn.account, arn.region, name)
