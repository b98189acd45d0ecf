"""A function as it is kept and as AWS describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.services.lambda_.names import LATEST, Name
from cumulet.store.api import Row
from cumulet.wire.service import Reply

KEPT = 32 * 1024
"""Code of at most so many bytes lives in the row, greater code in a blob."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a user sets: the members of Create- and UpdateFunctionConfiguration, with AWS's defaults."""

    runtime: str
    role: str
    handler: str = ""
    description: str = ""
    timeout: int = 3
    memory: int = 128
    environment: Mapping[str, str] | None = None
    architecture: str = "x86_64"
    scratch: int = 512
    tracing: str = "PassThrough"
    log_group: str = ""

    @classmethod
    def load(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def dump(self) -> str:
        return json.dumps({member.name: getattr(self, member.name) for member in fields(self)})


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its present code."""

    name: Name
    config: Config
    code_sha256: str
    """In base64, as AWS tells it."""
    code_size: int
    revision: str
    modified: int
    created: int
    concurrency: int | None = None
    """Reserved concurrent executions."""
    tags: Mapping[str, str] = field(default_factory=dict)
    retries: int = 2
    max_age: int = 21_600

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            name=Name(row["account"], row["region"], row["name"]),
            config=Config.load(row["config"]),
            code_sha256=row["code_sha256"],
            code_size=row["code_size"],
            revision=row["revision"],
            modified=row["modified_at"],
            created=row["created_at"],
            concurrency=row["concurrency"],
            tags=json.loads(row["tags"]),
            **_event_settings(row["event_config"]),
        )

    def runs_like(self, other: "Function") -> bool:
        """Whether an environment of the one can serve the other."""
        return self is other or (
            (self.code_sha256, self.created) == (other.code_sha256, other.created) and self.config == other.config
        )

    @property
    def log_group(self) -> str:
        return self.config.log_group or f"/aws/lambda/{self.name.name}"


def _event_settings(text: str | None) -> dict[str, int]:
    kept = json.loads(text) if text else {}
    names = {"MaximumRetryAttempts": "retries", "MaximumEventAgeInSeconds": "max_age"}
    return {names[name]: value for name, value in kept.items() if name in names}


def shown_time(instant: int) -> str:
    """`2026-11-23T08:33:00.123+0000`"""
    at: datetime = moment(instant)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


CREATING = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
UPDATING = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}


def describe(function: Function, **status: str) -> Reply:
    """The shape FunctionConfiguration. `status` replaces what tells that the function is ready."""
    config = function.config
    reply: Reply = {
        "FunctionName": function.name.name,
        "FunctionArn": function.name.arn,
        "Runtime": config.runtime,
        "Role": config.role,
        "CodeSize": function.code_size,
        "Description": config.description,
        "Timeout": config.timeout,
        "MemorySize": config.memory,
        "LastModified": shown_time(function.modified),
        "CodeSha256": function.code_sha256,
        "Version": LATEST,
        "TracingConfig": {"Mode": config.tracing},
        "RevisionId": function.revision,
        "PackageType": "Zip",
        "Architectures": [config.architecture],
        "EphemeralStorage": {"Size": config.scratch},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    if config.handler:
        reply["Handler"] = config.handler
    if config.environment is not None:
        reply["Environment"] = {"Variables": dict(config.environment)}
    return reply | _runtime_version(function) | status


def _runtime_version(function: Function) -> dict[str, Any]:
    """AWS names the build of the runtime by a digest; ours is named after the runtime alone."""
    digest = function.config.runtime.encode().hex().ljust(64, "0")[:64]
    return {"RuntimeVersionConfig": {"RuntimeVersionArn": f"arn:aws:lambda:{function.name.region}::runtime:{digest}"}}
