"""Rows of the journal are taken once and in order; answers that custody cannot explain stop it."""

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID
from wallets.contract import WithdrawalId
from wallets.core import inbox
from wallets.core.inbox import Answered, JournalRow, Requested
from wallets.core.units import to_chain
from wallets.errors import Broken

STANDS = "select * from custody.chain join custody.asset using (network_id)"


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


async def test_an_answer_to_a_command_that_was_never_given_stops_payouts_and_credits(
    venue: Venue,
) -> None:
    await venue.engine.tell(Answered(SOURCE_ID, 6, 0), Answered(SOURCE_ID, 7, 0))
    row = await venue.connection.fetchrow(STANDS)
    assert row is not None
    assert row["withdrawals_stopped"]
    assert row["stopped_reason"].startswith(f"EngineAhead: it took {SOURCE_ID}/7")
    assert row["deposits_suspended"]
    # The engine takes no number twice: what is sent now must be new to it.
    await venue.engine.request(request(destination="nowhere"))
    await venue.engine.tell(Requested(WithdrawalId(b"u" * 16), 4096, 1, 77, 500, 20, "to-nobody"))
    assert await venue.connection.fetchval("select source_seq from custody.outbox") == 8


async def test_repeated_answers_and_those_of_other_sources_stop_nobody(venue: Venue) -> None:
    await venue.engine.request(request(destination="nowhere"))
    await venue.worker().step()
    for _ in range(2):
        await venue.engine.tell(Answered(SOURCE_ID, 1, 0), Answered(SOURCE_ID + 1, 9, 0))
    row = await venue.connection.fetchrow(STANDS)
    assert row is not None
    assert not row["withdrawals_stopped"]
    assert not row["deposits_suspended"]
    assert await venue.connection.fetchval("select last_seq from custody.source") == 1


@pytest.mark.parametrize(
    ("decimals", "engine_decimals", "expected"),
    [(8, 8, 120), (10, 8, 12_000), (7, 8, 12), (6, 8, None)],
)
def test_the_engines_atoms_become_the_chains_exactly_or_not_at_all(
    decimals: int, engine_decimals: int, expected: int | None
) -> None:
    assert to_chain(120, decimals=decimals, engine_decimals=engine_decimals) == expected
