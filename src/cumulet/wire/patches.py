"""What AWS's models leave out or tell otherwise than AWS does, mended when a model is loaded.

Each entry says why. Nothing here adds behaviour: names and traits only.
"""

from collections.abc import Callable
from typing import Any, Final

type Raw = dict[str, Any]

# The names of S3's root elements: botocore throws the trait away because its parser does not look at them; others do.
S3_ROOTS: Final = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
S3_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


def _s3(raw: Raw) -> None:
    raw["metadata"]["xmlNamespace"] = S3_NAMESPACE
    for name, root in S3_ROOTS.items():
        raw["operations"][name]["output"]["locationName"] = root
    # Answered as <LocationConstraint>eu-west-1</LocationConstraint>, the member itself being the root.
    located = raw["shapes"]["GetBucketLocationOutput"]
    located["payload"] = "LocationConstraint"
    located["members"]["LocationConstraint"]["element"] = True
    # The same request line as ListBuckets; the real one answers at another host.
    raw["operations"]["ListDirectoryBuckets"]["deprecated"] = True


def _ec2(raw: Raw) -> None:
    # The real one has a slash at its end.
    raw["metadata"]["xmlNamespace"] = f"http://ec2.amazonaws.com/doc/{raw['metadata']['apiVersion']}/"


_PATCHES: Final[dict[str, Callable[[Raw], None]]] = {"s3": _s3, "ec2": _ec2}


def patch(service: str, raw: Raw) -> None:
    """Mend a model as it was read from its file."""
    if service in _PATCHES:
        _PATCHES[service](raw)
