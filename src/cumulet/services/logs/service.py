"""Amazon CloudWatch Logs: groups, streams, and the events in them: put, get, filter.

Not carried out, and refused by name: retention, subscriptions, metric filters, queries, export.
"""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base.errors import NotImplementedHere
from cumulet.base.paging import make_token
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.groups import Groups, group_name, position
from cumulet.services.logs.patterns import compile_pattern
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_logs import type_defs as types

HOUR = 3_600_000
DAY = 24 * HOUR
BATCH_BYTES = 1_048_576
EVENT_OVERHEAD = 26
PAGE = 10_000
FOREVER = 1 << 62
SCANNED = 2_000
"""Rows looked at in one read while filtering."""


class Logs(Groups):
    """CloudWatch Logs."""

    model = "logs"

    async def put_log_events(self, call: Call, **input: "Unpack[types.PutLogEventsRequestTypeDef]") -> Reply:
        events = list(input["logEvents"])
        _check_batch(events)
        now = self._clock.now()
        ingested = now // 1000
        too_old = sum(event["timestamp"] < ingested - 14 * DAY for event in events)
        too_new = len(events) - sum(event["timestamp"] > ingested + 2 * HOUR for event in events)
        kept = events[too_old:too_new]
        salt = int.from_bytes(self._entropy(1))

        def work(tx: Transaction) -> None:
            group = self._group(tx, call, input["logGroupName"])
            stream = self._stream(tx, group, input["logStreamName"])
            tx.many(
                self._sql.add_event,
                [
                    {
                        "stream": stream["id"], "timestamp": event["timestamp"], "number": ((now + at) << 8) + salt,
                        "log_group": group["id"], "ingested": ingested, "message": event["message"],
                    }
                    for at, event in enumerate(kept)
                ],
            )  # fmt: skip
            if kept:
                first, last = kept[0]["timestamp"], kept[-1]["timestamp"]
                tx.run(self._sql.touch_stream, id=stream["id"], first=first, last=last, ingested=ingested)

        await self._database.write(work)
        reply: Reply = {"nextSequenceToken": str(now)}
        rejected: Reply = {}
        if too_old:
            rejected["tooOldLogEventEndIndex"] = too_old
        if too_new < len(events):
            rejected["tooNewLogEventStartIndex"] = too_new
        return reply | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    async def get_log_events(self, call: Call, **input: "Unpack[types.GetLogEventsRequestTypeDef]") -> Reply:
        name, token = group_name(input), input.get("nextToken")
        question = ["events", call.account, call.region, name, input["logStreamName"]]
        forward = input.get("startFromHead", False) if token is None else token.startswith("f/")
        if token is not None and token[:2] not in ("f/", "b/"):
            raise InvalidParameterException(problem="The specified nextToken is invalid.")
        at = position(token[2:] if token else None, question) or ([-1, -1] if forward else [FOREVER, FOREVER])
        values = {
            "start": input.get("startTime", 0), "stop": input.get("endTime", FOREVER),
            "count": input.get("limit", PAGE),
        }  # fmt: skip

        def work(tx: Transaction) -> list[Row]:
            stream = self._stream(tx, self._group(tx, call, name), input["logStreamName"])
            if forward:
                return tx.all(
                    self._sql.events_forward, stream=stream["id"], after_time=at[0], after_number=at[1], **values
                )
            found = tx.all(
                self._sql.events_backward, stream=stream["id"], before_time=at[0], before_number=at[1], **values
            )
            return found[::-1]

        rows = await self._database.read(work)
        first = [rows[0]["timestamp"], rows[0]["number"]] if rows else at
        last = [rows[-1]["timestamp"], rows[-1]["number"]] if rows else at
        return {
            "events": [
                {"timestamp": row["timestamp"], "message": row["message"], "ingestionTime": row["ingested"]}
                for row in rows
            ],
            "nextForwardToken": "f/" + make_token(last, question),
            "nextBackwardToken": "b/" + make_token(first, question),
        }

    async def filter_log_events(self, call: Call, **input: "Unpack[types.FilterLogEventsRequestTypeDef]") -> Reply:
        if input.get("unmask"):
            raise NotImplementedHere(what="unmask of FilterLogEvents")
        name = group_name(input)
        if "logStreamNames" in input and "logStreamNamePrefix" in input:
            raise InvalidParameterException(problem="logStreamNames and logStreamNamePrefix must not be given at once.")
        matches = compile_pattern(input.get("filterPattern", ""))
        question = ["filter", call.account, call.region, name, input.get("filterPattern"), input.get("startTime")]
        at = position(input.get("nextToken"), question) or [-1, -1]
        limit = input.get("limit", PAGE)
        span = {"start": input.get("startTime", 0), "stop": input.get("endTime", FOREVER)}

        def work(tx: Transaction) -> tuple[list[Reply], list[Any] | None]:
            group = self._group(tx, call, name)
            streams = {
                row["id"]: row["name"]
                for row in tx.all(self._sql.list_streams, log_group=group["id"])
                if _wanted(row["name"], input)
            }
            found: list[Reply] = []
            after = at
            while True:
                rows = tx.all(
                    self._sql.group_events, log_group=group["id"], after_time=after[0], after_number=after[1],
                    count=SCANNED, **span,
                )  # fmt: skip
                for row in rows:
                    after = [row["timestamp"], row["number"]]
                    if row["stream"] in streams and matches(row["message"]):
                        found.append(_shown(row, streams[row["stream"]]))
                        if len(found) == limit:
                            return found, after
                if len(rows) < SCANNED:
                    return found, None

        events, following = await self._database.read(work)
        reply: Reply = {"events": events, "searchedLogStreams": []}
        if following is not None:
            reply["nextToken"] = make_token(following, question)
        return reply


def _check_batch(events: list[Any]) -> None:
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise InvalidParameterException(
            problem="Log events in a single PutLogEvents request must be in chronological order."
        )
    if times and times[-1] - times[0] > DAY:
        raise InvalidParameterException(
            problem="The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    size = sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in events)
    if size > BATCH_BYTES:
        raise InvalidParameterException(problem=f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")


def _wanted(name: str, input: Any) -> bool:
    if "logStreamNames" in input:
        return name in input["logStreamNames"]
    return name.startswith(input.get("logStreamNamePrefix", ""))


def _shown(row: Row, stream: str) -> Reply:
    return {
        "logStreamName": stream,
        "timestamp": row["timestamp"],
        "message": row["message"],
        "ingestionTime": row["ingested"],
        "eventId": f"{row['timestamp']:020d}{row['number']:036d}",
    }
