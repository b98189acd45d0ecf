"""Requests signed by botocore's own signers, as ours."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cumulet.wire.http import Headers, Request

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "eu-west-1"


def ours(prepared, body: bytes = b"") -> Request:
    parts = urlsplit(prepared.url)
    items = [(k, v.decode("latin-1") if isinstance(v, bytes) else str(v)) for k, v in prepared.headers.items()]
    if "host" not in {name.lower() for name, _ in items}:
        items.append(("host", parts.netloc))
    return Request(prepared.method, parts.path, parts.query, Headers(items), body)


def signed(
    signer: Callable,
    service: str,
    *,
    method: str = "POST",
    url: str = "http://example.com/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    token: str | None = None,
    region: str = REGION,
    context: Mapping[str, object] | None = None,
    **options,
) -> Request:
    request = AWSRequest(method=method, url=url, headers=dict(headers or {}), data=body)
    request.context.update(context or {})
    signer(Credentials(KEY, SECRET, token), service, region, **options).add_auth(request)
    return ours(request.prepare(), body)


def header(service: str = "states", **options) -> Request:
    return signed(SigV4Auth, service, **options)


def s3_header(**options) -> Request:
    return signed(S3SigV4Auth, "s3", context={"payload_signing_enabled": True}, **options)


def query(service: str = "sts", **options) -> Request:
    return signed(SigV4QueryAuth, service, **options)


def s3_query(**options) -> Request:
    return signed(S3SigV4QueryAuth, "s3", **{"method": "GET", "expires": 600, **options})


def old(signer: type = HmacV1QueryAuth, *, method="GET", url, headers=None, token=None, **options) -> Request:
    request = AWSRequest(method=method, url=url, headers=dict(headers or {}))
    signer(Credentials(KEY, SECRET, token), **options).add_auth(request)
    return ours(request.prepare())


def old_header(**options) -> Request:
    return old(HmacV1Auth, **options)


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)


def changed(
    request: Request, *, method=None, path=None, query=None, body=None, without: str = "", **headers: str
) -> Request:
    """The request with one thing flipped; header names with `_` for `-`."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = [(k, v) for k, v in request.headers if k not in names and k != without]
    return Request(
        method or request.method,
        request.path if path is None else path,
        request.query if query is None else query,
        Headers([*kept, *names.items()]),
        request.body if body is None else body,
    )
