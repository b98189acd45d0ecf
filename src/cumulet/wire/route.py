"""Which operation of which service a request asks for, and in which protocol.

In this order: `X-Amz-Target` (json), the path of rpc-v2-cbor, `Action` and `Version` (query, ec2), then the paths of
REST services. The signing scope (Authorization header or presigned `X-Amz-Credential`) says which service is meant
where names are shared; what is unsigned and fits nothing else is S3. The protocol is chosen per request.

A service or operation that AWS has and Cumulet lacks is routed like any other: to refuse it with 501 is the gate's
part. What AWS has not is refused here in AWS's words; the refusal carries a `route` (with as much of it as is known),
so that the answer can be written in the caller's protocol.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import unquote

from cumulet.base.errors import AwsError
from cumulet.wire import directory, models
from cumulet.wire.directory import Entry
from cumulet.wire.http import Request
from cumulet.wire.models import Protocol
from cumulet.wire.uris import Match, read_query, table

DOMAINS: Final = ("localhost.localstack.cloud", "localhost")
"""Names of this server under which a bucket's name may stand: `bucket.localhost`, `bucket.s3.localhost`."""

_FORM: Final = "application/x-www-form-urlencoded"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_RPC_PATH: Final = re.compile(r".*/service/([^/]+)/operation/([^/]+)/?")
_AWS_S3_HOST: Final = re.compile(r"(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_OWN_S3_HOST: Final = re.compile(r"(?:(.+)\.)?s3(?:\.[a-z]{2}-[a-z-]+-\d)?")
_S3_CONTROL: Final = "/v20180820/"
_UNSIGNED_PATHS: Final = re.compile(r"/20\d\d-\d\d-\d\d/(functions|layers|event-source-mappings|tags)(/|$)")
_LAMBDA: Final = next(entry for entry in directory.HOME if entry.service == "lambda")


class Route(NamedTuple):
    """An operation and the protocol to speak. `operation` is "" in the route of a refusal where it is not known."""

    service: str
    operation: str
    protocol: Protocol
    labels: Mapping[str, str] = _NOTHING
    """The decoded labels of a REST path, the bucket of a virtual-host request among them."""


class Unrouted(AwsError):
    """The request names no operation."""

    def __init__(self, route: Route, message: str | None = None, **values: object) -> None:
        super().__init__(message, **values)
        self.route = route


class UnknownOperationException(Unrouted):
    """The operation {operation} is not known."""


class UnknownPath(Unrouted):
    """Unable to determine service/operation name to be authorized"""

    code = "UnknownOperationException"
    status = 404


class InvalidAction(Unrouted):
    """Could not find operation {action} for version {version}"""


class InvalidEc2Action(Unrouted):
    """The action {action} is not valid for this web service."""

    code = "InvalidAction"


class MissingAction(Unrouted):
    """The request must contain the parameter Action"""


class MethodNotAllowed(Unrouted):
    """The specified method is not allowed against this resource."""

    status = 405


class InvalidURI(Unrouted):
    """Couldn't parse the specified URI."""


def route(request: Request, domains: Sequence[str] = DOMAINS) -> Route:
    """The operation that `request` asks for. Raises `Unrouted`.

    `domains` are this server's own names, below which buckets may have theirs.
    """
    headers = request.headers
    target = headers.get("x-amz-target")
    if target is not None:
        return _by_target(target)
    if headers.get("smithy-protocol") == "rpc-v2-cbor" and (match := _RPC_PATH.fullmatch(request.path)):
        return _by_rpc_path(*match.groups())
    scope = signing_name(request)
    if request.path in {"/", ""} and scope != "s3" and (asked := _action(request, scope)):
        return _by_action(scope, *asked)
    return _by_path(request, scope, domains)


def needs_body(request: Request) -> bool:
    """Whether `route` looks into the body: a form that may hold `Action`."""
    return (
        request.method == "POST"
        and request.path in {"/", ""}
        and (request.headers.get("content-type") or "").startswith(_FORM)
        and signing_name(request) != "s3"
    )


def signing_name(request: Request) -> str:
    """The service that the signature is for, or "" where there is none."""
    authorization = request.headers.get("authorization") or ""
    if authorization.startswith("AWS4-"):
        return _scope(authorization.partition("Credential=")[2].partition(",")[0])
    if authorization.startswith("AWS "):
        return "s3"  # the second version of signatures: only S3 remains
    if "X-Amz-Credential=" in request.query:
        return _scope(unquote(request.query.partition("X-Amz-Credential=")[2].partition("&")[0]))
    return "s3" if "AWSAccessKeyId=" in request.query and "Signature=" in request.query else ""


def _scope(credential: str) -> str:
    parts = credential.split("/")
    return parts[-2] if len(parts) >= 4 else ""


@lru_cache(4096)
def _by_target(target: str) -> Route:
    prefix, _, name = target.rpartition(".")
    entries = directory.targeted(prefix)
    for entry in entries:
        if name in models.load(entry.service).operation_names and "json" in entry.protocols:
            return Route(entry.service, name, "json")
    known = entries[0].service if entries else ""
    raise UnknownOperationException(Route(known, "", "json"), operation=target)


@lru_cache(4096)
def _by_rpc_path(prefix: str, name: str) -> Route:
    entries = directory.targeted(prefix)
    for entry in entries:
        if name in models.load(entry.service).operation_names and "smithy-rpc-v2-cbor" in entry.protocols:
            return Route(entry.service, name, "smithy-rpc-v2-cbor")
    known = entries[0].service if entries else ""
    raise UnknownOperationException(Route(known, "", "smithy-rpc-v2-cbor"), operation=f"{prefix}.{name}")


def _action(request: Request, scope: str) -> tuple[str, str] | None:
    """`Action` and `Version`, from the form or the query string."""
    if request.method == "POST" and (request.headers.get("content-type") or "").startswith(_FORM):
        fields = read_query(request.body.decode("utf-8", "replace"))
    else:
        fields = {}
    if "Action" not in fields and "Action=" in request.query:
        fields = read_query(request.query)
    if "Action" not in fields or not (scope or "Version" in fields):
        return None
    return fields["Action"][0], fields.get("Version", [""])[0]


@lru_cache(4096)
def _by_action(scope: str, action: str, version: str) -> Route:
    entries = [entry for entry in directory.signed_as(scope) if _query_of(entry)] if scope else []
    entries = [entry for entry in entries if entry.version == version] or entries or [*directory.versioned(version)]
    for entry in entries:
        model = models.load(entry.service)
        if action in model.operation_names:
            return Route(entry.service, action, _query_of(entry) or "query")
    protocol = _query_of(entries[0]) if entries else None
    known = Route(entries[0].service if entries else "", "", protocol or "query")
    if known.protocol == "ec2":
        raise InvalidEc2Action(known, action=action)
    raise InvalidAction(known, action=action, version=version)


def _query_of(entry: Entry) -> Protocol | None:
    if "ec2" in entry.protocols:
        return "ec2"
    return "query" if "query" in entry.protocols else None


def _rest_of(entry: Entry) -> Protocol | None:
    if "rest-json" in entry.protocols:
        return "rest-json"
    return "rest-xml" if "rest-xml" in entry.protocols else None


def _by_path(request: Request, scope: str, domains: Sequence[str]) -> Route:
    host = request.host.partition(":")[0].lower()
    s3_host, bucket = _bucket(host, domains)
    if scope in {"s3", "s3express"} or (not scope and s3_host):
        if request.path.startswith(_S3_CONTROL):
            return _in_table(request, [entry for entry in directory.everything() if entry.service == "s3control"])
        return _s3(request, bucket, express=scope == "s3express")
    if scope:
        return _in_table(request, _with_twins(scope))
    if _UNSIGNED_PATHS.match(request.path):
        return _in_table(request, (_LAMBDA,))
    if host.endswith(".amazonaws.com") and (named := directory.hosted(host.partition(".")[0])):
        return _in_table(request, named)
    return _s3(request, bucket)


def _with_twins(scope: str) -> Sequence[Entry]:
    found = directory.signed_as(scope)
    return found or [Entry(scope, scope, ())]


def _in_table(request: Request, entries: Sequence[Entry]) -> Route:
    """The first of `entries` whose model has the request line; then of those that sign as they do."""
    rest = [entry for entry in entries if _rest_of(entry)]
    for found in (_match(request, rest), _match(request, directory.twins(rest[0])) if rest else None):
        if found is not None:
            return found
    if rest:
        raise UnknownPath(Route(rest[0].service, "", _rest_of(rest[0]) or "rest-json"))
    raise _no_operation(entries[0])


def _match(request: Request, entries: Sequence[Entry]) -> Route | None:
    for entry in entries:
        protocol = _rest_of(entry)
        if protocol is None:
            continue
        match = _fit(Route(entry.service, "", protocol), request, request.path, read_query(request.query))
        if match:
            return Route(entry.service, match.operation, protocol, match.labels)
    return None


def _no_operation(entry: Entry) -> Unrouted:
    """A request that is signed for a service of another protocol and does not say what it wants."""
    protocol = _query_of(entry)
    if protocol is not None:
        return MissingAction(Route(entry.service, "", protocol))
    return UnknownOperationException(Route(entry.service if entry.protocols else "", "", "json"), operation="")


def _s3(request: Request, bucket: str, *, express: bool = False) -> Route:
    uris = table(models.load("s3"))
    path = f"/{bucket}{request.path}" if bucket else request.path
    query = read_query(request.query) if request.query else {}
    known = Route("s3", "", "rest-xml")
    match = _fit(known, request, path, query)
    if match is None:
        raise MethodNotAllowed(known) if uris.knows(path) else InvalidURI(known)
    name = "ListDirectoryBuckets" if express and match.operation == "ListBuckets" else match.operation
    return Route("s3", name, "rest-xml", match.labels)


def _fit(known: Route, request: Request, path: str, query: dict[str, list[str]]) -> Match | None:
    """The operation of `known.service` that the request line names. Raises `InvalidURI`."""
    try:
        return table(models.load(known.service)).match(request.method, path, query, request.headers)
    except UnicodeDecodeError:
        raise InvalidURI(known) from None


@lru_cache(4096)
def _bucket(host: str, domains: Sequence[str]) -> tuple[bool, str]:
    """Whether the host is S3's, and the bucket that stands in its name."""
    if match := _AWS_S3_HOST.fullmatch(host):
        return True, match.group(1) or ""
    for domain in domains:
        if host.endswith(f".{domain}"):
            below = host.removesuffix(f".{domain}")
            if match := _OWN_S3_HOST.fullmatch(below):
                return True, match.group(1) or ""
            return False, below
    return False, ""
