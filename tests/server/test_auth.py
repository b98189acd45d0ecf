"""Who calls: boto3 against the gate, trusting and strict."""

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.inprocess import House
from tests.server.fakes import Machines, Objects, Whoami


@pytest.fixture(scope="module")
def trusting():
    with House() as house:
        yield furnish(house)


@pytest.fixture(scope="module")
def strict():
    with House(strict=True) as house:
        yield furnish(house)


def furnish(house):
    house.machines = house.add(lambda _: Machines())
    house.objects = house.add(lambda _: Objects())
    house.add(lambda _: Whoami())
    return house


def who(house, **options):
    found = house.client("sts", **options).get_caller_identity()
    return found["Account"], found["Arn"], found["UserId"]


def key_of(issued):
    return {
        "aws_access_key_id": issued.access_key,
        "aws_secret_access_key": issued.secret_key,
        "aws_session_token": issued.session_token,
    }


def session(house, ttl=900):
    return house.run(
        house.keys.issue("111122223333", "arn:aws:sts::111122223333:assumed-role/r/s", ttl, principal_id="AROAX:s")
    )


SESSION = ("111122223333", "arn:aws:sts::111122223333:assumed-role/r/s", "AROAX:s")
ROOT = ("000000000000", "arn:aws:iam::000000000000:root", "000000000000")


# Trusting


@pytest.mark.parametrize("key", ["test", "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "12345678901", "a b"])
def test_any_key_is_taken(trusting, key):
    assert who(trusting, aws_access_key_id=key) == ROOT


def test_twelve_digits_are_an_account(trusting):
    found = who(trusting, aws_access_key_id="111122223333")
    assert found == ("111122223333", "arn:aws:iam::111122223333:root", "111122223333")


def test_unsigned_is_taken(trusting):
    assert who(trusting, config=Config(signature_version=UNSIGNED)) == ROOT


def test_keys_of_ours_are_known(trusting):
    assert who(trusting, **key_of(session(trusting))) == SESSION
    assert who(trusting, aws_access_key_id=trusting.root.access_key) == ROOT


def test_a_token_that_is_not_ours_is_no_one_special(trusting):
    assert who(trusting, **{**key_of(session(trusting)), "aws_session_token": "abc"}) == ROOT


def test_the_region_is_the_signatures(trusting):
    trusting.client("stepfunctions", region_name="mars-west-7").list_state_machines()
    assert trusting.machines.calls[-1].region == "mars-west-7"
    trusting.client("stepfunctions", config=Config(signature_version=UNSIGNED)).list_state_machines()
    assert trusting.machines.calls[-1].region == "us-east-1"


def fetch(house, url, method="GET"):
    """A presigned URL, followed."""
    from urllib.parse import urlsplit

    from tests.inprocess import read_all

    from cumulet.wire.http import Headers, Request

    parts = urlsplit(url)

    async def answer():
        response = await house.app.answer(Request(method, parts.path, parts.query, Headers([("host", parts.netloc)])))
        return response.status, await read_all(response)

    return house.run(answer())


@pytest.mark.parametrize("version", ["s3v4", "s3", None])
def test_presigned_urls(trusting, strict, version):
    for house in (trusting, strict):
        client = house.client("s3", config=Config(signature_version=version))
        client.put_object(Bucket="bucket", Key="a b+c", Body=b"body")
        url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a b+c"}, ExpiresIn=60)
        assert version is None or ("X-Amz-Signature" in url) == (version == "s3v4")
        assert fetch(house, url) == (200, b"body")


def test_a_presigned_url_of_another_key_or_time_is_refused(strict):
    for version, mark in (("s3v4", "X-Amz-Signature="), ("s3", "Signature=")):
        client = strict.client("s3", config=Config(signature_version=version))
        url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a"}, ExpiresIn=60)
        status, body = fetch(strict, url.replace(mark, mark + "0"))
        assert status == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in body
        assert fetch(strict, url, "DELETE")[0] == 403


# Strict


def refused(call, *args, **options):
    with pytest.raises(ClientError) as caught:
        call(*args, **options)
    found = caught.value.response
    return found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]


def test_the_root_key(strict):
    assert who(strict) == ROOT


def test_a_session(strict):
    assert who(strict, **key_of(session(strict))) == SESSION


OPERATIONS = {
    "sts": lambda client: client.get_caller_identity(),
    "stepfunctions": lambda client: client.list_state_machines(),
    "s3": lambda client: client.put_object(Bucket="bucket", Key="refused", Body=b"x"),
}

REFUSALS = {
    "unknown": (
        {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"},
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
    ),
    "test": (
        {"aws_access_key_id": "test"},
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
    ),
    "wrong secret": (
        {"aws_secret_access_key": "other"},
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    ),
    "unsigned": (
        {"config": Config(signature_version=UNSIGNED)},
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AccessDenied",
    ),
    "a token to a key that has none": (
        {"aws_session_token": "abc"},
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidToken",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("number, service", [*enumerate(OPERATIONS, 1)])
def test_whoever_is_not_known_is_refused_in_the_services_words(strict, case, number, service):
    options, *codes = REFUSALS[case]
    code, status = refused(OPERATIONS[service], strict.client(service, **options))
    assert code == codes[number - 1]
    assert status in (400, 403)
    assert "refused" not in strict.objects.kept


def test_the_token_belongs_to_its_key(strict):
    one, two = key_of(session(strict)), key_of(session(strict))
    mixed = {**one, "aws_session_token": two["aws_session_token"]}
    assert refused(OPERATIONS["sts"], strict.client("sts", **mixed))[0] == "InvalidClientTokenId"
    alone = {name: value for name, value in one.items() if name != "aws_session_token"}
    assert refused(OPERATIONS["sts"], strict.client("sts", **alone))[0] == "InvalidClientTokenId"


def test_sessions_end(strict):
    options = key_of(session(strict, ttl=0))
    codes = [refused(OPERATIONS[name], strict.client(name, **options))[0] for name in OPERATIONS]
    assert codes == ["ExpiredToken", "ExpiredTokenException", "ExpiredToken"]


def test_what_is_signed_reaches_the_service(strict):
    client = strict.client("s3")
    client.put_object(Bucket="bucket", Key="ä/b c", Body=b"x" * 10_000, Metadata={"a": "1"}, ContentType="a/b")
    assert strict.objects.kept["ä/b c"] == b"x" * 10_000
    assert client.get_object(Bucket="bucket", Key="ä/b c")["Body"].read() == b"x" * 10_000
    assert client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a"}]})["Deleted"] == [{"Key": "a"}]


def test_a_bucket_in_the_host(strict):
    for version in ("s3v4", "s3"):
        config = Config(s3={"addressing_style": "virtual"}, signature_version=version)
        client = strict.client("s3", config=config, endpoint_url="http://localhost:4566")
        client.put_object(Bucket="bucket", Key="in/host", Body=b"x")
        assert strict.objects.kept.pop("in/host") == b"x"
        url = client.generate_presigned_url("head_object", Params={"Bucket": "bucket", "Key": "a"})
        assert url.startswith("http://bucket.localhost")


def test_old_requests_are_refused():
    with House(strict=True) as house:
        furnish(house)
        house.jump(16 * 60)
        codes = [refused(OPERATIONS[name], house.client(name))[0] for name in OPERATIONS]
        assert codes == ["SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed"]
