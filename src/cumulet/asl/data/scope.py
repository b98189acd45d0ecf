"""What a data expression may see, and how it fails.

    CumuletError
    └── DataError        a States.* error name and AWS's words of its cause

The cause is AWS's text without the prefix "An error occurred while executing the state ...", which the machine puts
before it because only the machine knows the state and the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.base.errors import CumuletError
from cumulet.base.step import Env


@dataclass(frozen=True, slots=True)
class Scope:
    """One place of evaluation: `$` is the input, `$$` the context object, `$name` a variable."""

    input: Any
    context: Any
    variables: Mapping[str, Any]
    env: Env
    """The only source of chance, for States.UUID and States.MathRandom."""


class DataError(CumuletError):
    """An expression could not be evaluated: `error` is the States.* name, `cause` AWS's words."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
