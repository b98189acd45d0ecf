"""CBOR values into input (rpc-v2-cbor): the walk of `read_json`, with binary scalars and tagged times."""

import io
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import cbor2

from cumulet.wire import values
from cumulet.wire.models import ServiceModel
from cumulet.wire.read_json import JSON_SCALARS, Reader, Readers, wrong
from cumulet.wire.values import Unreadable


def blob(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    raise wrong(value, "a ByteBuffer")


def time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return values.utc(value)
    raise wrong(value, "a Timestamp")


CBOR_SCALARS: Final[Mapping[str, Reader]] = {**JSON_SCALARS, "blob": blob, "timestamp": time}


@cache
def cbor_readers(model: ServiceModel) -> Readers:  # noqa: ARG001  the key of the cache
    return Readers(CBOR_SCALARS)


def load(body: bytes) -> Any:
    """The CBOR value of a body."""
    stream = io.BytesIO(body)
    try:
        found = cbor2.load(stream)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Unreadable(f"Could not parse request body into cbor: {error}") from None
    if stream.read(1):
        raise Unreadable("Could not parse request body into cbor: bytes after the end")
    return found
