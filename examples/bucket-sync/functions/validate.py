"""Tells whether both buckets are in one region: {"source": REGION, "destination": REGION} -> true or false."""


def handler(event, context):
    return event["source"] == event["destination"]
