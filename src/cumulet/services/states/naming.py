"""Names and ARNs of state machines and executions: what is allowed, and AWS's words for what is not.

Source: the name rules in the API reference of CreateStateMachine and StartExecution; words as recorded from AWS.
"""

import re

from cumulet.base.arn import Arn
from cumulet.base.errors import NotImplementedHere
from cumulet.services.states.errors import InvalidArn, InvalidName

_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")


def check_name(name: str) -> str:
    """Return `name`, or raise `InvalidName`."""
    if _NAME.fullmatch(name) is None:
        raise InvalidName(name=name)
    return name


def read_arn(text: str, kind: str) -> Arn:
    """The parts of an ARN of Step Functions whose resource is of `kind`: "stateMachine", "execution", "activity"."""
    arn = Arn.parse(text)
    if arn is None or not text.startswith("arn:"):
        raise InvalidArn(problem=f"Invalid ARN prefix: {text}")
    if arn.service != "states":
        raise InvalidArn(problem=f"Invalid ARN prefix: {text}")
    found = arn.resource.partition(":")[0]
    if found != kind:
        raise InvalidArn(problem=f"Resource type not valid in this context: {found}")
    return arn


def target_of(text: str) -> tuple[str, str | None]:
    """The ARN of a state machine, and what qualifies it: a version's number, an alias's name, or nothing."""
    parts = read_arn(text, "stateMachine").resource.split(":")
    if "/" in parts[-1]:
        raise NotImplementedHere(what="labelled state machine ARNs (distributed Map)")
    if len(parts) > 3 or "" in parts:
        raise InvalidArn(problem=f"Invalid ARN: {text}")
    return (text, None) if len(parts) < 3 else (text.rpartition(":")[0], parts[2])


def machine_arn(text: str) -> str:
    """`text` where it is the ARN of a state machine as such, neither a version's nor an alias's."""
    machine, qualifier = target_of(text)
    if qualifier is not None:
        raise InvalidArn(problem=f"A state machine ARN without version or alias is needed here: {text}")
    return machine


def execution_arn(text: str) -> str:
    """`text` where it is the ARN of an execution."""
    read_arn(text, "execution")
    return text


def activity_arn(text: str) -> str:
    """`text` where it is the ARN of an activity."""
    read_arn(text, "activity")
    return text


def execution_arn_of(machine: str, name: str) -> str:
    """The ARN of the execution `name` of the machine with the ARN `machine`."""
    return machine.replace(":stateMachine:", ":execution:", 1) + f":{name}"


def role_arn(text: str) -> str:
    """`text` where it is the ARN of an IAM role."""
    arn = Arn.parse(text)
    if arn is None:
        raise InvalidArn(problem=f"Invalid ARN prefix: {text}")
    if arn.service != "iam" or not arn.resource.startswith("role/"):
        raise InvalidArn(problem=f"Resource type not valid in this context: {arn.resource.partition('/')[0]}")
    return text
