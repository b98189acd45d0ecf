"""aws-chunked bodies: AWS's published example, round trips in any pieces, one thing wrong at a time."""

import hashlib
import hmac
import zlib
from base64 import b64encode

import pytest
from botocore.httpchecksum import AwsChunkedWrapper
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.errors import AwsError
from cumulet.wire.chunked import Decoder, Signer
from cumulet.wire.sign import EMPTY_HASH, signing_key
from cumulet.wire.sign_claim import Claim

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CLAIM = Claim("s3", "AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", ("host",), SEED, "20130524T000000Z")
KEY = signing_key(SECRET, "20130524", "us-east-1", "s3")
PUBLISHED = (
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n"
    b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + b"a" * 1024 + b"\r\n"
    b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
)
"""From AWS's page "Transferring payload in multiple chunks"."""


def signer():
    return Signer.after(CLAIM, KEY)


def decode(decoder, data, size=1 << 20):
    pieces = [piece for at in range(0, len(data), size) for piece in decoder.feed(data[at : at + size])]
    decoder.finish()
    return b"".join(pieces)


def refused(decoder, data):
    with pytest.raises(AwsError) as caught:
        decode(decoder, data)
    return caught.value.error_code


def sign_chunks(chunks, trailers=()):
    """A signed body, made by the book."""
    before, out = SEED, b""
    head = f"{CLAIM.timestamp}\n{CLAIM.scope}\n"
    for chunk in [*chunks, b""]:
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{head}{before}\n{EMPTY_HASH}\n{hashlib.sha256(chunk).hexdigest()}"
        before = hmac.digest(KEY, text.encode(), "sha256").hex()
        out += b"%x;chunk-signature=%s\r\n" % (len(chunk), before.encode())
        out += chunk + b"\r\n" if chunk else b""
    if trailers:
        lines = b"".join(b"%s:%s\n" % (name, value) for name, value in trailers)
        text = f"AWS4-HMAC-SHA256-TRAILER\n{head}{before}\n{hashlib.sha256(lines).hexdigest()}"
        signature = hmac.digest(KEY, text.encode(), "sha256").hex().encode()
        out += lines.replace(b"\n", b"\r\n") + b"x-amz-trailer-signature:" + signature + b"\r\n"
    return out + b"\r\n"


def crc(data):
    return b64encode(zlib.crc32(data).to_bytes(4))


def test_the_published_example():
    assert decode(Decoder(66560, signer()), PUBLISHED) == b"a" * 66560


@pytest.mark.parametrize("at", [20, 90, 66_000, len(PUBLISHED) - 10])
def test_a_changed_byte_of_it(at):
    data = bytearray(PUBLISHED)
    data[at] = ord("b") if data[at] != ord("b") else ord("c")
    assert refused(Decoder(66560, signer()), bytes(data)) in ("SignatureDoesNotMatch", "IncompleteBody")


def test_without_a_signer_signatures_are_read_over():
    data = PUBLISHED.replace(b"ad80c730", b"00000000")
    assert decode(Decoder(66560), data) == b"a" * 66560
    assert refused(Decoder(66560, signer()), data) == "SignatureDoesNotMatch"


def test_with_a_signer_every_chunk_must_have_one():
    assert refused(Decoder(3, signer()), b"3\r\nabc\r\n0\r\n\r\n") == "SignatureDoesNotMatch"


@given(body=st.binary(max_size=300), chunk=st.integers(1, 100), size=st.integers(1, 50))
def test_unsigned_in_any_pieces(body, chunk, size):
    data = b"".join(
        b"%X\r\n%s\r\n" % (len(part), part) for at in range(0, len(body), chunk) if (part := body[at : at + chunk])
    )
    data += b"0\r\nx-amz-checksum-crc32:" + crc(body) + b"\r\n\r\n"
    decoder = Decoder(len(body), None, ["x-amz-checksum-crc32"])
    assert decode(decoder, data, size) == body
    assert decoder.checksums == {"CRC32": crc(body).decode()}


def test_what_botocore_writes():
    import io

    class Sum:
        def __init__(self):
            self.value = 0

        def update(self, data):
            self.value = zlib.crc32(data, self.value)

        def b64digest(self):
            return b64encode(self.value.to_bytes(4)).decode()

    body = bytes(range(256)) * 50
    wrapped = AwsChunkedWrapper(
        io.BytesIO(body), checksum_cls=Sum, checksum_name="x-amz-checksum-crc32", chunk_size=1000
    )
    assert decode(Decoder(len(body), None, ["x-amz-checksum-crc32"]), wrapped.read(), 777) == body


def test_signed_trailers():
    data = sign_chunks([b"a" * 9000, b"b" * 100], [(b"x-amz-checksum-crc32", crc(b"a" * 9000 + b"b" * 100))])
    decoder = Decoder(9100, signer(), ["x-amz-checksum-crc32"])
    assert len(decode(decoder, data, 1000)) == 9100
    changed = data.replace(b"x-amz-trailer-signature:", b"x-amz-trailer-signature:0")
    assert refused(Decoder(9100, signer(), ["x-amz-checksum-crc32"]), changed) == "SignatureDoesNotMatch"


def test_trailers_as_the_manual_prints_them():
    data = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + crc(b"abc") + b"\n\r\n\r\n"
    assert decode(Decoder(3, None, ["x-amz-checksum-crc32"]), data) == b"abc"


def test_only_the_last_signed_chunk_may_be_small():
    assert refused(Decoder(200, signer()), sign_chunks([b"a" * 100, b"b" * 100])) == "InvalidChunkSizeError"
    assert decode(Decoder(100, signer()), sign_chunks([b"a" * 100])) == b"a" * 100


@pytest.mark.parametrize(
    "length, data",
    [
        (4, b"3\r\nabc\r\n0\r\n\r\n"),
        (2, b"3\r\nabc\r\n0\r\n\r\n"),
        (3, b"3\r\nabc\r\n"),
        (3, b"3\r\nab"),
        (3, b""),
        (3, b"x\r\nabc\r\n0\r\n\r\n"),
        (3, b"-3\r\nabc\r\n0\r\n\r\n"),
        (3, b"3;other=1\r\nabc\r\n0\r\n\r\n"),
        (3, b"3\r\nabcd\r\n0\r\n\r\n"),
        (3, b"3" * 2000),
        (3, b"11111111111111111\r\n"),
    ],
)
def test_a_body_that_is_not_what_it_says(length, data):
    assert refused(Decoder(length), data) == "IncompleteBody"


NAMED = ["x-amz-checksum-crc32"]


@pytest.mark.parametrize(
    "trailer, names, code",
    [
        (b"x-amz-checksum-crc32:" + crc(b"other"), NAMED, "BadDigest"),
        (b"x-amz-checksum-crc32:abc", NAMED, "InvalidRequest"),
        (b"", NAMED, "MalformedTrailerError"),
        (b"x-amz-checksum-sha1:abc", NAMED, "MalformedTrailerError"),
        (b"x-amz-checksum-crc32:" + crc(b"abc"), [], "MalformedTrailerError"),
        (b"nonsense", NAMED, "MalformedTrailerError"),
        (b":x", NAMED, "MalformedTrailerError"),
        (b"x-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:a", NAMED, "MalformedTrailerError"),
        (b"x-amz-checksum-crc32:" + b"a" * 20000, NAMED, "MalformedTrailerError"),
    ],
)
def test_trailers_that_are_not_what_was_announced(trailer, names, code):
    assert refused(Decoder(3, None, names), b"3\r\nabc\r\n0\r\n" + trailer + b"\r\n\r\n") == code


def test_an_empty_body():
    decoder = Decoder(0, None, ["x-amz-checksum-crc32", " "])
    assert decode(decoder, b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n") == b""
