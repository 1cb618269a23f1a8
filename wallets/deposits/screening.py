"""Asks somebody else about each deposit before its credit: accept, hold, or no answer yet.

Run by the worker that holds the lease `screening/<network>`, where the network screens. A question
is on the books before it is asked and an answer is never asked for again; without an answer a
deposit waits. What credits, and what lets go of a held deposit, is not decided here.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.deposits import limits
from wallets.errors import Condition
from wallets.screening.verdicts import Question, Screens, Subject

ACTOR: Final = "screening"
PREFIX: Final = "SCREENING_"
# Those that were asked about least often first: one that is never answered keeps nobody waiting.
WAITING: Final = """
select d.deposit_id, c.chain, c.network, d.txid, d.index, a.text as address, d.account_id,
    s.symbol, d.amount_atoms::text as amount_atoms
from custody.deposit d join custody.chain c using (network_id)
    join custody.asset s using (network_id, asset_id)
    join custody.address a using (network_id, key)
    left join custody.deposit_screening g using (deposit_id)
where d.network_id = $1 and d.state = 'confirming' and c.screens_deposits
    and coalesce(g.verdict, '') = ''
    and (g.asked_at is null or g.asked_at <= clock_timestamp() - make_interval(secs => $3))
order by coalesce(g.asked_count, 0), d.block_height, d.deposit_id limit $2
"""
ASK: Final = """
insert into custody.deposit_screening as g (deposit_id, network_id, asked_count, asked_at)
values ($1, $2, 1, clock_timestamp())
on conflict (deposit_id) do update set asked_count = g.asked_count + 1, asked_at = excluded.asked_at
where g.verdict = ''
returning true
"""
ANSWER: Final = """
update custody.deposit_screening
set verdict = $2, reason = $3, reference = $4, answered_at = clock_timestamp()
where deposit_id = $1 and verdict = ''
"""
# Also what was held, left the chain with its block and came back in another one.
HOLD: Final = f"""
update custody.deposit d set state = 'held', reason = '{PREFIX}' || g.reason
from custody.deposit_screening g
where g.network_id = $1 and g.verdict = 'hold' and g.deposit_id = d.deposit_id
    and d.state = 'confirming'
"""  # noqa: S608
NAME: Final = """
update custody.chain set screening_condition = $2
where network_id = $1 and screening_condition <> $2
"""


@dataclass(frozen=True, slots=True)
class Screening:
    """One network's questions."""

    database: Database
    network_id: int
    screens: Screens

    async def run(self) -> None:
        """Asks until cancelled."""
        while True:
            try:
                await self.look()
            except (Unavailable, Unknown) as error:
                logs.get(__name__).warning("not screened", reason=str(error))
            await asyncio.sleep(limits.SCREENING_SECONDS)

    async def look(self) -> int:
        """How many deposits got an answer. Raises Unavailable, Unknown (of the database)."""
        rows = await self.database.read(
            WAITING, self.network_id, limits.SCREENED_PAGE, limits.SCREENING_RETRY_SECONDS
        )
        answered = failures = 0
        for row in rows:
            if await self._ask(_of_row(row)):
                answered, failures = answered + 1, 0
            else:
                failures += 1
            if failures >= limits.SCREENING_FAILURES_MAX:
                break
        if rows:
            await self._name(failures > 0)
        return answered

    async def _ask(self, question: Question) -> bool:
        """False without an answer."""
        deposit_id = question.subject_id
        if not await self.database.write(ASK, deposit_id, self.network_id):
            return True
        try:
            answer = await self.screens.judge(question)
        except Unavailable as error:
            logs.get(__name__).warning("no verdict", deposit=deposit_id.hex(), reason=str(error))
            return False
        async with changing(self.database, ACTOR, answer.reason) as connection:
            await connection.execute(
                ANSWER, deposit_id, answer.verdict.value, answer.reason, answer.reference
            )
            await hold_again(connection, self.network_id)
        return True

    async def _name(self, is_unavailable: bool) -> None:
        condition = Condition.SCREENING_UNAVAILABLE.value if is_unavailable else ""
        await self.database.write(NAME, self.network_id, condition)


async def hold_again(connection: Connection, network_id: int) -> None:
    """Holds what a screening said to hold and is on its way to a credit."""
    await connection.execute(HOLD, network_id)


def _of_row(row: asyncpg.Record) -> Question:
    return Question(
        subject=Subject.DEPOSIT,
        subject_id=row["deposit_id"],
        chain=row["chain"],
        network=row["network"],
        address=row["address"],
        account_id=row["account_id"],
        symbol=row["symbol"],
        amount_atoms=int(row["amount_atoms"]),
        txid=row["txid"],
        index=row["index"],
    )
