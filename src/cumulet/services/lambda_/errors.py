"""Errors of Lambda.

AwsError
├── InvalidParameterValueException
├── InvalidRequestContentException
├── InvalidRuntimeException                502
├── PreconditionFailedException            412
├── RequestEntityTooLargeException         413
├── RequestTooLargeException               413
├── ResourceConflictException              409
├── ResourceNotFoundException              404
├── ServiceException                       500
└── TooManyRequestsException               429
"""

from cumulet.base.errors import AwsError


class InvalidParameterValueException(AwsError):
    """{problem}"""


class InvalidRequestContentException(AwsError):
    """Could not parse request body into json: {problem}"""


class InvalidRuntimeException(AwsError):
    """{problem}"""

    status = 502


class PreconditionFailedException(AwsError):
    """The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve
    the latest Revision Id
    """

    status = 412

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class RequestEntityTooLargeException(AwsError):
    """Request must be smaller than 69905067 bytes for the {operation} operation"""

    status = 413


class RequestTooLargeException(AwsError):
    """Request must be smaller than {limit} bytes for the InvokeFunction operation"""

    status = 413


class ResourceConflictException(AwsError):
    """{problem}"""

    status = 409


class FunctionExists(ResourceConflictException):
    """Function already exist: {name}"""

    code = "ResourceConflictException"


class ResourceNotFoundException(AwsError):
    """{problem}"""

    status = 404


class FunctionNotFound(ResourceNotFoundException):
    """Function not found: {arn}"""

    code = "ResourceNotFoundException"


class ServiceException(AwsError):
    """{problem}"""

    status = 500


class TooManyRequestsException(AwsError):
    """Rate Exceeded."""

    status = 429
    members = ("Reason",)
