"""Answers and errors as AWS writes them, byte by byte where others than botocore read them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import cbor2
import pytest

from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.wire import values
from cumulet.wire.faults import serialize_error_as
from cumulet.wire.http import Response
from cumulet.wire.models import Protocol, ServiceModel
from cumulet.wire.route import Route
from cumulet.wire.serialize import serialize, serialize_as, serialize_error

WHEN = datetime(2026, 11, 23, 8, 33, 0, 123456, tzinfo=UTC)
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def text(answer: Response) -> str:
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def wrote(service: str, operation: str, protocol: Protocol, **output: Any) -> Response:
    return serialize(Route(service, operation, protocol), output, "id-1")


def test_json() -> None:
    answer = wrote("stepfunctions", "StartExecution", "json", executionArn="arn:é", startDate=WHEN)
    assert text(answer) == '{"executionArn":"arn:é","startDate":1795422780.123}'
    assert answer.headers == [("content-type", "application/x-amz-json-1.0"), ("x-amzn-requestid", "id-1")]
    assert dict(wrote("logs", "DescribeLogGroups", "json").headers)["content-type"] == "application/x-amz-json-1.1"


def test_whole_seconds_have_no_fraction() -> None:
    answer = wrote("stepfunctions", "StopExecution", "json", stopDate=WHEN.replace(microsecond=999))
    assert text(answer) == '{"stopDate":1795422780}'


def test_what_the_model_does_not_know_and_none_are_left_out() -> None:
    answer = wrote("stepfunctions", "StartExecution", "json", executionArn="a", startDate=None, odd=1)
    assert text(answer) == '{"executionArn":"a"}'


def test_an_operation_without_output() -> None:
    assert text(wrote("logs", "CreateLogGroup", "json")) == "{}"
    assert wrote("s3", "DeleteBucket", "rest-xml") == Response(204, [("x-amz-request-id", "id-1")])
    assert cbor2.loads(wrote("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor").body) == {}  # type: ignore[arg-type]
    assert "<return>true</return>" in text(wrote("ec2", "CreateTags", "ec2"))


def test_query() -> None:
    answer = wrote("iam", "GetRole", "query", Role={"RoleName": "a&b", "CreateDate": WHEN.replace(microsecond=0)})
    assert text(answer) == (
        f'{XML}<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>'
        "<RoleName>a&amp;b</RoleName><CreateDate>2026-11-23T08:33:00Z</CreateDate></Role></GetRoleResult>"
        "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetRoleResponse>"
    )
    assert text(wrote("iam", "DeleteRole", "query")) == (
        f'{XML}<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteRoleResponse>"
    )


def test_an_empty_list_is_an_empty_element() -> None:
    assert "<ListRolesResult><Roles></Roles>" in text(wrote("iam", "ListRoles", "query", Roles=[], IsTruncated=False))


def test_ec2() -> None:
    assert text(wrote("ec2", "DescribeVpcs", "ec2", Vpcs=[{"VpcId": "vpc-1", "IsDefault": True}])) == (
        f'{XML}<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>id-1</requestId>'
        "<vpcSet><item><isDefault>true</isDefault><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>"
    )


def test_s3s_list() -> None:
    answer = wrote(
        "s3",
        "ListObjectsV2",
        "rest-xml",
        Name="b",
        IsTruncated=False,
        Contents=[{"Key": "k\x01<", "LastModified": WHEN.replace(microsecond=0), "ETag": '"e"', "Size": 0}],
        CommonPrefixes=[{"Prefix": "a/"}],
    )
    assert text(answer) == (
        f'{XML}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
        "<Contents><Key>k&#x1;&lt;</Key><LastModified>2026-11-23T08:33:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        "<Size>0</Size></Contents><Name>b</Name><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListBucketResult>"
    )


def test_s3s_location_is_bare() -> None:
    assert text(wrote("s3", "GetBucketLocation", "rest-xml", LocationConstraint="eu-west-1")) == (
        f'{XML}<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
    )
    assert text(wrote("s3", "GetBucketLocation", "rest-xml", LocationConstraint="")).endswith(
        '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>'
    )


def test_s3s_payload_has_its_namespace() -> None:
    answer = wrote("s3", "CopyObject", "rest-xml", CopyObjectResult={"ETag": "e"}, VersionId="1")
    assert text(answer) == (
        f'{XML}<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>e</ETag></CopyObjectResult>'
    )
    assert ("x-amz-version-id", "1") in answer.headers


def test_s3s_acl_has_attributes() -> None:
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "1"}, "Permission": "FULL_CONTROL"}
    assert (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>1</ID>'
    ) in text(wrote("s3", "GetBucketAcl", "rest-xml", Grants=[grant]))


def test_s3s_object() -> None:
    body = object()
    answer = wrote(
        "s3",
        "GetObject",
        "rest-xml",
        Body=body,
        ContentLength=5,
        ContentType="text/plain",
        LastModified=WHEN,
        Metadata={"a": "b"},
        Expires="whenever",
    )
    assert answer.body is body
    assert answer.headers == [
        ("x-amz-request-id", "id-1"),
        ("Content-Length", "5"),
        ("Content-Type", "text/plain"),
        ("Last-Modified", "Mon, 23 Nov 2026 08:33:00 GMT"),
        ("x-amz-meta-a", "b"),
        ("Expires", "whenever"),
    ]
    assert ("content-type", "application/octet-stream") in wrote("s3", "GetObject", "rest-xml", Body=b"x").headers
    assert wrote("s3", "PutObject", "rest-xml", ETag='"e"').body == b""


def test_rest_json() -> None:
    answer = wrote("lambda", "Invoke", "rest-json", StatusCode=202, Payload=b"{}", FunctionError="Unhandled")
    assert (answer.status, answer.body) == (202, b"{}")
    assert ("X-Amz-Function-Error", "Unhandled") in answer.headers
    assert wrote("lambda", "Invoke", "rest-json", StatusCode=204).body == b""
    assert wrote("lambda", "CreateFunction", "rest-json", FunctionName="f").status == 201
    assert text(wrote("lambda", "ListFunctions", "rest-json", Functions=[])) == '{"Functions":[]}'


def test_a_text_payload() -> None:
    answer = wrote("s3", "GetBucketPolicy", "rest-xml", Policy="{}")
    assert answer.body == b"{}"


def test_cbor() -> None:
    answer = wrote(
        "cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor", MetricDataResults=[{"Timestamps": [WHEN], "Values": [1]}]
    )
    assert ("smithy-protocol", "rpc-v2-cbor") in answer.headers
    assert isinstance(answer.body, bytes)
    found = cbor2.loads(answer.body)["MetricDataResults"][0]
    assert (found["Timestamps"], found["Values"]) == ([WHEN], [1.0])


class NoSuchKey(AwsError):
    """The specified key does not exist."""

    status = 404
    members = ("Key", "Absent")


class NotModified(AwsError):
    """Not Modified"""

    status = 304


class ExecutionDoesNotExist(AwsError):
    """Execution Does Not Exist: '{arn}'"""


class ResourceNotFoundException(AwsError):
    """Function not found"""

    status = 404


class TooManyRequestsException(AwsError):
    """Rate Exceeded"""

    status = 429
    members = ("retryAfterSeconds", "Reason")


class Unheard(AwsError):
    """Never {what}"""

    members = ("what",)


class ServiceException(AwsError):
    """Ours"""

    status = 500


def failed(service: str, operation: str, protocol: Protocol, error: AwsError) -> Response:
    return serialize_error(Route(service, operation, protocol), error, "id-1")


def test_errors_in_json() -> None:
    answer = failed("stepfunctions", "DescribeExecution", "json", ExecutionDoesNotExist(arn="a"))
    assert answer.status == 400
    assert json.loads(text(answer)) == {
        "__type": "ExecutionDoesNotExist",
        "message": "Execution Does Not Exist: 'a'",
    }
    unknown = failed("stepfunctions", "DescribeExecution", "json", Unheard(what="so"))
    assert json.loads(text(unknown)) == {"__type": "Unheard", "message": "Never so", "what": "so"}
    assert json.loads(text(failed("", "", "json", Unheard(what="so"))))["__type"] == "Unheard"


def test_errors_in_rest_json() -> None:
    answer = failed("lambda", "GetFunction", "rest-json", ResourceNotFoundException())
    assert (answer.status, json.loads(text(answer))) == (404, {"Type": "User", "Message": "Function not found"})
    assert ("x-amzn-errortype", "ResourceNotFoundException") in answer.headers
    assert json.loads(text(failed("lambda", "Invoke", "rest-json", ServiceException())))["Type"] == "Server"
    limited = failed("lambda", "Invoke", "rest-json", TooManyRequestsException(retryAfterSeconds="3", Reason="x"))
    assert ("Retry-After", "3") in limited.headers
    assert json.loads(text(limited)) == {"Type": "User", "message": "Rate Exceeded", "Reason": "x"}


def test_errors_in_query() -> None:
    assert text(failed("iam", "GetRole", "query", Unheard("a<b"))) == (
        f'{XML}<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        "<Code>Unheard</Code><Message>a&lt;b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
    )
    assert "<Type>Receiver</Type>" in text(failed("iam", "GetRole", "query", ServiceException()))


def test_errors_in_ec2() -> None:
    answer = failed("ec2", "DescribeVpcs", "ec2", Unheard(what="so"))
    assert text(answer) == (
        f"{XML}<Response><Errors><Error><Code>Unheard</Code><Message>Never so</Message><what>so</what></Error></Errors>"
        "<RequestID>id-1</RequestID></Response>"
    )


def test_errors_of_s3() -> None:
    answer = failed("s3", "GetObject", "rest-xml", NoSuchKey(Key="a&b", Absent=None))
    assert answer.status == 404
    assert text(answer) == (
        f"{XML}<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&amp;b</Key>"
        "<RequestId>id-1</RequestId><HostId>id-1</HostId></Error>"
    )
    assert failed("s3", "HeadObject", "rest-xml", NoSuchKey()).body == b""
    assert failed("s3", "GetObject", "rest-xml", NotModified()).body == b""
    assert text(failed("s3", "", "rest-xml", NoSuchKey())).startswith(f"{XML}<Error>")
    assert "<ErrorResponse" in text(failed("route53", "GetHostedZone", "rest-xml", Unheard("x")))


def test_errors_in_cbor_and_for_those_who_know_query() -> None:
    class QueueDoesNotExist(AwsError):
        """Gone"""

    answer = failed("sqs", "SendMessage", "json", QueueDoesNotExist())
    assert ("x-amzn-query-error", "QueueDoesNotExist;Sender") in answer.headers
    assert json.loads(text(answer))["__type"] == "QueueDoesNotExist"
    cbor = failed("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor", Unheard(what="so"))
    assert isinstance(cbor.body, bytes)
    assert cbor2.loads(cbor.body) == {"__type": "Unheard", "message": "Never so", "what": "so"}


@pytest.mark.parametrize("protocol", ["json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"])
def test_a_service_that_we_lack_is_refused_by_name(protocol: Protocol) -> None:
    answer = serialize_error_as(None, protocol, NotImplementedHere(what="CreateFleet of ec2"), "id-1")
    assert answer.status == 501
    assert isinstance(answer.body, bytes)
    assert b"NotImplemented" in answer.body + str(answer.headers).encode()
    assert b"CreateFleet of ec2" in answer.body


def test_times() -> None:
    berlin = timezone(timedelta(hours=1))
    assert values.iso(datetime(2026, 1, 1, 1, tzinfo=berlin)) == "2026-01-01T00:00:00Z"
    assert values.iso(datetime(2026, 1, 1)) == "2026-01-01T00:00:00Z"  # noqa: DTZ001  a naive time is taken as UTC
    assert values.iso(WHEN) == "2026-11-23T08:33:00.123Z"
    assert values.write_time(WHEN, "unixTimestamp") == "1795422780.123"
    assert values.write_time(WHEN, "rfc822") == "Mon, 23 Nov 2026 08:33:00 GMT"
    assert values.epoch(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == -0.5


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1.5, "1.5"),
        (2.0, "2.0"),
        (3, "3"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_floating_point(number: float, told: str) -> None:
    assert values.write_float(number) == told


def test_json_in_headers_and_null() -> None:
    answer = wrote("lex-runtime", "PostContent", "rest-json", intentName=None, slots={"x": 1})
    assert ("x-amz-lex-slots", "eyJ4IjoxfQ==") in answer.headers
    assert len(answer.headers) == 2


def a_model(protocol: str, shapes: dict[str, Any]) -> ServiceModel:
    http = {"method": "GET", "requestUri": "/"}
    raw = {
        "metadata": {"protocol": protocol, "endpointPrefix": "x"},
        "operations": {"Do": {"http": http, "output": {"shape": "Out"}}},
        "shapes": {"Text": {"type": "string"}, "Flag": {"type": "boolean"}, "Blob": {"type": "blob"}, **shapes},
    }
    return ServiceModel(raw, "x")


def test_truth_and_blobs_in_headers() -> None:
    members = {
        "Flag": {"shape": "Flag", "location": "header", "locationName": "x-flag"},
        "Blob": {"shape": "Blob", "location": "header", "locationName": "x-blob"},
    }
    model = a_model("rest-json", {"Out": {"type": "structure", "members": members}})
    answer = serialize_as(model.operation_model("Do"), "rest-json", {"Flag": True, "Blob": b"x"}, "id-1")
    assert answer.headers == [("x-amzn-requestid", "id-1"), ("x-flag", "true"), ("x-blob", "eA==")]


def test_nulls_and_maps_in_xml() -> None:
    word = {"shape": "Text"}
    inner = {"type": "structure", "members": {"Mark": {**word, "xmlAttribute": True}, "Text": word}}
    members = {"Map": {"shape": "Map", "flattened": True}, "List": {"shape": "List"}, "Inner": {"shape": "Inner"}}
    model = a_model(
        "rest-xml",
        {
            "Out": {"type": "structure", "members": members},
            "Map": {"type": "map", "key": word, "value": word},
            "List": {"type": "list", "member": word},
            "Inner": inner,
        },
    )
    output = {"Map": {"a": "b", "c": None}, "List": ["a", None], "Inner": {"Text": "\u2028"}}
    assert text(serialize_as(model.operation_model("Do"), "rest-xml", output, "id-1")) == (
        f"{XML}<Out><Map><key>a</key><value>b</value></Map><Map><key>c</key></Map><List><member>a</member></List>"
        "<Inner><Text>&#x2028;</Text></Inner></Out>"
    )


def test_a_part_is_206() -> None:
    answer = wrote("s3", "GetObject", "rest-xml", Body=b"b", ContentRange="bytes 1-1/3")
    assert answer.status == 206


def test_a_stream_of_events_passes_as_it_is() -> None:
    answer = wrote("lambda", "InvokeWithResponseStream", "rest-json", EventStream=b"frames")
    assert answer.body == b"frames"
    assert ("content-type", "application/vnd.amazon.eventstream") in answer.headers
