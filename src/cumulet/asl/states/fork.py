"""What Parallel and Map share: a point that waits for its children.

At most `width` children live at a time; the next is made when one ends. The parent keeps only counters and the ids of
those that live. Outputs are kept as JSON text in pages, one for each burst, until the last child has ended; then they
are joined, without being parsed. See `frames` for the rows this makes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from cumulet.asl.burst import Burst
from cumulet.asl.data.scope import DataError
from cumulet.asl.frames import ABSENT, FORK, Fork, Point
from cumulet.asl.program import Failure, Target
from cumulet.asl.states.mapping import Producer
from cumulet.base.json import dumps, loads
from cumulet.base.step import Frame

_SMALL = 512
"""Characters of input that may stay in the point's own row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forking(Producer):
    """A state that runs flows of states within itself."""

    counts_retries = True
    succeeded: ClassVar[str]
    failed: ClassVar[str]
    alias: ClassVar[str | None] = None
    """The name that AWS documents for any failure of a child."""

    def spawn(self, burst: Burst, point: Point, fork: Fork, index: int, last: int) -> Point:
        """Make the child of this index, which follows the event `last`."""
        raise NotImplementedError

    def finished(self, _burst: Burst, child: Point) -> int:
        """Record that a child ended; gives the event that the state's own end would follow."""
        return child.last

    def broke(self, burst: Burst, child: Point, *, aborted: bool) -> None:
        """Record that a child failed or was aborted."""

    def rest(self, _point: Point, _fork: Fork) -> Frame:
        """What children that are still to be made will need, beside the state's input."""
        raise NotImplementedError

    def begin(self, burst: Burst, point: Point, fork: Fork) -> Target:
        """Make the first children, or end at once where there are none."""
        point.fork = fork
        point.phase = FORK
        while fork.next < fork.length and len(fork.live) < fork.width:
            self._spawn(burst, point, fork, point.last)
        return self._join(burst, point, fork) if fork.length == 0 else None

    def child_ended(self, burst: Burst, point: Point, child: Point) -> Target:
        fork = _fork(point)
        fork.results.append((child.index, compact(burst.text(child))))
        fork.done += 1
        fork.live.remove(child.id)
        end = self.finished(burst, child)
        burst.drop(child.id)
        if fork.spare is None and burst.is_saved(child.id):
            fork.spare = child.id
        if fork.next < fork.length:
            self._spawn(burst, point, fork, child.last)
        if fork.done < fork.length:
            return None
        point.last = end
        return self._join(burst, point, fork)

    def child_failed(self, burst: Burst, point: Point, child: Point, failure: Failure) -> Target:
        _fork(point).live.remove(child.id)
        self.broke(burst, child, aborted=False)
        burst.forget(child)
        self.dissolve(burst, point)
        point.last = child.last
        return burst.fail(point, self, replace(failure, alias=self.alias), self.failed)

    def dissolve(self, burst: Burst, point: Point, *, stopped: bool = False) -> None:
        fork = _fork(point)
        burst.text(point)
        for number in fork.live:
            child = burst.get(number)
            burst.abort(child, stopped=stopped)
            self.broke(burst, child, aborted=True)
        self._clear(burst, point, fork)

    def settle(self, burst: Burst, point: Point) -> None:
        fork = _fork(point)
        if fork.results:
            number = burst.new_id() if fork.spare is None else fork.spare
            page: Frame = {"results": fork.results}
            if fork.page is not None:
                page["page"] = fork.page
            burst.changed[number] = page
            fork.page = number
        if fork.bulk is None:
            bulk: Frame = {"input": burst.text(point)}
            if fork.next < fork.length:
                bulk |= self.rest(point, fork)
            if len(bulk) > 1 or len(burst.text(point)) > _SMALL:
                fork.bulk = burst.new_id()
                burst.changed[fork.bulk] = bulk

    def _spawn(self, burst: Burst, point: Point, fork: Fork, last: int) -> None:
        try:
            child = self.spawn(burst, point, fork, fork.next, last)
        except DataError:
            self.dissolve(burst, point)
            raise
        child.index = fork.next
        fork.next += 1
        fork.live.append(child.id)

    def _join(self, burst: Burst, point: Point, fork: Fork) -> Target:
        """All children have ended: their outputs, in order, are the result."""
        outputs = dict(fork.results)
        for page in _pages(burst, fork):
            outputs.update(page["results"])
        burst.text(point)
        self._clear(burst, point, fork)
        burst.emit(self.succeeded, point.last)
        text = ",".join(outputs[index] for index in range(fork.length))
        return self.produce(burst, point, ABSENT, f"[{text}]", self.name)

    @staticmethod
    def _clear(burst: Burst, point: Point, fork: Fork) -> None:
        """Remove the frames that the fork kept beside the point's own."""
        number = fork.page
        while number is not None:
            before = burst.saved(number).get("page")
            burst.drop(number)
            number = before
        if fork.bulk is not None:
            burst.drop(fork.bulk)
        point.fork = None


def _fork(point: Point) -> Fork:
    assert point.fork is not None
    return point.fork


def _pages(burst: Burst, fork: Fork) -> Iterator[Frame]:
    number = fork.page
    while number is not None:
        page = burst.saved(number)
        yield page
        number = page.get("page")


def compact(text: str) -> str:
    """JSON text as we write it ourselves: an execution's own input may hold spaces and line ends."""
    return dumps(loads(text)) if _SPACE.search(text) else text


_SPACE = re.compile(r"[ \n\r\t]")
