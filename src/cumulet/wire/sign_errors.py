"""What AWS answers to a request that it cannot attribute to a caller: one class per condition and family of services.

The families differ in code, status and words: S3; the query services (IAM, STS); the JSON 1.x services (Step Functions,
logs); and REST (Lambda). `WORDS` is the table that `sign` picks from.
"""

from dataclasses import dataclass

from cumulet.base.errors import AwsError


class Refused(AwsError):
    """Base of them all: who calls is not known."""

    status = 403


# S3


class AccessDenied(Refused):
    """Access Denied"""


class RequestHasExpired(AccessDenied):
    """Request has expired"""

    code = "AccessDenied"
    members = ("X-Amz-Expires", "Expires", "ServerTime")


class RequestNotYetValid(AccessDenied):
    """Request is not yet valid"""

    code = "AccessDenied"


class HeadersNotSigned(AccessDenied):
    """There were headers present in the request which were not signed"""

    code = "AccessDenied"
    members = ("HeadersNotSigned",)


class DateMissing(AccessDenied):
    """AWS authentication requires a valid Date or x-amz-date header"""

    code = "AccessDenied"


class SignatureDoesNotMatch(Refused):
    """The request signature we calculated does not match the signature you provided. Check your key and signing method."""  # noqa: E501  AWS's words

    members = (
        "AWSAccessKeyId",
        "StringToSign",
        "SignatureProvided",
        "StringToSignBytes",
        "CanonicalRequest",
        "CanonicalRequestBytes",
    )


class InvalidAccessKeyId(Refused):
    """The AWS Access Key Id you provided does not exist in our records."""

    members = ("AWSAccessKeyId",)


class RequestTimeTooSkewed(Refused):
    """The difference between the request time and the current time is too large."""

    members = ("RequestTime", "ServerTime", "MaxAllowedSkewMilliseconds")


class AuthorizationHeaderMalformed(Refused):
    """The authorization header is malformed; {problem}"""

    status = 400


class AuthorizationQueryParametersError(Refused):
    """{problem}"""

    status = 400


class UnsupportedMechanism(Refused):
    """The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."""

    code = "InvalidRequest"
    status = 400


class MissingContentHash(Refused):
    """Missing required header for this request: x-amz-content-sha256"""

    code = "InvalidRequest"
    status = 400


class InvalidContentHash(Refused):
    """x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."""  # noqa: E501  AWS's words

    code = "InvalidArgument"
    status = 400
    members = ("ArgumentName", "ArgumentValue")


class InvalidToken(Refused):
    """The provided token is malformed or otherwise invalid."""

    status = 400


class ExpiredToken(Refused):
    """The provided token has expired."""

    status = 400


# The query services


class MissingAuthenticationToken(Refused):
    """Request is missing Authentication Token"""


class IncompleteSignature(Refused):
    """{problem}"""

    status = 400


class InvalidClientTokenId(Refused):
    """The security token included in the request is invalid."""


class QuerySignatureDoesNotMatch(Refused):
    """{problem}"""

    code = "SignatureDoesNotMatch"


class QueryExpiredToken(Refused):
    """The security token included in the request is expired"""

    code = "ExpiredToken"


# The JSON services


class MissingAuthenticationTokenException(Refused):
    """Missing Authentication Token"""

    status = 400


class IncompleteSignatureException(Refused):
    """{problem}"""

    status = 400


class UnrecognizedClientException(Refused):
    """The security token included in the request is invalid."""

    status = 400


class InvalidSignatureException(Refused):
    """{problem}"""

    status = 400


class ExpiredTokenException(Refused):
    """The security token included in the request is expired"""

    status = 400


# REST: the JSON services' names with status 403


class RestMissingAuthenticationToken(MissingAuthenticationTokenException):
    """Missing Authentication Token"""

    code = "MissingAuthenticationTokenException"
    status = 403


class RestIncompleteSignature(IncompleteSignatureException):
    """{problem}"""

    code = "IncompleteSignatureException"
    status = 403


class RestUnrecognizedClient(UnrecognizedClientException):
    """The security token included in the request is invalid."""

    code = "UnrecognizedClientException"
    status = 403


class RestInvalidSignature(InvalidSignatureException):
    """{problem}"""

    code = "InvalidSignatureException"
    status = 403


class RestExpiredToken(ExpiredTokenException):
    """The security token included in the request is expired"""

    code = "ExpiredTokenException"
    status = 403


@dataclass(frozen=True, slots=True)
class Words:
    """How one family of services says it. `incomplete` and `mismatch` take a `problem` (S3's mismatch does not)."""

    missing: type[Refused]
    incomplete: type[Refused]
    unknown_key: type[Refused]
    mismatch: type[Refused]
    bad_token: type[Refused]
    old_token: type[Refused]


WORDS = {
    "s3": Words(
        AccessDenied,
        AuthorizationHeaderMalformed,
        InvalidAccessKeyId,
        SignatureDoesNotMatch,
        InvalidToken,
        ExpiredToken,
    ),
    "query": Words(
        MissingAuthenticationToken,
        IncompleteSignature,
        InvalidClientTokenId,
        QuerySignatureDoesNotMatch,
        InvalidClientTokenId,
        QueryExpiredToken,
    ),
    "json": Words(
        MissingAuthenticationTokenException,
        IncompleteSignatureException,
        UnrecognizedClientException,
        InvalidSignatureException,
        UnrecognizedClientException,
        ExpiredTokenException,
    ),
    "rest": Words(
        RestMissingAuthenticationToken,
        RestIncompleteSignature,
        RestUnrecognizedClient,
        RestInvalidSignature,
        RestUnrecognizedClient,
        RestExpiredToken,
    ),
}


def family(service: str, protocol: str) -> str:
    """The family of a service (botocore's name) that is spoken to in `protocol`."""
    if service in ("s3", "s3control"):
        return "s3"
    if protocol in ("query", "ec2"):
        return "query"
    return "rest" if protocol.startswith("rest-") else "json"
