from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.inprocess import House

from cumulet.services.logs.service import Logs

HOUR = 3600


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house:
        house.add(lambda parts: Logs(parts.database, parts.clock, parts.entropy))
        yield house


@pytest.fixture
def logs(house) -> Any:
    return house.client("logs")


@pytest.fixture
def stream(logs) -> dict[str, str]:
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    return {"logGroupName": "g", "logStreamName": "s"}


def now(house) -> int:
    return house.clock.now() // 1000


def put(logs, stream, *events):
    batch = [{"timestamp": at, "message": text} for at, text in events]
    return logs.put_log_events(**stream, logEvents=batch)


def texts(events):
    return [event["message"] for event in events]


def test_what_is_put_is_read(house, logs, stream):
    start = now(house)
    put(logs, stream, (start, "one"), (start, "two"), (start + 1, "three"))
    found = logs.get_log_events(**stream, startFromHead=True)["events"]
    assert texts(found) == ["one", "two", "three"]
    assert found[0]["timestamp"] == start
    shown = logs.describe_log_streams(logGroupName="g")["logStreams"][0]
    assert (shown["firstEventTimestamp"], shown["lastEventTimestamp"]) == (start, start + 1)


def test_reading_goes_on_where_it_ended_in_both_directions(house, logs, stream):
    start = now(house)
    put(logs, stream, *((start + number, str(number)) for number in range(10)))
    last = logs.get_log_events(**stream, limit=3)
    assert texts(last["events"]) == ["7", "8", "9"]
    before = logs.get_log_events(**stream, limit=3, nextToken=last["nextBackwardToken"])
    assert texts(before["events"]) == ["4", "5", "6"]
    end = logs.get_log_events(**stream, nextToken=last["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == last["nextForwardToken"]
    put(logs, stream, (start + 20, "new"))
    assert texts(logs.get_log_events(**stream, nextToken=end["nextForwardToken"])["events"]) == ["new"]
    span = logs.get_log_events(**stream, startTime=start + 2, endTime=start + 4, startFromHead=True)
    assert texts(span["events"]) == ["2", "3"]


def test_filtering_a_group_by_text_time_and_stream(house, logs, stream):
    start = now(house)
    logs.create_log_stream(logGroupName="g", logStreamName="t")
    put(logs, stream, (start, "ERROR a"), (start + 2, "fine"))
    put(logs, stream | {"logStreamName": "t"}, (start + 1, "ERROR b"))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="g", filterPattern="ERROR", PaginationConfig={"PageSize": 1}
    )
    found = [event for page in pages for event in page["events"]]
    assert [(event["logStreamName"], event["message"]) for event in found] == [("s", "ERROR a"), ("t", "ERROR b")]
    assert len({event["eventId"] for event in found}) == 2
    by_stream = logs.filter_log_events(logGroupName="g", logStreamNames=["t"])["events"]
    assert texts(by_stream) == ["ERROR b"]
    assert texts(logs.filter_log_events(logGroupName="g", logStreamNamePrefix="s")["events"]) == ["ERROR a", "fine"]
    until = logs.filter_log_events(logGroupIdentifier="g", startTime=start + 1, endTime=start + 1)["events"]
    assert texts(until) == ["ERROR b"]


def test_many_events_are_filtered_without_losing_any(house, logs, stream):
    start = now(house)
    for _ in range(3):
        put(logs, stream, *((start, f"event {number}") for number in range(1500)))
    found = logs.filter_log_events(logGroupName="g", filterPattern='"event 7"')["events"]
    assert len(found) == 3 * 111


def test_too_old_and_too_new_events_are_rejected_and_told(house, logs, stream):
    start = now(house)
    day = 24 * HOUR * 1000
    reply = put(logs, stream, (start - 15 * day, "old"), (start - 14 * day - 1, "old"), (start - 14 * day, "kept"))
    assert reply["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    reply = put(logs, stream, (start, "kept"), (start + 3 * HOUR * 1000, "new"))
    assert reply["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert texts(logs.get_log_events(**stream, startFromHead=True)["events"]) == ["kept", "kept"]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([(5, "b"), (4, "a")], "chronological order"),
        ([(0, "a"), (24 * HOUR * 1000 + 1, "b")], "cannot span more than 24 hours"),
        ([(0, "x" * 1_048_576)], "Upload too large"),
    ],
)
def test_bad_batches_store_nothing(house, logs, stream, events, words):
    start = now(house)
    with pytest.raises(logs.exceptions.InvalidParameterException, match=words):
        put(logs, stream, *((start + at, text) for at, text in events))
    assert logs.get_log_events(**stream)["events"] == []


def test_groups_and_streams_are_listed_and_deleted(house, logs, stream):
    logs.create_log_group(logGroupName="group/other")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["g", "group/other"]
    found = logs.describe_log_groups(logGroupNamePrefix="group/")["logGroups"]
    assert found[0]["arn"] == "arn:aws:logs:us-east-1:000000000000:log-group:group/other:*"
    assert logs.describe_log_groups(logGroupNamePattern="OTHER")["logGroups"] == found
    paged = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    assert len([group for page in paged for group in page["logGroups"]]) == 2
    put(logs, stream, (now(house), "x"))
    assert logs.describe_log_groups(logGroupNamePrefix="g")["logGroups"][0]["storedBytes"] == 27
    logs.delete_log_stream(**stream)
    assert logs.describe_log_streams(logGroupName="g")["logStreams"] == []
    logs.create_log_stream(**stream)
    assert logs.get_log_events(**stream)["events"] == []
    logs.delete_log_group(logGroupName="g")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log group does not exist."):
        logs.describe_log_streams(logGroupName="g")


def test_streams_by_their_last_event(house, logs, stream):
    for name, after in (("a", 3), ("b", 1), ("c", 2)):
        logs.create_log_stream(logGroupName="g", logStreamName=name)
        put(logs, stream | {"logStreamName": name}, (now(house) + after, "x"))
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName="g", orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 3}
    )
    assert [one["logStreamName"] for page in pages for one in page["logStreams"]] == ["a", "c", "b", "s"]
    assert [
        one["logStreamName"]
        for one in logs.describe_log_streams(logGroupName="g", logStreamNamePrefix="b")["logStreams"]
    ] == ["b"]
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.describe_log_streams(logGroupName="g", orderBy="LastEventTime", logStreamNamePrefix="b")


def test_missing_and_doubled_things(logs, stream):
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException, match="The specified log group already exists"):
        logs.create_log_group(logGroupName="g")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException, match="The specified log stream already exists"):
        logs.create_log_stream(**stream)
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log stream does not exist."):
        logs.get_log_events(logGroupName="g", logStreamName="none")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.filter_log_events(logGroupName="g", nextToken="nonsense")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.get_log_events(**stream, nextToken="nonsense")


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        ("create_log_group", {"logGroupName": "n", "kmsKeyId": "k"}),
        ("create_log_group", {"logGroupName": "n", "logGroupClass": "INFREQUENT_ACCESS"}),
        ("put_retention_policy", {"logGroupName": "g", "retentionInDays": 7}),
    ],
)
def test_what_is_not_carried_out_is_refused(logs, stream, operation, values):
    with pytest.raises(ClientError) as raised:
        getattr(logs, operation)(**values)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["g"]


def test_the_calls_that_aws_logs_tail_makes(house, logs, stream):
    """The CLI's second version pages FilterLogEvents with `interleaved`, then asks again from the last time it saw."""
    start = now(house)
    put(logs, stream, (start, "START"), (start + 5, "printed"))
    asked = {"logGroupName": "g", "interleaved": True, "startTime": start - 600_000}
    pages = logs.get_paginator("filter_log_events").paginate(**asked)
    seen = [event for page in pages for event in page["events"]]
    assert texts(seen) == ["START", "printed"]
    put(logs, stream, (start + 9, "later"))
    again = logs.filter_log_events(**{**asked, "startTime": seen[-1]["timestamp"]})["events"]
    known = {event["eventId"] for event in seen}
    assert [event["message"] for event in again if event["eventId"] not in known] == ["later"]
