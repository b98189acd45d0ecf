"""Errors everyone shares.

    CumuletError                    something a person should read
    ├── AwsError                    an answer of the API: code, words, HTTP status
    │   └── NotImplementedHere      501: an operation or option that we do not carry out
    └── (rooms add their own)

A service's error is a class named as AWS names it, whose docstring is its message, with `{placeholders}`
for the values that the raiser gives: `raise ExecutionDoesNotExist(arn=arn)`. The tree of a service stands in its
`errors.py`. `except Exception` belongs only to the two rims: the request and the worker.
"""

import inspect
from typing import ClassVar


class CumuletError(Exception):
    """Something went wrong in a way that a person can act upon."""


class AwsError(CumuletError):
    """An error answer of the API.

    `code` is AWS's name for the condition (default: the class's name), `status` the HTTP status, `sender` whether it is
    the caller's fault. `members` names those values that travel as members of the error's shape beside its message.
    Either the docstring is the message template, filled with `values`, or `message` is given whole.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    members: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str | None = None, **values: object) -> None:
        text = inspect.cleandoc(type(self).__doc__ or "") if message is None else message
        self.message: str = text.format(**values) if message is None else text
        self.values = values
        super().__init__(self.message)

    @property
    def error_code(self) -> str:
        return type(self).code or type(self).__name__

    @property
    def sender(self) -> bool:
        return type(self).status < 500

    @property
    def extra(self) -> dict[str, object]:
        """Members of the error's shape other than its message."""
        return {name: self.values[name] for name in type(self).members if name in self.values}


class NotImplementedHere(AwsError):
    """Cumulet does not carry out {what} yet. It is refused, so that nothing pretends to have happened."""

    code = "NotImplemented"
    status = 501


class ValidationError(AwsError):
    """{problem}"""

    code = "ValidationException"
