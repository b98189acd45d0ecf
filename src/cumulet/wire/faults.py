"""An error into its answer, in all six protocols.

Where the operation's model knows the error, its members travel under the model's names; an unknown one has its code and
message only. Answers to HEAD and those of 304 have no body.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cumulet.base.errors import AwsError
from cumulet.wire import write_cbor, write_json, write_xml
from cumulet.wire.http import Response
from cumulet.wire.models import NoSuchModel, Protocol, ServiceModel, Shape, load
from cumulet.wire.route import Route
from cumulet.wire.write_rest import Line, in_body

type Writer = Callable[["Fault"], Response]

_REQUEST_ID: Final = "x-amzn-requestid"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Fault:
    """An error about to be written: with the shape that models it, if one does."""

    def __init__(self, model: ServiceModel | None, protocol: Protocol, error: AwsError, request_id: str) -> None:
        self.model = model
        self.protocol = protocol
        self.error = error
        self.request_id = request_id
        self.code = error.error_code
        self.status = type(error).status
        self.shape: Shape | None = model.errors.get(self.code) if model else None

    @property
    def message_name(self) -> str:
        """What the message is called: as modelled, else as the protocol's services mostly have it."""
        if self.shape is not None:
            for name in self.shape.members:
                if name.lower() == "message":
                    return name
        return "message"

    @property
    def members(self) -> dict[str, Any]:
        """The error as a value of its shape."""
        found: dict[str, Any] = {self.message_name: self.error.message, **self.error.extra}
        if self.shape is not None and "Type" in self.shape.members:
            found.setdefault("Type", "User" if self.error.sender else "Server")
        return found

    @property
    def sender(self) -> str:
        return "Sender" if self.error.sender else "Receiver"

    @property
    def query_error(self) -> list[tuple[str, str]]:
        """What clients of the older query protocol know the error by."""
        if self.model is None or "awsQueryCompatible" not in self.model.metadata:
            return []
        return [("x-amzn-query-error", f"{self.query_code};{self.sender}")]

    @property
    def query_code(self) -> str:
        return (self.shape.error_code if self.shape else None) or self.code


def serialize_error(route: Route, error: AwsError, request_id: str) -> Response:
    """The answer to a request that failed. `route.service` or `route.operation` may be "", where they are not known."""
    try:
        model = load(route.service)
    except NoSuchModel:
        model = None
    answer = serialize_error_as(model, route.protocol, error, request_id)
    head = model is not None and route.operation and model.operation_model(route.operation).method == "HEAD"
    if head or answer.status == 304:
        answer.body = b""
    return answer


def serialize_error_as(model: ServiceModel | None, protocol: Protocol, error: AwsError, request_id: str) -> Response:
    """The answer in a protocol, with what any model knows of the error."""
    return _WRITERS[protocol](Fault(model, protocol, error, request_id))


def _type_name(fault: Fault) -> str:
    """The shape's name: what `__type` says even where the code of old differs."""
    return fault.shape.name if fault.shape is not None else fault.code


def _modelled(fault: Fault, writers: write_json.Writers) -> dict[str, Any]:
    shape = fault.shape
    if shape is None:
        return fault.members
    body: dict[str, Any] = writers.structure(shape, in_body(shape))(fault.members)
    if fault.message_name not in shape.members:
        body["message"] = fault.error.message
    return body


def _json(fault: Fault) -> Response:
    version = fault.model.metadata.get("jsonVersion", "1.1") if fault.model else "1.1"
    writers = write_json.Writers(write_json.JSON_SCALARS)
    body = {"__type": _type_name(fault), **_modelled(fault, writers)}
    headers = [("content-type", f"application/x-amz-json-{version}"), (_REQUEST_ID, fault.request_id)]
    return Response(fault.status, [*headers, *fault.query_error], write_json.dump(body))


def _cbor(fault: Fault) -> Response:
    writers = write_json.Writers(write_json.CBOR_SCALARS)
    body = {"__type": _type_name(fault), **_modelled(fault, writers)}
    headers = [
        ("smithy-protocol", "rpc-v2-cbor"),
        ("content-type", "application/cbor"),
        (_REQUEST_ID, fault.request_id),
    ]
    return Response(fault.status, [*headers, *fault.query_error], write_cbor.dump(body))


def _rest_json(fault: Fault) -> Response:
    writers = write_json.Writers(write_json.JSON_SCALARS)
    headers = [
        ("content-type", "application/json"),
        (_REQUEST_ID, fault.request_id),
        ("x-amzn-errortype", _type_name(fault)),
    ]
    if fault.shape is not None:
        headers += Line(fault.shape).headers(fault.members)
    return Response(fault.status, headers, write_json.dump(_modelled(fault, writers)))


def _extra(fault: Fault) -> str:
    """The members of an XML error beside its code and message."""
    out: list[str] = []
    shape = fault.shape
    for name, value in fault.error.extra.items():
        if value is None or name == fault.message_name:
            continue
        if shape is None or name not in shape.members:
            out.append(f"<{name}>{write_xml.escape(str(value))}</{name}>")
            continue
        member = shape.members[name]
        if member.location is None and fault.model is not None:
            write_xml.xml_writers(fault.model).element(member, member.wire or name)(value, out)
    return "".join(out)


def _code_and_message(fault: Fault) -> str:
    message = f"<Message>{write_xml.escape(fault.error.message)}</Message>" if fault.error.message else ""
    return f"<Code>{write_xml.escape(fault.query_code)}</Code>{message}"


def _xml(status: int, text: str, headers: list[tuple[str, str]], content_type: str = "text/xml") -> Response:
    body = f"{_DECLARATION}{text}".encode("utf-8", "surrogatepass")
    return Response(status, [("content-type", content_type), *headers], body)


def _error_response(fault: Fault) -> Response:
    xmlns = f' xmlns="{fault.model.namespace}"' if fault.model and fault.model.namespace else ""
    text = (
        f"<ErrorResponse{xmlns}><Error><Type>{fault.sender}</Type>{_code_and_message(fault)}{_extra(fault)}</Error>"
        f"<RequestId>{fault.request_id}</RequestId></ErrorResponse>"
    )
    headers = [(_REQUEST_ID, fault.request_id)]
    if fault.shape is not None and fault.protocol == "rest-xml":
        headers += Line(fault.shape).headers(fault.members)
    return _xml(fault.status, text, headers)


def _ec2(fault: Fault) -> Response:
    text = (
        f"<Response><Errors><Error>{_code_and_message(fault)}{_extra(fault)}</Error></Errors>"
        f"<RequestID>{fault.request_id}</RequestID></Response>"
    )
    return _xml(fault.status, text, [(_REQUEST_ID, fault.request_id)], "text/xml;charset=UTF-8")


def _rest_xml(fault: Fault) -> Response:
    """S3's own form of errors; the other services of the protocol answer as query does."""
    if fault.model is None or fault.model.name != "s3":
        return _error_response(fault)
    text = (
        f"<Error>{_code_and_message(fault)}{_extra(fault)}"
        f"<RequestId>{fault.request_id}</RequestId><HostId>{fault.request_id}</HostId></Error>"
    )
    headers = [("x-amz-request-id", fault.request_id), ("x-amz-id-2", fault.request_id)]
    return _xml(fault.status, text, headers, "application/xml")


_WRITERS: Final[Mapping[Protocol, Writer]] = {
    "json": _json,
    "smithy-rpc-v2-cbor": _cbor,
    "query": _error_response,
    "ec2": _ec2,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}
