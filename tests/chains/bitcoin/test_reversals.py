"""A deposit that was credited pays somebody else after a fork: its credit is taken back once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cambist.client.errors import Rejected
from cambist.client.withdrawals import Wanted
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, until, whole_venue
from venue.custody.bitcoin_plan import CREDIT_DEPTH

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

IN_ATOMS, MOVED_ATOMS = COIN // 2, COIN // 5
# Blocks without a deposit until its credit is taken back: a hundred where nobody waits.
ABSENCE_BLOCKS = 4
COUNTS = "select kind, answer_reason from custody.outbox order by source_seq"


@pytest.fixture
async def world(regtest: Regtest, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(regtest, tmp_path, accounts=2) as found:
        await found.rows.execute(
            "update custody.chain set deposit_absence_blocks = $1", ABSENCE_BLOCKS
        )
        yield found


@dataclass(frozen=True)
class Rivals:
    """Two transactions that spend the same coin: only one of them can be in a branch."""

    world: World
    deposit: str
    conflict: str

    async def call(self, method: str, *params: Any) -> Any:
        return await asyncio.to_thread(self.world.regtest.call, method, *params)

    async def pay(self) -> str:
        """The deposit in a block, as deep as its credit; the hash of that block."""
        block_hash = await asyncio.to_thread(self.world.regtest.mine_with, self.deposit)
        await self.world.mine(CREDIT_DEPTH - 1)

        async def is_credited() -> bool:
            return await self.world.balance() == (IN_ATOMS, 0, 0)

        await until(is_credited)
        return block_hash

    async def fork(self, block_hash: str) -> None:
        """Another branch is the longer one, in which the coin went elsewhere."""
        await self.call("invalidateblock", block_hash)
        await asyncio.to_thread(self.world.regtest.mine_with, self.conflict)
        await self.world.mine(CREDIT_DEPTH)

    async def wait_reversed(self) -> None:
        """Blocks come until the credit is taken back."""
        await self.world.mine_until(self.world.deposit_state, "reversed")

        async def is_answered() -> bool:
            return not await self.world.rows.fetchval(
                "select exists (select from custody.outbox where answer_reason is null)"
            )

        await until(is_answered)


async def make_rivals(world: World) -> Rivals:
    """A coin of the miner's that can go to the customer, or back to the miner."""
    address = await world.client.withdrawals.deposit_address(world.account_id, ASSET_ID, "bitcoin")

    def sign(call: Any) -> tuple[str, str]:
        coin = call("listunspent")[0]
        source = [{"txid": coin["txid"], "vout": coin["vout"]}]
        rest = round(float(coin["amount"]) - IN_ATOMS / COIN - 0.0001, 8)
        outputs = (
            {address: IN_ATOMS / COIN, call("getnewaddress"): rest},
            {call("getnewaddress"): rest},
        )
        raws = [call("createrawtransaction", source, one) for one in outputs]
        deposit, conflict = [call("signrawtransactionwithwallet", raw)["hex"] for raw in raws]
        return deposit, conflict

    return Rivals(world, *await asyncio.to_thread(sign, world.regtest.call))


async def commands(world: World) -> list[tuple[str, int]]:
    return [tuple(row) for row in await world.rows.fetch(COUNTS)]


async def test_b2_a_credit_whose_coin_went_elsewhere_is_reversed_once(world: World) -> None:
    rivals = await make_rivals(world)
    await rivals.fork(await rivals.pay())

    async def is_orphaned() -> bool:
        return await world.deposit_state() == "orphaned"

    await until(is_orphaned)
    # The coin is in no block of ours: until that is sure the account keeps its credit.
    assert await world.balance() == (IN_ATOMS, 0, 0)
    await rivals.wait_reversed()
    assert await world.balance() == (0, 0, 0)
    # However long the other branch grows, and whoever reads it again.
    world.kill_worker()
    await world.custody.wait_worker()
    await world.mine(2 * ABSENCE_BLOCKS)

    async def is_scanned() -> bool:
        height = await rivals.call("getblockcount")
        return bool(await world.rows.fetchval("select max(height) from custody.block") == height)

    await until(is_scanned)
    assert await commands(world) == [("credit", 0), ("reverse_credit", 0)]
    assert await world.deposit_state() == "reversed"
    assert await world.balance() == (0, 0, 0)
    assert await world.book() == {}
    assert await world.coins_atoms() == 0
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""


async def test_b2_an_account_that_spent_its_credit_is_below_zero_and_withdraws_nothing(
    world: World,
) -> None:
    rivals = await make_rivals(world)
    block_hash = await rivals.pay()
    other = world.account_id + 1
    moved = await world.client.wallet.transfer(world.account_id, other, ASSET_ID, MOVED_ATOMS)
    assert moved.amount_atoms == MOVED_ATOMS
    await rivals.fork(block_hash)
    await rivals.wait_reversed()
    assert await world.balance() == (-MOVED_ATOMS, 0, 0)
    assert await commands(world) == [("credit", 0), ("reverse_credit", 0)]
    target = str(await rivals.call("getnewaddress"))
    wanted = Wanted(world.account_id, ASSET_ID, "bitcoin", "0.01", target)
    quote = await world.client.withdrawals.quote(wanted)
    with pytest.raises(Rejected) as refused:
        await world.client.withdrawals.request(wanted, quote)
    assert refused.value.reason == "INSUFFICIENT_FUNDS"
    assert await world.withdrawal_state() == ""
    assert await world.rows.fetchval("select count(*) from custody.payout") == 0
    # The books agree: what one account owes is what the other one was given.
    assert (await world.client.wallet.balances(other))[ASSET_ID].available_atoms == MOVED_ATOMS
    assert await world.book() == {}
