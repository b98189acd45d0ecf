"""Checksums: known values, in pieces, and the two ways of CRC32C and CRC64NVME."""

import hashlib
from base64 import b64encode

import pytest
from awscrt import checksums as crt
from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire import checksums

CHECK = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": hashlib.sha1(b"123456789").hexdigest(),
    "SHA256": hashlib.sha256(b"123456789").hexdigest(),
    "MD5": "25f9e794323b453885f5181f1b624d0b",
}


@pytest.mark.parametrize("name, expected", CHECK.items())
def test_published_values_in_pieces(name, expected):
    checksum = checksums.make(name)
    for piece in (b"1234", b"", b"56789"):
        checksum.update(piece)
    assert checksum.digest().hex() == expected
    assert checksum.text() == b64encode(bytes.fromhex(expected)).decode()
    assert len(checksum.digest()) == checksums.SIZES[name]


def test_without_the_library_it_is_the_table():
    table = checksums.table_step(checksums.CRC32C_POLYNOMIAL, 32)
    assert checksums.from_library("crc32c", table, "no_such_library") is table
    assert checksums.from_library("crc32c", table) is crt.crc32c


def test_headers_name_all_but_md5():
    assert checksums.HEADERS["x-amz-checksum-crc64nvme"] == "CRC64NVME"
    assert set(checksums.HEADERS.values()) == set(CHECK) - {"MD5"}


@given(st.lists(st.binary(max_size=50), max_size=4))
def test_the_tables_agree_with_awscrt(pieces):
    narrow = checksums.table_step(checksums.CRC32C_POLYNOMIAL, 32)
    wide = checksums.table_step(checksums.CRC64NVME_POLYNOMIAL, 64)
    a = b = c = d = 0
    for piece in pieces:
        a, b = narrow(piece, a), crt.crc32c(piece, b)
        c, d = wide(piece, c), crt.crc64nvme(piece, d)
    assert (a, c) == (b, d)


@pytest.mark.parametrize(
    "text, good",
    [("y/Q5Jg==", True), ("y/Q5Jg", False), ("abc", False), ("y/Q5Jg==\n", False), ("é", False), ("y/Q5JgA=", False)],
)
def test_what_can_be_a_value(text, good):
    assert checksums.well_formed("CRC32", text) is good


def test_no_other_name():
    with pytest.raises(KeyError):
        checksums.make("CRC16")
