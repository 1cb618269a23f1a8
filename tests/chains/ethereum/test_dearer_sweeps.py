"""Sweeps and top-ups that nobody mines get dearer as payouts do, and move what they move once."""

import pytest

from tests.chains.ethereum.custody import ETHER, FEES, Custody
from tests.chains.ethereum.test_gathering import (
    deposit_keys,
    deposit_token,
    gathering_of,
    hold_lease,
    scan,
)
from wallets.ethereum.addresses import text_of
from wallets.ethereum.transactions import parse_signed

pytestmark = pytest.mark.chains


async def pass_patience(custody: Custody) -> None:
    """What was sent is unmined for longer than the schedule has it."""
    await custody.database.write(
        "update custody.attempt set changed_at = changed_at - interval '1 hour'"
    )


async def stored(custody: Custody) -> list[tuple[str, str]]:
    rows = await custody.database.read(
        "select kind, state from custody.attempt order by attempt_id"
    )
    return [(row["kind"], row["state"]) for row in rows]


async def test_top_ups_and_sweeps_that_nobody_mines_get_dearer_and_move_once(
    custody: Custody,
) -> None:
    key = await deposit_token(custody)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    assert await job.step(token) == 1
    for _ in range(4):
        await job.step(token)
    await pass_patience(custody)
    for _ in range(4):
        await job.step(token)
    assert await stored(custody) == [("top_up", "broadcast"), ("top_up", "broadcast")]
    for _ in range(6):
        custody.node.mine()
        await job.step(token)
        if ("sweep", "broadcast") in await stored(custody):
            break
    assert (await stored(custody))[:2] == [("top_up", "dead"), ("top_up", "final")]
    await pass_patience(custody)
    for _ in range(4):
        await job.step(token)
    assert (await stored(custody))[2:] == [("sweep", "broadcast"), ("sweep", "broadcast")]
    rows = await custody.database.read("select raw from custody.attempt order by attempt_id")
    for older, newer in (rows[:2], rows[2:]):
        one, other = parse_signed(older["raw"]), parse_signed(newer["raw"])
        assert (one.lane, one.nonce) == (other.lane, other.nonce)
        assert other.max_fee_per_gas_atoms * 10 >= one.max_fee_per_gas_atoms * 11
        assert other.max_fee_per_gas_atoms <= FEES.ceiling_per_gas_atoms
    for _ in range(6):
        custody.node.mine()
        await job.step(token)
    assert (await stored(custody))[2:] == [("sweep", "dead"), ("sweep", "final")]
    assert custody.tokens_of(key) == 0
    assert not await custody.database.read("select from custody.owned_input")


async def test_the_older_sweep_mined_instead_is_booked_once_and_its_dearer_one_is_dead(
    custody: Custody,
) -> None:
    key = await deposit_token(custody)
    custody.node.give(text_of(key), ETHER)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    for _ in range(3):
        await job.step(token)
    await pass_patience(custody)
    for _ in range(4):
        await job.step(token)
    older, newer = await custody.database.read(
        "select raw, txid from custody.attempt order by attempt_id"
    )
    custody.node.mine_instead(older["raw"], newer["txid"])
    for _ in range(6):
        custody.node.mine()
        await job.step(token)
    assert await stored(custody) == [("sweep", "final"), ("sweep", "dead")]
    costs = await custody.database.read(
        "select amount_atoms from custody.posting where account = 'network_cost'"
    )
    assert len(costs) == 1


async def test_ether_that_is_swept_dearer_leaves_less_and_never_more_than_there_is(
    custody: Custody,
) -> None:
    _, key, _ = await deposit_keys(custody)
    first = custody.node.height() + 1
    custody.node.send(to=text_of(key), value=hex(ETHER))
    custody.node.mine()
    await scan(custody, first)
    token = await hold_lease(custody)
    job = gathering_of(custody)
    for _ in range(3):
        await job.step(token)
    await pass_patience(custody)
    for _ in range(3):
        await job.step(token)
    for _ in range(6):
        custody.node.mine()
        await job.step(token)
    assert await stored(custody) == [("sweep", "dead"), ("sweep", "final")]
    older, newer = (
        parse_signed(row["raw"])
        for row in await custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
    )
    assert newer.value_atoms < older.value_atoms
    assert newer.value_atoms + newer.gas_limit * newer.max_fee_per_gas_atoms == ETHER
