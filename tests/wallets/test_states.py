"""The table of transitions stands in Python and in Postgres, and both say the same."""

from typing import Any

import asyncpg
import pytest

from runtime.postgres import Connection
from tests.wallets.conftest import NETWORK_ID
from wallets import states
from wallets.states import ATTEMPT, DEPOSIT, PAYOUT, PAYOUT_ENDS, PayoutState

WITHDRAWAL = bytes(16)


async def insert_payout(custody: Connection, state: str) -> None:
    await custody.execute(
        "insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, "
        "network_id, asset_id, destination_text, amount_atoms, engine_amount_atoms, "
        "engine_fee_atoms, state) values ($1, 'customer', 1, 1, 4096, $2, 1, 'there', 5, 5, 0, $3)",
        WITHDRAWAL,
        NETWORK_ID,
        state,
    )


async def test_the_table_in_postgres_is_the_one_in_python(custody: Connection) -> None:
    rows = await custody.fetch(
        "select kind, state_before, state_after from custody.transition order by 1, 2, 3"
    )
    assert [tuple(row) for row in rows] == states.pairs()


@pytest.mark.parametrize("table", [PAYOUT, ATTEMPT, DEPOSIT], ids=["payout", "attempt", "deposit"])
def test_every_state_has_a_row_and_can_be_reached(table: Any) -> None:
    kind: Any = type(next(iter(table)))
    assert set(table) == set(kind)
    reached = {next(iter(kind))}
    while more := {after for before in reached for after in table[before]} - reached:
        reached |= more
    assert reached == set(kind)


def test_a_payout_leaves_its_ends_for_nothing() -> None:
    assert {state for state in PayoutState if not PAYOUT[state]} == PAYOUT_ENDS


@pytest.mark.parametrize("before", list(PayoutState))
async def test_postgres_takes_exactly_the_permitted_changes_of_a_payout(
    custody: Connection, before: PayoutState
) -> None:
    await insert_payout(custody, before.value)
    for after in PayoutState:
        change = custody.transaction()
        await change.start()
        try:
            await custody.execute("update custody.payout set state = $1", after.value)
            is_taken = True
        except asyncpg.IntegrityConstraintViolationError:
            is_taken = False
        await change.rollback()
        assert is_taken == (after == before or after in PAYOUT[before]), after


async def test_a_change_of_state_leaves_its_event_with_actor_and_reason(
    custody: Connection,
) -> None:
    await insert_payout(custody, "requested")
    async with custody.transaction():
        await custody.execute("set local custody.reason = 'policy'")
        await custody.execute("update custody.payout set state = 'approved'")
    rows = await custody.fetch(
        "select state_before, state_after, actor, reason from custody.event order by event_id"
    )
    assert [tuple(row) for row in rows] == [
        ("", "requested", "test", ""),
        ("requested", "approved", "test", "policy"),
    ]


async def test_a_change_without_an_actor_is_refused(custody: Connection) -> None:
    await custody.execute("reset custody.actor")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=r"custody\.actor"):
        await insert_payout(custody, "requested")


@pytest.mark.parametrize(
    "change", ["update custody.event set reason = 'x'", "delete from custody.event"]
)
async def test_events_can_only_be_added(custody: Connection, change: str) -> None:
    await insert_payout(custody, "requested")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await custody.execute(change)


async def test_a_transfer_that_does_not_balance_is_refused_at_commit(custody: Connection) -> None:
    add = (
        "insert into custody.posting (transfer_id, network_id, asset_id, account, amount_atoms, "
        "cause, cause_id) values (1, $1, 1, $2, $3, 'test', '')"
    )
    async with custody.transaction():
        await custody.execute(add, NETWORK_ID, "hot", 5)
        await custody.execute(add, NETWORK_ID, "customers", -5)
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await custody.execute(add, NETWORK_ID, "hot", 1)
