"""The gate from inside: the services we have, and calls among them with everything but HTTP and the signature.

A caller within (a state machine's task, a function's log writer) meets the same checks and the same handlers as one
from outside.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cumulet.base.errors import NotImplementedHere
from cumulet.base.ids import Entropy, make_uuid
from cumulet.server.keys import root_of
from cumulet.server.outage import refusal
from cumulet.store.errors import StoreError
from cumulet.wire import check, models
from cumulet.wire.models import Operation
from cumulet.wire.service import Call, Principal, Reply, Service

log = logging.getLogger(__name__)

type Handler = Callable[..., Awaitable[Reply]]


class Gate:
    """Check, then handler. A `Caller`; the services come in with `add`."""

    def __init__(self, entropy: Entropy, endpoint: str = "http://127.0.0.1:4566") -> None:
        self.endpoint = endpoint
        self._entropy = entropy
        self._services: dict[str, Service] = {}
        self._handlers: dict[tuple[str, str], tuple[Operation, Handler] | None] = {}

    def add(self, service: Service) -> None:
        """Take a service in."""
        self._services[service.model] = service

    @property
    def services(self) -> Mapping[str, Service]:
        """By botocore's names."""
        return self._services

    def carries_out(self, service: str, operation: str) -> bool:
        return self._handler(service, operation) is not None

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
        who = root_of(account) if principal is None else principal
        call = Call(account, region, who, make_uuid(self._entropy), self.endpoint)
        return await self.carry_out(service, operation, input, call)

    async def carry_out(self, service: str, operation: str, input: Mapping[str, Any], call: Call) -> Reply:
        """Check the input and have the service do it. Raises `AwsError`, for an outage of the store too."""
        found = self._handler(service, operation)
        if found is None:
            raise NotImplementedHere(what=f"{operation} of {service}" if operation else service)
        model, handler = found
        check.check(model, input)
        try:
            return await handler(call, **input)
        except (StoreError, OSError) as error:
            told = refusal(error)
            if told is None:
                raise
            log.warning("%s %s: %s", service, operation, error)
            raise told from error

    def _handler(self, service: str, operation: str) -> tuple[Operation, Handler] | None:
        key = (service, operation)
        if key not in self._handlers:
            if service not in self._services:
                return None
            self._handlers[key] = self._find(service, operation)
        return self._handlers[key]

    def _find(self, service: str, operation: str) -> tuple[Operation, Handler] | None:
        if operation not in models.load(service).operation_names:
            return None
        home = self._services[service]
        name = type(home).method_of(operation)
        return None if name is None else (models.operation(service, operation), getattr(home, name))
