import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.arn import Arn


def test_reads_the_parts():
    arn = Arn.parse("arn:aws:states:eu-west-1:000000000000:execution:machine:name")
    assert arn == Arn("states", "eu-west-1", "000000000000", "execution:machine:name")


def test_reads_one_without_region_and_account():
    arn = Arn.parse("arn:aws:s3:::bucket/key:with:colons")
    assert arn is not None
    assert (arn.region, arn.account, arn.resource) == ("", "", "bucket/key:with:colons")


def test_reads_one_of_awss_own():
    arn = Arn.parse("arn:aws:iam::aws:policy/AdministratorAccess")
    assert arn is not None
    assert arn.account == "aws"


@pytest.mark.parametrize(
    "text", ["", "arn", "arn:aws:states", "urn:aws:s3:::b", "arn:aws:s3:::", "arn:aws:iam::12:role/x"]
)
def test_refuses_what_is_none(text):
    assert Arn.parse(text) is None


@given(
    st.sampled_from(["states", "s3", "lambda"]),
    st.sampled_from(["", "us-east-1", "eu-central-2"]),
    st.sampled_from(["", "123456789012"]),
    st.text(min_size=1),
)
def test_writes_what_it_read(service, region, account, resource):
    text = str(Arn(service, region, account, resource))
    assert str(Arn.parse(text)) == text
