"""botocore's protocol vectors, answers: botocore's own parser must read from ours what it reads from AWS's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.model
import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from cumulet.base.errors import AwsError
from cumulet.wire.faults import serialize_error_as
from cumulet.wire.http import Response
from cumulet.wire.models import Operation, ServiceModel, Shape
from cumulet.wire.serialize import serialize_as

VECTORS = Path(__file__).parent.parent / "wire_vectors" / "output"
PROTOCOLS = {
    "json_1_0": "json",
    "json_1_0-query-compatible": "json",
    "smithy-rpc-v2-cbor-query-compatible": "smithy-rpc-v2-cbor",
}

COLLIDING = "the client looks for both flattened lists under their members' name, and finds one in the other"
UNSET = "the client refuses a union without a member, and reads an absent one as such"
NO_BLOB = "the client reads an empty blob where there is none"
COMMAS = "the client parts lists in headers at every comma"
ALL_HEADERS = "a map of all headers holds the request id too"

EXCEPTIONS = {
    "ec2/15/Ec2XmlLists": COLLIDING,
    "query/21/QueryXmlLists": COLLIDING,
    "rest-json/11/RestJsonHttpPayloadTraitsWithNoBlobBody": NO_BLOB,
    "rest-json/13/RestJsonHttpPayloadWithUnsetUnion": UNSET,
    "rest-json/15/HttpPrefixHeadersResponse": ALL_HEADERS,
    "rest-json/19/RestJsonInputAndOutputWithQuotedStringHeaders": COMMAS,
    "rest-json/19/RestJsonInputAndOutputWithTimestampHeaders": COMMAS,
    "rest-xml/11/HttpPayloadTraitsWithNoBlobBody": NO_BLOB,
    "rest-xml/14/RestXmlHttpPayloadWithUnsetUnion": UNSET,
    "rest-xml/22/InputAndOutputWithTimestampHeaders": COMMAS,
    "rest-xml/39/XmlLists": COLLIDING,
}


def vectors() -> Iterator[Any]:
    for path in sorted(VECTORS.glob("*.json")):
        for number, suite in enumerate(json.loads(path.read_text())):
            for case in suite["cases"]:
                yield pytest.param(path.stem, suite, case, id=f"{path.stem}/{number}/{case['id']}")


ALL = list(vectors())


def raw_of(suite: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    given = case["given"]
    return {"metadata": suite["metadata"], "shapes": suite.get("shapes", {}), "operations": {given["name"]: given}}


def value(shape: Shape | None, said: Any) -> Any:
    """What a service would answer with: times aware, blobs bytes."""
    if shape is None or said is None or shape.document:
        return said
    match shape.type_name:
        case "structure":
            return {k: value(shape.members[k], v) for k, v in said.items()}
        case "list":
            return [value(shape.member, v) for v in said]
        case "map":
            return {k: value(shape.value, v) for k, v in said.items()}
        case "timestamp":
            return datetime.fromtimestamp(said, UTC)
        case "blob":
            return said.encode() if isinstance(said, str) else said
        case "float" | "double":
            return float(said)
        case "string" if shape.traits.get("jsonvalue") and shape.location == "header":
            return said
    return said


def parsed(protocol: str, response: Response, shape: Any) -> Any:
    """What botocore's own parser makes of it."""
    assert isinstance(response.body, bytes)
    message = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    found = create_parser(protocol).parse(message, shape)
    found.pop("ResponseMetadata", None)
    return found


def same(found: Any, wanted: Any) -> bool:
    """Equal, NaN equal to itself."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float) and found in {
        "NaN",
        "Infinity",
        "-Infinity",
    }:  # botocore leaves JSON's words as they are
        found = float(found)
    if isinstance(wanted, bytes) and isinstance(found, str):  # nor does it tell text from bytes in a whole payload
        found = found.encode()
    return found == wanted or repr(found) == repr(wanted) == "nan"


def test_every_exception_names_a_vector() -> None:
    assert EXCEPTIONS.keys() <= {param.id for param in ALL}


def test_the_number_of_vectors() -> None:
    assert len(ALL) == 365


@pytest.mark.parametrize(("stem", "suite", "case"), ALL)
def test_output(stem: str, suite: dict[str, Any], case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    if name in EXCEPTIONS:
        request.applymarker(pytest.mark.xfail(reason=EXCEPTIONS[name], strict=True))
    raw = raw_of(suite, case)
    operation = ServiceModel(raw).operation_model(case["given"]["name"])
    theirs = botocore.model.ServiceModel(raw, "vectors")
    protocol = PROTOCOLS.get(stem, stem)
    if "errorCode" in case:
        check_error(operation, theirs, protocol, case)
        return
    shape = operation.output_shape
    answer = serialize_as(operation, protocol, value(shape, case["result"]), "id-1")
    assert answer.status == case["response"]["status_code"]
    found = parsed(protocol, answer, theirs.operation_model(operation.name).output_shape)
    wanted = value(shape, case["result"])
    assert same(found, wanted), f"{found}\n{wanted}\n{answer}"


def check_error(operation: Operation, theirs: Any, protocol: str, case: dict[str, Any]) -> None:
    shape = operation.service.errors.get(case["errorCode"])
    members = value(shape, case["error"])
    extra = {key: item for key, item in members.items() if key.lower() != "message"}

    class Raised(AwsError):
        code = case["errorCode"]
        status = case["response"]["status_code"]

    Raised.members = tuple(extra)
    error = Raised(case.get("errorMessage", ""), **extra)
    answer = serialize_error_as(operation.service, protocol, error, "id-1")
    assert answer.status == case["response"]["status_code"]
    found = parsed(protocol, answer, theirs.operation_model(operation.name).output_shape)
    assert found["Error"]["Code"] == case["errorCode"]
    assert found["Error"].get("Message", "") == case.get("errorMessage", "")
    if shape is not None:
        again = parsed(protocol, answer, theirs.shape_for(shape.name))
        assert same({key: again[key] for key in members}, members)
