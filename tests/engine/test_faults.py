"""Fault points: only the one that was asked for, and only the time that was asked for."""

import pytest

from cumulet.engine.faults import POINTS, Fault


@pytest.mark.parametrize(
    ("value", "deaths"),
    [("", []), ("after-commit", [0]), ("after-commit:3", [2]), ("elsewhere", [])],
)
def test_a_process_dies_where_and_when_it_was_told(value: str, deaths: list[int]) -> None:
    died: list[int] = []
    fault = Fault({"CUMULET_FAULT": value} if value else {}, lambda: died.append(turn))
    for turn in range(5):  # noqa: B007  read in the lambda
        for point in POINTS:
            fault.reach(point)
    assert died == deaths
