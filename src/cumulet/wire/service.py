"""The contract between the gate and a service: a service is a class, an operation is a method.

    class States(Service):
        model = "stepfunctions"

        async def start_execution(self, call: Call, **input: Unpack[StartExecutionInputTypeDef]) -> Reply: ...

The method's name is botocore's snake case of the operation's name. Input arrives checked (`wire.check`) with the
model's member names; absent members are absent. Timestamps in input and output are aware datetimes, blobs are bytes,
a streaming payload is a `ByteStream` (an answer may give bytes instead). A reply is a dict of the output shape's
members; an absent member is absent, never None. Failures are raised as `AwsError`s. What has no method is answered
501 by the gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from botocore import xform_name

from cumulet.wire.http import Headers

type Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `arn` is the user's, role session's or root's ARN; `id` the UserId that STS would tell."""

    account: str
    arn: str
    id: str
    access_key: str = ""


class Caller(Protocol):
    """The one gate, from inside: everything but HTTP and the signature."""

    async def call(
        self,
        service: str,
        operation: str,
        input: Mapping[str, Any],
        *,
        account: str,
        region: str,
        principal: Principal | None = None,
    ) -> Reply:
        """Carry out `operation` (as in the model: "ListObjectsV2") of `service` (botocore's name: "stepfunctions").

        Raises `AwsError`; `NotImplementedHere` for what we do not have.
        """
        ...

    def carries_out(self, service: str, operation: str) -> bool:
        """Whether we have the operation."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials, as AssumeRole gives them. `expires_at` in microseconds since the epoch."""

    access_key: str
    secret_key: str
    session_token: str
    expires_at: int


class CredentialIssuer(Protocol):
    """Who makes temporary credentials that the gate knows again: for AssumeRole, for functions."""

    async def issue(self, account: str, principal_arn: str, ttl: float, *, principal_id: str = "") -> Credentials:
        """Credentials good for `ttl` seconds. Who calls with them is `principal_arn`, in `account`.

        `principal_id` is the UserId that STS tells of the caller: `AROA...:session`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation and who, where and how."""

    account: str
    region: str
    principal: Principal
    request_id: str
    endpoint: str
    """The base URL under which this server was reached or is known: `http://127.0.0.1:4566`."""
    headers: Headers = field(default_factory=Headers)


class Service:
    """Base of all services."""

    model: ClassVar[str]
    """botocore's name of the service's model."""

    async def run(self) -> None:
        """Work of the service's own beside its calls, until cancelled. Most have none."""

    @classmethod
    def method_of(cls, operation: str) -> str | None:
        """The name of the method for `operation`, or None where we do not carry it out."""
        name = xform_name(operation)
        return name if hasattr(cls, name) and not hasattr(Service, name) else None
