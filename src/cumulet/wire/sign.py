"""Signature Version 4: was the request signed with the secret of the key it names? Pure: time and secret are given.

    claim = sign.read(request, family, signing_name)   what the request says of its signer; None where it is unsigned
    key = sign.verify(claim, request, secret, now)     raises AWS's refusal; the key then verifies the body's chunks

S3 differs from all others: its path is encoded once and never normalised, the body is named by x-amz-content-sha256 and
compared where it is read, and every x-amz- header must have been signed. Signature Version 2 stands in `sign_v2`.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from cumulet.base.clock import SECOND, iso, moment
from cumulet.wire.http import Request
from cumulet.wire.sign_claim import ALGORITHM, Claim, read
from cumulet.wire.sign_errors import (
    WORDS,
    HeadersNotSigned,
    InvalidContentHash,
    MissingContentHash,
    Refused,
    RequestHasExpired,
    RequestNotYetValid,
    RequestTimeTooSkewed,
)

__all__ = ["EMPTY_HASH", "STREAMS", "UNSIGNED", "Claim", "canonical_request", "read", "signing_key", "verify"]

SKEW: Final = 15 * 60
EMPTY_HASH: Final = hashlib.sha256(b"").hexdigest()
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
STREAMS: Final = (
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
)
MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_HASH = re.compile(r"[0-9a-f]{64}")


def verify(claim: Claim, request: Request, secret: str, now: int) -> bytes:
    """The signing key, when the signature is good and in time; otherwise AWS's refusal is raised."""
    late = _untimely(claim, now)
    if late is not None:
        raise late
    _check_headers(claim, request)
    canonical = canonical_request(claim, request, _payload(claim, request))
    digest = hashlib.sha256(canonical.encode("latin-1", "backslashreplace")).hexdigest()
    text = f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{digest}"
    key = signing_key(secret, claim.date, claim.region, claim.service)
    wanted = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(wanted.encode(), claim.signature.encode()):
        raise _mismatch(claim, text, canonical)
    return key


@lru_cache(256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_request(claim: Claim, request: Request, payload: str) -> str:
    """What was signed, in the one way of writing it. Header values are bytes read as Latin-1."""
    s3 = claim.family == "s3"
    headers = request.headers
    return "\n".join(
        (
            request.method,
            canonical_path(request.path, s3=s3),
            canonical_query(request.query, without="X-Amz-Signature" if claim.presigned else ""),
            "".join(f"{name}:{' '.join((headers.get(name) or '').split())}\n" for name in claim.signed_headers),
            ";".join(claim.signed_headers),
            payload,
        )
    )


def canonical_path(path: str, *, s3: bool) -> str:
    """S3: encoded once, as it is. All others: normalised, and what was encoded is encoded again."""
    if s3:
        return quote(unquote_to_bytes(path), safe="/~") or "/"
    return quote(_normal(path), safe="/~")


def canonical_query(query: str, without: str = "") -> str:
    """The parameters, sorted by their encoded names and then values."""
    if not query:
        return ""
    split = (pair.partition("=") for pair in query.split("&") if pair)
    pairs = sorted((_encoded(name), _encoded(value)) for name, _, value in split)
    return "&".join(f"{name}={value}" for name, value in pairs if name != without)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="~")


def _normal(path: str) -> str:
    """Without empty segments, `.` and `..`."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(kept)}{end}"


def _payload(claim: Claim, request: Request) -> str:
    """The body's part in the signature: its hash, or the words that stand for it."""
    told = request.headers.get("x-amz-content-sha256")
    if claim.family != "s3":
        return UNSIGNED if told == UNSIGNED else hashlib.sha256(request.body).hexdigest()
    if told is None:
        if not claim.presigned:
            raise MissingContentHash
        return UNSIGNED
    if told != UNSIGNED and told not in STREAMS and not _HASH.fullmatch(told):
        raise InvalidContentHash(ArgumentName="x-amz-content-sha256", ArgumentValue=told)
    return told


def _check_headers(claim: Claim, request: Request) -> None:
    """Host must be signed, and with S3 all x-amz- headers: else what they say could be anybody's."""
    signed = claim.signed_headers
    if "host" not in signed and claim.family != "s3":
        problem = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        raise WORDS[claim.family].mismatch(problem=problem)
    if claim.family == "s3":
        loose = {name for name, _ in request.headers if name == "host" or name.startswith("x-amz-")} - set(signed)
        if loose:
            raise HeadersNotSigned(HeadersNotSigned=", ".join(sorted(loose)))


def _untimely(claim: Claim, now: int) -> Refused | None:
    """The refusal of a request that is too old or from the future."""
    signed = _instant(claim.timestamp)
    if signed is None:
        return WORDS[claim.family].incomplete(
            problem=f"Date must be in ISO-8601 'basic format'. Got '{claim.timestamp}'."
        )
    good_for = SKEW if claim.expires is None else claim.expires
    if now > signed + good_for * SECOND:
        return _expired(claim, signed, good_for, now)
    if now < signed - SKEW * SECOND:
        return _early(claim, signed, now)
    return None


def _expired(claim: Claim, signed: int, good_for: int, now: int) -> Refused:
    if claim.family == "s3":
        if not claim.presigned:
            return _skewed(claim, now)
        end = iso(signed + good_for * SECOND)
        values: dict[str, Any] = {
            "X-Amz-Expires": good_for,
            "Expires": f"{end[:19]}Z",
            "ServerTime": f"{iso(now)[:19]}Z",
        }
        return RequestHasExpired(**values)
    oldest = _basic(now - good_for * SECOND)
    span = f"{good_for // 60} min."
    problem = f"Signature expired: {claim.timestamp} is now earlier than {oldest} ({_basic(now)} - {span})"
    return WORDS[claim.family].mismatch(problem=problem)


def _early(claim: Claim, signed: int, now: int) -> Refused:
    if claim.family == "s3":
        return RequestNotYetValid() if claim.presigned else _skewed(claim, now)
    newest = _basic(now + SKEW * SECOND)
    problem = (
        f"Signature not yet current: {_basic(signed)} is still later than {newest} ({_basic(now)} + {SKEW // 60} min.)"
    )
    return WORDS[claim.family].mismatch(problem=problem)


def _skewed(claim: Claim, now: int) -> Refused:
    return RequestTimeTooSkewed(
        RequestTime=claim.timestamp, ServerTime=f"{iso(now)[:19]}Z", MaxAllowedSkewMilliseconds=SKEW * 1000
    )


def _mismatch(claim: Claim, text: str, canonical: str) -> Refused:
    refused = WORDS[claim.family].mismatch
    if claim.family != "s3":
        return refused(problem=MISMATCH)
    return refused(
        AWSAccessKeyId=claim.access_key,
        StringToSign=text,
        SignatureProvided=claim.signature,
        StringToSignBytes=text.encode().hex(" "),
        CanonicalRequest=canonical,
        CanonicalRequestBytes=canonical.encode().hex(" "),
    )


def _instant(timestamp: str) -> int | None:
    try:
        return int(datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()) * SECOND
    except ValueError:
        return None


def _basic(instant: int) -> str:
    return f"{moment(instant):%Y%m%dT%H%M%SZ}"
