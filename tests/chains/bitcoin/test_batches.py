"""Many payouts in one transaction on a real node: each is paid once, and the books agree."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.chains.bitcoin.custody import Custody, payout_of
from tests.chains.bitcoin.signing import sign
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryApprover, MemoryEngine
from wallets.bitcoin.scripts import ScriptKind
from wallets.contract import Approval, Death, Payout, Plan, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

pytestmark = pytest.mark.chains

COUNT = 12
AMOUNT_ATOMS = 5_000_000


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

    payouts: list[Payout]
    signed: dict[bytes, bytes] = field(default_factory=dict)
    approved: list[int] = field(default_factory=list)

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        self.approved.append(len(approvals))
        return self.signed.setdefault(plan.intent_id, sign(plan, self.payouts))

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        raise NotImplementedError(withdrawal_id)


async def test_payouts_to_all_kinds_of_scripts_leave_together_and_settle_together(
    custody: Custody,
) -> None:
    database = custody.database
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    kinds = list(ScriptKind)
    payouts = [
        payout_of(custody, kinds[number % len(kinds)], AMOUNT_ATOMS + number, number + 1)
        for number in range(COUNT)
    ]
    engine, signer = MemoryEngine(database), Signer(payouts)
    for payout in payouts:
        text, amount = payout.destination.text, payout.amount_atoms
        await engine.request(Requested(payout.withdrawal_id, 4096, 1, 1, amount, 20, text))
    worker = Pipeline(Store(database, 1, "worker"), custody.adapter, Approver(), signer)
    # Those that have started wait until all have.
    for _ in range(3 * COUNT):
        await database.write(
            "update custody.payout set not_before = case when state = 'started' "
            "then timestamptz 'infinity' else '-infinity' end"
        )
        await worker.step()
        await engine.apply()
    await database.write("update custody.payout set not_before = '-infinity'")
    # Planned, signed, released, sent.
    for _ in range(4):
        await worker.step()
    (txid,) = custody.regtest.call("getrawmempool")
    assert signer.approved == [COUNT]
    for _ in range(6):
        await custody.mine(1)
        await database.write("update custody.payout set not_before = '-infinity'")
        await worker.step()
    await engine.apply()
    assert engine.states == {payout.withdrawal_id: "settled" for payout in payouts}
    paid: dict[bytes, list[int]] = {}
    for height in range(103, len(custody.scanned)):
        for move in (await custody.adapter.read_block(height)).movements:
            if move.txid == txid:
                paid.setdefault(move.key, []).append(move.amount_atoms)
    for payout in payouts:
        assert paid[payout.destination.key] == [payout.amount_atoms]
    rows = await database.read(
        "select account, sum(amount_atoms) as atoms from custody.posting group by 1 order by 1"
    )
    book = {row["account"]: int(row["atoms"]) for row in rows}
    total = sum(payout.amount_atoms for payout in payouts)
    assert book["customers"] == total + COUNT * 20
    assert book["hot"] == -total - book["network_cost"]
    fees = custody.regtest.call("getrawtransaction", txid, 2)["fee"]
    assert book["network_cost"] == round(fees * 100_000_000)
