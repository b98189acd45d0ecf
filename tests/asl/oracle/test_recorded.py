"""Histories recorded from AWS, played on the bare machine. `scoreboard.json` names those that come out alike.

The board may only rise: a case on it must pass, and a case that passes must be on it. To renew it after an improvement:
`python -m tests.asl.oracle.test_recorded`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.asl.oracle.endpoint import eligible, perform
from tests.oracle import replay

HERE = Path(__file__).parent
BOARD = HERE / "scoreboard.json"
CASES = {case["id"]: case for case in replay.load(HERE.parents[1] / "oracle" / "cases") if eligible(case)}
PASSED: list[str] = json.loads(BOARD.read_text())["passed"] if BOARD.exists() else []


@pytest.mark.parametrize("name", PASSED)
def test_as_recorded(name: str) -> None:
    assert perform(CASES[name]) is None


def test_nothing_passes_unnoticed() -> None:
    more = [name for name, case in CASES.items() if name not in PASSED and attempt(case) is None]
    assert more == [], "put them on the board: python -m tests.asl.oracle.test_recorded"


def attempt(case: dict[str, Any]) -> str | None:
    try:
        return perform(case)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def main() -> None:
    """Play all, say what differs, write the board."""
    results = {name: attempt(case) for name, case in CASES.items()}
    for name, difference in results.items():
        if difference is not None:
            print(f"{name}\n    {difference[:900]}")
    passed = sorted(name for name, difference in results.items() if difference is None)
    groups: dict[str, list[int]] = {}
    for name, difference in results.items():
        count = groups.setdefault(CASES[name]["group"], [0, 0])
        count[0] += difference is None
        count[1] += 1
    for group, (good, total) in groups.items():
        print(f"{group} {good}/{total}")
    lost = set(PASSED) - set(passed)
    if lost:
        raise SystemExit(f"lost: {sorted(lost)}")
    board = {"groups": {group: f"{good}/{total}" for group, (good, total) in groups.items()}, "passed": passed}
    BOARD.write_text(json.dumps(board, indent=1) + "\n")


if __name__ == "__main__":
    main()
