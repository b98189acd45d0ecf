import os
import uuid

from cumulet.base import ids


def zeros(size):
    return bytes(size)


def test_a_uuid_is_of_version_4_and_comes_from_the_entropy():
    assert uuid.UUID(ids.make_uuid(os.urandom)).version == 4
    assert ids.make_uuid(zeros) == ids.make_uuid(zeros)


def test_an_aws_id_is_a_prefix_with_capitals_and_digits():
    found = ids.make_aws_id("AROA", os.urandom)
    assert len(found) == 21
    assert found.isalnum()
    assert found == found.upper()


def test_hex_has_two_digits_a_byte():
    assert ids.make_hex(zeros, 3) == "000000"
