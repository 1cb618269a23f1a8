"""A payout at its ceiling is lifted by a child on a real node; a child dies as its parent does.

A child whose fee turns out too low is replaced by a dearer one; at most one of them is mined.
"""

from dataclasses import dataclass, replace
from random import Random
from secrets import token_bytes

import pytest

from tests.chains.bitcoin.custody import NETWORK, SETTINGS, Custody, payout_of
from tests.chains.bitcoin.signing import sign
from tests.chains.bitcoin.test_treasury import Signer as InternalSigner
from tests.chains.bitcoin.under_way import UnderWay, begin
from wallets.bitcoin.adapter import Bitcoin
from wallets.bitcoin.fees import FeePolicy
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import Transaction, parse_transaction
from wallets.contract import BumpSchedule
from wallets.treasury.step import Treasury

pytestmark = pytest.mark.chains

AMOUNT_ATOMS = 30_000_000
# Miners want ten times of what was offered; then more; then as much as we ever pay.
DEAR = FeePolicy(1_000, 20_000, 50_000, 5_000, 6)
DEARER = replace(DEAR, fallback_rate=25_000)
HIGHEST = replace(DEAR, fallback_rate=50_000)
PAYOUT, CHILD = "payout", "child"


@dataclass
class Lifted(UnderWay):
    """One payout that may not be raised, and the venue's own transfers."""

    treasury: Treasury

    async def step(self) -> None:
        await super().step()
        await self.treasury.step()

    async def lift(self) -> tuple[Transaction, Transaction]:
        """Nobody mined the payout, and its child is in the pool beside it."""
        await self.run(7)
        assert await self.attempts() == [(PAYOUT, "broadcast")]
        await self.wait_an_hour()
        await self.run(4)
        assert await self.attempts() == [(PAYOUT, "broadcast"), (CHILD, "broadcast")]
        parent, child = (parse_transaction(raw) for raw in await self.raws())
        return parent, child

    def want(self, policy: FeePolicy) -> None:
        """What miners take from now on."""
        self.treasury = treasury_of(self.custody, policy)

    def line(self, transaction: Transaction) -> tuple[int, int]:
        """Satoshi and virtual bytes of it and all that it waits for in the pool."""
        entry = self.custody.regtest.call("getmempoolentry", transaction.txid())
        return round(entry["fees"]["ancestor"] * 10**8), int(entry["ancestorsize"])


def treasury_of(custody: Custody, policy: FeePolicy) -> Treasury:
    """The venue's own transfers, which may be raised."""
    nodes, database = custody.adapter._nodes, custody.database
    settings = replace(SETTINGS, fees=policy)
    chain = Bitcoin(NETWORK, REGTEST, nodes, database, settings, Random(2))
    holds = chain.treasury(Random(2))
    return Treasury(database, chain, holds, InternalSigner(), lambda: token_bytes(16))


@pytest.fixture
async def venue(custody: Custody) -> Lifted:
    custody.settings(replace(SETTINGS, bumps=BumpSchedule(600, 0)))
    found = await begin(custody, [payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS)])
    return Lifted(
        custody,
        found.engine,
        found.payouts,
        found.signer,
        found.worker,
        treasury_of(custody, DEAR),
    )


async def test_a_child_pays_for_a_payout_that_may_not_be_raised_and_both_are_booked_once(
    venue: Lifted,
) -> None:
    parent, child = await venue.lift()
    assert {one.txid for one in child.inputs} == {parent.txid()}
    fees, size = venue.line(child)
    assert fees * 1_000 >= DEAR.fallback_rate * size
    await venue.run(4)
    assert len(venue.custody.regtest.call("getrawmempool")) == 2, "one child, however often"
    await venue.run(8, mines=True)
    assert await venue.attempts() == [(PAYOUT, "final"), (CHILD, "final")]
    await venue.check_settled_once()
    book = await venue.book()
    assert (book["network_cost"], book["hot"]) == (fees, -AMOUNT_ATOMS - fees)


async def test_a_child_is_dead_by_the_proof_of_its_parents_death_and_not_before_it_is_final(
    venue: Lifted,
) -> None:
    parent, _ = await venue.lift()
    await die_with_parent(venue, parent, 1)


async def test_children_of_all_fees_are_dead_by_the_proof_of_their_parents_death(
    venue: Lifted,
) -> None:
    parent, _ = await venue.lift()
    await raised(venue)
    await die_with_parent(venue, parent, 2)


async def die_with_parent(venue: Lifted, parent: Transaction, children: int) -> None:
    """The parent's coins go elsewhere in a transaction that only some miner has."""
    coins = tuple(one.outpoint for one in parent.inputs)
    other = payout_of(venue.custody, ScriptKind.P2WPKH, AMOUNT_ATOMS, 9)
    plan = await venue.custody.adapter.build(
        b"r" * 16, [other], fee_atoms_max=1_000_000, must_use=coins, owned=frozenset()
    )
    rival = sign(plan, [other])
    venue.custody.regtest.mine_with(rival.hex())
    await venue.custody.scan()
    await venue.run(2)
    before = [(PAYOUT, "broadcast"), *[(CHILD, "broadcast")] * children]
    assert await venue.attempts() == before
    await venue.custody.mine(SETTINGS.final_depth)
    await venue.run(1)
    rows = await venue.custody.database.read(
        "select kind, death_proof from custody.attempt where state = 'dead' order by attempt_id"
    )
    assert [row["kind"] for row in rows] == [PAYOUT, *[CHILD] * children]
    proof = parse_transaction(rival).serialise(with_witness=False)
    assert all(proof in row["death_proof"] for row in rows)
    # The payout is paid anew with other coins, once.
    await venue.run(12, mines=True)
    await venue.check_settled_once()


async def raised(venue: Lifted) -> tuple[Transaction, Transaction]:
    """Miners want more than the first child brings; both children."""
    venue.want(DEARER)
    await venue.run(4)
    assert len(await venue.attempts()) == 2, "it has not waited long enough"
    await venue.wait_an_hour()
    await venue.run(4)
    assert await venue.attempts() == [(PAYOUT, "broadcast"), *[(CHILD, "broadcast")] * 2]
    _, older, newer = (parse_transaction(raw) for raw in await venue.raws())
    assert [one.outpoint for one in older.inputs] == [one.outpoint for one in newer.inputs]
    return older, newer


async def test_a_child_that_pays_too_little_is_replaced_and_one_of_them_is_booked(
    venue: Lifted,
) -> None:
    parent, _ = await venue.lift()
    _, newer = await raised(venue)
    pool = set(venue.custody.regtest.call("getrawmempool"))
    assert pool == {parent.txid(), newer.txid()}
    fees, size = venue.line(newer)
    assert fees * 1_000 >= DEARER.fallback_rate * size
    await venue.wait_an_hour()
    await venue.run(4)
    assert len(await venue.attempts()) == 3, "it pays what is wanted"
    await venue.run(8, mines=True)
    assert await venue.attempts() == [(PAYOUT, "final"), (CHILD, "dead"), (CHILD, "final")]
    await venue.check_settled_once()
    book = await venue.book()
    assert (book["network_cost"], book["hot"]) == (fees, -AMOUNT_ATOMS - fees)


async def test_the_cheaper_child_mined_instead_is_the_one_that_is_booked(venue: Lifted) -> None:
    parent, _ = await venue.lift()
    older, _ = await raised(venue)
    texts = [raw.hex() for raw in (await venue.raws())[:2]]
    venue.custody.regtest.mine_with(*texts)
    await venue.custody.scan()
    await venue.run(8, mines=True)
    assert await venue.attempts() == [(PAYOUT, "final"), (CHILD, "final"), (CHILD, "dead")]
    await venue.check_settled_once()
    told = [
        venue.custody.regtest.call("getrawtransaction", one.txid(), 2) for one in (parent, older)
    ]
    book = await venue.book()
    assert book["network_cost"] == sum(round(one["fee"] * 10**8) for one in told)


async def test_no_child_goes_above_the_ceiling_however_long_it_waits(venue: Lifted) -> None:
    await venue.lift()
    await raised(venue)
    venue.want(HIGHEST)
    for _ in range(3):
        await venue.wait_an_hour()
        await venue.run(3)
    *_, highest = (parse_transaction(raw) for raw in await venue.raws())
    fees, size = venue.line(highest)
    assert fees * 1_000 <= DEAR.ceiling_rate * size
    assert len(await venue.attempts()) == 4
