"""GetExecutionHistory: pages of events, oldest or newest first."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base.clock import moment
from cumulet.base.paging import make_token
from cumulet.base.step import Event
from cumulet.engine import history
from cumulet.services.states.errors import ExecutionDoesNotExist
from cumulet.services.states.naming import execution_arn
from cumulet.services.states.parts import Parts, page_size, position
from cumulet.store.api import Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

EXECUTION_DATA = frozenset({"input", "output", "parameters", "inputDetails", "outputDetails"})


class History(Parts):
    """What happened in an execution."""

    async def get_execution_history(
        self, call: Call, **input: "Unpack[types.GetExecutionHistoryInputTypeDef]"
    ) -> Reply:
        arn = execution_arn(input["executionArn"])
        reverse = input.get("reverseOrder", False)
        question = ["history", arn, reverse]
        after = position(input.get("nextToken"), question)
        count = page_size(input.get("maxResults"))

        def work(tx: Transaction) -> tuple[list[Event], int | None]:
            run = tx.one(self._sql.run_by_arn, arn=arn)
            if run is None:
                raise ExecutionDoesNotExist(arn=arn)
            start = 0 if after is None else int(str(after[0]))
            return history.page(tx, run["id"], after=start, limit=count, reverse=reverse)

        events, following = await self._database.read(work)
        with_data = input.get("includeExecutionData", True)
        reply: Reply = {"events": [_shown(event, with_data=with_data) for event in events]}
        if following is not None:
            reply["nextToken"] = make_token([following], question)
        return reply


def _shown(event: Event, *, with_data: bool) -> dict[str, Any]:
    """The event as the API tells it."""
    shown = {**event, "timestamp": moment(event["timestamp"])}
    if with_data:
        return shown
    for name, details in event.items():
        if isinstance(details, dict):
            shown[name] = {key: value for key, value in details.items() if key not in EXECUTION_DATA}
    return shown
