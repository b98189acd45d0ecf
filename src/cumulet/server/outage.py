"""What a caller is told when the store cannot: the disk is full, the database is away. It is tried again by SDKs.

A call that ends so has kept nothing, save where the database went away in the middle of a commit and nobody can tell.
"""

import errno

from cumulet.base.errors import AwsError
from cumulet.store.errors import Closed, Contended, OutcomeUnknown, StorageFull, Unreachable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class InsufficientStorage(AwsError):
    """{problem}"""

    code = "ServiceUnavailable"
    status = 507


class Away(AwsError):
    """{problem}. Please try again."""

    code = "ServiceUnavailable"
    status = 503


def refusal(error: Exception) -> AwsError | None:
    """The answer for `error`; None where it is no outage but a mistake."""
    if isinstance(error, StorageFull):
        return InsufficientStorage(problem=str(error))
    if isinstance(error, OSError) and error.errno in _FULL:
        return InsufficientStorage(problem=str(StorageFull(error.strerror or str(error))))
    if isinstance(error, Unreachable | Contended | OutcomeUnknown | Closed):
        return Away(problem=str(error).rstrip("."))
    return None
