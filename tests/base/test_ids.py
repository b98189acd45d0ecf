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


def test_an_ordered_uuid_sorts_by_its_time():
    first, second = (ids.make_ordered_uuid(now * 1000, os.urandom) for now in (1_700_000_000_000, 1_700_000_000_001))
    assert first < second
    assert uuid.UUID(first).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122
    assert ids.make_ordered_uuid(5, os.urandom) != ids.make_ordered_uuid(5, os.urandom)
