"""Signature Version 2 of S3, which boto3 still uses for presigned URLs unless told otherwise. Pure.

Only S3 keeps it: in the query string (`AWSAccessKeyId`, `Expires`, `Signature`) and the header (`AWS key:signature`).
It signs no region: callers of it are in us-east-1.
"""

import hmac
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from cumulet.base.clock import SECOND, iso
from cumulet.wire.http import Request
from cumulet.wire.sign_claim import HTTP_DATE, parameters
from cumulet.wire.sign_errors import (
    AccessDenied,
    DateMissing,
    RequestHasExpired,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
)

SKEW: Final = 15 * 60

SUBRESOURCES: Final = frozenset(
    (
        "accelerate",
        "acl",
        "cors",
        "defaultObjectAcl",
        "delete",
        "lifecycle",
        "location",
        "logging",
        "notification",
        "partNumber",
        "policy",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    )
)


@dataclass(frozen=True, slots=True)
class OldClaim:
    """What a request signed in the old way says of its signer. `expires` is an instant in seconds where presigned."""

    access_key: str
    signature: str
    expires: str | None = None
    token: str | None = None
    family: str = "s3"
    region: str = "us-east-1"


class MissingParameters(AccessDenied):
    """Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"""

    code = "AccessDenied"


class InvalidExpires(AccessDenied):
    """Invalid date (should be seconds since epoch): {value}"""

    code = "AccessDenied"


def read(request: Request) -> OldClaim | None:
    """The claim of a request to S3 that is signed in the old way; None where it is not."""
    header = request.headers.get("authorization")
    if header is not None:
        key, _, signature = header.removeprefix("AWS ").partition(":")
        found = header.startswith("AWS ") and key and signature
        return OldClaim(key, signature, token=request.headers.get("x-amz-security-token")) if found else None
    if "Signature=" not in request.query or "X-Amz-Signature=" in request.query:
        return None
    fields = parameters(request.query)
    if not all(name in fields for name in ("AWSAccessKeyId", "Signature", "Expires")):
        raise MissingParameters
    if not (fields["Expires"].isascii() and fields["Expires"].isdigit() and len(fields["Expires"]) < 12):
        raise InvalidExpires(value=fields["Expires"])
    token = fields.get("x-amz-security-token")
    return OldClaim(fields["AWSAccessKeyId"], fields["Signature"], fields["Expires"], token)


def verify(claim: OldClaim, request: Request, secret: str, now: int, bucket: str = "") -> None:
    """Raises S3's refusal unless the signature is good and in time. `bucket` is that of a virtual-host request."""
    _check_time(claim, request, now)
    text = string_to_sign(claim, request, bucket)
    wanted = b64encode(hmac.digest(secret.encode(), text.encode("latin-1", "backslashreplace"), "sha1"))
    if not hmac.compare_digest(wanted, claim.signature.encode()):
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=claim.access_key,
            StringToSign=text,
            SignatureProvided=claim.signature,
            StringToSignBytes=text.encode("latin-1", "backslashreplace").hex(" "),
        )


def string_to_sign(claim: OldClaim, request: Request, bucket: str) -> str:
    headers = request.headers
    date = claim.expires if claim.expires is not None else ("" if "x-amz-date" in headers else headers.get("date", ""))
    own = sorted({name for name, _ in headers if name.startswith("x-amz-")})
    fields = "".join(f"{name}:{(headers.get(name) or '').strip()}\n" for name in own)
    head = (request.method, headers.get("content-md5") or "", headers.get("content-type") or "", date or "")
    resource = f"/{bucket}{request.path}" if bucket else request.path
    return "\n".join((*head, fields + resource + _subresources(request.query)))


def _subresources(query: str) -> str:
    pairs = sorted(pair.partition("=") for pair in query.split("&") if pair.partition("=")[0] in SUBRESOURCES)
    texts = [f"{name}={unquote(value)}" if equals and value else name for name, equals, value in pairs]
    return f"?{'&'.join(texts)}" if texts else ""


def _check_time(claim: OldClaim, request: Request, now: int) -> None:
    if claim.expires is not None:
        end = int(claim.expires) * SECOND
        if now > end:
            values: dict[str, Any] = {"Expires": f"{iso(end)[:19]}Z", "ServerTime": f"{iso(now)[:19]}Z"}
            raise RequestHasExpired(**values)
        return
    date = request.headers.get("x-amz-date") or request.headers.get("date") or ""
    try:
        signed = (
            int(datetime.strptime(date.replace("+0000", "GMT"), HTTP_DATE).replace(tzinfo=UTC).timestamp()) * SECOND
        )
    except ValueError:
        raise DateMissing from None
    if abs(now - signed) > SKEW * SECOND:
        raise RequestTimeTooSkewed(
            RequestTime=date, ServerTime=f"{iso(now)[:19]}Z", MaxAllowedSkewMilliseconds=SKEW * 1000
        )
