"""Rows of the database as frozen data, and back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from cumulet.base import json
from cumulet.base.clock import SECOND, moment
from cumulet.store.api import Row

type Tags = tuple[tuple[str, str], ...]

STANDARD = "STANDARD"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket. `location` is what its LocationConstraint says: empty for us-east-1."""

    name: str
    account: str
    region: str
    location: str
    created_at: int
    tags: Tags = ()

    @classmethod
    def of(cls, row: Row) -> Self:
        tags = tuple((key, value) for key, value in json.loads(row["tags"]))
        return cls(row["name"], row["account"], row["region"], row["location"], row["created_at"], tags)

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum that S3 keeps: base64, for COMPOSITE with `-N` after it."""

    algorithm: str
    value: str
    type: str = "FULL_OBJECT"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        if not text:
            return None
        algorithm, type_, value = text.split(" ")
        return cls(algorithm, value, type_)

    def __str__(self) -> str:
        return f"{self.algorithm} {self.type} {self.value}"

    @property
    def members(self) -> dict[str, Any]:
        """As members of an answer."""
        return {f"Checksum{self.algorithm}": self.value, "ChecksumType": self.type}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the writer said about an object: it is kept and given back as it is."""

    headers: Mapping[str, Any] = field(default_factory=dict)
    """Cache-Control and the like, by member name; a datetime is microseconds."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Tags = ()
    redirect: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        found = json.loads(text)
        tags = tuple((key, value) for key, value in found.get("tags", ()))
        return cls(found.get("headers", {}), found.get("metadata", {}), tags, found.get("redirect", ""))

    def __str__(self) -> str:
        parts = {"headers": self.headers, "metadata": self.metadata, "tags": self.tags, "redirect": self.redirect}
        return json.dumps({name: value for name, value in parts.items() if value})

    def with_tags(self, tags: Tags) -> "Facts":
        return replace(self, tags=tags)

    @property
    def members(self) -> dict[str, Any]:
        """As members of an answer to GetObject and HeadObject."""
        told: dict[str, Any] = {
            name: moment(value) if isinstance(value, int) else value for name, value in self.headers.items()
        }
        told["Metadata"] = dict(self.metadata)
        if self.redirect:
            told["WebsiteRedirectLocation"] = self.redirect
        return told


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it is listed and headed. `etag` has no quotes."""

    key: bytes
    content: str
    size: int
    etag: str
    modified_at: int
    storage_class: str
    checksum: Checksum | None
    parts: int
    facts: Facts

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            bytes(row["key"]),
            row["content"],
            row["size"],
            row["etag"],
            row["modified_at"],
            row["storage_class"],
            Checksum.parse(row["checksum"]),
            row["parts"],
            Facts.parse(row["facts"]),
        )

    @property
    def columns(self) -> dict[str, object]:
        """As parameters of `put_object` in queries.sql."""
        return {
            "key": self.key,
            "content": self.content,
            "size": self.size,
            "etag": self.etag,
            "modified_at": self.modified_at,
            "storage_class": self.storage_class,
            "checksum": str(self.checksum or ""),
            "parts": self.parts,
            "facts": str(self.facts),
        }


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of an object: its own `body`, or `size` bytes of `blob` from `start`."""

    size: int
    blob: str | None = None
    start: int = 0
    body: bytes | None = None

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(row["size"], row["blob"], row["start"], None if row["body"] is None else bytes(row["body"]))


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload. `answer` is empty while it is open."""

    id: str
    bucket: str
    key: bytes
    initiated_at: int
    storage_class: str
    checksum_algorithm: str
    checksum_type: str
    facts: Facts
    answer: str = ""

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            row["id"],
            row["bucket"],
            bytes(row["key"]),
            row["initiated_at"],
            row["storage_class"],
            row["checksum_algorithm"],
            row["checksum_type"],
            Facts.parse(row["facts"]),
            row["answer"],
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload or of the object that it made."""

    number: int
    size: int
    etag: str
    modified_at: int
    checksums: Mapping[str, str]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(row["number"], row["size"], row["etag"], row["modified_at"], json.loads(row["checksums"]))


def seconds(instant: int) -> datetime:
    """A time as S3 tells it: whole seconds."""
    return moment(instant - instant % SECOND)


def quoted(etag: str) -> str:
    return f'"{etag}"'
