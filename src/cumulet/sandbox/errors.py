"""What can go wrong in running other people's code, on our side of it.

CumuletError
└── SandboxError    the place could not be made, or a program not be started
"""

from cumulet.base.errors import CumuletError


class SandboxError(CumuletError):
    """A sandbox could not be prepared or started; the message names the thing and the reason."""
