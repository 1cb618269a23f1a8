"""Payouts on their way through the real pipeline to a real node, with keys in this process.

Used by the tests of batches, bumps, drops and children. The engine is in memory; every wait is
over at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chains.bitcoin.custody import Custody
from tests.chains.bitcoin.signing import sign
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryApprover, MemoryEngine
from wallets.contract import Approval, Death, Payout, Plan, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

# What the venue charges for a withdrawal.
CHARGED_ATOMS = 20


class Approver(MemoryApprover):
    """Its word says nothing here: the signer of these tests asks for none."""

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
    # How many approvals came with each request.
    approved: list[int] = field(default_factory=list)

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        self.approved.append(len(approvals))
        return self.signed.setdefault(plan.intent_id, sign(plan, self.payouts))

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        (paid,) = [one for one in self.payouts if one.withdrawal_id == withdrawal_id]
        return [raw for raw in self.signed.values() if paid.destination.key in raw]


@dataclass
class UnderWay:
    """Payouts, and all that brings them to their end."""

    custody: Custody
    engine: MemoryEngine
    payouts: list[Payout]
    signer: Signer
    worker: Pipeline

    async def step(self) -> None:
        await self.worker.step()
        await self.engine.apply()

    async def run(self, rounds: int, *, mines: bool = False) -> None:
        for _ in range(rounds):
            await self.custody.database.write("update custody.payout set not_before = '-infinity'")
            await self.step()
            if mines:
                await self.custody.mine(1)

    async def send_together(self) -> None:
        """Those that have started wait until all have, and one transaction pays them."""
        for _ in range(3 * len(self.payouts)):
            await self.custody.database.write(
                "update custody.payout set not_before = case when state = 'started' "
                "then timestamptz 'infinity' else '-infinity' end"
            )
            await self.step()
        # Planned, signed, released, sent.
        await self.run(4)

    async def wait_an_hour(self) -> None:
        """Nobody mined what was sent."""
        await self.custody.database.write(
            "update custody.attempt set changed_at = changed_at - interval '1 hour'"
        )

    async def attempts(self) -> list[tuple[str, str]]:
        """Kind and state of each, oldest first."""
        rows = await self.custody.database.read(
            "select kind, state from custody.attempt order by attempt_id"
        )
        return [(row["kind"], row["state"]) for row in rows]

    async def raws(self) -> list[bytes]:
        """Signed bytes, oldest first."""
        rows = await self.custody.database.read(
            "select raw from custody.attempt order by attempt_id"
        )
        return [bytes(row["raw"]) for row in rows]

    async def paid(self) -> dict[bytes, list[int]]:
        """Amounts to each script in the blocks since the test began."""
        found: dict[bytes, list[int]] = {}
        for height in range(103, len(self.custody.scanned)):
            for move in (await self.custody.adapter.read_block(height)).movements:
                found.setdefault(move.key, []).append(move.amount_atoms)
        return found

    async def book(self) -> dict[str, int]:
        """Custody's, by account."""
        rows = await self.custody.database.read(
            "select account, sum(amount_atoms) as atoms from custody.posting group by 1"
        )
        return {row["account"]: int(row["atoms"]) for row in rows}

    async def check_settled_once(self) -> None:
        """All of them, and nothing is left over."""
        assert self.engine.states == {one.withdrawal_id: "settled" for one in self.payouts}
        paid = await self.paid()
        for one in self.payouts:
            assert paid[one.destination.key] == [one.amount_atoms]
        assert await self.custody.database.read("select 1 from custody.owned_input") == []


async def begin(custody: Custody, payouts: list[Payout]) -> UnderWay:
    """All are requested; nothing else has happened."""
    database = custody.database
    await database.write("insert into custody.asset values (1, 1, '', 'BTC', 8, 8, 0, 0)")
    await database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    engine, signer = MemoryEngine(database), Signer(payouts)
    for one in payouts:
        text, amount = one.destination.text, one.amount_atoms
        await engine.request(Requested(one.withdrawal_id, 4096, 1, 1, amount, CHARGED_ATOMS, text))
    worker = Pipeline(Store(database, 1, "worker"), custody.adapter, Approver(), signer)
    return UnderWay(custody, engine, payouts, signer, worker)
