"""Asks somebody else about each customer's withdrawal before the approver is: accept, hold, reject.

Stands before the approver in the pipeline. An answer is stored and never asked for again; without
one the withdrawal waits, and its money stays held. What is held leaves the pipeline until people
decide. It approves nothing itself, and asks about nothing that was approved before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import Approval, Approves, Death, WithdrawalId
from wallets.core.transactions import changing
from wallets.errors import Condition, Fenced, Rejected, Stuck
from wallets.screening import limits
from wallets.screening.verdicts import Answer, Question, Screens, Subject, Verdict

ACTOR: Final = "screening"
PREFIX: Final = "SCREENING_"
FIND: Final = """
select p.withdrawal_id, c.chain, c.network, p.destination_text, p.account_id, a.symbol,
    p.amount_atoms::text as amount_atoms, g.verdict, g.reason
from custody.payout p join custody.chain c using (network_id)
    join custody.asset a using (network_id, asset_id)
    left join custody.payout_screening g using (withdrawal_id)
where p.withdrawal_id = $1 and p.kind = 'customer' and p.state = 'requested'
    and c.screens_withdrawals
"""
STORE: Final = """
insert into custody.payout_screening (withdrawal_id, network_id, verdict, reason, reference)
select withdrawal_id, network_id, $2, $3, $4 from custody.payout where withdrawal_id = $1
on conflict do nothing
"""
# By the first answer, should two workers have asked. The claim of whoever works on it ends: what it
# would write is fenced.
HOLD: Final = """
update custody.payout set state = 'held', condition = '', reason = $2,
    claimed_by = '', fencing_token = fencing_token + 1, claim_expires_at = '-infinity'
where withdrawal_id = $1 and state = 'requested' and exists (
    select from custody.payout_screening g where g.withdrawal_id = $1 and g.verdict = 'hold')
"""


@dataclass(slots=True)
class Screened:
    """An approver that hears only of what the screening accepted, or people released."""

    database: Database
    approver: Approves
    # None = nobody is asked: what needs an answer waits.
    screens: Screens | None
    clock: Clock
    # Until then nobody is asked: the last question had no answer.
    silent_until_ns: int = 0

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        """The approver's word. Raises as it does, and Rejected, Stuck or Fenced by the verdict."""
        row = await self.database.read_row(FIND, withdrawal_id)
        if row is not None:
            await self._check(withdrawal_id, row)
        return await self.approver.approve(withdrawal_id, fee_atoms_max, dead)

    async def _check(self, withdrawal_id: WithdrawalId, row: asyncpg.Record) -> None:
        """Returns when it may go on."""
        verdict, reason = row["verdict"], row["reason"]
        if verdict is None:
            answer = await self._ask(_of_row(row))
            await self._store(withdrawal_id, answer)
            verdict, reason = answer.verdict, answer.reason
        if verdict == Verdict.HOLD:
            raise Fenced(f"held by the screening: {reason}")
        if verdict == Verdict.REJECT:
            raise Rejected(f"{PREFIX}{reason}", "the screening rejects it")

    async def _ask(self, question: Question) -> Answer:
        if self.screens is None or self.clock.monotonic_ns() < self.silent_until_ns:
            raise Stuck(Condition.SCREENING_UNAVAILABLE, "nobody answers")
        try:
            return await self.screens.judge(question)
        except Unavailable as error:
            pause_ns = int(limits.SILENCE_SECONDS * 1_000_000_000)
            self.silent_until_ns = self.clock.monotonic_ns() + pause_ns
            raise Stuck(Condition.SCREENING_UNAVAILABLE, str(error)) from None

    async def _store(self, withdrawal_id: WithdrawalId, answer: Answer) -> None:
        reason = f"{PREFIX}{answer.reason}"
        async with changing(self.database, ACTOR, reason) as connection:
            await connection.execute(
                STORE, withdrawal_id, answer.verdict.value, answer.reason, answer.reference
            )
            await connection.execute(HOLD, withdrawal_id, reason)


def _of_row(row: asyncpg.Record) -> Question:
    return Question(
        subject=Subject.WITHDRAWAL,
        subject_id=row["withdrawal_id"],
        chain=row["chain"],
        network=row["network"],
        address=row["destination_text"],
        account_id=row["account_id"],
        symbol=row["symbol"],
        amount_atoms=int(row["amount_atoms"]),
    )
