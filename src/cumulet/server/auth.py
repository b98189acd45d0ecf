"""Who calls: the principal, the region, and the key that signs the chunks of the body.

Two ways, chosen at the start:

- *trusting* (the default, on loopback only): any key is accepted and signatures are not verified. The account is
  000000000000, or the access key where that has twelve digits; who calls with a key that we issued is known by it.
- *strict* (`--auth`, and always beyond loopback): only keys that we issued, rightly signed and in time.

The region is the one in the signature's scope; any is good. Without one it is us-east-1.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from cumulet.base.clock import Clock
from cumulet.server.keys import ACCOUNT, Keys, Known, root_of
from cumulet.wire import models, sign, sign_v2
from cumulet.wire.chunked import Signer
from cumulet.wire.http import Request
from cumulet.wire.route import Route
from cumulet.wire.service import Principal
from cumulet.wire.sign_claim import parameters
from cumulet.wire.sign_errors import WORDS, family

REGION = "us-east-1"

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/[^/,\s]*/([^/,\s]+)/")
_OURS = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, where, and the signatures that the chunks of the body must bear (None: they are not verified)."""

    principal: Principal
    region: str = REGION
    signer: Signer | None = None


class Authenticator(Protocol):
    """Finds out who calls."""

    async def identify(self, route: Route, request: Request) -> Identity:
        """Raises AWS's refusal where that cannot be told."""
        ...


class Trusting:
    """Takes every caller at its word."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._roots: dict[str, Principal] = {}

    async def identify(self, route: Route, request: Request) -> Identity:  # noqa: ARG002  an Authenticator
        key, region, token = _told(request)
        if _OURS.fullmatch(key):
            known = self._keys.unseal(key, token) if token else await self._keys.find(key)
            if known is not None:
                return Identity(known.principal, region)
        return Identity(self._root(key), region)

    def _root(self, key: str) -> Principal:
        account = key if _ACCOUNT.fullmatch(key) else ACCOUNT
        return root_of(account, key)


class Strict:
    """Believes nobody."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def identify(self, route: Route, request: Request) -> Identity:
        kind = family(route.service, route.protocol)
        if kind == "s3" and (old := sign_v2.read(request)) is not None:
            known = await self._known(kind, old.access_key, old.token)
            bucket = route.labels.get("Bucket", "")
            in_host = bucket if bucket and request.host.startswith(f"{bucket}.") else ""
            sign_v2.verify(old, request, known.secret, self._clock.now(), in_host)
            return Identity(known.principal)
        claim = sign.read(request, kind, _signing_name(route.service))
        if claim is None:
            raise WORDS[kind].missing
        known = await self._known(kind, claim.access_key, claim.token)
        key = sign.verify(claim, request, known.secret, self._clock.now())
        return Identity(known.principal, claim.region, Signer.after(claim, key))

    async def _known(self, kind: str, access_key: str, token: str | None) -> Known:
        """The key, if we issued it and it is still good."""
        words = WORDS[kind]
        if token is None:
            known = await self._keys.find(access_key)
            if known is None:
                raise words.unknown_key(AWSAccessKeyId=access_key)
            return known
        known = self._keys.unseal(access_key, token)
        if known is None:
            raise words.bad_token
        if known.expires_at is not None and known.expires_at <= self._clock.now():
            raise words.old_token
        return known


def _told(request: Request) -> tuple[str, str, str]:
    """Access key, region and session token, as far as the request tells them; nothing is refused."""
    header = request.headers.get("authorization")
    if header is not None:
        token = request.headers.get("x-amz-security-token") or ""
        if (found := _CREDENTIAL.search(header)) is not None:
            return found[1], found[2], token
        if header.startswith("AWS "):
            return header[4:].partition(":")[0], REGION, token
        return "", REGION, token
    if "X-Amz-Credential=" in request.query:
        fields = parameters(request.query)
        parts = fields.get("X-Amz-Credential", "").split("/")
        region = parts[2] if len(parts) > 4 else REGION
        return parts[0], region, fields.get("X-Amz-Security-Token", "")
    if "AWSAccessKeyId=" in request.query:
        fields = parameters(request.query)
        return fields.get("AWSAccessKeyId", ""), REGION, fields.get("x-amz-security-token", "")
    return "", REGION, ""


def _signing_name(service: str) -> str:
    metadata = models.load(service).metadata
    name: str = metadata.get("signingName") or metadata["endpointPrefix"]
    return name
