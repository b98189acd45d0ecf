"""Requests into input: what is said wrongly is refused in AWS's words, what is unknown is ignored."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from cumulet.base.errors import AwsError
from cumulet.wire.http import Headers, Request
from cumulet.wire.models import Protocol, ServiceModel
from cumulet.wire.parse import UNPACKED_LIMIT, parse, parse_as, takes_stream
from cumulet.wire.route import Route, route


def read(service: str, operation: str, protocol: Protocol, body: bytes = b"", query: str = "", **headers: str) -> Any:
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return parse(Route(service, operation, protocol), Request("POST", "/", query, fields, body))


def refused(*args: Any, **headers: str) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        read(*args, **headers)
    return caught.value.error_code, caught.value.message


def states(body: bytes, operation: str = "ListStateMachines") -> tuple[str, str]:
    return refused("stepfunctions", operation, "json", body)


def test_unknown_and_null_members_are_ignored() -> None:
    body = b'{"maxResults": 5, "nextToken": null, "more": {"x": [1]}}'
    assert read("stepfunctions", "ListStateMachines", "json", body) == {"maxResults": 5}


def test_an_empty_body_is_an_empty_input() -> None:
    assert read("stepfunctions", "ListStateMachines", "json") == {}
    assert read("sts", "GetCallerIdentity", "query", b"Action=GetCallerIdentity&Version=2011-06-15") == {}


def test_numbers_in_json() -> None:
    assert read("stepfunctions", "ListStateMachines", "json", b'{"maxResults": 5.0}') == {"maxResults": 5}
    value = read("cloudwatch", "PutMetricAlarm", "json", b'{"Threshold": "NaN", "Period": 60}')["Threshold"]
    assert value != value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"maxResults": "5"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"maxResults": 1.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"maxResults": true}', "TRUE_VALUE can not be converted to an Integer"),
        (b'{"maxResults": {}}', "Start of structure or map found where not expected."),
        (b'{"nextToken": 5}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"nextToken": false}', "FALSE_VALUE can not be converted to a String"),
        (b'{"nextToken": ["a"]}', "Start of list found where not expected"),
        (b"[]", "Start of list found where not expected"),
        (b'"text"', "STRING_VALUE can not be converted to a Structure"),
    ],
)
def test_wrong_types_in_json(body: bytes, words: str) -> None:
    assert states(body) == ("SerializationException", words)


@pytest.mark.parametrize(
    ("operation", "body", "words"),
    [
        ("TagResource", b'{"tags": "a"}', "Expected list or null"),
        ("TagResource", b'{"tags": {}}', "Start of structure or map found where not expected."),
        ("StopExecution", b'{"error": 1}', "NUMBER_VALUE can not be converted to a String"),
        ("CreateStateMachine", b'{"publish": "yes"}', "STRING_VALUE can not be converted to a Boolean"),
        ("UpdateMapRun", b'{"toleratedFailurePercentage": "x"}', "STRING_VALUE can not be converted to a Double"),
    ],
)
def test_wrong_types_of_other_kinds(operation: str, body: bytes, words: str) -> None:
    assert states(body, operation) == ("SerializationException", words)


def test_maps_times_and_blobs_in_json() -> None:
    assert refused("logs", "CreateLogGroup", "json", b'{"tags": "a"}')[1] == "Expected map or null"
    assert refused("logs", "CreateLogGroup", "json", b'{"tags": [1]}')[1] == "Start of list found where not expected"
    assert refused("cloudwatch", "PutMetricData", "json", b'{"MetricData": [{"Timestamp": []}]}')[0] == (
        "SerializationException"
    )
    assert refused("lambda", "CreateFunction", "rest-json", b'{"Code": {"ZipFile": "!"}}')[1].endswith("not base64")
    assert refused("lambda", "CreateFunction", "rest-json", b'{"Code": {"ZipFile": 1}}')[1] == (
        "NUMBER_VALUE can not be converted to a ByteBuffer"
    )


@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b'{"a": NaN}', b"\xff", b'{"a": 1} x'])
def test_malformed_json(body: bytes) -> None:
    code, words = states(body)
    assert code == "SerializationException"
    assert words.startswith("Could not parse request body into json")


def test_deep_nesting_is_refused() -> None:
    deep = b'{"Filter": ' + b'{"Not": ' * 1010 + b"{}" + b"}" * 1010 + b"}"
    assert refused("ce", "GetCostAndUsage", "json", deep)[0] == "SerializationException"
    assert states(b"[" * 100_000)[0] == "SerializationException"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (b"1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (b"1700000000.123", datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
        (b'"2023-11-14T22:13:20Z"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (b'"2023-11-14T23:13:20+01:00"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (b'"2023-11-14T22:13:20"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (b'"Tue, 14 Nov 2023 22:13:20 GMT"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (b'"1700000000"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    ],
)
def test_times_in_any_notation(text: bytes, instant: datetime) -> None:
    found = read("cloudwatch", "GetMetricData", "json", b'{"StartTime": ' + text + b"}")
    assert found == {"StartTime": instant}
    assert found["StartTime"].tzinfo is not None


@pytest.mark.parametrize("text", [b'"soon"', b"1e300", b'"2023-99-14T22:13:20Z"', b'"Tue, 14 Foo 2023 22:13:20 GMT"'])
def test_no_time(text: bytes) -> None:
    code, words = refused("cloudwatch", "GetMetricData", "json", b'{"StartTime": ' + text + b"}")
    assert code == "SerializationException"
    assert words.startswith("Unable to parse timestamp")


def test_packed_bodies() -> None:
    body = b'{"maxResults": 5}'
    assert read("stepfunctions", "ListStateMachines", "json", gzip.compress(body), content_encoding="gzip") == {
        "maxResults": 5
    }
    for broken in (body, gzip.compress(body)[:-9], gzip.compress(b" " * (UNPACKED_LIMIT + 1))):
        code, words = refused("stepfunctions", "ListStateMachines", "json", broken, content_encoding="gzip")
        assert code == "SerializationException"
        assert words.startswith("Could not unpack the body")


def test_cbor() -> None:
    when = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    body = cbor2.dumps({"StartTime": when, "MaxDatapoints": 1, "NextToken": None}, datetime_as_timestamp=True)
    assert read("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor", body) == {"StartTime": when, "MaxDatapoints": 1}
    assert read("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"\xa1",
        b"\xa0\xa0",
        cbor2.dumps({"StartTime": 1}),
        cbor2.dumps({"MaxDatapoints": "x"}),
        cbor2.dumps({"NextToken": b"bytes"}),
        cbor2.dumps([]),
    ],
)
def test_malformed_cbor(body: bytes) -> None:
    assert refused("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor", body)[0] == "SerializationException"


def test_blobs_in_cbor() -> None:
    model = ServiceModel(
        {
            "metadata": {"protocol": "smithy-rpc-v2-cbor", "endpointPrefix": "x"},
            "operations": {"Do": {"input": {"shape": "In"}}},
            "shapes": {"In": {"type": "structure", "members": {"B": {"shape": "B"}}}, "B": {"type": "blob"}},
        }
    )
    operation = model.operation_model("Do")

    def blob(value: object) -> Any:
        return parse_as(operation, "smithy-rpc-v2-cbor", Request("POST", "/", "", Headers(), cbor2.dumps({"B": value})))

    assert blob(b"bytes") == {"B": b"bytes"}
    with pytest.raises(AwsError, match="STRING_VALUE can not be converted to a ByteBuffer"):
        blob("text")


def form(service: str, operation: str, body: str, protocol: Protocol = "query") -> Any:
    return read(service, operation, protocol, body.encode())


def test_forms() -> None:
    tags = "Tags.member.2.Key=b&Tags.member.2.Value=&Tags.member.1.Key=a%20%2B+c&Tags.member.1.Value=1"
    assert form("iam", "TagRole", f"RoleName=r&{tags}&Action=TagRole") == {
        "RoleName": "r",
        "Tags": [{"Key": "a + c", "Value": "1"}, {"Key": "b", "Value": ""}],
    }
    assert form("iam", "TagRole", "Tags=") == {"Tags": []}
    assert form("iam", "TagRole", "Tags.1.Key=a&Tags.2=") == {"Tags": [{"Key": "a"}, {}]}
    assert form("iam", "UntagRole", "TagKeys.member.10=j&TagKeys.member.9=i") == {"TagKeys": ["i", "j"]}


def test_numbers_in_forms() -> None:
    assert form("cloudwatch", "PutMetricAlarm", "Threshold=1.5&Period=60") == {"Threshold": 1.5, "Period": 60}
    with pytest.raises(AwsError, match="STRING_VALUE can not be converted to a Float"):
        form("cloudwatch", "PutMetricAlarm", "Threshold=high")


def test_a_form_in_the_query_string() -> None:
    assert read("iam", "GetRole", "query", query="Action=GetRole&RoleName=r%2Fx") == {"RoleName": "r/x"}


@pytest.mark.parametrize(
    "body",
    [
        "MaxItems=ten",
        "MaxItems=1.5",
        "MaxItems.x=1",
        "RoleName.member.1=x",
        "Tags.member.x.Key=a",
        "Tags.member.1=a",
        "Tags=a",
        "Tags.member.-1.Key=a",
    ],
)
def test_malformed_forms(body: str) -> None:
    operation = "ListRoleTags" if "Tags" not in body else "TagRole"
    with pytest.raises(AwsError) as caught:
        form("iam", operation, body)
    assert caught.value.error_code == "MalformedInput"


def test_maps_in_forms() -> None:
    body = "Attributes.entry.1.key=a&Attributes.entry.1.value=b&Attributes.entry.2.key=c"
    assert form("sns", "CreateTopic", body) == {"Attributes": {"a": "b", "c": ""}}
    for broken in ("Attributes.entry.1.value=b", "Attributes.entry.1=b", "Attributes=b"):
        with pytest.raises(AwsError):
            form("sns", "CreateTopic", broken)


def test_a_name_that_has_a_value_and_branches() -> None:
    assert form("iam", "GetRole", "RoleName=r&RoleName.x=y") == {"RoleName": "r"}
    assert form("iam", "GetRole", "RoleName.x=y&RoleName=r") == {"RoleName": "r"}


def test_ec2s_forms() -> None:
    body = "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&DryRun=false&MaxResults=5"
    assert form("ec2", "DescribeVpcs", body, "ec2") == {
        "Filters": [{"Name": "vpc-id", "Values": ["a", "b"]}],
        "DryRun": False,
        "MaxResults": 5,
    }
    with pytest.raises(AwsError) as caught:
        form("ec2", "DescribeVpcs", "DryRun=maybe", "ec2")
    assert caught.value.error_code == "InvalidParameterValue"


def s3(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Any:
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method, path, query, fields, body)
    return parse(route(request), request)


def s3_refuses(*args: Any, **headers: str) -> AwsError:
    with pytest.raises(AwsError) as caught:
        s3(*args, **headers)
    return caught.value


def test_s3s_headers_query_and_metadata() -> None:
    assert s3("PUT", "/b/k", body=b"x", Content_Type="text/plain", x_amz_meta_A="1", x_amz_meta_b="2") == {
        "Bucket": "b",
        "Key": "k",
        "Body": b"x",
        "ContentType": "text/plain",
        "Metadata": {"a": "1", "b": "2"},
    }
    assert s3("GET", "/b", "list-type=2&max-keys=5&prefix=a%2Fb+c") == {
        "Bucket": "b",
        "MaxKeys": 5,
        "Prefix": "a/b c",
    }
    assert s3("GET", "/b/k", If_Modified_Since="Tue, 14 Nov 2023 22:13:20 GMT")["IfModifiedSince"] == datetime(
        2023, 11, 14, 22, 13, 20, tzinfo=UTC
    )


def test_s3s_lists_in_headers() -> None:
    found = s3("GET", "/b/k", "attributes", x_amz_object_attributes="ETag, Checksum,ObjectSize")
    assert found["ObjectAttributes"] == ["ETag", "Checksum", "ObjectSize"]


def test_expires_is_kept_as_it_was_written() -> None:
    assert s3("PUT", "/b/k", Expires="whenever")["Expires"] == "whenever"


def test_s3s_xml() -> None:
    body = (
        b'<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object>'
        b"<Quiet>true</Quiet><Object><Key> c </Key><VersionId>1</VersionId></Object><Odd/></Delete>"
    )
    assert s3("POST", "/b", "delete", body)["Delete"] == {
        "Objects": [{"Key": "a&b"}, {"Key": " c ", "VersionId": "1"}],
        "Quiet": True,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>",
        b"no xml",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b"<Delete><Quiet>maybe</Quiet></Delete>",
        b"<Delete><Object><Key><b/></Key></Object></Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
    ],
)
def test_s3s_malformed_xml(body: bytes) -> None:
    error = s3_refuses("POST", "/b", "delete", body)
    assert (error.error_code, error.status) == ("MalformedXML", 400)
    assert error.message.startswith("The XML you provided was not well-formed or did not validate")


def test_s3s_wrong_arguments() -> None:
    error = s3_refuses("GET", "/b", "max-keys=ten")
    assert error.error_code == "InvalidArgument"
    assert error.message == "Provided max-keys not an integer or within integer range"
    assert error.extra == {"ArgumentName": "max-keys", "ArgumentValue": "ten"}
    assert s3_refuses("PUT", "/b/k", x_amz_server_side_encryption_bucket_key_enabled="maybe").error_code == (
        "InvalidArgument"
    )


def test_maps_and_attributes_in_xml() -> None:
    text = {"shape": "Text"}
    map_of = {"type": "map", "key": text, "value": text}
    members = {"Plain": {"shape": "Map"}, "Flat": {"shape": "Flat"}, "Mark": {"shape": "Text", "xmlAttribute": True}}
    model = ServiceModel(
        {
            "metadata": {"protocol": "rest-xml", "endpointPrefix": "x"},
            "operations": {"Do": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "In"}}},
            "shapes": {
                "In": {"type": "structure", "members": members},
                "Map": map_of,
                "Flat": {**map_of, "flattened": True, "locationName": "F"},
                "Text": {"type": "string"},
            },
        }
    )

    def read_xml(body: bytes) -> Any:
        return parse_as(model.operation_model("Do"), "rest-xml", Request("POST", "/", "", Headers(), body))

    assert read_xml(
        b'<In Mark="m" Other="o"><Plain><entry><key>a</key><value>1</value></entry></Plain>'
        b"<F><key>b</key><value>2</value></F><F><key>c</key><value>3</value></F></In>"
    ) == {"Plain": {"a": "1"}, "Flat": {"b": "2", "c": "3"}, "Mark": "m"}
    with pytest.raises(AwsError, match="Map entry without a key or a value"):
        read_xml(b"<In><Plain><entry><key>a</key></entry></Plain></In>")


def test_another_services_xml() -> None:
    with pytest.raises(AwsError) as caught:
        read("route53", "CreateHostedZone", "rest-xml", b"<x")
    assert caught.value.error_code == "InvalidInput"


def test_wrong_arguments_of_lambda() -> None:
    assert refused("lambda", "ListFunctions", "rest-json", b"", "MaxItems=ten") == (
        "SerializationException",
        "STRING_VALUE can not be converted to an Integer",
    )


class Pieces:
    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


def test_a_streaming_payload_passes_unread() -> None:
    stream = Pieces()
    found = Route("s3", "PutObject", "rest-xml", {"Bucket": "b", "Key": "k"})
    assert takes_stream(found)
    assert not takes_stream(Route("s3", "GetObject", "rest-xml"))
    assert not takes_stream(Route("s3", "ListBuckets", "rest-xml"))
    assert parse(found, Request("PUT", "/b/k", "", Headers(), b"", stream))["Body"] is stream


def test_a_streaming_payload_is_not_unpacked() -> None:
    packed = gzip.compress(b"x")
    assert s3("PUT", "/b/k", body=packed, Content_Encoding="gzip")["Body"] == packed


def test_a_text_payload() -> None:
    assert s3("PUT", "/b", "policy", b'{"a": 1}')["Policy"] == '{"a": 1}'


def test_jsonvalue_in_a_header() -> None:
    good = read("lex-runtime", "PostContent", "rest-json", x_amz_lex_session_attributes="eyJhIjogMX0=")
    assert good["sessionAttributes"] == {"a": 1}
    assert refused("lex-runtime", "PostContent", "rest-json", x_amz_lex_session_attributes="eyJh")[1].startswith(
        "Could not parse JSON value"
    )


def test_header_fields_of_one_name_are_joined() -> None:
    fields = Headers([("x-amz-meta-a", "1"), ("x-amz-meta-a", "2"), ("cache-control", "a"), ("cache-control", "b")])
    request = Request("PUT", "/b/k", "", fields)
    found = parse(route(request), request)
    assert found["Metadata"] == {"a": "1,2"}
    assert found["CacheControl"] == "a,b"
