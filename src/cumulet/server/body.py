"""Bodies on their way to a service: read whole up to a limit, or handed over as a stream that checks itself.

A stream that is cut short, or whose hash, chunk signatures or trailing checksums are wrong, raises at its end or
before, so a service that makes the body visible after the last piece never shows a wrong one. Content-MD5 and the
x-amz-checksum-* headers of a streamed body are the service's to compare, for it keeps the values.
"""

import hashlib
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import AsyncIterator

from cumulet.base.errors import AwsError
from cumulet.wire import checksums
from cumulet.wire.body_errors import (
    BadDigest,
    MissingContentLength,
    XAmzContentSHA256Mismatch,
)
from cumulet.wire.chunked import Decoder, Signer
from cumulet.wire.http import ByteStream, Headers, Request
from cumulet.wire.sign import STREAMS

LIMIT = 70_167_211
"""Bytes of a body that is read whole: AWS Lambda's limit for CreateFunction, the largest of them."""


class MaxMessageLengthExceeded(AwsError):
    """Your request was too big."""


class RequestEntityTooLargeException(AwsError):
    """Request must be smaller than {limit} bytes for the {operation} operation"""

    status = 413


class InvalidDigest(AwsError):
    """The Content-MD5 you specified was invalid."""


class InvalidHeader(AwsError):
    """Value for {name} header is invalid."""

    code = "InvalidRequest"


class Whole:
    """A body that is at hand, as a stream."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._body:
            yield self._body


class Hashed:
    """A stream that must have the hash its request claims."""

    def __init__(self, stream: ByteStream, claimed: str) -> None:
        self._stream = stream
        self._claimed = claimed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        running = hashlib.sha256()
        async for piece in self._stream:
            running.update(piece)
            yield piece
        compare_hash(running.hexdigest(), self._claimed)


class Decoded:
    """A stream taken out of its aws-chunked encoding. `checksums` are what trailed it, once it has ended."""

    def __init__(self, stream: ByteStream, decoder: Decoder) -> None:
        self._stream = stream
        self._decoder = decoder
        self.checksums = decoder.checksums

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            for piece in self._decoder.feed(data):
                yield piece
        self._decoder.finish()


def streamed(request: Request, signer: Signer | None) -> Request:
    """The request as a service that takes a stream sees it: decoded, and checking itself."""
    if request.method == "PUT" and not ("content-length" in request.headers or "transfer-encoding" in request.headers):
        raise MissingContentLength
    stream = Whole(request.body) if request.stream is None else request.stream
    told = request.headers.get("x-amz-content-sha256") or ""
    if told in STREAMS or _is_chunked(request.headers):
        length = request.headers.get("x-amz-decoded-content-length") or ""
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            raise MissingContentLength
        trailers = (request.headers.get("x-amz-trailer") or "").split(",")
        decoder = Decoder(int(length), signer if told.startswith("STREAMING-AWS4") else None, trailers)
        return _with(request, Decoded(stream, decoder), _unwrapped(request.headers, length))
    if len(told) == 64:
        stream = Hashed(stream, told)
    return _with(request, stream, request.headers)


async def read_whole(request: Request, operation: str, *, s3: bool = False) -> Request:
    """The request with its whole body. Raises AWS's error where that is larger than we take."""
    length = request.headers.get("content-length") or "0"
    if request.stream is None:
        pieces, size = [request.body], len(request.body)
    else:
        pieces, size = [], int(length) if length.isascii() and length.isdigit() else 0
        if size <= LIMIT:
            size = 0
            async for piece in request.stream:
                size += len(piece)
                if size > LIMIT:
                    break
                pieces.append(piece)
    if size > LIMIT:
        raise MaxMessageLengthExceeded if s3 else RequestEntityTooLargeException(limit=LIMIT, operation=operation)
    body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return Request(request.method, request.path, request.query, request.headers, body)


OF_THE_OBJECT = frozenset({"CompleteMultipartUpload"})
"""Operations whose x-amz-checksum-* headers are about the object, not about their body."""


def check_whole(request: Request, operation: str = "") -> None:
    """Compare a whole body with what its headers say of it: S3's way to know that it arrived as it was sent."""
    headers = request.headers
    told = headers.get("x-amz-content-sha256") or ""
    if len(told) == 64:
        compare_hash(hashlib.sha256(request.body).hexdigest(), told)
    md5 = headers.get("content-md5")
    if md5 is not None and _unbase64(md5) != hashlib.md5(request.body).digest():
        raise BadDigest("The Content-MD5 you specified did not match what we received.")
    for name, algorithm in checksums.HEADERS.items():
        claimed = None if operation in OF_THE_OBJECT else headers.get(name)
        if claimed is not None:
            _check_one(name, algorithm, claimed, request.body)


def compare_hash(computed: str, claimed: str) -> None:
    if computed != claimed:
        raise XAmzContentSHA256Mismatch(ClientComputedContentSHA256=claimed, S3ComputedContentSHA256=computed)


def _check_one(name: str, algorithm: str, claimed: str, body: bytes) -> None:
    if not checksums.well_formed(algorithm, claimed):
        raise InvalidHeader(name=name)
    checksum = checksums.make(algorithm)
    checksum.update(body)
    if checksum.text() != claimed:
        raise BadDigest(algorithm=algorithm)


def _unbase64(text: str) -> bytes:
    try:
        found = a2b_base64(text.encode(), strict_mode=True)
    except (NotBase64, UnicodeEncodeError):
        raise InvalidDigest from None
    if len(found) != 16:
        raise InvalidDigest
    return found


def _is_chunked(headers: Headers) -> bool:
    return "aws-chunked" in (headers.get("content-encoding") or "")


def _with(request: Request, stream: ByteStream, headers: Headers) -> Request:
    return Request(request.method, request.path, request.query, headers, b"", stream)


def _unwrapped(headers: Headers, length: str) -> Headers:
    """The headers of the body inside: its own length, and no word of the wrapping."""
    kept = [(name, value) for name, value in headers if name not in ("content-length", "content-encoding")]
    encodings = [part.strip() for part in (headers.get("content-encoding") or "").split(",")]
    rest = ",".join(part for part in encodings if part and part != "aws-chunked")
    return Headers([*kept, ("content-length", length), *([("content-encoding", rest)] if rest else [])])
