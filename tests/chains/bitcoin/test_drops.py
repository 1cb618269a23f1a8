"""A payout leaves a batch that a real node has: the replacement pays the others, or the old all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.signing import sign
from tests.chains.bitcoin.test_bumps import Approver
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Approval, Payout, Plan, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

pytestmark = pytest.mark.chains

COUNT = 3
AMOUNT_ATOMS = 5_000_000


@dataclass
class Signer:
    """Keys in this process; the same intent gets the same bytes."""

    payouts: list[Payout]
    signed: dict[bytes, bytes] = field(default_factory=dict)

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        assert approvals
        return self.signed.setdefault(plan.intent_id, sign(plan, self.payouts))

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        (paid,) = [one for one in self.payouts if one.withdrawal_id == withdrawal_id]
        return [raw for raw in self.signed.values() if paid.destination.key in raw]


@dataclass
class Venue:
    """One batch on its way."""

    custody: Custody
    engine: MemoryEngine
    payouts: list[Payout]
    signer: Signer
    worker: Pipeline

    async def run(self, rounds: int, *, mines: bool = False) -> None:
        for _ in range(rounds):
            await self.custody.database.write("update custody.payout set not_before = '-infinity'")
            await self.worker.step()
            await self.engine.apply()
            if mines:
                await self.custody.mine(1)

    async def dropped(self) -> tuple[bytes, bytes]:
        """All were sent together, and the last one wants his money back."""
        for _ in range(3 * COUNT):
            await self.custody.database.write(
                "update custody.payout set not_before = case when state = 'started' "
                "then timestamptz 'infinity' else '-infinity' end"
            )
            await self.worker.step()
            await self.engine.apply()
        await self.run(4)
        assert len(self.custody.regtest.call("getrawmempool")) == 1
        await self.custody.database.write(
            "update custody.payout set cancel_requested = true where withdrawal_id = $1",
            self.payouts[-1].withdrawal_id,
        )
        await self.run(3 * COUNT)
        rows = await self.custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
        older, newer = (bytes(row["raw"]) for row in rows)
        return older, newer

    async def check_paid(self, count: int) -> None:
        """The first ones, once each, and the book to the last atom."""
        found: dict[bytes, list[int]] = {}
        for height in range(103, len(self.custody.scanned)):
            for move in (await self.custody.adapter.read_block(height)).movements:
                found.setdefault(move.key, []).append(move.amount_atoms)
        paid, back = self.payouts[:count], self.payouts[count:]
        assert [found[one.destination.key] for one in paid] == [[AMOUNT_ATOMS]] * count
        assert not [one for one in back if one.destination.key in found]
        assert self.engine.states == {
            **{one.withdrawal_id: "settled" for one in paid},
            **{one.withdrawal_id: "released" for one in back},
        }
        rows = await self.custody.database.read(
            "select account, sum(amount_atoms) as atoms from custody.posting group by 1"
        )
        book = {row["account"]: int(row["atoms"]) for row in rows}
        assert book["hot"] == -count * AMOUNT_ATOMS - book["network_cost"]
        assert book["customers"] == count * (AMOUNT_ATOMS + 20)


@pytest.fixture
async def venue(custody: Custody) -> Venue:
    database = custody.database
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    payouts = [
        payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS, number + 1) for number in range(COUNT)
    ]
    engine, signer = MemoryEngine(database), Signer(payouts)
    for one in payouts:
        text = one.destination.text
        await engine.request(Requested(one.withdrawal_id, 4096, 1, 1, AMOUNT_ATOMS, 20, text))
    worker = Pipeline(Store(database, 1, "worker"), custody.adapter, Approver(), signer)
    return Venue(custody, engine, payouts, signer, worker)


async def test_a_replacement_pays_the_others_and_the_money_of_one_goes_back(venue: Venue) -> None:
    older, newer = await venue.dropped()
    old, new = parse_transaction(older), parse_transaction(newer)
    assert {one.outpoint for one in old.inputs} <= {one.outpoint for one in new.inputs}
    assert venue.payouts[-1].destination.key not in newer
    assert venue.custody.regtest.call("getrawmempool") == [new.txid()]
    await venue.run(2 * COUNT)
    assert venue.engine.states[venue.payouts[-1].withdrawal_id] == "in flight"
    await venue.run(4 * COUNT, mines=True)
    await venue.check_paid(COUNT - 1)


async def test_the_older_one_mined_instead_pays_all(venue: Venue) -> None:
    older, _ = await venue.dropped()
    venue.custody.regtest.mine_with(older.hex())
    await venue.custody.scan()
    await venue.run(4 * COUNT, mines=True)
    await venue.check_paid(COUNT)
