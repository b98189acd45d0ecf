"""Succeed: ends its flow with its input as the output."""

from dataclasses import dataclass

from cumulet.asl.burst import Burst
from cumulet.asl.fields import Fields
from cumulet.asl.frames import Point
from cumulet.asl.program import State, Target
from cumulet.asl.states.mapping import pass_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(State):
    def run(self, burst: Burst, point: Point) -> Target:
        return pass_on(burst, point, self)


def parse(fields: Fields) -> Succeed:
    return Succeed(**fields.shared())
