"""Map, inline: runs its processor once for each item; its result is the list of the outputs.

Iterations are made as places become free: at most `MaxConcurrency` at a time, and never more than AWS's 40, so a Map
over 10,000 items has few frames. Distributed Maps are refused when they are parsed.
"""

import re
from dataclasses import dataclass
from typing import Any

from cumulet.asl.burst import Burst
from cumulet.asl.data.expression import Expression
from cumulet.asl.data.scope import DataError
from cumulet.asl.data.template import Template
from cumulet.asl.fields import Fields
from cumulet.asl.frames import ABSENT, Fork, Point
from cumulet.asl.program import Target, Value
from cumulet.asl.retry import RUNTIME
from cumulet.asl.states.fork import Forking
from cumulet.asl.states.mapping import given
from cumulet.asl.states.parallel import Nested
from cumulet.base.errors import NotImplementedHere
from cumulet.base.json import dumps
from cumulet.base.step import Frame

WIDEST = 40
_WANTS_ITEM = re.compile(r"\$\$(?!\.)|\$\$\.Map")
_DISTRIBUTED_ONLY = (
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Forking):
    processor: int
    items: Value | None
    items_text: str
    item_selector: Template | None
    width: int
    width_path: Expression | None
    keeps_item: bool
    """Whether a state of the processor may look at `$$.Map.Item`."""

    aborted = "MapStateAborted"
    succeeded = "MapStateSucceeded"
    failed = "MapStateFailed"

    def run(self, burst: Burst, point: Point) -> Target:
        value = given(burst, point, self)
        items = value if self.items is None else self.items.evaluate(burst.scope(point, self, value))
        if not isinstance(items, list):
            raise DataError(RUNTIME, f'Reference path "{self.items_text}" must point to array.')
        fork = Fork(len(items), self._width(burst, point, value))
        fork.items, fork.effective = items, value
        details = {"length": len(items)}
        point.last = burst.emit("MapStateStarted", point.last, "mapStateStartedEventDetails", details)
        return self.begin(burst, point, fork)

    def spawn(self, burst: Burst, point: Point, fork: Fork, index: int, last: int) -> Point:
        self._recall(burst, point, fork)
        assert fork.items is not None
        item = given = fork.items[index]
        if self.item_selector is not None:
            given = self.item_selector.render(burst.scope(point, self, fork.effective, (index, item)))
        started = burst.emit("MapIterationStarted", last, "mapIterationStartedEventDetails", self._which(index))
        child = burst.fork(point, self.processor, dumps(given), started)
        child.value = given
        if self.keeps_item:
            child.item = item
        return child

    def finished(self, burst: Burst, child: Point) -> int:
        details = self._which(child.index)
        return burst.emit("MapIterationSucceeded", child.last, "mapIterationSucceededEventDetails", details)

    def broke(self, burst: Burst, child: Point, *, aborted: bool) -> None:
        kind, member = _ABORTED if aborted else _FAILED
        burst.emit(kind, child.last, member, self._which(child.index))

    def rest(self, point: Point, fork: Fork) -> Frame:
        kept: Frame = {}
        if fork.items is not point.value:
            kept["items"] = fork.items
        if self.item_selector is not None and fork.effective is not point.value:
            kept["effective"] = fork.effective
        return kept

    def _recall(self, burst: Burst, point: Point, fork: Fork) -> None:
        """Bring the items back in a later burst: from the bulk, or the input where it is the same."""
        if fork.items is None:
            kept: Frame = {} if fork.bulk is None else burst.saved(fork.bulk)
            fork.items = kept["items"] if "items" in kept else burst.value(point)
            fork.effective = kept.get("effective", ABSENT)
        if fork.effective is ABSENT and self.item_selector is not None:
            fork.effective = burst.value(point)

    def _which(self, index: int) -> dict[str, Any]:
        return {"name": self.name, "index": index}

    def _width(self, burst: Burst, point: Point, value: Any) -> int:
        width: Any = self.width
        if self.width_path is not None:
            width = self.width_path.evaluate(burst.scope(point, self, value))
            if isinstance(width, bool) or not isinstance(width, int) or width < 0:
                words = f'The MaxConcurrencyPath field refers to value "{dumps(width)}" which is not a valid integer'
                raise DataError(RUNTIME, f"{words}: {self.width_path.text}")
        return min(width or WIDEST, WIDEST)


_FAILED = ("MapIterationFailed", "mapIterationFailedEventDetails")
_ABORTED = ("MapIterationAborted", "mapIterationAbortedEventDetails")


def parse(fields: Fields, flows: Nested) -> Map:
    shared = fields.shared()
    field = "ItemProcessor" if "ItemProcessor" in fields else "Iterator"
    body = Fields(fields.need(field, dict), f"{fields.place}/{field}", fields.name)
    if (body.get("ProcessorConfig", dict) or {}).get("Mode", "INLINE") != "INLINE":
        raise NotImplementedHere(what=f"a distributed Map (state {fields.name})")
    for name in _DISTRIBUTED_ONLY:
        if name in fields:
            raise fields.bad(name, "Field is only supported for Map states in DISTRIBUTED mode")
    return Map(
        **shared,
        processor=flows.add(body),
        items=fields.path("ItemsPath") if fields.raw.get("ItemsPath", "$") != "$" else None,
        items_text=fields.raw.get("ItemsPath", "$"),
        item_selector=fields.template("ItemSelector", "Parameters"),
        width=fields.get("MaxConcurrency", int) or 0,
        width_path=fields.maybe_path("MaxConcurrencyPath"),
        keeps_item=_WANTS_ITEM.search(dumps(body.raw)) is not None,
        selector=fields.template("ResultSelector"),
        result_path=fields.result_path(),
        retry=fields.retry(),
        catch=fields.catch(shared["exited"]),
    )
