"""Where an alias leads: one version, or two by weight. Pure."""

from collections.abc import Sequence
from typing import Any

from cumulet.base.errors import AwsError
from cumulet.services.states.errors import InvalidRouting
from cumulet.services.states.naming import target_of

type Routes = list[tuple[int, int]]
"""Version numbers and their weights; the weights add up to 100."""


def read_routes(given: Sequence[Any]) -> tuple[str, Routes]:
    """The machine and the routes of a routing configuration. Raises `InvalidRouting`."""
    arns = [item["stateMachineVersionArn"] for item in given]
    found = [_version(arn) for arn in arns]
    if any(one is None for one in found):
        raise InvalidRouting(
            problem=f"Routing configuration must contain state machine version ARNs. Received: [{', '.join(arns)}]"
        )
    versions = [one for one in found if one is not None]
    if len({machine for machine, _ in versions}) != 1 or len(set(versions)) != len(versions):
        raise InvalidRouting(problem="Routing configuration must contain different versions of one state machine.")
    routes = [(number, int(item["weight"])) for (_, number), item in zip(versions, given, strict=True)]
    if sum(weight for _, weight in routes) != 100:
        raise InvalidRouting(problem="Sum of routing configuration weights must equal 100.")
    return versions[0][0], routes


def _version(arn: str) -> tuple[str, int] | None:
    try:
        machine, qualifier = target_of(arn)
    except AwsError:
        return None
    return (machine, int(qualifier)) if qualifier is not None and qualifier.isdecimal() else None


def pick(routes: Sequence[Sequence[int]], chance: bytes) -> int:
    """The version to run: `chance`, eight random bytes, decides by weight."""
    point = int.from_bytes(chance) * 100 >> 64
    for number, weight in routes:
        if point < weight:
            return number
        point -= weight
    return routes[-1][0]
