"""A request finds its operation: by scope, target, action, path and host, or is refused in AWS's words."""

import pytest

from cumulet.wire import directory, models
from cumulet.wire.http import Headers, Request
from cumulet.wire.route import Route, Unrouted, needs_body, route, signing_name
from cumulet.wire.uris import Table, read_query

FORM = "application/x-www-form-urlencoded"


def ask(
    method: str = "POST",
    path: str = "/",
    query: str = "",
    *,
    scope: str = "",
    host: str = "127.0.0.1:4566",
    body: bytes = b"",
    **headers: str,
) -> Request:
    fields = [("host", host), *((name.replace("_", "-"), value) for name, value in headers.items())]
    if scope:
        credential = f"Credential=AKID/20261123/us-east-1/{scope}/aws4_request"
        fields.append(("authorization", f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"))
    return Request(method, path, query, Headers(fields), body)


def found(request: Request) -> tuple[str, str, str]:
    return route(request)[:3]


def refusal(request: Request) -> Unrouted:
    with pytest.raises(Unrouted) as caught:
        route(request)
    return caught.value


def test_json_by_target() -> None:
    request = ask(scope="states", x_amz_target="AWSStepFunctions.StartExecution")
    assert found(request) == ("stepfunctions", "StartExecution", "json")


def test_the_host_prefix_of_synchronous_calls_is_harmless() -> None:
    request = ask(scope="states", x_amz_target="AWSStepFunctions.StartSyncExecution", host="sync-127.0.0.1:4566")
    assert found(request) == ("stepfunctions", "StartSyncExecution", "json")


def test_a_target_needs_no_signature() -> None:
    assert found(ask(x_amz_target="Logs_20140328.PutLogEvents")) == ("logs", "PutLogEvents", "json")


def test_two_services_of_one_target_prefix_are_told_apart() -> None:
    assert found(ask(x_amz_target="Timestream_20181101.WriteRecords"))[0] == "timestream-write"
    assert found(ask(x_amz_target="Timestream_20181101.CreateScheduledQuery"))[0] == "timestream-query"


def test_cbor_by_path() -> None:
    request = ask(path="/service/GraniteServiceVersion20100801/operation/PutMetricData", smithy_protocol="rpc-v2-cbor")
    assert found(request) == ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor")


def test_query_by_form_and_by_query_string() -> None:
    form = ask(scope="iam", content_type=FORM, body=b"Action=ListRoles&Version=2010-05-08")
    assert found(form) == ("iam", "ListRoles", "query")
    assert found(ask("GET", query="Action=GetCallerIdentity&Version=2011-06-15", scope="sts")) == (
        "sts",
        "GetCallerIdentity",
        "query",
    )


def test_query_without_a_signature_goes_by_its_version() -> None:
    body = b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r"
    assert found(ask(content_type=FORM, body=body)) == ("sts", "AssumeRoleWithWebIdentity", "query")


@pytest.mark.parametrize(("version", "service"), [("2012-06-01", "elb"), ("2015-12-01", "elbv2")])
def test_services_of_one_signing_name_go_by_version(version: str, service: str) -> None:
    body = f"Action=DescribeLoadBalancers&Version={version}".encode()
    assert found(ask(scope="elasticloadbalancing", content_type=FORM, body=body))[0] == service


def test_ec2_is_its_own_protocol() -> None:
    request = ask(scope="ec2", content_type=FORM, body=b"Action=DescribeVpcs&Version=2016-11-15")
    assert found(request) == ("ec2", "DescribeVpcs", "ec2")


def test_a_presigned_query() -> None:
    query = (
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=AKID%2F20261123%2Fus-east-1%2Fsts%2Faws4_request"
    )
    assert signing_name(ask("GET", query=query)) == "sts"
    assert found(ask("GET", query=query)) == ("sts", "GetCallerIdentity", "query")


LAMBDA = "/2015-03-31/functions"


@pytest.mark.parametrize("scope", ["lambda", ""])
@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", LAMBDA, "CreateFunction"),
        ("GET", f"{LAMBDA}/", "ListFunctions"),
        ("GET", f"{LAMBDA}/f", "GetFunction"),
        ("POST", f"{LAMBDA}/f/invocations", "Invoke"),
        ("POST", "/2021-11-15/functions/f/response-streaming-invocations", "InvokeWithResponseStream"),
        ("GET", f"{LAMBDA}/f/versions", "ListVersionsByFunction"),
        ("GET", "/2018-10-31/layers", "ListLayers"),
        ("GET", "/2018-10-31/layers/l/versions/3", "GetLayerVersion"),
    ],
)
def test_lambda_by_path(scope: str, method: str, path: str, operation: str) -> None:
    assert found(ask(method, path, scope=scope)) == ("lambda", operation, "rest-json")


def test_labels_are_decoded() -> None:
    arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af"
    assert route(ask("GET", f"{LAMBDA}/{arn}", scope="lambda")).labels == {
        "FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"
    }


S3 = [
    ("GET", "/", "", "ListBuckets"),
    ("GET", "/", "x-id=ListBuckets", "ListBuckets"),
    ("PUT", "/b", "", "CreateBucket"),
    ("HEAD", "/b", "", "HeadBucket"),
    ("DELETE", "/b", "", "DeleteBucket"),
    ("GET", "/b", "", "ListObjects"),
    ("GET", "/b/", "prefix=a", "ListObjects"),
    ("GET", "/b", "list-type=2&prefix=a", "ListObjectsV2"),
    ("GET", "/b", "location", "GetBucketLocation"),
    ("GET", "/b", "location=", "GetBucketLocation"),
    ("GET", "/b", "versions", "ListObjectVersions"),
    ("GET", "/b", "uploads", "ListMultipartUploads"),
    ("GET", "/b", "lifecycle", "GetBucketLifecycleConfiguration"),
    ("PUT", "/b", "notification", "PutBucketNotificationConfiguration"),
    ("GET", "/b", "inventory", "ListBucketInventoryConfigurations"),
    ("GET", "/b", "inventory&id=1", "GetBucketInventoryConfiguration"),
    ("POST", "/b", "delete", "DeleteObjects"),
    ("GET", "/b/k", "", "GetObject"),
    ("GET", "/b/k", "versionId=1&x-id=GetObject", "GetObject"),
    ("HEAD", "/b/k", "", "HeadObject"),
    ("PUT", "/b/k", "", "PutObject"),
    ("PUT", "/b/k", "partNumber=1&uploadId=u", "UploadPart"),
    ("PUT", "/b/k", "tagging", "PutObjectTagging"),
    ("GET", "/b/k", "attributes", "GetObjectAttributes"),
    ("GET", "/b/k", "uploadId=u", "ListParts"),
    ("POST", "/b/k", "uploads", "CreateMultipartUpload"),
    ("POST", "/b/k", "uploadId=u", "CompleteMultipartUpload"),
    ("DELETE", "/b/k", "", "DeleteObject"),
    ("DELETE", "/b/k", "uploadId=u", "AbortMultipartUpload"),
]


@pytest.mark.parametrize("scope", ["s3", ""])
@pytest.mark.parametrize(("method", "path", "query", "operation"), S3)
def test_s3_by_path(scope: str, method: str, path: str, query: str, operation: str) -> None:
    assert found(ask(method, path, query, scope=scope)) == ("s3", operation, "rest-xml")


@pytest.mark.parametrize(("query", "operation"), [("", "CopyObject"), ("partNumber=1&uploadId=u", "UploadPartCopy")])
def test_a_copy_is_told_by_its_header(query: str, operation: str) -> None:
    assert found(ask("PUT", "/b/k", query, scope="s3", x_amz_copy_source="/a/k"))[1] == operation


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/b/a/b/c", "a/b/c"),
        ("/b/folder/", "folder/"),
        ("/b//", "/"),
        ("/b//a//b", "/a//b"),
        ("/b/a%20b%2Bc%2F%C3%A4", "a b+c/ä"),
        ("/b/a+b", "a+b"),
        ("/b/../c", "../c"),
    ],
)
def test_keys_are_taken_as_they_are(path: str, key: str) -> None:
    assert route(ask("GET", path, scope="s3")).labels == {"Bucket": "b", "Key": key}


@pytest.mark.parametrize(
    "host",
    [
        "b.s3.amazonaws.com",
        "b.s3.us-east-1.amazonaws.com",
        "b.s3.dualstack.us-east-1.amazonaws.com",
        "b.s3-us-west-2.amazonaws.com",
        "b.localhost:4566",
        "B.LOCALHOST:4566",
        "b.s3.localhost:4566",
        "b.s3.localhost.localstack.cloud:4566",
        "b.s3.eu-west-1.localhost.localstack.cloud:4566",
    ],
)
def test_a_bucket_in_the_host(host: str) -> None:
    assert route(ask("GET", "/k/x", scope="s3", host=host)) == Route(
        "s3", "GetObject", "rest-xml", {"Bucket": "b", "Key": "k/x"}
    )
    assert route(ask("GET", "/", scope="s3", host=host))[1] == "ListObjects"
    assert route(ask("GET", "/", "list-type=2", host=host)).labels == {"Bucket": "b"}


@pytest.mark.parametrize(
    "host", ["s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "s3.localhost:4566", "localhost:4566", "[::1]:4566", ""]
)
def test_a_host_without_a_bucket(host: str) -> None:
    assert route(ask("GET", "/b/k", scope="s3", host=host)).labels == {"Bucket": "b", "Key": "k"}


def test_buckets_below_a_name_of_our_own() -> None:
    request = ask("GET", "/k", scope="s3", host="my.bucket.cloud.lan:4566")
    assert route(request, ("cloud.lan",)).labels == {"Bucket": "my.bucket", "Key": "k"}


def test_a_service_in_the_host() -> None:
    request = ask("GET", "/2013-04-01/hostedzone", host="route53.amazonaws.com")
    assert found(request) == ("route53", "ListHostedZones", "rest-xml")


def test_signatures_of_the_second_version_and_of_express_are_s3s() -> None:
    assert signing_name(ask(authorization="AWS AKID:signature")) == "s3"
    assert signing_name(ask(query="AWSAccessKeyId=a&Signature=b&Expires=1")) == "s3"
    assert signing_name(ask(authorization="Bearer token")) == ""
    assert signing_name(ask(authorization="AWS4-HMAC-SHA256 Credential=short, Signature=0")) == ""
    assert found(ask("GET", "/", scope="s3express"))[1] == "ListDirectoryBuckets"
    assert found(ask("GET", "/b/k", scope="s3express"))[1] == "GetObject"


def test_s3s_control_plane_is_another_service() -> None:
    request = ask("GET", "/v20180820/configuration/publicAccessBlock", scope="s3")
    assert found(request) == ("s3control", "GetPublicAccessBlock", "rest-xml")


def test_a_service_that_shares_its_signing_name() -> None:
    assert found(ask("GET", "/v2/apis", scope="apigateway")) == ("apigatewayv2", "GetApis", "rest-json")
    assert found(ask("GET", "/restapis", scope="apigateway")) == ("apigateway", "GetRestApis", "rest-json")


def test_operations_that_aws_has_not() -> None:
    error = refusal(ask(scope="states", x_amz_target="AWSStepFunctions.Dance"))
    assert (error.error_code, error.status) == ("UnknownOperationException", 400)
    assert error.route == Route("stepfunctions", "", "json")
    assert refusal(ask(x_amz_target="Nobody.Dance")).route == Route("", "", "json")
    assert refusal(ask(x_amz_target="Dance")).route == Route("", "", "json")
    known = ask(path="/service/GraniteServiceVersion20100801/operation/Dance", smithy_protocol="rpc-v2-cbor")
    assert refusal(known).route == Route("cloudwatch", "", "smithy-rpc-v2-cbor")
    cbor = ask(path="/service/Nobody/operation/Dance", smithy_protocol="rpc-v2-cbor")
    assert refusal(cbor).route == Route("", "", "smithy-rpc-v2-cbor")


def test_a_cbor_only_service_has_no_json() -> None:
    error = refusal(ask(x_amz_target="AWSEventsV2.CreateEventBus"))
    assert error.route.service == "eventbridgev2"


def test_actions_that_aws_has_not() -> None:
    error = refusal(ask(scope="iam", content_type=FORM, body=b"Action=Dance&Version=2010-05-08"))
    assert (error.error_code, error.message) == (
        "InvalidAction",
        "Could not find operation Dance for version 2010-05-08",
    )
    error = refusal(ask(scope="ec2", content_type=FORM, body=b"Action=Dance&Version=2016-11-15"))
    assert (error.error_code, error.route.protocol) == ("InvalidAction", "ec2")
    assert error.message == "The action Dance is not valid for this web service."
    assert refusal(ask(content_type=FORM, body=b"Action=Dance&Version=1999-01-01")).route == Route("", "", "query")
    assert refusal(ask(scope="iam")).error_code == "MissingAction"


def test_paths_that_aws_has_not() -> None:
    error = refusal(ask("GET", "/nowhere", scope="lambda"))
    assert (error.error_code, error.status, error.route.protocol) == ("UnknownOperationException", 404, "rest-json")
    assert refusal(ask("GET", "/2015-03-31", scope="lambda")).status == 404
    assert refusal(ask("GET", "/nowhere", scope="payment-cryptography")).route.service == "payment-cryptography-data"
    assert refusal(ask("GET", "/nowhere", scope="states")).error_code == "UnknownOperationException"
    assert refusal(ask("GET", "/", scope="nobody")).route.service == ""


def test_s3_refuses_a_method_or_a_path() -> None:
    assert refusal(ask("PATCH", "/b/k", scope="s3")).status == 405
    assert refusal(ask("GET", "//k", scope="s3")).error_code == "InvalidURI"


def test_an_action_below_a_path_is_none() -> None:
    assert found(ask("GET", "/b/k", "Action=ListRoles&Version=2010-05-08"))[0] == "s3"
    assert found(ask("GET", "/", "Action=x"))[1] == "ListBuckets"


def test_the_body_is_needed_for_forms_only() -> None:
    assert needs_body(ask(content_type=f"{FORM}; charset=utf-8", scope="iam"))
    assert not needs_body(ask(content_type=FORM, scope="s3"))
    assert not needs_body(ask("PUT", "/b/k", content_type=FORM))
    assert not needs_body(ask(content_type="application/json"))


def test_the_short_table_says_what_the_models_say() -> None:
    known = {entry.service: entry for entry in directory.everything()}
    assert len(known) > 400
    for entry in directory.HOME:
        assert known[entry.service] == entry


@pytest.mark.parametrize("entry", directory.HOME, ids=lambda entry: entry.service)
def test_the_head_of_a_model_says_what_the_model_says(entry: directory.Entry) -> None:
    model = models.load(entry.service)
    assert entry.protocols == model.protocols
    assert entry.target == model.target_prefix


@pytest.mark.parametrize(
    "service", ["lambda", "s3", "route53", "apigateway", "workspaces-web", "s3control", "backup", "eks"]
)
def test_every_request_line_of_a_model_finds_its_operation(service: str) -> None:
    model = models.load(service)
    uris = Table(model)
    lost = set()
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.uri.partition("?")
        shape = operation.input_shape
        wanted = [shape.members[member] for member in shape.required_members] if shape else []
        more = "&".join(f"{m.wire}=1" for m in wanted if m.location == "querystring")
        headers = Headers((m.wire or "", "1") for m in wanted if m.location == "header")
        filled = path.replace("{", "x").replace("+}", "/y").replace("}", "")
        match = uris.match(operation.method, filled, read_query(f"{query}&{more}"), headers)
        if match is None or match.operation != name:
            lost.add(name)
    assert lost <= {
        "GetBucketLifecycle",
        "GetBucketNotification",
        "ListDirectoryBuckets",
        "PutBucketLifecycle",
        "PutBucketNotification",
    }


def test_no_path_leads_out_of_the_models() -> None:
    for name in ("", ".", "..", "../data/s3", "s3/2006-03-01", "nobody"):
        with pytest.raises(models.NoSuchModel):
            models.load(name)
