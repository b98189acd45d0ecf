"""CBOR bodies (rpc-v2-cbor): times are tagged seconds."""

from typing import Any

import cbor2


def dump(value: Any) -> bytes:
    """A value as CBOR."""
    return cbor2.dumps(value, datetime_as_timestamp=True)
