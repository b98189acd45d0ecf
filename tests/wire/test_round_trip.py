"""What botocore's own client sends is what the service gets, and what the service answers is what the client gets."""

import gzip
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import botocore.model
import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.wire import models
from cumulet.wire.http import Headers, Request
from cumulet.wire.models import Operation, Protocol, Shape
from cumulet.wire.parse import parse
from cumulet.wire.route import Route, route
from cumulet.wire.serialize import serialize

SPEAKERS: list[tuple[str, Protocol]] = [
    ("stepfunctions", "json"),
    ("logs", "json"),
    ("sqs", "json"),
    ("lambda", "rest-json"),
    ("s3", "rest-xml"),
    ("iam", "query"),
    ("sts", "query"),
    ("ec2", "ec2"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
]
SIGNED_AS = {"stepfunctions": "states", "cloudwatch": "monitoring"}
TWINS = {  # request lines that two operations share; the newer one answers
    "GetBucketLifecycle",
    "GetBucketNotification",
    "ListDirectoryBuckets",
    "PutBucketLifecycle",
    "PutBucketNotification",
}

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
PLAIN = (
    st.text("abcXYZ019-_./ +=%&?#~'()", min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda s: s not in {"", ".", ".."})
)
TIMES = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that the client can send: nothing empty, which the protocols do not tell from what is absent."""
    match shape.type_name:
        case "structure":
            return structures(shape, depth)
        case "list":
            return st.lists(values(shape.member, depth + 1), min_size=1, max_size=2)
        case "map":
            return st.dictionaries(texts(shape.key), values(shape.value, depth + 1), min_size=1, max_size=2)
        case "string":
            return texts(shape)
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(0, 2**31 - 1)
        case "float" | "double":
            return st.integers(-1000, 1000).map(lambda number: number / 8)
        case "blob":
            return st.binary(min_size=1, max_size=8)
        case "timestamp":
            return TIMES
    raise AssertionError(shape)


def texts(shape: Shape) -> st.SearchStrategy[str]:
    return PLAIN if shape.location or shape.traits.get("xmlAttribute") else WORDS


@st.composite
def structures(draw: st.DrawFn, shape: Shape, depth: int) -> dict[str, Any]:
    names = [name for name, member in shape.members.items() if usable(member, depth)]
    needed = [name for name in shape.required_members if name in names]
    if shape.traits.get("union"):
        needed, count = [], 1
    else:
        count = 3
    chosen = (
        draw(st.lists(st.sampled_from(names), min_size=min(1, len(names)), max_size=count, unique=True))
        if names
        else []
    )
    return {name: draw(member_values(shape.members[name], depth)) for name in dict.fromkeys([*needed, *chosen])}


def member_values(member: Shape, depth: int) -> st.SearchStrategy[Any]:
    if member.location == "headers":
        return st.dictionaries(st.text("abc-", min_size=1, max_size=4), PLAIN, min_size=1, max_size=2)
    if member.location == "statusCode":
        return st.just(200)
    if member.location and member.type_name == "list":
        return st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=2)
    return values(member, depth + 1)


def usable(member: Shape, depth: int) -> bool:
    """Whether a value of it can be made: no streams of events, nothing too deep, nothing without members."""
    if member.eventstream or (depth > 2 and member.type_name in {"structure", "list", "map"}):
        return False
    match member.type_name:
        case "structure":
            return any(usable(inner, depth + 1) for inner in member.members.values())
        case "list":
            return usable(member.member, depth + 1)
        case "map":
            return usable(member.value, depth + 1)
    return True


@cache
def theirs(service: str) -> Any:
    """botocore's own view of the same file."""
    raw = json.loads(gzip.decompress(models.find(service).read_bytes()))
    return botocore.model.ServiceModel(raw, service)


@cache
def operations(service: str) -> list[Operation]:
    model = models.load(service)
    return [model.operation_model(name) for name in sorted(model.operation_names - TWINS)]


def has_events(shape: Shape | None) -> bool:
    return shape is not None and any(member.eventstream for member in shape.members.values())


def sent(service: str, protocol: Protocol, operation: Operation, params: dict[str, Any]) -> Request:
    """The request as botocore makes it, signed for the service."""
    their_model = theirs(service).operation_model(operation.name)
    made = create_serializer(protocol, include_validation=False).serialize_to_request(params, their_model)
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    path, _, query = made["url_path"].partition("?")
    more = made.get("query_string") or {}
    pairs = [(k, v) for k, vs in more.items() for v in (vs if isinstance(vs, list) else [vs])]
    if pairs:
        query = "&".join(
            filter(None, [query, urlencode([(k, "true" if v is True else v) for k, v in pairs], quote_via=quote)])
        )
    scope = SIGNED_AS.get(service, service)
    auth = f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/{scope}/aws4_request, SignedHeaders=host, Signature=00"
    headers = {**made["headers"], "Host": "127.0.0.1:4566", "Authorization": auth}
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    fields = Headers((name, value.decode() if isinstance(value, bytes) else value) for name, value in headers.items())
    return Request(made["method"], path, query, fields, raw)


class Stream:
    """A body that the client does not read itself."""

    def __init__(self, all: Any) -> None:
        self.all = all


SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("service", "protocol"), SPEAKERS)
@SETTINGS
@given(data=st.data())
def test_input(service: str, protocol: Protocol, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(operations(service)))
    shape = operation.input_shape
    params = data.draw(structures(shape, 0)) if shape else {}
    request = sent(service, protocol, operation, params)
    found = route(request)
    assert (found.service, found.operation, found.protocol) == (service, operation.name, protocol)
    assert {name: value for name, value in parse(found, request).items() if value != {}} == params


@pytest.mark.parametrize(("service", "protocol"), SPEAKERS)
@SETTINGS
@given(data=st.data())
def test_output(service: str, protocol: Protocol, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(operations(service)))
    shape = operation.output_shape
    if operation.name == "GetBucketLocation" or has_events(shape):
        return
    output = data.draw(structures(shape, 0)) if shape else {}
    answer = serialize(Route(service, operation.name, protocol), output, "id-1")
    payload = operation.output_shape.payload if operation.output_shape else None
    body: Any = Stream(answer.body) if payload is not None and payload.type_name == "blob" else answer.body
    message = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": body}
    found = create_parser(protocol).parse(message, theirs(service).operation_model(operation.name).output_shape)
    metadata = found.pop("ResponseMetadata")
    if protocol != "smithy-rpc-v2-cbor":
        assert metadata["RequestId"] == "id-1"
    read = {name: value.all if isinstance(value, Stream) else value for name, value in found.items()}
    assert {name: value for name, value in read.items() if value not in (b"", "", {})} == output
