"""Who runs what: environments that are idle, busy, awaited; and how many there may be.

An invocation takes an idle environment of its function's present state, the one used last. Where there is none, a new
one is started while fewer than `capacity` live, if need be after an idle one of another function is ended. Else it
waits its turn, and after `patience` starts one nevertheless: functions that wait for other functions would hold each
other up. Over the function's reserved concurrency, or over the account's limit, it is throttled at once, as AWS does.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cumulet.base.clock import SECOND, Clock
from cumulet.services.lambda_.environment import Environment
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.names import Name
from cumulet.services.lambda_.settings import LambdaSettings

type Make = Callable[[Function], Environment]


@dataclass(slots=True)
class _Shelf:
    """Environments of one function."""

    function: Function
    idle: list[Environment] = field(default_factory=list)


class Pool:
    """The environments of one server."""

    def __init__(self, settings: LambdaSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._shelves: dict[Name, _Shelf] = {}
        self._running: Counter[tuple[str, str]] = Counter()
        self._admitted: Counter[Name] = Counter()
        self._living: set[Environment] = set()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._closing: set[asyncio.Task[None]] = set()

    def admit(self, function: Function) -> None:
        """Count one invocation in, or refuse it as AWS does. `leave` counts it out."""
        name = function.name
        place = (name.account, name.region)
        if function.concurrency is not None and self._admitted[name] >= function.concurrency:
            raise TooManyRequestsException(Reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._running[place] >= self._settings.account_limit:
            raise TooManyRequestsException(Reason="ConcurrentInvocationLimitExceeded")
        self._admitted[name] += 1
        self._running[place] += 1

    def leave(self, function: Function) -> None:
        name = function.name
        _count_down(self._admitted, name)
        _count_down(self._running, (name.account, name.region))

    async def take(self, function: Function, make: Make) -> Environment:
        """An environment for one invocation of `function`; a new one has not been started yet."""
        waited = False
        while True:
            shelf = self._shelf(function)
            while shelf.idle:
                found = shelf.idle.pop()
                if found.alive:
                    return found
                self._drop(found)
            if len(self._living) < self._settings.capacity or waited or self._make_room():
                break
            waited = not await self._turn()
        made = make(function)
        self._living.add(made)
        return made

    def give_back(self, environment: Environment) -> None:
        """After an invocation: keep it for the next one, or end it where it is broken or out of date."""
        shelf = self._shelves.get(environment.function.name)
        current = shelf is not None and shelf.function.runs_like(environment.function)
        expired = self._clock.now() - environment.started > (self._settings.credentials - 3600) * SECOND
        if shelf is not None and current and environment.alive and not expired:
            shelf.idle.append(environment)
            self._wake()
        else:
            self._drop(environment)

    def retire(self, name: Name) -> None:
        """The function has changed or gone: end its idle environments now, its busy ones when they are done."""
        shelf = self._shelves.pop(name, None)
        for environment in shelf.idle if shelf is not None else ():
            self._drop(environment)

    def reap(self) -> None:
        """End what has been idle for long."""
        before = self._clock.now() - int(self._settings.idle * SECOND)
        for name, shelf in list(self._shelves.items()):
            for environment in [one for one in shelf.idle if one.used <= before]:
                shelf.idle.remove(environment)
                self._drop(environment)
            if not shelf.idle:
                del self._shelves[name]

    async def close(self) -> None:
        """End every environment."""
        self._shelves.clear()
        for environment in self._living:
            self._drop(environment)
        while self._closing:
            await asyncio.gather(*self._closing)

    @property
    def living(self) -> int:
        """Environments that were started and not ended."""
        return len(self._living)

    def _shelf(self, function: Function) -> _Shelf:
        shelf = self._shelves.get(function.name)
        if shelf is not None and not shelf.function.runs_like(function):
            self.retire(function.name)
            shelf = None
        if shelf is None:
            shelf = self._shelves[function.name] = _Shelf(function)
        return shelf

    def _make_room(self) -> bool:
        """End the idle environment that was used longest ago; whether there was one."""
        idle = [(one, shelf) for shelf in self._shelves.values() for one in shelf.idle]
        if not idle:
            return False
        oldest, shelf = min(idle, key=lambda pair: pair[0].used)
        shelf.idle.remove(oldest)
        self._drop(oldest)
        return True

    async def _turn(self) -> bool:
        """Wait until an environment is free; False when patience has run out."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._settings.patience):
                await turn
        except TimeoutError:
            return False
        finally:
            if turn in self._queue:
                self._queue.remove(turn)
        return True

    def _wake(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _drop(self, environment: Environment) -> None:
        task = asyncio.create_task(self._end(environment))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, environment: Environment) -> None:
        try:
            await environment.close()
        finally:
            self._living.discard(environment)
            self._wake()


def _count_down[K](counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
