"""Lists one page of a bucket's keys, small enough for the state that will hold it.

{"bucket", "prefix", "startAfter", "maxKeys", "token"} -> {"keys": [...], "next": TOKEN or ""}
"""

import json

import boto3

LIMIT = 32_000 * 9 // 10  # bytes of JSON: within the state data limit of 2017, with a tenth to spare

s3 = boto3.client("s3")


def handler(event, context):
    size = event["maxKeys"]
    while True:
        page = list_page(event, size)
        if len(json.dumps(page)) <= LIMIT or size == 1:
            return page
        size = max(1, size // 2)


def list_page(event, size):
    asked = {"Bucket": event["bucket"], "MaxKeys": size, "Prefix": event["prefix"]}
    if event["token"]:
        asked["ContinuationToken"] = event["token"]
    elif event["startAfter"]:
        asked["StartAfter"] = event["startAfter"]
    found = s3.list_objects_v2(**asked)
    return {
        "keys": [item["Key"] for item in found.get("Contents", [])],
        "next": found.get("NextContinuationToken", ""),
    }
