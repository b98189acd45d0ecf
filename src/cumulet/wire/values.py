"""Scalars as the protocols write them: times in three notations, numbers and truth as text, names in XML.

Reading is generous with notations (AWS takes any of the three for a time) and strict with content: what is no value
raises `Unreadable`, whose words the protocol's reader turns into its own AWS error.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from cumulet.base.errors import CumuletError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HTTP_DATE: Final = re.compile(
    r"(?:\w{3}, )?(\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d)(\.\d+)? (?:GMT|UTC|[+-]0000)", re.ASCII
)
_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_FLOAT_WORDS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class Unreadable(CumuletError):
    """The request says something that is no value of the member's type."""


def read_time(value: str | float) -> datetime:
    """A time from seconds since the epoch (number or text), ISO 8601 or an HTTP date."""
    try:
        if isinstance(value, str):
            return _time_from_text(value.strip())
        return EPOCH + timedelta(microseconds=round(value * 1_000_000))
    except (ValueError, OverflowError):
        raise Unreadable(f"Unable to parse timestamp: {value}") from None


def _time_from_text(text: str) -> datetime:
    if text[:1].isdigit() and text[4:5] == "-":
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if match := _HTTP_DATE.fullmatch(text):
        day, month, year, hour, minute, second, fraction = match.groups()
        found = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        return found + timedelta(seconds=float(fraction or 0))
    return EPOCH + timedelta(microseconds=round(float(text) * 1_000_000))


def read_integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unreadable("STRING_VALUE can not be converted to an Integer")
    return int(text)


def read_float(text: str) -> float:
    try:
        return _FLOAT_WORDS[text] if text in _FLOAT_WORDS else float(text)
    except ValueError:
        raise Unreadable("STRING_VALUE can not be converted to a Float") from None


def read_boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in {"true", "false"}:
        raise Unreadable("STRING_VALUE can not be converted to a Boolean")
    return lowered == "true"


def read_blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("STRING_VALUE can not be converted to a ByteBuffer: not base64") from None


def utc(value: datetime) -> datetime:
    """The same instant in UTC; a naive time is taken to be UTC."""
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def epoch(value: datetime) -> int | float:
    """Seconds since the epoch to the millisecond, as AWS tells them."""
    millis = (utc(value) - EPOCH) // _MILLISECOND
    return millis // 1000 if millis % 1000 == 0 else millis / 1000


def iso(value: datetime, *, always_millis: bool = False) -> str:
    """`2026-11-23T08:33:00Z`, with milliseconds where there are any or where the service always tells them."""
    value = utc(value)
    if always_millis or value.microsecond >= 1000:
        return f"{value.isoformat(timespec='milliseconds')[:23]}Z"
    return f"{value.isoformat(timespec='seconds')[:19]}Z"


def http_date(value: datetime) -> str:
    """`Mon, 23 Nov 2026 08:33:00 GMT`."""
    value = utc(value)
    return (
        f"{_DAYS[value.weekday()]}, {value.day:02d} {_MONTHS[value.month - 1]} {value.year:04d} "
        f"{value.hour:02d}:{value.minute:02d}:{value.second:02d} GMT"
    )


def write_time(value: datetime, notation: str, *, always_millis: bool = False) -> str:
    """A time as text in one of the model's notations."""
    if notation == "unixTimestamp":
        return str(epoch(value))
    if notation == "rfc822":
        return http_date(value)
    return iso(value, always_millis=always_millis)


def write_float(value: float) -> str:
    """A floating-point number as text."""
    if value != value:  # noqa: PLR0124  NaN is the one value that differs from itself
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value)) if not float(value).is_integer() else repr(value)


def write_blob(value: bytes) -> str:
    return base64.b64encode(value).decode()
