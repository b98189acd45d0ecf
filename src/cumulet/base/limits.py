"""Quotas of AWS that Cumulet keeps, as profiles that one can choose.

Source: AWS Step Functions service quotas; the 2017 profile is the state-data limit published with the first samples.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkflowLimits:
    """Limits of an execution. Sizes are bytes of UTF-8."""

    payload: int = 262_144
    history_events: int = 25_000
    cause: int = 32_768
    error: int = 256
    definition: int = 1_048_576
    burst: int = 500
    """Transitions in one transaction before an execution gives way to the others."""


AWS_TODAY = WorkflowLimits()
AWS_2017 = WorkflowLimits(payload=32_768)
PROFILES = {"aws": AWS_TODAY, "aws-2017": AWS_2017}
