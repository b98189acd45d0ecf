"""What S3 answers to a body that is not what its headers promised. Nothing of such a body is kept."""

from cumulet.base.errors import AwsError


class IncompleteBody(AwsError):
    """You did not provide the number of bytes specified by the Content-Length HTTP header."""


class XAmzContentSHA256Mismatch(AwsError):
    """The provided 'x-amz-content-sha256' header does not match what was computed."""

    members = ("ClientComputedContentSHA256", "S3ComputedContentSHA256")


class BadDigest(AwsError):
    """The {algorithm} you specified did not match the calculated checksum."""


class InvalidChecksum(AwsError):
    """Value for {name} trailing header is invalid."""

    code = "InvalidRequest"


class MalformedTrailerError(AwsError):
    """The request contained trailing data that was not well-formed or did not conform to our published schema."""


class InvalidChunkSizeError(AwsError):
    """Only the last chunk is allowed to have a size less than 8192 bytes"""

    status = 403
    members = ("Chunk", "BadChunkSize")


class MissingContentLength(AwsError):
    """You must provide the Content-Length HTTP header."""

    status = 411
