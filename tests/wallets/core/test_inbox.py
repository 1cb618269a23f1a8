"""Rows of the journal are taken once and in order; answers that custody cannot explain stop it."""

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID
from wallets.core import inbox
from wallets.core.inbox import Answered, JournalRow
from wallets.core.units import to_chain
from wallets.errors import Broken


async def test_a_row_that_comes_again_changes_nothing(venue: Venue) -> None:
    row = await venue.engine.request(request())
    assert not await inbox.take(venue.database, row)
    assert await venue.states() == ["requested"]
    assert await inbox.read_cursor(venue.database, SHARD) == row.last_seq


async def test_a_gap_is_refused_and_nothing_of_the_row_stays(venue: Venue) -> None:
    with pytest.raises(Broken):
        await inbox.take(venue.database, JournalRow(SHARD, 2, 2, (request(),)))
    assert await venue.states() == []
    assert await inbox.read_cursor(venue.database, SHARD) == 0


async def test_a_row_that_fails_halfway_leaves_the_cursor_and_no_payout(venue: Venue) -> None:
    await venue.engine.request(request())
    with pytest.raises(Exception, match="duplicate key"):
        await inbox.take(venue.database, JournalRow(SHARD, 2, 2, (request(2), request(1))))
    assert await venue.states() == ["requested"]
    assert await inbox.read_cursor(venue.database, SHARD) == 1


async def test_a_refused_release_stops_the_network_and_says_why(venue: Venue) -> None:
    await venue.engine.request(request(destination="nowhere"))
    await venue.worker().step()
    await venue.engine.tell(Answered(SOURCE_ID, 1, 9))
    row = await venue.connection.fetchrow(
        "select withdrawals_stopped, stopped_reason from custody.chain where network_id = $1",
        NETWORK_ID,
    )
    assert row is not None
    assert row["withdrawals_stopped"]
    assert "release" in row["stopped_reason"]


@pytest.mark.parametrize(
    ("decimals", "engine_decimals", "expected"),
    [(8, 8, 120), (10, 8, 12_000), (7, 8, 12), (6, 8, None)],
)
def test_the_engines_atoms_become_the_chains_exactly_or_not_at_all(
    decimals: int, engine_decimals: int, expected: int | None
) -> None:
    assert to_chain(120, decimals=decimals, engine_decimals=engine_decimals) == expected
