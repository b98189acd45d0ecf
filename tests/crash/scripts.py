"""What the runs of crash tests do, and what must come out."""

from typing import Any

from tests.engine.toy import Script

SCRIPTS: list[tuple[Script, Any]] = [
    ([["task", "slow", 1], ["pass"], ["task", "echo", 2]], [1, 2]),
    ([["fork", 5, "slow"], ["task", "echo", 3]], ["joined", 3]),
    ([["wait", 0.05], ["task", "echo", 4]], ["waited", 4]),
    ([["turn"], ["turn"], ["task", "echo", 5], ["turn"]], ["turned", "turned", 5, "turned"]),
    ([["hold", "echo", 60], ["wait", 0.01]], ["TaskSubmitted", "reported", "waited"]),
    ([["fork", 20, "echo"]], ["joined"]),
]
TASKS = (2, 6, 1, 1, 1, 20)
"""How many tasks each of them has."""


def script_of(number: int) -> Script:
    return SCRIPTS[number % len(SCRIPTS)][0]


def outcome_of(number: int) -> Any:
    return SCRIPTS[number % len(SCRIPTS)][1]


def tasks_of(number: int) -> int:
    return TASKS[number % len(SCRIPTS)]
