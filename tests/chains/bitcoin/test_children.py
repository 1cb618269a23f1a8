"""A payout at its ceiling is lifted by a child on a real node; a child dies as its parent does."""

from dataclasses import dataclass, replace
from random import Random

import pytest

from tests.chains.bitcoin.custody import NETWORK, SETTINGS, Custody, payout_of
from tests.chains.bitcoin.signing import sign
from tests.chains.bitcoin.test_bumps import AMOUNT_ATOMS, Approver, Signer
from tests.chains.bitcoin.test_treasury import Signer as InternalSigner
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.bitcoin.fees import FeePolicy
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.treasury import BitcoinTreasury
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import BumpSchedule, Payout
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.treasury.step import Treasury

pytestmark = pytest.mark.chains

# Miners want ten times of what was offered.
DEAR = FeePolicy(1_000, 20_000, 50_000, 5_000, 6)


@dataclass
class Venue:
    """One payout that may not be raised, and the venue's own transfers."""

    custody: Custody
    engine: MemoryEngine
    payout: Payout
    worker: Pipeline
    treasury: Treasury

    async def run(self, rounds: int, *, mines: bool = False) -> None:
        for _ in range(rounds):
            await self.custody.database.write("update custody.payout set not_before = '-infinity'")
            await self.worker.step()
            await self.engine.apply()
            await self.treasury.step()
            if mines:
                await self.custody.mine(1)

    async def states(self) -> dict[str, str]:
        rows = await self.custody.database.read(
            "select kind, state from custody.attempt order by attempt_id"
        )
        return {row["kind"]: row["state"] for row in rows}

    async def lifted(self) -> tuple[bytes, bytes]:
        """Nobody mined the payout, and its child is in the pool beside it."""
        await self.run(7)
        assert await self.states() == {"payout": "broadcast"}
        await self.custody.database.write(
            "update custody.attempt set changed_at = changed_at - interval '1 hour'"
        )
        await self.run(4)
        assert await self.states() == {"payout": "broadcast", "child": "broadcast"}
        rows = await self.custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
        parent, child = (bytes(row["raw"]) for row in rows)
        return parent, child

    async def book(self) -> dict[str, int]:
        rows = await self.custody.database.read(
            "select account, sum(amount_atoms) as atoms from custody.posting group by 1"
        )
        return {row["account"]: int(row["atoms"]) for row in rows}


@pytest.fixture
async def venue(custody: Custody) -> Venue:
    database = custody.database
    custody.settings(replace(SETTINGS, bumps=BumpSchedule(600, 0)))
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    payout = payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS)
    engine = MemoryEngine(database)
    text = payout.destination.text
    await engine.request(Requested(payout.withdrawal_id, 4096, 1, 1, AMOUNT_ATOMS, 20, text))
    worker = Pipeline(Store(database, 1, "worker"), custody.adapter, Approver(), Signer(payout))
    dear, nodes = replace(SETTINGS, fees=DEAR), custody.adapter._nodes
    holds = BitcoinTreasury(NETWORK, REGTEST, nodes, database, dear, Random(2))
    numbers = iter(range(1, 1_000))
    treasury = Treasury(
        database,
        custody.adapter,
        holds,
        InternalSigner(),
        lambda: next(numbers).to_bytes(16, "big"),
    )
    return Venue(custody, engine, payout, worker, treasury)


async def test_a_child_pays_for_a_payout_that_may_not_be_raised_and_both_are_booked_once(
    venue: Venue,
) -> None:
    parent, child = (parse_transaction(raw) for raw in await venue.lifted())
    assert {one.txid for one in child.inputs} == {parent.txid()}
    entry = venue.custody.regtest.call("getmempoolentry", child.txid())
    assert round(entry["fees"]["ancestor"] * 10**11) >= 20_000 * entry["ancestorsize"]
    await venue.run(4)
    assert len(venue.custody.regtest.call("getrawmempool")) == 2, "one child, however often"
    await venue.run(8, mines=True)
    assert await venue.states() == {"payout": "final", "child": "final"}
    assert venue.engine.states == {venue.payout.withdrawal_id: "settled"}
    fees = round(entry["fees"]["ancestor"] * 10**8)
    book = await venue.book()
    assert book["network_cost"] == fees
    assert book["hot"] == -AMOUNT_ATOMS - fees
    assert await venue.custody.database.read("select 1 from custody.owned_input") == []


async def test_a_child_is_dead_by_the_proof_of_its_parents_death_and_not_before_it_is_final(
    venue: Venue,
) -> None:
    parent, _ = await venue.lifted()
    # The same coins in another transaction, which only some miner has.
    coins = tuple(one.outpoint for one in parse_transaction(parent).inputs)
    other = payout_of(venue.custody, ScriptKind.P2WPKH, AMOUNT_ATOMS, 9)
    plan = await venue.custody.adapter.build(
        b"r" * 16, [other], fee_atoms_max=100_000, must_use=coins, owned=frozenset()
    )
    rival = sign(plan, [other])
    venue.custody.regtest.mine_with(rival.hex())
    await venue.custody.scan()
    await venue.run(2)
    assert await venue.states() == {"payout": "broadcast", "child": "broadcast"}
    await venue.custody.mine(SETTINGS.final_depth)
    await venue.run(1)
    rows = await venue.custody.database.read(
        "select kind, state, death_proof from custody.attempt where state = 'dead'"
    )
    assert {row["kind"]: row["state"] for row in rows}["child"] == "dead"
    proof = parse_transaction(rival).serialise(with_witness=False)
    assert all(proof in row["death_proof"] for row in rows)
    # The payout is paid anew with other coins, once.
    await venue.run(12, mines=True)
    assert venue.engine.states == {venue.payout.withdrawal_id: "settled"}
    assert await venue.custody.database.read("select 1 from custody.owned_input") == []
