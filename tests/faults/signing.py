"""Signature Version 4 by hand, with whatever date one likes: what no client lets one do."""

import datetime as dt
import hashlib
import hmac
from urllib.parse import quote, urlencode

ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs requests to `host` with a key pair as boto3 takes it."""

    def __init__(self, host: str, keys: dict[str, str]) -> None:
        self._host = host
        self._id, self._secret = keys["aws_access_key_id"], keys["aws_secret_access_key"]

    def request(self, line: str, service: str, minutes: int = 0, body: bytes = b"", **headers: str) -> bytes:
        """A whole request, signed as if it were `minutes` later."""
        method, _, target = line.partition(" ")
        path, _, query = target.partition("?")
        stamp = _stamp(minutes)
        digest = hashlib.sha256(body).hexdigest()
        told = {name.lower().replace("_", "-"): value for name, value in headers.items()}
        told |= {"host": self._host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
        names = ";".join(sorted(told))
        lines = "".join(f"{name}:{told[name]}\n" for name in sorted(told))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
        signature = self._sign(stamp, service, canonical)
        told["authorization"] = (
            f"{ALGORITHM} Credential={self._id}/{_scope(stamp, service)}, SignedHeaders={names}, Signature={signature}"
        )
        told["content-length"] = str(len(body))
        text = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{line} HTTP/1.1\r\n{text}\r\n".encode() + body

    def presigned(self, path: str, minutes: int = 0, expires: int = 60) -> bytes:
        """A GET of an object, with the signature in its address."""
        stamp = _stamp(minutes)
        fields = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self._id}/{_scope(stamp, 's3')}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": "host",
        }
        query = urlencode(sorted(fields.items()), quote_via=quote)
        canonical = "\n".join(["GET", path, query, f"host:{self._host}\n", "host", "UNSIGNED-PAYLOAD"])
        target = f"{path}?{query}&X-Amz-Signature={self._sign(stamp, 's3', canonical)}"
        return f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode()

    def _sign(self, stamp: str, service: str, canonical: str) -> str:
        text = "\n".join([ALGORITHM, stamp, _scope(stamp, service), hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self._secret}".encode()
        for part in (stamp[:8], "us-east-1", service, "aws4_request", text):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()


def _stamp(minutes: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M%SZ")


def _scope(stamp: str, service: str) -> str:
    return f"{stamp[:8]}/us-east-1/{service}/aws4_request"
