"""Which of AWS's services a request names: by signing name, target prefix, API version or host.

The services that Cumulet has stand in a short table, so that the usual request costs nothing. For any other name
the heads of all models are read once (some 440 files, 0.1 s): an unknown service and one that we lack are different
answers.
"""

import gzip
from functools import cache
from typing import Any, Final, NamedTuple

import orjson

from cumulet.wire.models import DATA, find

HEAD: Final = 4096


class Entry(NamedTuple):
    """How requests name a service."""

    service: str
    signing: str
    protocols: tuple[str, ...]
    target: str = ""
    version: str = ""
    endpoint: str = ""


HOME: Final = (
    Entry("stepfunctions", "states", ("json",), "AWSStepFunctions", "2016-11-23", "states"),
    Entry("s3", "s3", ("rest-xml",), "", "2006-03-01", "s3"),
    Entry("lambda", "lambda", ("rest-json",), "", "2015-03-31", "lambda"),
    Entry("logs", "logs", ("json",), "Logs_20140328", "2014-03-28", "logs"),
    Entry("iam", "iam", ("query",), "", "2010-05-08", "iam"),
    Entry("sts", "sts", ("query",), "", "2011-06-15", "sts"),
)
"""The services at home here. A test compares the table with the models."""

_ALSO_SIGNED_AS: Final = {"s3express": "s3", "s3-object-lambda": "s3", "s3-outposts": "s3"}
_FIRST_OF_TWINS: Final = ("rds", "ses", "lambda", "s3", "dynamodb", "events", "iam")
"""Services that share a signing name with lesser ones, and are tried before them."""


@cache
def everything() -> tuple[Entry, ...]:
    """All services of the installed models."""
    found = [_head(folder.name) for folder in sorted(DATA.iterdir()) if folder.is_dir()]
    return tuple(sorted(found, key=lambda entry: entry.service not in _FIRST_OF_TWINS))


def _head(service: str) -> Entry:
    with gzip.open(find(service)) as file:
        head = file.read(HEAD)
    metadata = _metadata(head)
    return Entry(
        service,
        metadata.get("signingName", metadata["endpointPrefix"]),
        (metadata["protocol"], *(name for name in metadata.get("protocols", ()) if name != metadata["protocol"])),
        metadata.get("targetPrefix", ""),
        metadata["apiVersion"],
        metadata["endpointPrefix"],
    )


def _metadata(head: bytes) -> dict[str, Any]:
    """The `metadata` object at the beginning of a model."""
    start = head.index(b"{", head.index(b'"metadata"'))
    end = start
    while True:  # its end is the first brace that leaves valid JSON behind
        end = head.index(b"}", end) + 1
        try:
            found: dict[str, Any] = orjson.loads(head[start:end])
        except orjson.JSONDecodeError:
            continue
        return found


def signed_as(name: str) -> tuple[Entry, ...]:
    """The services whose requests are signed for `name`; the likeliest first."""
    name = _ALSO_SIGNED_AS.get(name, name)
    return _home_or_all("signing", name)


def targeted(prefix: str) -> tuple[Entry, ...]:
    """The services with this prefix in `X-Amz-Target`."""
    return _home_or_all("target", prefix)


def versioned(version: str) -> tuple[Entry, ...]:
    """The query services of this `Version`."""
    return tuple(entry for entry in _home_or_all("version", version) if {"query", "ec2"} & set(entry.protocols))


def hosted(prefix: str) -> tuple[Entry, ...]:
    """The services whose hosts begin with `prefix`."""
    return _home_or_all("endpoint", prefix)


def twins(entry: Entry) -> tuple[Entry, ...]:
    """All services that sign with the same name: asked only when `entry` itself does not know the request."""
    return _among(everything(), "signing", entry.signing)


def _home_or_all(field: str, value: str) -> tuple[Entry, ...]:
    return _among(HOME, field, value) or _among(everything(), field, value) if value else ()


def _among(entries: tuple[Entry, ...], field: str, value: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if getattr(entry, field) == value)
