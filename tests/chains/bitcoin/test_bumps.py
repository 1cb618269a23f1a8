"""A payout that nobody mines is replaced on a real node, and paid once by whichever was mined."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.signing import sign
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryApprover, MemoryEngine
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Approval, Death, Payout, Plan, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

pytestmark = pytest.mark.chains

AMOUNT_ATOMS = 30_000_000


class Approver(MemoryApprover):
    """Its word says nothing here: the signer of this test asks for none."""

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        self.dead = list(dead)
        return Approval(withdrawal_id + fee_atoms_max.to_bytes(8, "big"), b"signature")


@dataclass
class Signer:
    """Keys in this process; the same intent gets the same bytes."""

    payout: Payout
    signed: dict[bytes, bytes] = field(default_factory=dict)

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        assert len(approvals) == 1
        return self.signed.setdefault(plan.intent_id, sign(plan, [self.payout]))

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        assert withdrawal_id == self.payout.withdrawal_id
        return tuple(self.signed.values())


@dataclass
class Venue:
    """One payout on its way."""

    custody: Custody
    engine: MemoryEngine
    payout: Payout
    worker: Pipeline

    async def run(self, rounds: int, *, mines: bool = False) -> None:
        for _ in range(rounds):
            await self.custody.database.write("update custody.payout set not_before = '-infinity'")
            await self.worker.step()
            await self.engine.apply()
            if mines:
                await self.custody.mine(1)

    async def bumped(self) -> tuple[bytes, bytes]:
        """Nobody mined the first attempt, and the second is sent."""
        await self.run(7)
        await self.custody.database.write(
            "update custody.attempt set changed_at = changed_at - interval '1 hour'"
        )
        await self.run(3)
        assert await self.states() == ["broadcast", "broadcast"]
        rows = await self.custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
        older, newer = (bytes(row["raw"]) for row in rows)
        return older, newer

    async def states(self) -> list[str]:
        rows = await self.custody.database.read(
            "select state from custody.attempt order by attempt_id"
        )
        return [row["state"] for row in rows]

    async def check_settled_once(self) -> None:
        assert self.engine.states == {self.payout.withdrawal_id: "settled"}
        paid = []
        for height in range(103, len(self.custody.scanned)):
            block = await self.custody.adapter.read_block(height)
            key = self.payout.destination.key
            paid += [move.amount_atoms for move in block.movements if move.key == key]
        assert paid == [AMOUNT_ATOMS]
        assert await self.custody.database.read("select 1 from custody.owned_input") == []


@pytest.fixture
async def venue(custody: Custody) -> Venue:
    database = custody.database
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    payout = payout_of(custody, ScriptKind.P2WPKH, AMOUNT_ATOMS)
    engine = MemoryEngine(database)
    text = payout.destination.text
    await engine.request(Requested(payout.withdrawal_id, 4096, 1, 1, AMOUNT_ATOMS, 20, text))
    worker = Pipeline(Store(database, 1, "worker"), custody.adapter, Approver(), Signer(payout))
    return Venue(custody, engine, payout, worker)


async def test_an_unmined_payout_is_replaced_and_settles_once(venue: Venue) -> None:
    older, newer = await venue.bumped()
    old, new = parse_transaction(older), parse_transaction(newer)
    assert {one.outpoint for one in old.inputs} <= {one.outpoint for one in new.inputs}
    assert venue.custody.regtest.call("getrawmempool") == [new.txid()]
    await venue.run(8, mines=True)
    await venue.check_settled_once()
    assert await venue.states() == ["dead", "final"]


async def test_the_older_one_mined_instead_settles_once(venue: Venue) -> None:
    older, newer = await venue.bumped()
    assert older != newer
    venue.custody.regtest.mine_with(older.hex())
    await venue.custody.scan()
    await venue.run(8, mines=True)
    await venue.check_settled_once()
    assert await venue.states() == ["final", "dead"]
