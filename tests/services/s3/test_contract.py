"""The class against the model: every public method is an operation; errors have the model's status and fill their words."""

import inspect
import string

import pytest

from cumulet.base.errors import AwsError
from cumulet.services.s3 import errors
from cumulet.services.s3.service import S3
from cumulet.wire import models
from cumulet.wire.service import Service

JOURNEY = [
    "CreateBucket",
    "DeleteBucket",
    "HeadBucket",
    "ListBuckets",
    "GetBucketLocation",
    "PutObject",
    "GetObject",
    "HeadObject",
    "CopyObject",
    "DeleteObject",
    "DeleteObjects",
    "ListObjects",
    "ListObjectsV2",
    "PutObjectTagging",
    "GetObjectTagging",
    "DeleteObjectTagging",
    "PutBucketTagging",
    "GetBucketTagging",
    "DeleteBucketTagging",
    "GetObjectAttributes",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListParts",
    "ListMultipartUploads",
]

CLASSES = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, AwsError) and one is not AwsError
]


def test_every_public_method_is_an_operation():
    methods = {name for name, _ in inspect.getmembers(S3, inspect.isfunction) if not name.startswith("_")}
    known = {S3.method_of(operation) for operation in models.load("s3").operation_names}
    assert methods - set(dir(Service)) <= known


@pytest.mark.parametrize("operation", JOURNEY)
def test_the_journey_is_carried_out(operation):
    assert S3.method_of(operation) is not None


@pytest.mark.parametrize("error", CLASSES)
def test_errors_have_the_models_status(error):
    code = error.code or error.__name__
    modelled = models.load("s3").errors.get(code)
    if modelled is not None and "httpStatusCode" in modelled.traits.get("error", {}):
        assert error.status == modelled.traits["error"]["httpStatusCode"]
    assert 300 <= error.status < 600
    template = inspect.cleandoc(error.__doc__)
    assert "\n" not in template
    values = {name: "x" for _, name, _, _ in string.Formatter().parse(template) if name}
    assert error(**values).message == template.format(**values)
