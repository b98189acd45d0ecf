"""An output into its answer, in all six protocols. Errors are written by `faults`.

Members of the output shape only; absent ones leave no trace. A streaming payload passes as it is, its length in the
headers if the output tells it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cumulet.wire import models, write_cbor, write_json, write_xml
from cumulet.wire.faults import serialize_error
from cumulet.wire.http import Response
from cumulet.wire.models import Operation, Protocol, Shape
from cumulet.wire.route import Route
from cumulet.wire.write_rest import Line, in_body

__all__ = ["serialize", "serialize_as", "serialize_error"]

type Output = Mapping[str, Any]
type Plan = Callable[[Output, str], Response]
type Body = Callable[[Output], bytes]

XML_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
REQUEST_ID: Final = "x-amzn-requestid"


def serialize(route: Route, output: Output, request_id: str) -> Response:
    """The answer of `route`'s operation."""
    return _plan(models.operation(route.service, route.operation), route.protocol)(output, request_id)


def serialize_as(operation: Operation, protocol: Protocol, output: Output, request_id: str) -> Response:
    """The answer of any model's operation."""
    return _plan(operation, protocol)(output, request_id)


@cache
def _plan(operation: Operation, protocol: Protocol) -> Plan:
    return _PLANS[protocol](operation)


def _json(operation: Operation) -> Plan:
    content_type = f"application/x-amz-json-{operation.service.metadata.get('jsonVersion', '1.0')}"
    write = write_json.json_writers(operation.service).of(operation.output_shape) if operation.output_shape else None

    def plan(output: Output, request_id: str) -> Response:
        headers = [("content-type", content_type), (REQUEST_ID, request_id)]
        return Response(200, headers, write_json.dump(write(output)) if write else b"{}")

    return plan


def _cbor(operation: Operation) -> Plan:
    write = write_json.cbor_writers(operation.service).of(operation.output_shape) if operation.output_shape else None

    def plan(output: Output, request_id: str) -> Response:
        headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor"), (REQUEST_ID, request_id)]
        return Response(200, headers, write_cbor.dump(write(output) if write else {}))

    return plan


def _query(operation: Operation) -> Plan:
    shape, model = operation.output_shape, operation.service
    xmlns = f' xmlns="{model.namespace}"' if model.namespace else ""
    write: write_xml.Writer | None = None
    if shape is not None:
        writers = write_xml.xml_writers(model)
        wrapper = shape.traits.get("resultWrapper")
        write = writers.element(shape, wrapper) if wrapper else writers.content(shape)

    def plan(output: Output, request_id: str) -> Response:
        out = [XML_DECLARATION, f"<{operation.wire_name}Response{xmlns}>"]
        if write is not None:
            write(output, out)
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
        out.append(f"</{operation.wire_name}Response>")
        return Response(200, [("content-type", "text/xml"), (REQUEST_ID, request_id)], "".join(out).encode())

    return plan


def _ec2(operation: Operation) -> Plan:
    shape, model = operation.output_shape, operation.service
    xmlns = f' xmlns="{model.namespace}"' if model.namespace else ""
    write = write_xml.xml_writers(model).content(shape) if shape is not None else None

    def plan(output: Output, request_id: str) -> Response:
        out = [XML_DECLARATION, f"<{operation.wire_name}Response{xmlns}><requestId>{request_id}</requestId>"]
        if write is not None:
            write(output, out)
        else:
            out.append("<return>true</return>")
        out.append(f"</{operation.wire_name}Response>")
        headers = [("content-type", "text/xml;charset=UTF-8"), (REQUEST_ID, request_id)]
        return Response(200, headers, "".join(out).encode())

    return plan


def _rest(
    operation: Operation, body_of: Callable[[Shape, list[str] | None], Body], content_type: str, id_header: str
) -> Plan:
    """A plan of status, headers and body; `body_of` makes the writer of the notation."""
    shape = operation.output_shape
    if shape is None:
        return lambda _output, request_id: Response(operation.status, [(id_header, request_id)])
    line = Line(shape)
    names = in_body(shape)
    if name := shape.traits.get("payload", ""):
        return _with_payload(operation, line, name, body_of, content_type, id_header)
    write = body_of(shape, names) if names else None

    def plan(output: Output, request_id: str) -> Response:
        headers = [(id_header, request_id), *line.headers(output)]
        status = line.status(output, operation.status)
        if write is None or status == 204:
            return Response(status, headers)
        return Response(status, [("content-type", content_type), *headers], write(output))

    return plan


def _with_payload(
    operation: Operation,
    line: Line,
    name: str,
    body_of: Callable[[Shape, list[str] | None], Body],
    content_type: str,
    id_header: str,
) -> Plan:
    shape = operation.output_shape
    assert shape is not None
    member = shape.members[name]
    element = bool(member.traits.get("element"))  # of our patches: a string that is the document's root
    raw = (member.type_name in {"blob", "string"} and not element) or member.eventstream
    write = None if raw else body_of(member, None)
    usual = content_type if element else _payload_type(member, content_type)

    def plan(output: Output, request_id: str) -> Response:
        headers = [(id_header, request_id), *line.headers(output)]
        status = line.status(output, operation.status)
        value = output.get(name, "" if element else None)
        if value is None:
            return Response(status, headers)
        if not any(key.lower() == "content-type" for key, _ in headers):
            headers.append(("content-type", usual))
        body = write(value) if write else value.encode() if isinstance(value, str) else value
        return Response(status, headers, body)

    return plan


def _payload_type(member: Shape, content_type: str) -> str:
    if member.eventstream:
        return "application/vnd.amazon.eventstream"
    return {"blob": "application/octet-stream", "string": "text/plain"}.get(member.type_name, content_type)


def _rest_json(operation: Operation) -> Plan:
    writers = write_json.json_writers(operation.service)

    def body_of(shape: Shape, names: list[str] | None) -> Body:
        write = writers.of(shape) if names is None else writers.structure(shape, names)
        return write_json.dump if write is None else lambda output: write_json.dump(write(output))

    return _rest(operation, body_of, "application/json", REQUEST_ID)


def _rest_xml(operation: Operation) -> Plan:
    model = operation.service
    writers = write_xml.xml_writers(model)
    xmlns = f' xmlns="{model.namespace}"' if model.namespace else ""

    def body_of(shape: Shape, names: list[str] | None) -> Body:
        name = _root(operation, shape)
        if names is None:
            return _document(writers.element(shape, name, "" if write_xml.namespace(shape) else xmlns))
        return _document(writers.structure(shape, name, xmlns, names))

    return _rest(operation, body_of, "application/xml", "x-amz-request-id" if model.name == "s3" else REQUEST_ID)


def _root(operation: Operation, shape: Shape) -> str:
    """The name of the body's root: told on the output's reference, on the payload, or the shape's own."""
    output = operation.output_shape
    return (output.wire if output else None) or shape.wire or shape.name


def _document(write: write_xml.Writer) -> Body:
    def body(output: Output) -> bytes:
        out = [XML_DECLARATION]
        write(output, out)
        return "".join(out).encode("utf-8", "surrogatepass")

    return body


_PLANS: Final[Mapping[Protocol, Callable[[Operation], Plan]]] = {
    "json": _json,
    "smithy-rpc-v2-cbor": _cbor,
    "query": _query,
    "ec2": _ec2,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}
