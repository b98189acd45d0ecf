"""Page tokens: opaque to callers, stateless for us.

A token is the position after which the next page begins, as JSON in URL-safe base64, together with a digest of the
question that it belongs to, so that a token given with other filters is refused rather than misread.
"""

import base64
import hashlib
from typing import Any

from cumulet.base import json


class BadToken(ValueError):
    """The text is no token of ours, or one for another question."""


def _digest(question: Any) -> str:
    return hashlib.blake2b(json.dumps(question).encode(), digest_size=6).hexdigest()


def make_token(position: Any, question: Any) -> str:
    """A token for what follows `position` (JSON) in the answer to `question` (JSON)."""
    return base64.urlsafe_b64encode(json.dumps([_digest(question), position]).encode()).decode().rstrip("=")


def read_token(token: str, question: Any) -> Any:
    """The position in `token`. Raises `BadToken`."""
    try:
        digest, position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError) as error:
        raise BadToken(token) from error
    if digest != _digest(question):
        raise BadToken(token)
    return position
