"""Errors of STS.

AwsError
├── AccessDenied      403
└── ValidationError
"""

from cumulet.base.errors import AwsError


class AccessDenied(AwsError):
    """User: {user} is not authorized to perform: sts:AssumeRole on resource: {role}"""

    status = 403


class ValidationError(AwsError):
    """{problem}"""
