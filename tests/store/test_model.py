"""Any sequence of works leaves what a dict would hold; on every database."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.postgres import Server

from cumulet.store.api import Database, Transaction
from cumulet.store.errors import Conflict
from cumulet.store.migrate import Migration
from cumulet.store.postgres import Postgres
from cumulet.store.sqlite import SQLite

SCHEMA = [Migration(1, "things", "CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT NOT NULL);\n")]
KEYS = st.sampled_from(["", "a", "B", "b_", "é", "😀", "a%", "'"])
BODIES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["insert", "put", "delete", "append"]), KEYS, BODIES), min_size=1, max_size=4
)
WORKS = st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=6)


class Planned(Exception):
    """A work fails after its steps, on purpose."""


def perform(tx: Transaction, steps: list[tuple[str, str, str]], fail: bool) -> int:
    changed = 0
    for verb, key, body in steps:
        if verb == "insert":
            changed += tx.run("INSERT INTO things VALUES (:id, :body)", id=key, body=body)
        elif verb == "put":
            sql = "INSERT INTO things VALUES (:id, :body) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
            changed += tx.run(sql, id=key, body=body)
        elif verb == "delete":
            changed += len(tx.all("DELETE FROM things WHERE id = :id RETURNING id", id=key))
        elif (row := tx.one("SELECT body FROM things WHERE id = :id FOR UPDATE", id=key)) is not None:
            changed += tx.run("UPDATE things SET body = :body WHERE id = :id", id=key, body=row["body"] + body)
    if fail:
        raise Planned
    return changed


def imagine(model: dict[str, str], steps: list[tuple[str, str, str]], fail: bool) -> int | type[Exception]:
    """What `perform` does, on a dict."""
    new, changed = dict(model), 0
    for verb, key, body in steps:
        if verb == "insert" and key in new:
            return Conflict
        if verb in ("insert", "put"):
            new[key] = body
        elif key not in new:
            continue
        elif verb == "delete":
            del new[key]
        else:
            new[key] += body
        changed += 1
    if fail:
        return Planned
    model.clear()
    model.update(new)
    return changed


class Things(RuleBasedStateMachine):
    """Groups of works, against the dict."""

    def __init__(self, open_database: Callable[[], Any]) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database: Database = self.runner.run(open_database())
        self.runner.run(self.database.write(lambda tx: tx.run("DELETE FROM things")))  # type: ignore[arg-type]
        self.model: dict[str, str] = {}

    @rule(works=WORKS)
    def together(self, works: list[tuple[list[tuple[str, str, str]], bool]]) -> None:
        async def all_at_once() -> list[Any]:
            writes = [self.database.write(lambda tx, work=work: perform(tx, *work)) for work in works]
            return await asyncio.gather(*writes, return_exceptions=True)

        answers = self.runner.run(all_at_once())
        expected = [imagine(self.model, *work) for work in works]
        assert [type(answer) if isinstance(answer, Exception) else answer for answer in answers] == expected

    @invariant()
    def same(self) -> None:
        rows = self.runner.run(self.database.read(lambda tx: tx.all("SELECT * FROM things ORDER BY id")))  # type: ignore[arg-type]
        assert [(row["id"], row["body"]) for row in rows] == sorted(
            self.model.items(), key=lambda item: item[0].encode()
        )

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_a_database_behaves_as_a_dict_of_which_works_change_all_or_nothing(
    kind: str, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("postgres") if kind == "postgres" else None
    dsn = server.fresh() if server else ""
    with tempfile.TemporaryDirectory() as folder:

        def open_database() -> Any:
            if server:
                return Postgres.open(dsn, SCHEMA)
            return SQLite.open(":memory:" if kind == "memory" else Path(folder) / "db", SCHEMA)

        few = settings(
            max_examples=4 if server else 12,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(lambda: Things(open_database), settings=few)
    if server:
        server.drop(dsn)
