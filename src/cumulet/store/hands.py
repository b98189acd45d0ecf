"""Threads that carry out works for the event loop: the only threads of Cumulet.

Works wait in one queue; a thread takes as many as wait, up to its limit, does them as one group, and hands all answers
to the loop at once. A work that is alone is done at once; under load groups form by themselves.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from cumulet.store.api import Transaction
from cumulet.store.errors import Closed, StorageFull, StoreError, Unreachable

type Work = Callable[[Transaction], Any]
type Item = tuple[Work, asyncio.Future[Any]]
type Answer = tuple[asyncio.Future[Any], bool, Any]
"""The future, whether the work went well, and its result or its error."""


class Again(StoreError):
    """The database refused a transaction that may simply be run again. It never leaves the store."""


class Attempt(Transaction, Protocol):
    """A transaction that remembers the statement that failed."""

    broken: StoreError | None


class Effects:
    """What works asked to happen after their commit."""

    __slots__ = ("actions", "topics")

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.actions: list[Callable[[], None]] = []

    def mark(self) -> tuple[int, int]:
        return len(self.topics), len(self.actions)

    def take(self) -> tuple[list[str], list[Callable[[], None]]]:
        """All of it; afterwards there is nothing."""
        taken = self.topics, self.actions
        self.topics, self.actions = [], []
        return taken

    def back(self, mark: tuple[int, int]) -> None:
        """Forget what was asked for since `mark`."""
        del self.topics[mark[0] :]
        del self.actions[mark[1] :]


class Ears:
    """Who listens for which topic. Used on the event loop alone."""

    def __init__(self) -> None:
        self._wakes: dict[str, list[Callable[[], None]]] = {}

    def listen(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when `topic` is woken; the answer stops it."""
        entry = [wake]
        wakes = self._wakes.setdefault(topic, [])
        wakes.append(wake)

        def stop() -> None:
            if entry:
                wakes.remove(entry.pop())
                if not wakes and self._wakes.get(topic) is wakes:
                    del self._wakes[topic]

        return stop

    def wake(self, topics: Iterable[str]) -> list[Callable[[], None]]:
        """Who is to be called for `topics`, each topic once."""
        return [wake for topic in dict.fromkeys(topics) for wake in self._wakes.get(topic, ())]

    def everyone(self) -> list[Callable[[], None]]:
        """Who is to be called when something may have been missed."""
        return [wake for wakes in self._wakes.values() for wake in wakes]


class Hands:
    """A queue of works and the threads that take from it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._name = name
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def hire(self, do: Callable[[Sequence[Item]], None], leave: Callable[[], None], limit: int) -> None:
        """Start one more thread: `do` is given groups of up to `limit` works, `leave` is called at the end."""
        thread = threading.Thread(
            target=self._live, args=(do, leave, limit), name=f"{self._name}-{len(self._threads)}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def give(self, work: Work) -> asyncio.Future[Any]:
        """Queue a work; the future of its result."""
        if self._closed:
            raise Closed("the database is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((work, future))
        return future

    async def dismiss(self) -> None:
        """Finish what was accepted, then end the threads."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._threads.clear()

    def _live(self, do: Callable[[Sequence[Item]], None], leave: Callable[[], None], limit: int) -> None:
        take, more = self._queue.get, self._queue.get_nowait
        item = take()
        while item is not None:
            group = [item]
            item = None
            try:
                while len(group) < limit and (item := more()) is not None:
                    group.append(item)
                last = len(group) < limit
            except Empty:
                last = False
            try:
                do(group)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise
                break  # nobody is left to be told
            item = None if last else take()
        leave()


def outcome(tx: Attempt, work: Work, future: asyncio.Future[Any]) -> Answer:
    """Run one work. A statement that failed ends its work, even where the work swallowed the error."""
    failure: Exception | None
    try:
        value = work(tx)
    except StopIteration as error:  # a future cannot carry it
        failure = RuntimeError(f"a work raised StopIteration({error})")
    except Exception as error:  # noqa: BLE001  a rim: whatever a work raises is raised where it was given
        failure = error
    else:
        failure = tx.broken
        if failure is None:
            return future, True, value
    if isinstance(tx.broken, StorageFull | Again | Unreachable):
        failure = tx.broken
    tx.broken = None
    return future, False, failure


def settle(answers: Iterable[Answer]) -> None:
    """Give the answers to those who wait. On the event loop."""
    for future, well, value in answers:
        if future.done():
            continue
        if well:
            future.set_result(value)
        else:
            future.set_exception(value)


def call_all(loop: asyncio.AbstractEventLoop, actions: Iterable[Callable[[], None]]) -> None:
    """Call each action; one that fails is reported to the loop and does not stop the others."""
    for action in actions:
        try:
            action()
        except Exception as error:  # noqa: BLE001  a rim: foreign code on the event loop
            loop.call_exception_handler({"message": f"after a commit, {action!r} failed", "exception": error})
