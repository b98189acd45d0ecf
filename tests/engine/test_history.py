"""History: any page, both ways, without gaps."""

import pytest
from tests.engine.world import World

from cumulet.engine import history


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_pages_cover_the_history_both_ways(world: World, limit: int) -> None:
    await world.begin([["turn"], ["task", "echo", 1], ["pass"]] * 10)
    await world.over()
    whole = await world.events()
    assert len(whole) > 50
    for reverse in (False, True):
        found, after = [], 0
        while after is not None:
            page, after = await world.database.read(
                lambda tx, after=after, back=reverse: history.page(tx, "id-1", after=after, limit=limit, reverse=back)
            )
            assert 1 <= len(page) <= limit
            found += page
        assert found == (whole[::-1] if reverse else whole)


@pytest.mark.parametrize(
    ("run", "options"),
    [
        ("id-1", {"after": 99}),
        ("id-1", {"after": 1, "reverse": True}),
        ("id-1", {"limit": 0}),
        ("nobody", {}),
    ],
)
async def test_a_page_beyond_the_end_is_empty(idle: World, run: str, options: dict) -> None:
    await idle.begin([["pass"]])
    assert await idle.database.read(lambda tx: history.page(tx, run, **options)) == ([], None)


async def test_the_events_of_one_transaction_share_a_row(idle: World) -> None:
    await idle.begin([["pass"]] * 20)
    rows = await idle.all("SELECT first_id, last_id FROM history")
    assert [dict(row) for row in rows] == [{"first_id": 1, "last_id": 22}]
