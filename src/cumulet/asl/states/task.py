"""Task: has something done outside, and waits for the outcome.

The machine only says what is to be done (`StartTask`) and records what it hears. Three families of history events:
`LambdaFunction*` for a function's own ARN, `Activity*` for an activity, `Task*` for all that is behind
`arn:aws:states:::`.
"""

import re
from dataclasses import dataclass
from typing import Any

from cumulet.asl.burst import Burst, StateError
from cumulet.asl.data.expression import Expression
from cumulet.asl.data.template import Template
from cumulet.asl.events import error_details, member, whole
from cumulet.asl.fields import Fields
from cumulet.asl.frames import TASK, Point
from cumulet.asl.program import Failure, Target, TaskReport
from cumulet.asl.retry import DATA_LIMIT, HEARTBEAT, TIMEOUT
from cumulet.asl.states.mapping import Producer, given
from cumulet.asl.states.wait import seconds_at
from cumulet.base.clock import SECOND
from cumulet.base.json import dumps
from cumulet.base.step import CancelTask, Event, StartTask, TaskFailed, TaskStarted, TaskSubmitted

FUNCTION, ACTIVITY, INTEGRATION = "LambdaFunction", "Activity", "Task"
_ACTIVITY = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:.+")
_INTEGRATION = re.compile(
    r"arn:aws[a-z-]*:states:[a-z0-9-]*::(?P<type>.+?):(?P<resource>[A-Za-z0-9]+(?:\.(?:sync(?::2)?|waitForTaskToken))?)"
)


@dataclass(frozen=True, slots=True)
class Seconds:
    """TimeoutSeconds or HeartbeatSeconds: given, or found in the input."""

    fixed: int | None
    path: Expression | None
    field: str

    def at(self, burst: Burst, point: Point, state: "Task") -> int | None:
        if self.path is None:
            return self.fixed
        return seconds_at(burst, point, state, self.path, self.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Producer):
    resource: str
    family: str
    kind: str
    """The resource type that events tell: `lambda`, `aws-sdk:s3`; empty for functions and activities."""
    action: str
    wait: bool
    """Stays open until somebody reports with the token."""
    parameters: Template | None
    timeout: Seconds
    heartbeat: Seconds
    credentials: Template | None

    aborted = "TaskStateAborted"
    counts_retries = True

    def run(self, burst: Burst, point: Point) -> Target:
        point.token = burst.env.entropy(32).hex()
        value: Any = given(burst, point, self)
        text = burst.text(point) if self.input_path is None else None
        if self.parameters is not None:
            value, text = self.parameters.render(burst.scope(point, self, value)), None
        if text is None:
            text = dumps(value)
        if not burst.fits(text):
            raise StateError(Failure(DATA_LIMIT, f"The input of the state '{self.name}' exceeds the service limit."))
        timeout = self.timeout.at(burst, point, self)
        heartbeat = self.heartbeat.at(burst, point, self)
        detail = self._detail(burst, point, timeout)
        self._scheduled(burst, point, text, timeout, heartbeat, detail)
        point.phase = TASK
        burst.commands.append(
            StartTask(point.id, point.token, self.resource, value, heartbeat=heartbeat, wait=self.wait, detail=detail)
        )
        if timeout is not None:
            burst.set_timer(point, "timeout", burst.now + timeout * SECOND)
        if heartbeat is not None:
            burst.set_timer(point, "heartbeat", burst.now + heartbeat * SECOND)
        return None

    def report(self, burst: Burst, point: Point, news: TaskReport) -> Target:
        if isinstance(news, TaskStarted):
            if self.family == ACTIVITY:
                details = {} if news.worker is None else {"workerName": news.worker}
                self._tell(burst, point, "Started", details)
            return None
        if isinstance(news, TaskSubmitted):
            if self.family == INTEGRATION:
                self._tell(burst, point, "Submitted", self._output(dumps(news.output)))
            return None
        if isinstance(news, TaskFailed):
            error = news.error[: burst.limits.error] if news.error else None
            cause = news.cause[: burst.limits.cause] if news.cause else news.cause
            return self._failed(burst, point, "Failed", Failure(error, cause))
        text = dumps(news.output)
        try:
            burst.check(text, self.kind or self.resource)
        except StateError as broken:
            return self._failed(burst, point, "Failed", broken.failure)
        self._tell(burst, point, "Succeeded", self._output(text))
        burst.clear_timers(point)
        point.token = None
        return self.produce(burst, point, news.output, text, self.kind or self.resource)

    def due(self, burst: Burst, point: Point, timer: str) -> Target:
        burst.commands.append(CancelTask(point.id))
        alias = HEARTBEAT if timer == "heartbeat" else None
        return self._failed(burst, point, "TimedOut", Failure(TIMEOUT, None, alias))

    # Events

    def _scheduled(
        self, burst: Burst, point: Point, text: str, timeout: int | None, heartbeat: int | None, detail: Event
    ) -> None:
        details: Event
        if self.family == INTEGRATION:
            details = {"region": burst.facts.get("region", ""), "parameters": text}
        else:
            details = {"resource": self.resource, "input": text, "inputDetails": whole()}
        if timeout is not None:
            details["timeoutInSeconds"] = timeout
        if heartbeat is not None and self.family != FUNCTION:
            details["heartbeatInSeconds"] = heartbeat
        if "credentials" in detail and self.family != ACTIVITY:
            details["taskCredentials"] = {"roleArn": detail["credentials"].get("RoleArn", "")}
        self._tell(burst, point, "Scheduled", details)
        if self.family == FUNCTION:
            point.last = burst.emit("LambdaFunctionStarted", point.last)
        elif self.family == INTEGRATION:
            self._tell(burst, point, "Started", {})

    def _tell(self, burst: Burst, point: Point, what: str, details: Event) -> None:
        if self.family == INTEGRATION:
            details = {"resourceType": self.kind, "resource": self.action, **details}
        kind = self.family + what
        point.last = burst.emit(kind, point.last, member(kind), details)

    def _failed(self, burst: Burst, point: Point, what: str, failure: Failure) -> Target:
        self._tell(burst, point, what, error_details(failure.error, failure.cause))
        return burst.fail(point, self, failure)

    @staticmethod
    def _output(text: str) -> Event:
        return {"output": text, "outputDetails": whole()}

    def _detail(self, burst: Burst, point: Point, timeout: int | None) -> Event:
        """What the performer must know beside the payload: on whose behalf, how long, for which state."""
        detail: Event = {"state": self.name}
        if "roleArn" in burst.facts:
            detail["roleArn"] = burst.facts["roleArn"]
        if timeout is not None:
            detail["timeout"] = timeout
        if self.credentials is not None:
            scope = burst.scope(point, self, given(burst, point, self))
            detail["credentials"] = credentials = self.credentials.render(scope)
            detail["roleArn"] = credentials.get("RoleArn", "")
        return detail


def parse(fields: Fields) -> Task:
    shared = fields.shared()
    resource = fields.need("Resource", str)
    family, kind, action = FUNCTION, "", ""
    if found := _INTEGRATION.fullmatch(resource):
        family, kind, action = INTEGRATION, found["type"], found["resource"]
    elif _ACTIVITY.fullmatch(resource):
        family = ACTIVITY
    return Task(
        **shared,
        resource=resource,
        family=family,
        kind=kind,
        action=action,
        wait=family == ACTIVITY or action.endswith(".waitForTaskToken"),
        parameters=fields.template("Parameters"),
        selector=fields.template("ResultSelector"),
        result_path=fields.result_path(),
        timeout=_seconds(fields, "TimeoutSeconds"),
        heartbeat=_seconds(fields, "HeartbeatSeconds"),
        credentials=fields.template("Credentials"),
        retry=fields.retry(),
        catch=fields.catch(shared["exited"]),
    )


def _seconds(fields: Fields, field: str) -> Seconds:
    return Seconds(fields.get(field, int), fields.maybe_path(f"{field}Path"), f"{field}Path")
