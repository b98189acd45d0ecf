"""Signature Version 4, signed by botocore, with one thing changed at a time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.sign import signing
from tests.wire.sign.signing import KEY, REGION, SECRET, changed

from cumulet.base.clock import SECOND
from cumulet.wire import sign
from cumulet.wire.sign_errors import WORDS, family

MINUTE = 60 * SECOND


def verify(request, kind="json", service="states", secret=SECRET, now=None):
    claim = sign.read(request, kind, service)
    assert claim is not None
    return sign.verify(claim, request, secret, signing.now() if now is None else now)


def code(request, kind="json", service="states", **options):
    with pytest.raises(sign.Refused) as caught:
        verify(request, kind, service, **options)
    return caught.value.error_code, type(caught.value).status, caught.value.message


def test_a_good_signature_gives_the_key_of_its_scope():
    request = signing.header(body=b'{"a": 1}', headers={"X-Amz-Target": "AWSStepFunctions.ListStateMachines"})
    claim = sign.read(request, "json", "states")
    assert (claim.access_key, claim.region, claim.service, claim.token) == (KEY, REGION, "states", None)
    assert verify(request) == sign.signing_key(SECRET, claim.date, REGION, "states")


def test_a_session_token_is_told():
    assert sign.read(signing.header(token="tok/en+1"), "json", "states").token == "tok/en+1"
    assert sign.read(signing.s3_query(token="tok/en+1"), "s3", "s3").token == "tok/en+1"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/2015-03-31/functions",
        "/a%20b/c%2Fd",
        "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations",
        "//a/../b/./c/",
    ],
)
@pytest.mark.parametrize("query", ["", "?b=2&a=1", "?a=%20x&a=+&c", "?Marker=%2Fa%3D"])
def test_paths_and_queries_of_services_are_normalised_and_encoded_twice(path, query):
    request = signing.header(
        "lambda", method="GET", url=f"http://example.com{path}{query.replace('+', '%2B').replace('&c', '&c=')}"
    )
    assert verify(request, "rest", "lambda")


@pytest.mark.parametrize("key", ["a", "a b", "a//b/../c", "ä/ö+~!'()*", "a%2Fb", "%", "", "a/"])
def test_keys_of_objects_are_encoded_once_and_not_normalised(key):
    from urllib.parse import quote

    url = f"http://example.com/bucket/{quote(key, safe='/~')}"
    assert verify(signing.s3_header(method="PUT", url=url, body=b"x"), "s3", "s3")
    assert verify(signing.s3_query(url=url), "s3", "s3")


@given(
    key=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
    value=st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_any_key_and_parameter(key, value):
    from urllib.parse import quote

    url = f"http://example.com/bucket/k{quote(key, safe='/~')}?prefix={quote(value, safe='-_.~')}"
    assert verify(signing.s3_header(method="GET", url=url), "s3", "s3")


def test_header_values_are_folded():
    request = signing.header(headers={"X-Amz-Target": "  a   b  "})
    assert verify(request)


FLIPS = {
    "method": {"method": "PUT"},
    "path": {"path": "/other"},
    "query": {"query": "a=1"},
    "a signed header": {"x_amz_target": "Other"},
    "the host": {"host": "elsewhere.com"},
    "the time": {},
    "the body": {"body": b"other"},
}


@pytest.mark.parametrize("what", [name for name in FLIPS if name != "the time"])
def test_whatever_changes_after_signing_is_seen(what):
    request = signing.header(body=b"{}", headers={"X-Amz-Target": "AWSStepFunctions.ListStateMachines"})
    found = code(changed(request, **FLIPS[what]))
    assert found[:2] == ("InvalidSignatureException", 400)
    assert found[2].startswith(
        "The request signature we calculated does not match the signature you provided. Check your AWS"
    )


def test_a_wrong_secret_in_each_familys_words():
    assert code(signing.header(), secret="other")[:2] == ("InvalidSignatureException", 400)
    assert code(signing.header("lambda"), "rest", "lambda", secret="other")[:2] == ("InvalidSignatureException", 403)
    assert code(signing.header("iam"), "query", "iam", secret="other")[:2] == ("SignatureDoesNotMatch", 403)
    name, status, message = code(signing.s3_header(), "s3", "s3", secret="other")
    assert (name, status) == ("SignatureDoesNotMatch", 403)
    assert message.endswith("Check your key and signing method.")


def test_s3_tells_what_it_signed():
    request = changed(signing.s3_header(method="GET", url="http://example.com/b/k"), path="/b/other")
    claim = sign.read(request, "s3", "s3")
    with pytest.raises(sign.Refused) as caught:
        sign.verify(claim, request, SECRET, signing.now())
    extra = caught.value.extra
    assert extra["AWSAccessKeyId"] == KEY
    assert extra["SignatureProvided"] == claim.signature
    assert extra["CanonicalRequest"].splitlines()[:2] == ["GET", "/b/other"]
    assert extra["StringToSign"].splitlines()[0] == "AWS4-HMAC-SHA256"
    assert bytes.fromhex(extra["StringToSignBytes"]).decode() == extra["StringToSign"]


def test_the_body_of_s3_is_not_looked_at_but_its_hash_is_signed():
    request = signing.s3_header(method="PUT", body=b"one")
    assert verify(changed(request, body=b"two"), "s3", "s3")
    other = "0" * 64
    assert code(changed(request, x_amz_content_sha256=other), "s3", "s3")[0] == "SignatureDoesNotMatch"


def test_s3_wants_the_hash_named():
    request = signing.s3_header(method="PUT", body=b"one")
    assert code(changed(request, without="x-amz-content-sha256"), "s3", "s3")[::2] == (
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
    )
    assert code(changed(request, x_amz_content_sha256="abc"), "s3", "s3")[0] == "InvalidArgument"


def test_s3_wants_amz_headers_signed():
    name, status, message = code(changed(signing.s3_header(), x_amz_acl="public-read"), "s3", "s3")
    assert (name, status, message) == (
        "AccessDenied",
        403,
        "There were headers present in the request which were not signed",
    )
    assert code(changed(signing.s3_query(), x_amz_acl="public-read"), "s3", "s3")[0] == "AccessDenied"


def test_others_want_the_host_signed():
    request = signing.header()
    loose = changed(request, authorization=request.headers.get("authorization").replace("host;", ""))
    assert code(loose)[2] == "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."


def test_an_unsigned_payload_is_believed():
    request = signing.signed(sign_unsigned, "lambda", body=b"one")
    assert verify(changed(request, body=b"two"), "rest", "lambda")


def sign_unsigned(*args):
    from botocore.auth import SigV4Auth

    class Unsigned(SigV4Auth):
        def _should_sha256_sign_payload(self, request):
            return False

    class WithHeader(Unsigned):
        def _modify_request_before_signing(self, request):
            super()._modify_request_before_signing(request)
            request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"

    return WithHeader(*args)


# Time


def test_fifteen_minutes_either_way():
    request, now = signing.header(), signing.now()
    assert verify(request, now=now + 14 * MINUTE)
    assert verify(request, now=now - 14 * MINUTE)
    late = code(request, now=now + 16 * MINUTE)
    assert late[0] == "InvalidSignatureException"
    assert re.fullmatch(
        r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)", late[2]
    )
    early = code(request, now=now - 16 * MINUTE)
    assert re.fullmatch(
        r"Signature not yet current: \d{8}T\d{6}Z is still later than \S+ \(\S+ \+ 15 min\.\)", early[2]
    )
    assert code(signing.header("iam"), "query", "iam", now=now + 16 * MINUTE)[0] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("minutes", [16, -16])
def test_s3_calls_it_skew(minutes):
    request = signing.s3_header()
    claim = sign.read(request, "s3", "s3")
    with pytest.raises(sign.Refused) as caught:
        sign.verify(claim, request, SECRET, signing.now() + minutes * MINUTE)
    assert (caught.value.error_code, type(caught.value).status) == ("RequestTimeTooSkewed", 403)
    assert caught.value.extra["MaxAllowedSkewMilliseconds"] == 900_000
    assert caught.value.extra["RequestTime"] == claim.timestamp


def test_a_presigned_url_expires():
    request, now = signing.s3_query(expires=600), signing.now()
    assert verify(request, "s3", "s3", now=now + 9 * MINUTE)
    assert code(request, "s3", "s3", now=now + 11 * MINUTE) == ("AccessDenied", 403, "Request has expired")
    assert code(request, "s3", "s3", now=now - 16 * MINUTE) == ("AccessDenied", 403, "Request is not yet valid")


def test_the_expiry_is_told():
    request = signing.s3_query(expires=600)
    with pytest.raises(sign.Refused) as caught:
        verify(request, "s3", "s3", now=signing.now() + 11 * MINUTE)
    assert caught.value.extra["X-Amz-Expires"] == 600
    assert set(caught.value.extra) == {"X-Amz-Expires", "Expires", "ServerTime"}


def test_a_presigned_call_of_another_service():
    url = "http://example.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request, now = signing.query(method="GET", url=url, expires=60), signing.now()
    assert verify(request, "query", "sts")
    assert code(request, "query", "sts", now=now + 2 * MINUTE)[0] == "SignatureDoesNotMatch"
    assert (
        code(changed(request, query=request.query.replace("GetCallerIdentity", "Other")), "query", "sts")[0]
        == "SignatureDoesNotMatch"
    )


# What cannot be read


def test_unsigned_is_no_claim():
    request = changed(signing.header(), without="authorization")
    assert sign.read(request, "json", "states") is None


@pytest.mark.parametrize(
    "header, lacks",
    [
        ("Bearer x", ["Credential", "Signature", "SignedHeaders"]),
        ("AWS4-HMAC-SHA256 x, Credential=a", ["Signature", "SignedHeaders"]),
        ("AWS4-HMAC-SHA256 Credential=a/20260101/r/states/aws4_request", ["Signature", "SignedHeaders"]),
        ("AWS4-HMAC-SHA256 Credential=a/20260101/r/states/aws4_request, SignedHeaders=host", ["Signature"]),
    ],
)
def test_an_incomplete_header(header, lacks):
    request = changed(signing.header(), authorization=header)
    name, status, message = code(request)
    assert (name, status) == ("IncompleteSignatureException", 400)
    for part in lacks:
        assert f"Authorization header requires '{part}' parameter." in message
    assert message.endswith(f"Authorization={header}")
    assert code(request, "query", "iam")[0] == "IncompleteSignature"


def test_no_date_at_all():
    request = changed(signing.header(), without="x-amz-date")
    assert "requires existence of either a 'X-Amz-Date' or a 'Date' header." in code(request)[2]
    request = changed(signing.s3_header(), without="x-amz-date")
    assert code(request, "s3", "s3") == (
        "AccessDenied",
        403,
        "AWS authentication requires a valid Date or x-amz-date header",
    )


def test_the_date_may_be_in_http_form():
    request = signing.header()
    stamp = sign.read(request, "json", "states").timestamp
    from datetime import UTC, datetime

    date = f"{datetime.strptime(stamp, '%Y%m%dT%H%M%SZ').replace(tzinfo=UTC):%a, %d %b %Y %H:%M:%S GMT}"
    assert sign.read(changed(request, without="x-amz-date", date=date), "json", "states").timestamp == stamp
    assert code(changed(request, x_amz_date="yesterday"))[2].startswith(
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'."
    )
    assert (
        code(
            changed(
                request,
                x_amz_date="20269999T999999Z",
                authorization=request.headers.get("authorization").replace(stamp[:8], "20269999"),
            )
        )[0]
        == "IncompleteSignatureException"
    )


def test_a_malformed_credential():
    request = signing.header()
    short = changed(request, authorization=request.headers.get("authorization").replace("/aws4_request", ""))
    assert code(short)[0] == "IncompleteSignatureException"
    assert "Credential must have exactly 5 slash-delimited elements" in code(short)[2]
    request = signing.s3_header()
    short = changed(request, authorization=request.headers.get("authorization").replace("/aws4_request", ""))
    name, status, message = code(short, "s3", "s3")
    assert (name, status) == ("AuthorizationHeaderMalformed", 400)
    assert message.startswith("The authorization header is malformed; the Credential is mal-formed; expecting")


def test_the_scope_must_be_that_of_the_request():
    assert code(signing.header("iam"))[2] == "Credential should be scoped to correct service: 'states'. "
    assert code(signing.header("states"), "s3", "s3")[0] == "AuthorizationHeaderMalformed"
    request = signing.header()
    day = sign.read(request, "json", "states").date
    moved = changed(request, authorization=request.headers.get("authorization").replace(day, "20200101"))
    assert code(moved)[2].startswith(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101'"
    )
    request = signing.s3_header()
    moved = changed(request, authorization=request.headers.get("authorization").replace(day, "20200101"))
    assert 'Invalid credential date "20200101"' in code(moved, "s3", "s3")[2]


def test_other_mechanisms():
    request = changed(signing.s3_header(), authorization="AWS4-ECDSA-P256-SHA256 Credential=a")
    assert (
        code(request, "s3", "s3")[2]
        == "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )
    request = changed(signing.s3_header(), authorization="AWS4-HMAC-SHA256 Credential=a")
    assert "requires three components" in code(request, "s3", "s3")[2]


@pytest.mark.parametrize(
    "flip, words",
    [
        (("X-Amz-Expires=600", "X-Amz-Expires=604801"), "must be less than 604800 seconds"),
        (("X-Amz-Expires=600", "X-Amz-Expires=-1"), "X-Amz-Expires must be non-negative"),
        (("X-Amz-Expires=600", "X-Amz-Expires=soon"), "X-Amz-Expires should be a number"),
        (("X-Amz-Expires=600", "X-Amz-Expires=00000000000000000000009999999"), "must be less than 604800 seconds"),
        (("&X-Amz-Expires=600", ""), "Query-string authentication version 4 requires"),
        (("AWS4-HMAC-SHA256", "AWS4-OTHER"), 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        (("aws4_request", "aws5_request"), "Error parsing the X-Amz-Credential parameter"),
        (("X-Amz-Date=20", "X-Amz-Date=x"), "X-Amz-Date must be in the ISO8601 Long Format"),
    ],
)
def test_s3_parameters_that_are_wrong(flip, words):
    request = signing.s3_query(expires=600)
    assert flip[0] in request.query
    name, status, message = code(changed(request, query=request.query.replace(*flip)), "s3", "s3")
    assert (name, status) == ("AuthorizationQueryParametersError", 400)
    assert words in message


@pytest.mark.parametrize(
    "flip, words",
    [
        (("X-Amz-Signature=", "X="), "AWS query-string parameters must include 'X-Amz-Signature'."),
        (("AWS4-HMAC-SHA256", "AWS4-OTHER"), "Unsupported AWS 'algorithm'"),
        (("aws4_request", "aws5_request"), "Credential must have exactly 5"),
    ],
)
def test_parameters_of_other_services_that_are_wrong(flip, words):
    request = signing.query(method="GET", url="http://example.com/?Action=GetCallerIdentity", expires=60)
    found = code(changed(request, query=request.query.replace(*flip)), "query", "sts")
    assert found[:2] == ("IncompleteSignature", 400)
    assert words in found[2]


@pytest.mark.parametrize(
    "service, protocol, expected",
    [
        ("s3", "rest-xml", "s3"),
        ("iam", "query", "query"),
        ("ec2", "ec2", "query"),
        ("lambda", "rest-json", "rest"),
        ("logs", "json", "json"),
    ],
)
def test_families(service, protocol, expected):
    assert family(service, protocol) == expected
    assert expected in WORDS
