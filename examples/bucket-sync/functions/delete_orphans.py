"""Deletes the destination's objects that have no source: {"source", "destination", "keys"} -> {"deleted": N}."""

from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

WORKERS = 10

s3 = boto3.client("s3", config=Config(max_pool_connections=WORKERS))


def handler(event, context):
    with ThreadPoolExecutor(WORKERS) as pool:
        orphaned = list(pool.map(lambda key: is_missing(event["source"], key), event["keys"]))
    orphans = [key for key, gone in zip(event["keys"], orphaned, strict=True) if gone]
    for key in orphans:
        s3.delete_object(Bucket=event["destination"], Key=key)
    return {"deleted": len(orphans)}


def is_missing(bucket, key):
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return True
        raise
    return False
