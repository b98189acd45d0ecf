"""Errors of S3, named and worded as AWS does.

AwsError
├── bucket   NoSuchBucket BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty InvalidBucketName
│            IllegalLocationConstraint InvalidLocationConstraint AccessControlListNotSupported AccessDenied
├── object   NoSuchKey NoSuchVersion KeyTooLongError InvalidRange InvalidPartNumber MetadataTooLarge
│            InvalidRedirectLocation InvalidStorageClass EntityTooLarge
├── digest   InvalidDigest BadDigest ContentMD5Mismatch
├── request  InvalidArgument InvalidRequest MalformedXML HeaderNotImplemented
├── holds    PreconditionFailed NotModified
├── tags     NoSuchTagSet InvalidTag BadRequest
├── upload   NoSuchUpload InvalidPart InvalidPartOrder EntityTooSmall
└── absent   NoSuchBucketPolicy NoSuchCORSConfiguration ... : configurations that a bucket does not have
"""

from cumulet.base.errors import AwsError


class NoSuchBucket(AwsError):
    """The specified bucket does not exist"""

    status = 404
    members = ("BucketName",)


class BucketAlreadyExists(AwsError):
    """The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
Please select a different name and try again."""  # noqa: D209

    status = 409
    members = ("BucketName",)


class BucketAlreadyOwnedByYou(AwsError):
    """Your previous request to create the named bucket succeeded and you already own it."""

    status = 409
    members = ("BucketName",)


class BucketNotEmpty(AwsError):
    """The bucket you tried to delete is not empty"""

    status = 409
    members = ("BucketName",)


class InvalidBucketName(AwsError):
    """The specified bucket is not valid."""

    members = ("BucketName",)


class IllegalLocationConstraint(AwsError):
    """The {location} location constraint is incompatible for the region specific endpoint this request was sent to."""

    code = "IllegalLocationConstraintException"


class InvalidLocationConstraint(AwsError):
    """The specified location-constraint is not valid"""

    members = ("LocationConstraint",)


class AccessControlListNotSupported(AwsError):
    """The bucket does not allow ACLs"""


class AccessDenied(AwsError):
    """Access Denied"""

    status = 403


class NoSuchKey(AwsError):
    """The specified key does not exist."""

    status = 404
    members = ("Key",)


class NoSuchVersion(AwsError):
    """The specified version does not exist."""

    status = 404
    members = ("Key", "VersionId")


class KeyTooLongError(AwsError):
    """Your key is too long"""

    members = ("Size", "MaxSizeAllowed")


class InvalidRange(AwsError):
    """The requested range is not satisfiable"""

    status = 416
    members = ("RangeRequested", "ActualObjectSize")


class InvalidPartNumber(AwsError):
    """The requested partnumber is not satisfiable"""

    status = 416
    members = ("PartNumberRequested", "ActualPartCount")


class MetadataTooLarge(AwsError):
    """Your metadata headers exceed the maximum allowed metadata size"""

    members = ("Size", "MaxSizeAllowed")


class InvalidRedirectLocation(AwsError):
    """The website redirect location must have a prefix of 'http://' or 'https://' or '/'."""


class InvalidStorageClass(AwsError):
    """The storage class you specified is not valid"""

    members = ("StorageClassRequested",)


class EntityTooLarge(AwsError):
    """Your proposed upload exceeds the maximum allowed size"""

    members = ("ProposedSize", "MaxSizeAllowed")


class InvalidDigest(AwsError):
    """The Content-MD5 you specified was invalid."""

    members = ("Content-MD5",)


class BadDigest(AwsError):
    """The {algorithm} you specified did not match the calculated checksum."""


class ContentMD5Mismatch(AwsError):
    """The Content-MD5 you specified did not match what we received."""

    code = "BadDigest"
    members = ("ExpectedDigest", "CalculatedDigest")


class InvalidArgument(AwsError):
    """{problem}"""

    members = ("ArgumentName", "ArgumentValue")


class InvalidRequest(AwsError):
    """{problem}"""


class MalformedXML(AwsError):
    """The XML you provided was not well-formed or did not validate against our published schema"""


class HeaderNotImplemented(AwsError):
    """A header you provided implies functionality that is not implemented"""

    code = "NotImplemented"
    status = 501
    members = ("Header", "additionalMessage")


class PreconditionFailed(AwsError):
    """At least one of the pre-conditions you specified did not hold"""

    status = 412
    members = ("Condition",)


class NotModified(AwsError):
    """Not Modified"""

    status = 304
    members = ()


class NoSuchTagSet(AwsError):
    """The TagSet does not exist"""

    status = 404
    members = ("BucketName",)


class InvalidTag(AwsError):
    """{problem}"""

    members = ("TagKey", "TagValue")


class BadRequest(AwsError):
    """{problem}"""


class NoSuchUpload(AwsError):
    """The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
completed."""  # noqa: D209

    status = 404
    members = ("UploadId",)


class InvalidPart(AwsError):
    """One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified \
entity tag may not match the part's entity tag."""  # noqa: D209

    members = ("UploadId", "PartNumber", "ETag")


class InvalidPartOrder(AwsError):
    """The list of parts was not in ascending order. Parts must be ordered by part number."""

    members = ("UploadId",)


class EntityTooSmall(AwsError):
    """Your proposed upload is smaller than the minimum allowed size"""

    members = ("ProposedSize", "MinSizeAllowed", "PartNumber", "ETag")


class Absent(AwsError):
    """Base of: a bucket does not have that configuration."""

    status = 404
    members = ("BucketName",)


class NoSuchBucketPolicy(Absent):
    """The bucket policy does not exist"""


class NoSuchCORSConfiguration(Absent):
    """The CORS configuration does not exist"""


class NoSuchWebsiteConfiguration(Absent):
    """The specified bucket does not have a website configuration"""


class NoSuchLifecycleConfiguration(Absent):
    """The lifecycle configuration does not exist"""


class ReplicationConfigurationNotFoundError(Absent):
    """The replication configuration was not found"""


class ObjectLockConfigurationNotFoundError(Absent):
    """Object Lock configuration does not exist for this bucket"""
