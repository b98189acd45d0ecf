"""RFC 3339 timestamps as the states language wants them: an offset is needed, `T` and `Z` are capitals.

Exact to the nanosecond, as AWS compares them. No clock here.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

_SHAPE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def parse_timestamp(text: str) -> int | None:
    """Nanoseconds since 1970, or None when the text is no timestamp."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    offset = (int(hours) * 60 + int(minutes)) * 60 if sign else 0
    if offset > 18 * 3600 or (sign and int(minutes) > 59):
        return None
    since = moment - _EPOCH
    seconds = since.days * 86_400 + since.seconds + (offset if sign == "-" else -offset)
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
