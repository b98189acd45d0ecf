"""Errors of Step Functions, named and worded as AWS does.

AwsError
├── InvalidArn InvalidName InvalidDefinition InvalidExecutionInput InvalidOutput InvalidToken MissingRequiredParameter
├── StateMachineDoesNotExist StateMachineAlreadyExists StateMachineDeleting StateMachineTypeNotSupported
├── ExecutionDoesNotExist ExecutionAlreadyExists
├── TaskDoesNotExist TaskTimedOut
├── ActivityDoesNotExist ConflictException InvalidRouting
└── ResourceNotFound TooManyTags
"""

from cumulet.base.errors import AwsError


class InvalidArn(AwsError):
    """Invalid Arn: '{problem}'"""


class InvalidName(AwsError):
    """Invalid Name: '{name}'"""


class InvalidDefinition(AwsError):
    """{problem}"""


class InvalidExecutionInput(AwsError):
    """Invalid State Machine Execution Input: '{problem}'"""


class InvalidOutput(AwsError):
    """Invalid Output: '{problem}'"""


class InvalidToken(AwsError):
    """Invalid Token: 'Invalid token'"""


class MissingRequiredParameter(AwsError):
    """Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"""


class StateMachineDoesNotExist(AwsError):
    """State Machine Does Not Exist: '{arn}'"""


class StateMachineAlreadyExists(AwsError):
    """State Machine Already Exists: '{arn}'"""


class StateMachineDeleting(AwsError):
    """State Machine is being deleted: '{arn}'"""


class StateMachineTypeNotSupported(AwsError):
    """This operation is not supported by this type of state machine"""


class ExecutionDoesNotExist(AwsError):
    """Execution Does Not Exist: '{arn}'"""


class ExecutionAlreadyExists(AwsError):
    """Execution Already Exists: '{arn}'"""


class ActivityDoesNotExist(AwsError):
    """Activity Does Not Exist: '{arn}'"""


class ConflictException(AwsError):
    """{problem}"""


class InvalidRouting(AwsError):
    """{problem}"""

    code = "ValidationException"

    @property
    def extra(self) -> dict[str, object]:
        return {"reason": "INVALID_ROUTING_CONFIGURATION"}


class TaskDoesNotExist(AwsError):
    """Task Does Not Exist: 'Provided task does not exist anymore'"""


class TaskTimedOut(AwsError):
    """Task Timed Out: 'Provided task does not exist anymore'"""


class ResourceNotFound(AwsError):
    """Resource not found: '{arn}'"""

    members = ("resourceName",)


class TooManyTags(AwsError):
    """Too many tags: '{arn}'"""

    members = ("resourceName",)
