"""Errors of CloudWatch Logs.

AwsError
├── ResourceNotFoundException
├── ResourceAlreadyExistsException
└── InvalidParameterException
"""

from cumulet.base.errors import AwsError


class ResourceNotFoundException(AwsError):
    """The specified {what} does not exist."""


class ResourceAlreadyExistsException(AwsError):
    """The specified {what} already exists"""


class InvalidParameterException(AwsError):
    """{problem}"""
