"""Copies the objects that the destination lacks or has otherwise: {"source", "destination", "keys"} -> {"copied": N}.

It may run again after a crash or a time-out: what is equal already is left alone.
"""

from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

WORKERS = 10
SAME = (
    "ETag", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires",
    "Metadata", "WebsiteRedirectLocation",
)  # fmt: skip

s3 = boto3.client("s3", config=Config(max_pool_connections=WORKERS))


def handler(event, context):
    with ThreadPoolExecutor(WORKERS) as pool:
        copied = list(pool.map(lambda key: sync(event["source"], event["destination"], key), event["keys"]))
    return {"copied": sum(copied)}


def sync(source, destination, key):
    """Make the destination's object equal to the source's. True when it had to be copied."""
    wanted = head(source, key)
    if wanted is None:
        return False  # deleted since it was listed
    found = head(destination, key)
    if found is not None and all(wanted.get(part) == found.get(part) for part in SAME):
        return False
    redirect = {}
    if "WebsiteRedirectLocation" in wanted:  # not among what a copy takes along
        redirect = {"WebsiteRedirectLocation": wanted["WebsiteRedirectLocation"]}
    s3.copy_object(
        Bucket=destination, Key=key, CopySource={"Bucket": source, "Key": key},
        MetadataDirective="COPY", TaggingDirective="COPY", **redirect,
    )  # fmt: skip
    return True


def head(bucket, key):
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return None
        raise
