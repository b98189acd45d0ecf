"""The aws-chunked encoding of bodies: signed or unsigned chunks, and checksums that trail the body. Pure, incremental.

    decoder = Decoder(length, signer, trailers)
    for piece in decoder.feed(data): ...      as the body arrives; pieces are as large as what was fed
    decoder.finish()                          at its end; raises unless everything fits
    decoder.checksums                         what trailed the body and was found right: {"CRC32": "base64"}

Nothing is held back: a piece leaves before the signature behind it is known, and `feed` or `finish` raise when it turns
out wrong, so whoever stores the body makes it visible after `finish` only. Trailers other than checksums are refused.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cumulet.wire import checksums
from cumulet.wire.body_errors import (
    BadDigest,
    IncompleteBody,
    InvalidChecksum,
    InvalidChunkSizeError,
    MalformedTrailerError,
)
from cumulet.wire.sign import EMPTY_HASH
from cumulet.wire.sign_claim import Claim
from cumulet.wire.sign_errors import SignatureDoesNotMatch

LINE: Final = 1024
TRAILER: Final = 16 * 1024
LEAST: Final = 8192
"""A signed chunk that is not the last has at least so many bytes."""

_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")


@dataclass(slots=True)
class Signer:
    """The chain of signatures over a body's chunks: each is made from the one before, the first from the request's."""

    claim: Claim
    key: bytes
    before: str

    @classmethod
    def after(cls, claim: Claim, key: bytes) -> "Signer":
        """The chain that begins at the signature of a verified request."""
        return cls(claim, key, claim.signature)

    def check_chunk(self, digest: str, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY_HASH}\n{digest}", signature)

    def check_trailer(self, digest: str, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-TRAILER", digest, signature)

    def _check(self, kind: str, rest: str, signature: str) -> None:
        text = f"{kind}\n{self.claim.timestamp}\n{self.claim.scope}\n{self.before}\n{rest}"
        wanted = hmac.digest(self.key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise SignatureDoesNotMatch(
                AWSAccessKeyId=self.claim.access_key, StringToSign=text, SignatureProvided=signature
            )
        self.before = wanted


class Decoder:
    """Decodes one body of `length` bytes. `trailers` are the names that `x-amz-trailer` announced.

    With a `signer` every chunk must bear its signature; without one signatures are read over.
    """

    def __init__(self, length: int, signer: Signer | None = None, trailers: Sequence[str] = ()) -> None:
        self.checksums: dict[str, str] = {}
        self._length = length
        self._signer = signer
        self._announced = tuple(name.strip().lower() for name in trailers if name.strip())
        self._running = {n: checksums.make(a) for n in self._announced if (a := checksums.HEADERS.get(n))}
        self._buffer = b""
        self._left = 0
        """Bytes of the present chunk that are still to come; -1 when its line end is."""
        self._chunk = 0
        self._signature = ""
        self._hash = hashlib.sha256()
        self._short: int | None = None
        self._seen = 0
        self._trailing = False

    def feed(self, data: bytes) -> list[bytes]:
        """The decoded pieces in `data`."""
        pieces: list[bytes] = []
        buffer = self._buffer + data if self._buffer else data
        at = 0
        while at < len(buffer) and not self._trailing:
            if self._left > 0:
                piece = buffer[at : at + self._left]
                at += len(piece)
                self._take(piece)
                pieces.append(piece)
            else:
                end = buffer.find(b"\n", at)
                if end < 0:
                    break
                self._line(buffer[at:end].removesuffix(b"\r"))
                at = end + 1
        self._buffer = buffer[at:]
        if len(self._buffer) > (TRAILER if self._trailing else LINE):
            raise MalformedTrailerError if self._trailing else IncompleteBody
        return pieces

    def finish(self) -> None:
        """The body has ended. Raises unless it was whole, and its trailers are those announced and right."""
        if not self._trailing or self._seen != self._length:
            raise IncompleteBody
        fields, text = self._fields()
        signature = fields.pop("x-amz-trailer-signature", "")
        if set(fields) != set(self._announced):
            raise MalformedTrailerError
        if self._signer is not None and self._announced:
            self._signer.check_trailer(hashlib.sha256(text).hexdigest(), signature)
        self._compare(fields)

    def _line(self, line: bytes) -> None:
        """A line: the end of a chunk, or the head of the next."""
        if self._left < 0:
            if line:
                raise IncompleteBody
            self._left = 0
            return
        found = _HEAD.fullmatch(line)
        if found is None:
            raise IncompleteBody
        self._chunk += 1
        self._left = int(found[1], 16)
        self._signature = (found[2] or b"").decode()
        if self._seen + self._left > self._length:
            raise IncompleteBody
        if self._signer is not None:
            self._check_size()
        if self._left == 0:
            self._end_of_chunk()
            self._trailing = True

    def _check_size(self) -> None:
        if self._left and self._short is not None:
            values: dict[str, Any] = {"Chunk": self._chunk - 1, "BadChunkSize": self._short}
            raise InvalidChunkSizeError(**values)
        self._short = self._left if self._left < LEAST else None

    def _take(self, piece: bytes) -> None:
        self._left -= len(piece)
        self._seen += len(piece)
        if self._signer is not None:
            self._hash.update(piece)
        for checksum in self._running.values():
            checksum.update(piece)
        if self._left == 0:
            self._end_of_chunk()
            self._left = -1

    def _end_of_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check_chunk(self._hash.hexdigest(), self._signature)
            self._hash = hashlib.sha256()

    def _fields(self) -> tuple[dict[str, str], bytes]:
        """The trailers, and the text of them that is signed."""
        fields: dict[str, str] = {}
        text = b""
        for line in self._buffer.split(b"\n"):
            name, colon, value = line.strip().partition(b":")
            if not name and not colon:
                continue
            key = name.decode("latin-1").lower().strip()
            if not colon or not key or key in fields:
                raise MalformedTrailerError
            fields[key] = value.decode("latin-1").strip()
            if key != "x-amz-trailer-signature":
                text += f"{key}:{fields[key]}\n".encode("latin-1")
        return fields, text

    def _compare(self, fields: Mapping[str, str]) -> None:
        for name, checksum in self._running.items():
            algorithm, claimed = checksums.HEADERS[name], fields[name]
            if not checksums.well_formed(algorithm, claimed):
                raise InvalidChecksum(name=name)
            if checksum.text() != claimed:
                raise BadDigest(algorithm=algorithm)
            self.checksums[algorithm] = claimed
