"""A request into the input of its operation: a dict of the model's member names, in all six protocols.

Times become aware datetimes, blobs bytes; a streaming payload is the request's stream, or its body where it was read
whole. Absent members are absent; what a member's type does not allow is AWS's error. Required members, lengths and
patterns are `check`'s business.
"""

import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cumulet.base.errors import AwsError
from cumulet.wire import models, read_cbor, read_json, read_query, read_xml
from cumulet.wire.http import Request
from cumulet.wire.models import Operation, Protocol, Shape
from cumulet.wire.read_rest import Line, Misplaced, in_body
from cumulet.wire.route import Route
from cumulet.wire.uris import read_pairs
from cumulet.wire.uris import read_query as read_query_string
from cumulet.wire.values import Unreadable

type Input = dict[str, Any]
type Plan = Callable[[Request, Mapping[str, str]], Input]

UNPACKED_LIMIT: Final = 16 << 20
"""No compressed body may hold more than this."""


class SerializationException(AwsError):
    """{problem}"""


class MalformedInput(AwsError):
    """{problem}"""


class InvalidParameterValue(AwsError):
    """{problem}"""


class MalformedXML(AwsError):
    """The XML you provided was not well-formed or did not validate against our published schema"""


class InvalidInput(AwsError):
    """The XML you provided is not well-formed or not valid: {problem}"""


class InvalidArgument(AwsError):
    """{problem}"""

    members = ("ArgumentName", "ArgumentValue")


def parse(route: Route, request: Request) -> Input:
    """The input of `route`'s operation. Raises `AwsError`."""
    return _plan(models.operation(route.service, route.operation), route.protocol)(request, route.labels)


def takes_stream(route: Route) -> bool:
    """Whether the body is a streaming payload: the server then leaves it unread and gives `stream`."""
    return models.operation(route.service, route.operation).streams_in


def parse_as(
    operation: Operation, protocol: Protocol, request: Request, labels: Mapping[str, str] | None = None
) -> Input:
    """The input of any model's operation."""
    return _plan(operation, protocol)(request, labels or {})


@cache
def _plan(operation: Operation, protocol: Protocol) -> Plan:
    plan = _PLANS[protocol](operation) if operation.input_shape is not None else _no_input
    s3 = operation.service.name == "s3"

    def run(request: Request, labels: Mapping[str, str]) -> Input:
        try:
            return plan(request, labels)
        except Unreadable as error:
            raise _refusal(protocol, error, s3=s3) from None
        except RecursionError:
            raise _refusal(protocol, Unreadable("Nested too deeply"), s3=s3) from None

    return run


def _refusal(protocol: Protocol, error: Unreadable, *, s3: bool) -> AwsError:
    problem = str(error)
    if s3 and isinstance(error, Misplaced):
        words = f"Provided {error.name} not an integer or within integer range" if "Integer" in problem else problem
        return InvalidArgument(words, ArgumentName=error.name, ArgumentValue=error.value)
    match protocol:
        case "query":
            return MalformedInput(problem=problem)
        case "ec2":
            return InvalidParameterValue(problem=problem)
        case "rest-xml":
            return MalformedXML() if s3 else InvalidInput(problem=problem)
        case _:
            return SerializationException(problem=problem)


def _no_input(request: Request, labels: Mapping[str, str]) -> Input:  # noqa: ARG001  a Plan
    return {}


def _body(request: Request) -> bytes:
    """The whole body, unpacked where the client packed it."""
    if not request.body or (request.headers.get("content-encoding") or "").rpartition(",")[2].strip() != "gzip":
        return request.body
    unpack = zlib.decompressobj(wbits=31)
    try:
        body = unpack.decompress(request.body, UNPACKED_LIMIT)
    except zlib.error as error:
        raise Unreadable(f"Could not unpack the body: {error}") from None
    if unpack.unconsumed_tail or not unpack.eof:
        raise Unreadable("Could not unpack the body: too large or cut short")
    return body


def _shape(operation: Operation) -> Shape:
    assert operation.input_shape is not None
    return operation.input_shape


def _json(operation: Operation) -> Plan:
    read = read_json.json_readers(operation.service).of(_shape(operation))

    def plan(request: Request, labels: Mapping[str, str]) -> Input:  # noqa: ARG001
        body = _body(request)
        found: Input = read(read_json.load(body)) if body else {}
        return found

    return plan


def _cbor(operation: Operation) -> Plan:
    read = read_cbor.cbor_readers(operation.service).of(_shape(operation))

    def plan(request: Request, labels: Mapping[str, str]) -> Input:  # noqa: ARG001
        body = _body(request)
        found: Input = read(read_cbor.load(body)) if body else {}
        return found

    return plan


def _form(readers: Callable[[models.ServiceModel], read_query.Readers]) -> Callable[[Operation], Plan]:
    def make(operation: Operation) -> Plan:
        read = readers(operation.service).of(_shape(operation))

        def plan(request: Request, labels: Mapping[str, str]) -> Input:  # noqa: ARG001
            text = _body(request).decode("utf-8", "replace")
            pairs = [*read_pairs(text), *read_pairs(request.query)]
            found: Input = read(read_query.plant(pairs))
            return found

        return plan

    return make


def _rest(load_body: Callable[[Shape, list[str] | None], Callable[[bytes], Any]]) -> Callable[[Operation], Plan]:
    """A plan of the request line and the body; `load_body` makes the reader of the notation."""

    def make(operation: Operation) -> Plan:
        shape = _shape(operation)
        line = Line(shape)
        names = in_body(shape)
        payload: str = shape.traits.get("payload", "")
        streaming = operation.streams_in
        read_payload = _payload(shape, payload, load_body) if payload else None
        read_body = load_body(shape, names) if names and not payload else None

        def plan(request: Request, labels: Mapping[str, str]) -> Input:
            found = line.read(labels, read_query_string(request.query), request.headers)
            if streaming and request.stream is not None:
                found[payload] = request.stream
            elif read_payload is not None:
                if body := request.body if streaming else _body(request):
                    found[payload] = read_payload(body)
            elif read_body is not None and (body := _body(request)):
                found.update(read_body(body))
            return found

        return plan

    return make


def _payload(
    shape: Shape, name: str, load_body: Callable[[Shape, list[str] | None], Callable[[bytes], Any]]
) -> Callable[[bytes], Any]:
    member = shape.members[name]
    if member.type_name == "blob" or member.eventstream:
        return lambda body: body
    if member.type_name == "string":
        return lambda body: body.decode("utf-8", "replace")
    return load_body(member, None)


def _rest_json(operation: Operation) -> Plan:
    readers = read_json.json_readers(operation.service)

    def load_body(shape: Shape, names: list[str] | None) -> Callable[[bytes], Any]:
        read = readers.of(shape) if names is None else readers.structure(shape, names)
        return lambda body: read(read_json.load(body))

    return _rest(load_body)(operation)


def _rest_xml(operation: Operation) -> Plan:
    readers = read_xml.xml_readers(operation.service)

    def load_body(shape: Shape, names: list[str] | None) -> Callable[[bytes], Any]:
        read = readers.of(shape) if names is None else readers.structure(shape, names)
        return lambda body: read(read_xml.load(body))

    return _rest(load_body)(operation)


_PLANS: Final[Mapping[Protocol, Callable[[Operation], Plan]]] = {
    "json": _json,
    "smithy-rpc-v2-cbor": _cbor,
    "query": _form(read_query.query_readers),
    "ec2": _form(read_query.ec2_readers),
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}
