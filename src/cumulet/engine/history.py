"""Reads a run's history, a page at a time: any page is found in constant time.

Events lie in rows of one burst each, keyed by the last event's id, so the row that holds a given event is one step in
an index.
"""

from collections.abc import Sequence

from cumulet.base import json
from cumulet.base.step import Event
from cumulet.engine import sql
from cumulet.store.api import Row, Transaction

SQL = sql.of("sqlite")


def page(
    tx: Transaction, run_id: str, *, after: int = 0, limit: int = 1000, reverse: bool = False
) -> tuple[list[Event], int | None]:
    """Up to `limit` events after event `after` (0: from the start), and the `after` of the next page, None at the end.

    With `reverse`, the newest come first, and "after event n" means older than it. A run that is not there has no
    events.
    """
    run = tx.one(SQL.next_event, id=run_id)
    if run is None or limit <= 0:
        return [], None
    last: int = run["next_event"] - 1
    if reverse:
        high = min(after - 1, last) if after else last
        low = max(1, high - limit + 1)
    else:
        low = after + 1
        high = min(last, after + limit)
    if high < low:
        return [], None
    rows = tx.all(SQL.history_rows, run=run["number"], low=low, high=high)
    events = _between(rows, low, high)
    if reverse:
        events.reverse()
        return events, low if low > 1 else None
    return events, high if high < last else None


def _between(rows: Sequence[Row], low: int, high: int) -> list[Event]:
    events = [event for row in rows for event in json.loads(row["events"])]
    first: int = rows[0]["first_id"]
    return events[low - first : high - first + 1]
