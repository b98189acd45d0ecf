"""The scoreboard: answers recorded from AWS, replayed against a server started for it. What passes may only grow.

`scoreboard.json` lists by group the cases that pass, and for each that does not, why. The test replays those that
pass. By hand:

    python -m tests.oracle.test_replay              replay all; say what passes newly and what no longer does
    python -m tests.oracle.test_replay --renew      the same, and write the board; reasons given by hand are kept

A reason that begins with "auto: " was made from the first difference and is made anew each time.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import replay
from tests.real_server import running

HERE = Path(__file__).parent
BOARD = HERE / "scoreboard.json"
JOBS = 16
PATIENCE = 20
"""Seconds that one polling step may wait."""
AUTO = "auto: "

type Outcome = dict[str, str | None]
"""By case: the first difference, None where there is none."""


def name_of(case: dict[str, Any]) -> str:
    return f"{case['group']}/{case['id']}"


def cases() -> dict[str, dict[str, Any]]:
    return {name_of(case): case for case in replay.load(HERE / "cases")}


def play(chosen: Iterable[dict[str, Any]], patience: float = PATIENCE) -> Outcome:
    """Replay cases against a fresh server."""
    given = list(chosen)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        runner = replay.Runner(server.url, "000000000000", "us-east-1", patience)
        with ThreadPoolExecutor(JOBS) as pool:
            return dict(zip(map(name_of, given), pool.map(runner.run, given), strict=True))


def passing(board: dict[str, Any]) -> set[str]:
    return {f"{group}/{case}" for group, entry in board["groups"].items() for case in entry["pass"]}


@pytest.mark.real
def test_what_passed_still_passes(monkeypatch):
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")  # standard mode adds words to the messages
    known = cases()
    names = passing(json.loads(BOARD.read_text()))
    assert names <= known.keys()
    found = play(known[name] for name in sorted(names))
    assert {name: difference for name, difference in found.items() if difference is not None} == {}


def test_the_board_tells_of_every_case():
    board, known = json.loads(BOARD.read_text()), cases()
    told = passing(board) | {f"{group}/{case}" for group, entry in board["groups"].items() for case in entry["miss"]}
    assert told == known.keys()
    assert board["passing"] == len(passing(board))
    assert all(reason for entry in board["groups"].values() for reason in entry["miss"].values())


def reason(difference: str) -> str:
    """Words for a difference that nobody has explained yet."""
    if found := re.search(r"Cumulet does not carry out (.*?) yet", difference):
        return f"{AUTO}{found[1]} is not carried out yet"
    return AUTO + difference.replace("\n", " ")[:300]


def renewed(board: dict[str, Any], found: Outcome) -> dict[str, Any]:
    """The board as it is now; reasons given by hand stay."""
    groups: dict[str, dict[str, Any]] = {}
    for name, difference in sorted(found.items()):
        group, case = name.split("/", 1)
        entry = groups.setdefault(group, {"pass": [], "miss": {}})
        if difference is None:
            entry["pass"].append(case)
            continue
        kept = board["groups"].get(group, {}).get("miss", {}).get(case, AUTO)
        entry["miss"][case] = reason(difference) if kept.startswith(AUTO) else kept
    return {"passing": sum(len(entry["pass"]) for entry in groups.values()), "total": len(found), "groups": groups}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renew", action="store_true", help="write scoreboard.json")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds that one polling step may wait")
    args = parser.parse_args()
    os.environ["AWS_RETRY_MODE"] = "legacy"
    board = json.loads(BOARD.read_text()) if BOARD.exists() else {"passing": 0, "groups": {}}
    found = play(cases().values(), args.patience)
    before, now = passing(board), {name for name, difference in found.items() if difference is None}
    for name in sorted(now - before):
        print(f"passes newly: {name}")
    for name in sorted(before - now):
        print(f"no longer passes: {name}: {found[name]}")
    new = renewed(board, found)
    for group, entry in new["groups"].items():
        print(f"{group} {len(entry['pass'])}/{len(entry['pass']) + len(entry['miss'])}")
    print(f"{new['passing']} of {new['total']} pass")
    if args.renew:
        BOARD.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n")
    return 1 if before - now else 0


if __name__ == "__main__":
    sys.exit(main())
