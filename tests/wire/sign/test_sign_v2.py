"""S3's old signatures, signed by botocore, with one thing changed at a time."""

import pytest
from tests.wire.sign import signing
from tests.wire.sign.signing import KEY, SECRET, changed

from cumulet.base.clock import SECOND
from cumulet.wire import sign_v2
from cumulet.wire.sign_errors import Refused

URL = "http://s3.amazonaws.com/bucket/a%20key"


def refused(request, secret=SECRET, now=None, bucket=""):
    with pytest.raises(Refused) as caught:
        check(request, secret, signing.now() if now is None else now, bucket)
    return caught.value.error_code, caught.value.message


def check(request, secret, now, bucket):
    claim = sign_v2.read(request)
    assert claim is not None
    sign_v2.verify(claim, request, secret, now, bucket)


def verify(request, bucket=""):
    claim = sign_v2.read(request)
    assert claim.access_key == KEY
    sign_v2.verify(claim, request, SECRET, signing.now(), bucket)
    return claim


@pytest.mark.parametrize("query", ["", "?versionId=3", "?uploads", "?response-content-type=text%2Fplain&other=1"])
def test_presigned(query):
    request = signing.old(url=URL + query, expires=60)
    assert verify(request).expires is not None


def test_header_with_metadata_and_token():
    request = signing.old_header(
        method="PUT", url=URL, headers={"Content-Type": "a/b", "x-amz-meta-a": "1"}, token="tok"
    )
    assert verify(request).token == "tok"


def test_virtual_host():
    request = signing.old(url=URL, expires=60)
    moved = changed(request, path="/a%20key", host="bucket.s3.amazonaws.com")
    verify(moved, "bucket")
    assert refused(moved)[0] == "SignatureDoesNotMatch"


def test_what_changes_is_seen():
    request = signing.old(url=URL, expires=60)
    assert refused(request, secret="other")[0] == "SignatureDoesNotMatch"
    assert refused(changed(request, method="PUT"))[0] == "SignatureDoesNotMatch"
    assert refused(changed(request, path="/bucket/b"))[0] == "SignatureDoesNotMatch"
    assert refused(changed(request, content_type="a/b"))[0] == "SignatureDoesNotMatch"


def test_expiry():
    request = signing.old(url=URL, expires=60)
    assert refused(request, now=signing.now() + 61 * SECOND) == ("AccessDenied", "Request has expired")


def test_skew_of_a_header():
    request = signing.old_header(url=URL)
    assert refused(request, now=signing.now() + 1000 * SECOND)[0] == "RequestTimeTooSkewed"
    assert refused(changed(request, without="date"))[1].startswith("AWS authentication requires a valid Date")


@pytest.mark.parametrize("query", ["Signature=a&Expires=1", "Signature=a&AWSAccessKeyId=b"])
def test_missing_parameters(query):
    assert (
        "requires the Signature, Expires and AWSAccessKeyId" in refused(changed(signing.old(url=URL), query=query))[1]
    )


@pytest.mark.parametrize("expires", ["soon", "-1", "999999999999999", "²"])
def test_a_bad_expiry(expires):
    query = f"Signature=a&AWSAccessKeyId=b&Expires={expires}"
    assert refused(changed(signing.old(url=URL), query=query))[1].startswith(
        "Invalid date (should be seconds since epoch)"
    )


def test_what_is_not_signed_so():
    assert sign_v2.read(signing.s3_query()) is None
    assert sign_v2.read(signing.s3_header()) is None
    assert sign_v2.read(changed(signing.s3_query(), query="prefix=a")) is None
