"""botocore's protocol vectors, requests: from the serialised request the parameters must come back."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from cumulet.wire.http import Headers, Request
from cumulet.wire.models import Operation, ServiceModel, Shape
from cumulet.wire.parse import parse_as
from cumulet.wire.uris import Table, read_query

VECTORS = Path(__file__).parent.parent / "wire_vectors" / "input"
PROTOCOLS = {
    "json_1_0": "json",
    "json_1_0-query-compatible": "json",
    "smithy-rpc-v2-cbor-query-compatible": "smithy-rpc-v2-cbor",
    "smithy-rpc-v2-cbor-non-query-compatible": "smithy-rpc-v2-cbor",
}

EMPTY = "what is empty is not sent"
NO_BODY = "the vector does not tell the packed body"
REST_OF_QUERY = "the map of the query string holds what has no member of its own, as in the vectors of rest-xml"
TOKEN = "the client made up the token"
HOST = "the endpoint has a path of its own"
UNTELLABLE = "the client sends {} for an absent structure too"
PACKED = "the client names its packing in the header that the member is bound to"

EXCEPTIONS = {
    "ec2/6/SDKAppliedContentEncoding_ec2Query": NO_BODY,
    "ec2/6/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query": NO_BODY,
    "ec2/7/Ec2ProtocolIdempotencyTokenAutoFill": TOKEN,
    "ec2/8/Ec2EmptyQueryLists": EMPTY,
    "json/11/SDKAppliedContentEncoding_awsJson1_1": NO_BODY,
    "json/11/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": NO_BODY,
    "json_1_0/7/SDKAppliedContentEncoding_awsJson1_0": NO_BODY,
    "json_1_0/7/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": NO_BODY,
    "query/7/SDKAppliedContentEncoding_awsQuery": NO_BODY,
    "query/7/SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": NO_BODY,
    "query/8/QueryProtocolIdempotencyTokenAutoFill": TOKEN,
    "query/10/QueryEmptyQueryMaps": EMPTY,
    "rest-json/0/RestJsonAllQueryStringTypes": REST_OF_QUERY,
    "rest-json/0/RestJsonQueryStringEscaping": REST_OF_QUERY,
    "rest-json/0/RestJsonSupportsNaNFloatQueryValues": REST_OF_QUERY,
    "rest-json/0/RestJsonSupportsInfinityFloatQueryValues": REST_OF_QUERY,
    "rest-json/0/RestJsonSupportsNegativeInfinityFloatQueryValues": REST_OF_QUERY,
    "rest-json/0/RestJsonZeroAndFalseQueryValues": REST_OF_QUERY,
    "rest-json/9/RestJsonHostWithPath": HOST,
    "rest-json/15/RestJsonHttpPrefixHeadersAreNotPresent": EMPTY,
    "rest-json/35/RestJsonOmitsEmptyListQueryValues": EMPTY,
    "rest-json/37/SDKAppliedContentEncoding_restJson1": NO_BODY,
    "rest-json/37/SDKAppendedGzipAfterProvidedEncoding_restJson1": PACKED,
    "rest-json/38/RestJsonQueryIdempotencyTokenAutoFill": TOKEN,
    "rest-json/40/RestJsonQueryPrecedence": REST_OF_QUERY,
    "rest-json/47/RestJsonHttpWithEmptyStructurePayload": UNTELLABLE,
    "rest-json/47/RestJsonHttpWithHeadersButNoPayload": UNTELLABLE,
    "rest-xml/18/HttpPrefixHeadersAreNotPresent": EMPTY,
    "rest-xml/31/SDKAppliedContentEncoding_restXml": NO_BODY,
    "rest-xml/31/SDKAppendedGzipAfterProvidedEncoding_restXml": PACKED,
    "rest-xml/32/QueryIdempotencyTokenAutoFill": TOKEN,
    "rest-xml/34/RestXmlQueryPrecedence": REST_OF_QUERY,
}


def vectors() -> Iterator[Any]:
    for path in sorted(VECTORS.glob("*.json")):
        for number, suite in enumerate(json.loads(path.read_text())):
            for case in suite["cases"]:
                yield pytest.param(
                    path.stem, suite, case, id=f"{path.stem}/{number}/{case.get('id', case.get('name', ''))}"
                )


ALL = list(vectors())


def model_of(suite: dict[str, Any], case: dict[str, Any]) -> Operation:
    given = case["given"]
    raw = {"metadata": suite["metadata"], "shapes": suite.get("shapes", {}), "operations": {given["name"]: given}}
    return ServiceModel(raw).operation_model(given["name"])


def request_of(case: dict[str, Any], protocol: str) -> Request:
    said = case["serialized"]
    url = urlsplit(said.get("uri", "/"))
    body = said.get("body", "")
    if isinstance(body, dict):
        raw = urlencode(body).encode()
    elif protocol == "smithy-rpc-v2-cbor":
        raw = base64.b64decode(body)
    else:
        raw = body.encode()
    headers = Headers(said.get("headers", {}).items())
    return Request(said.get("method", "POST"), url.path, url.query, headers, raw)


def expected(shape: Shape | None, value: Any) -> Any:
    """The parameters as a server sees them: times aware, blobs bytes, header maps in lower case, nulls absent."""
    if shape is None or value is None or shape.document:
        return value
    if shape.traits.get("jsonvalue") and shape.location == "header":
        return json.loads(value)
    match shape.type_name:
        case "structure":
            return {k: expected(shape.members[k], v) for k, v in value.items() if v is not None}
        case "list":
            return [expected(shape.member, v) for v in value]
        case "map" if shape.location == "headers":
            return {k.lower(): v for k, v in value.items()}
        case "map":
            return {k: expected(shape.value, v) for k, v in value.items()}
        case "timestamp":
            return datetime.fromtimestamp(value, UTC)
        case "blob":
            return value.encode() if isinstance(value, str) else value
        case "float" | "double":
            return float(value)
    return value


def same(found: Any, wanted: Any) -> bool:
    """Equal, of equal types, NaN equal to itself."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return found == wanted or repr(found) == repr(wanted) == "nan"


def test_every_exception_names_a_vector() -> None:
    assert EXCEPTIONS.keys() <= {param.id for param in ALL}


def test_the_number_of_vectors() -> None:
    assert len(ALL) == 367


@pytest.mark.parametrize(("stem", "suite", "case"), ALL)
def test_input(stem: str, suite: dict[str, Any], case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    if name in EXCEPTIONS:
        request.applymarker(pytest.mark.xfail(reason=EXCEPTIONS[name], strict=True))
    operation = model_of(suite, case)
    protocol = PROTOCOLS.get(stem, stem)
    asked = request_of(case, protocol)
    labels = None
    if protocol.startswith("rest"):
        match = Table(operation.service).match(asked.method, asked.path, read_query(asked.query), asked.headers)
        assert match is not None
        labels = match.labels
    found = parse_as(operation, protocol, asked, labels)
    assert same(found, expected(operation.input_shape, case.get("params", {})))
