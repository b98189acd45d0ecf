"""A request's life on one page.

    route -> read the body (or leave it a stream) -> authenticate -> authorise -> parse -> check -> handler -> serialise

Every failure becomes an answer in the caller's protocol. What we do not have is refused with 501; what goes wrong in
our own code is AWS's InternalFailure with a request id, and its traceback goes to the log. `except Exception` stands
here and nowhere else on the way.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.base import json
from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.base.ids import Entropy, make_uuid
from cumulet.server import body
from cumulet.server.auth import Authenticator, Identity
from cumulet.server.caller import Gate
from cumulet.server.outage import refusal
from cumulet.wire.http import Request, Response
from cumulet.wire.parse import parse, takes_stream
from cumulet.wire.route import Route, Unrouted, needs_body, route
from cumulet.wire.serialize import serialize, serialize_error
from cumulet.wire.service import Call, Service

log = logging.getLogger(__name__)


class InternalFailure(AwsError):
    """The request processing has failed because of an unknown error, exception or failure."""

    status = 500


class InternalError(AwsError):
    """We encountered an internal error. Please try again."""

    status = 500


class NotHere(NotImplementedHere, Unrouted):
    """Cumulet does not carry out {what} yet. It is refused, so that nothing pretends to have happened."""

    code = "NotImplemented"
    status = 501


class ServiceUnavailable(AwsError):
    """The server is stopping. Please try again."""

    status = 503


class App:
    """Answers requests. `pages` are paths of Cumulet's own (`/_cumulet/...`), outside of AWS's APIs.

    Once `closing` is set, what comes is asked to come again (503, which SDKs retry).
    """

    def __init__(
        self,
        gate: Gate,
        authenticator: Authenticator,
        entropy: Entropy,
        pages: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._gate = gate
        self._authenticator = authenticator
        self._entropy = entropy
        self._pages = pages or {}
        self.closing = False

    @property
    def services(self) -> Mapping[str, Service]:
        """By botocore's names."""
        return self._gate.services

    async def answer(self, request: Request) -> Response:
        """The answer to `request`; never raises, save when cancelled."""
        if request.path.startswith(("/_cumulet/", "/_localstack/")):
            return self._page(request)
        request_id = make_uuid(self._entropy)
        asked = _unknown(request)
        try:
            request, asked = await self._routed(request)
            who = await self._authenticator.identify(asked, request)
            request = _with_body(asked, request, who)
            authorise(who, asked)
            call = Call(
                who.principal.account, who.region, who.principal, request_id, self._endpoint(request), request.headers
            )
            output = await self._gate.carry_out(asked.service, asked.operation, parse(asked, request), call)
            return serialize(asked, output, request_id)
        except Unrouted as error:
            return serialize_error(error.route, error, request_id)
        except AwsError as error:
            return serialize_error(asked, error, request_id)
        except Exception as error:  # noqa: BLE001  the rim: our own mistake must not end the server
            if (told := refusal(error)) is not None:
                return serialize_error(asked, told, request_id)
            log.error(  # noqa: TRY400
                "%s %s failed, request %s\n%s", asked.service, asked.operation, request_id, traceback.format_exc()
            )
            return serialize_error(asked, InternalError() if asked.service == "s3" else InternalFailure(), request_id)

    async def _routed(self, request: Request) -> tuple[Request, Route]:
        """What is asked for, if we have it. A body that is no stream for its operation is read here."""
        if self.closing:
            raise ServiceUnavailable
        if request.stream is not None and needs_body(request):
            request = await body.read_whole(request, "")
        asked = route(request)
        if not self._gate.carries_out(asked.service, asked.operation):
            raise NotHere(asked, what=f"{asked.operation} of {asked.service}")
        if takes_stream(asked):
            return request, asked
        return await body.read_whole(request, asked.operation, s3=asked.service == "s3"), asked

    def _endpoint(self, request: Request) -> str:
        return f"http://{request.host}" if request.host else self._gate.endpoint

    def _page(self, request: Request) -> Response:
        page = self._pages.get(request.path)
        found: dict[str, Any] = {"message": f"there is no {request.path}"} if page is None else page()
        text = json.dumps(found).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(text)))]
        return Response(404 if page is None else 200, headers, text)


def authorise(who: Identity, asked: Route) -> None:
    """A door that stands open: policies are stored, their enforcement comes later. Every call passes here."""


def _with_body(asked: Route, request: Request, who: Identity) -> Request:
    if takes_stream(asked):
        return body.streamed(request, who.signer)
    if asked.service == "s3":
        body.check_whole(request, asked.operation)
    return request


def _unknown(request: Request) -> Route:
    """The protocol to answer in before it is known what is asked for."""
    if "x-amz-target" in request.headers:
        return Route("", "", "json")
    return Route("", "", "query" if needs_body(request) else "rest-xml")
