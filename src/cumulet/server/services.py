"""The services that Cumulet has: one table, a line each."""

from collections.abc import Callable

from cumulet.server.parts import Parts
from cumulet.services.iam.service import Iam
from cumulet.services.lambda_.service import Lambda
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.services.logs.service import Logs
from cumulet.services.s3.service import S3
from cumulet.services.states.service import States
from cumulet.services.sts.service import Sts
from cumulet.wire.service import Service


def _lambda(p: Parts) -> Service:
    settings, blobs = LambdaSettings(p.scratch / "lambda"), p.blobs.within("lambda")
    return Lambda(p.database, blobs, p.clock, p.entropy, p.caller, p.sandbox, p.issuer, p.endpoint, settings)


SERVICES: tuple[Callable[[Parts], Service], ...] = (
    lambda p: Iam(p.database, p.clock, p.entropy),
    lambda p: Sts(p.caller, p.issuer),
    lambda p: Logs(p.database, p.clock, p.entropy),
    lambda p: S3(p.database, p.blobs, p.clock, p.entropy),
    _lambda,
    lambda p: States(p.database, p.engine, p.clock, p.entropy, p.caller, p.limits),
)
"""In the order in which they begin."""
