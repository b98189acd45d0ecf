"""From a function and a payload to an outcome: an environment, its log's START, END and REPORT, and the way back."""

import math
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cumulet.base.clock import SECOND, Clock, moment
from cumulet.base.ids import Entropy, make_hex
from cumulet.sandbox.api import Plan, Sandbox
from cumulet.sandbox.errors import SandboxError
from cumulet.sandbox.runtime_api import Invocation
from cumulet.services.lambda_.environment import Environment, Place, Wanted
from cumulet.services.lambda_.errors import InvalidParameterValueException, InvalidRuntimeException
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.names import LATEST
from cumulet.services.lambda_.outcome import Outcome
from cumulet.services.lambda_.plan import Surroundings, plan
from cumulet.services.lambda_.pool import Pool
from cumulet.services.lambda_.runtimes import Runtime, Runtimes
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.services.lambda_.shipping import Shipper, Stream
from cumulet.wire.service import CredentialIssuer

STATUS = {"Sandbox.Timedout": "timeout"}


@dataclass(frozen=True, slots=True)
class Done:
    """An outcome, and the last of its log."""

    outcome: Outcome
    tail: bytes


@dataclass(frozen=True, slots=True)
class Tools:
    """What the invoker works with."""

    clock: Clock
    entropy: Entropy
    sandbox: Sandbox
    issuer: CredentialIssuer
    endpoint: str
    """The server's base URL as a function sees it."""
    unpack: Callable[[Function], Awaitable[Path]]
    settings: LambdaSettings
    shipper: Shipper


class Invoker:
    """Invokes functions that were admitted."""

    def __init__(self, tools: Tools, pool: Pool) -> None:
        self._tools = tools
        self._pool = pool

    async def invoke(
        self, function: Function, runtimes: Runtimes, id: str, payload: bytes, client_context: str = ""
    ) -> Done:
        """Carry out one invocation. The pool has admitted it."""
        try:
            runtime = runtimes.find(function.config.runtime)
        except InvalidParameterValueException as error:
            raise InvalidRuntimeException(problem=error.message) from error
        environment = await self._pool.take(function, lambda wanted: self._environment(wanted, runtime))
        try:
            return await self._run(environment, id, payload, client_context)
        except BaseException:
            environment.alive = False
            raise
        finally:
            self._pool.give_back(environment)

    async def _run(self, environment: Environment, id: str, payload: bytes, client_context: str) -> Done:
        cold = environment.init_ms is None
        environment.assign(id)
        trouble = await environment.start() if cold else None
        environment.begin_log()
        if trouble is None:
            trouble = await environment.invoke(self._invocation(environment.function, id, payload, client_context))
        elapsed = environment.elapsed_ms
        await environment.settled()
        if trouble.words:
            environment.log(_last_words(trouble))
        environment.log(f"END RequestId: {id}")
        environment.log(report(environment, id, elapsed, trouble, cold=cold))
        return Done(trouble, environment.tail())

    def _invocation(self, function: Function, id: str, payload: bytes, client_context: str) -> Invocation:
        now, entropy = self._tools.clock.now(), self._tools.entropy
        noise = make_hex(entropy, 20)
        return Invocation(
            id=id,
            payload=payload,
            arn=function.name.arn,
            deadline_ms=(now + function.config.timeout * SECOND) // 1000,
            trace=f"Root=1-{now // SECOND:08x}-{noise[:24]};Parent={noise[24:]};Sampled=0",
            client_context=client_context,
        )

    def _environment(self, function: Function, runtime: Runtime) -> Environment:
        tools = self._tools
        stream = f"{moment(tools.clock.now()):%Y/%m/%d}/[{LATEST}]{make_hex(tools.entropy)}"
        ship_to = Stream.of(function, stream)

        async def make_plan(place: Place) -> Plan:
            return plan(function, runtime, await self._surroundings(function, stream, place))

        made = Environment(
            Wanted(
                function=function,
                family=runtime.family,
                host=f"runtime-{make_hex(tools.entropy)}",
                init=tools.settings.init + function.config.timeout,
                make_plan=make_plan,
                print_line=lambda instant, text: tools.shipper.put(ship_to, instant, text),
            ),
            tools.sandbox,
            tools.clock,
        )
        made.log(_init_line(function, runtime))
        return made

    async def _surroundings(self, function: Function, stream: str, place: Place) -> Surroundings:
        socket, address, hosts = place
        tools = self._tools
        code = await tools.unpack(function)
        if not socket:
            _check_bootstrap(code / "bootstrap")
        credentials = await tools.issuer.issue(function.name.account, session_arn(function), tools.settings.credentials)
        return Surroundings(code, tools.endpoint, credentials, stream, socket, address, hosts)


def _check_bootstrap(program: Path) -> None:
    """A custom runtime needs a program that can be run."""
    if not program.is_file():
        raise SandboxError("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
    if not os.access(program, os.X_OK):
        raise SandboxError("fork/exec /var/task/bootstrap: permission denied")


def session_arn(function: Function) -> str:
    """Who a function is, as STS would tell: its role, in a session named after it."""
    account, _, role = function.config.role.split(":", 4)[4].partition(":role/")
    return f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{function.name.name}"


def _init_line(function: Function, runtime: Runtime) -> str:
    line = f"INIT_START Runtime Version: {runtime.name}"
    if runtime.name != function.config.runtime:
        line += f" in place of {function.config.runtime}, as the configuration says"
    return line


def _last_words(end: Outcome) -> str:
    """What the log says of an environment that broke."""
    return end.words if end.kind in STATUS else f"{end.words}\n{end.kind}"


def report(environment: Environment, id: str, elapsed: float, end: Outcome, *, cold: bool) -> str:
    """The REPORT line."""
    config = environment.function.config
    fields = [
        f"REPORT RequestId: {id}",
        f"Duration: {elapsed:.2f} ms",
        f"Billed Duration: {math.ceil(elapsed)} ms",
        f"Memory Size: {config.memory} MB",
        f"Max Memory Used: {environment.memory_mb() or 0} MB",
    ]
    if cold and environment.init_ms is not None:
        fields.append(f"Init Duration: {environment.init_ms:.2f} ms")
    if end.over:
        fields.append(f"Status: {STATUS.get(end.kind, 'error')}")
        if end.kind not in STATUS:
            fields.append(f"Error Type: {end.kind}")
    return "\t".join(fields) + "\t"
