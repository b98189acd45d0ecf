"""Errors of IAM.

AwsError
├── NoSuchEntityException       NoSuchEntity, 404
├── EntityAlreadyExistsException  EntityAlreadyExists, 409
├── DeleteConflictException     DeleteConflict, 409
├── LimitExceededException      LimitExceeded, 409
├── MalformedPolicyDocumentException  MalformedPolicyDocument
├── InvalidInputException       InvalidInput
└── ValidationError
"""

from cumulet.base.errors import AwsError


class NoSuchEntityException(AwsError):
    """{problem}"""

    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExistsException(AwsError):
    """{problem}"""

    code = "EntityAlreadyExists"
    status = 409


class DeleteConflictException(AwsError):
    """Cannot delete {problem}"""

    code = "DeleteConflict"
    status = 409


class LimitExceededException(AwsError):
    """{problem}"""

    code = "LimitExceeded"
    status = 409


class MalformedPolicyDocumentException(AwsError):
    """{problem}"""

    code = "MalformedPolicyDocument"


class InvalidInputException(AwsError):
    """{problem}"""

    code = "InvalidInput"


class ValidationError(AwsError):
    """{problem}"""
