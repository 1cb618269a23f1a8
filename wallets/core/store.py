"""What the pipeline stores: one transaction per method, fenced by the claim. No decisions here.

Called by `wallets.core.pipeline`. Every method may raise Unavailable (nothing changed), Unknown
(the commit may have happened: a later claim reads what is there) or Fenced.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.errors import Unavailable
from runtime.postgres import Connection, Database
from wallets import limits
from wallets.books import postings
from wallets.contract import (
    Approval,
    Confirmation,
    Payout,
    Plan,
    Token,
    TransactionId,
)
from wallets.core import attempts, claims, outbox
from wallets.core.attempts import StoredAttempt
from wallets.core.claims import Claim
from wallets.core.transactions import changing
from wallets.core.units import to_chain
from wallets.core.verdict import Ending
from wallets.errors import Condition
from wallets.states import AttemptState, PayoutState

ENDS: Final = (AttemptState.DEAD, AttemptState.FAILED)


@dataclass(frozen=True, slots=True)
class Work:
    """All that is stored about a claimed payout."""

    token: Token
    engine_decimals: int
    attempts: list[StoredAttempt]
    # Of the attempt that is open or comes next, if there is one.
    approval: Approval | None
    fee_atoms_max: int
    # Approvals so far: one for each time that the payout was built anew.
    approvals: int
    # Inputs that this payout's attempts own.
    anchors: tuple[str, ...]
    # All that attempts own; read only where the first or next one is built, not for bumps.
    owned: frozenset[str]
    start_was_sent: bool


class Store:
    """The tables of withdrawals of one network, for one worker."""

    def __init__(self, database: Database, network_id: int, worker: str) -> None:
        self._database = database
        self._network_id = network_id
        self._worker = worker

    async def claim(self) -> Claim | None:
        """The next payout with something to do."""
        return await claims.claim(self._database, self._network_id, self._worker)

    async def read(self, mine: Claim) -> Work:
        """One look at everything."""
        async with self._database.transaction() as connection:
            asset = await connection.fetchrow(
                "select asset_id, contract, decimals, engine_decimals from custody.asset "
                "where network_id = $1 and asset_id = $2",
                mine.network_id,
                mine.asset_id,
            )
            assert asset is not None, "the inbox makes payouts of known assets only"
            stored = await attempts.read(connection, mine.withdrawal_id)
            approval = await connection.fetchrow(
                "select approval, signature, fee_atoms_max from custody.approval "
                "where withdrawal_id = $1 and attempt_number = $2",
                mine.withdrawal_id,
                number_of(stored),
            )
            return Work(
                token=Token(asset["asset_id"], asset["contract"], asset["decimals"]),
                engine_decimals=asset["engine_decimals"],
                attempts=stored,
                approval=None
                if approval is None
                else Approval(approval["approval"], approval["signature"]),
                fee_atoms_max=0 if approval is None else int(approval["fee_atoms_max"]),
                approvals=await connection.fetchval(
                    "select count(*) from custody.approval where withdrawal_id = $1",
                    mine.withdrawal_id,
                ),
                anchors=await attempts.read_anchors(connection, mine.withdrawal_id),
                owned=await attempts.read_owned(connection, mine.network_id)
                if mine.state is PayoutState.STARTED
                else frozenset(),
                start_was_sent=await connection.fetchval(
                    "select exists (select from custody.outbox "
                    "where subject_id = $1 and kind = 'start')",
                    mine.withdrawal_id,
                ),
            )

    async def read_owned(self, mine: Claim) -> frozenset[str]:
        """All inputs that attempts own, of this payout too."""
        async with self._database.connection() as connection:
            return await attempts.read_owned(connection, mine.network_id)

    async def wait(self, mine: Claim, condition: Condition | None = None) -> None:
        """Gives the claim back for a while; a condition says why."""
        async with self._change(mine) as connection:
            await claims.give_back(
                connection, mine, pause_seconds=limits.PAUSE_SECONDS, condition=condition
            )

    async def pays_ourselves(self, mine: Claim, key: bytes) -> bool:
        """Whether a customer's payout goes to an address that we derived."""
        row = await self._database.read_row(
            "select from custody.payout p join custody.address a using (network_id) "
            "where p.withdrawal_id = $1 and p.kind = 'customer' and a.key = $2",
            mine.withdrawal_id,
            key,
        )
        return row is not None

    async def awaits_deposits(self, mine: Claim) -> bool:
        """Whether a credit of the payer's may still be taken back: no block has it, or too few."""
        row = await self._database.read_row(
            "select from custody.payout p join custody.deposit d using (account_id, asset_id) "
            "where p.withdrawal_id = $1 and p.kind = 'customer' and d.credit_count % 2 = 1 "
            "and d.state in ('credited', 'orphaned') limit 1",
            mine.withdrawal_id,
        )
        return row is not None

    async def reject(self, mine: Claim, reason: str) -> None:
        """Refused before the start; the money goes back."""
        async with self._change(mine, reason) as connection:
            await claims.move(connection, mine, PayoutState.REJECTED, reason=reason)
            await self._command(connection, mine, "release")

    async def approve(
        self, mine: Claim, number: int, approval: Approval, fee_atoms_max: int
    ) -> None:
        """The approver's word for attempt `number`; the first one approves the payout."""
        async with self._change(mine) as connection:
            await connection.execute(
                "insert into custody.approval "
                "(withdrawal_id, attempt_number, fee_atoms_max, approval, signature) "
                "values ($1, $2, $3, $4, $5)",
                mine.withdrawal_id,
                number,
                fee_atoms_max,
                approval.approval,
                approval.signature,
            )
            if mine.state is PayoutState.REQUESTED:
                await claims.move(connection, mine, PayoutState.APPROVED)
            await claims.give_back(connection, mine)

    async def start(self, mine: Claim) -> None:
        """Asks the engine for the point of no return; its answer comes by the inbox."""
        async with self._change(mine) as connection:
            await self._command(connection, mine, "start")
            await claims.give_back(connection, mine)

    async def plan(self, mine: Claim, plan: Plan, payouts: list[Payout]) -> None:
        """From here on the attempt owns its inputs. Raises Unavailable when another one does."""
        try:
            async with self._change(mine) as connection:
                await attempts.insert(connection, mine, plan, payouts)
                await claims.move(connection, mine, PayoutState.BUILT)
                await claims.give_back(connection, mine)
        except asyncpg.UniqueViolationError as error:
            raise Unavailable("another worker's plan was first to own an input") from error

    async def plan_bump(
        self, mine: Claim, plan: Plan, payouts: list[Payout], anchors: tuple[str, ...]
    ) -> None:
        """A further attempt beside those that may be mined. Raises Unavailable as `plan` does."""
        try:
            async with self._change(mine, "its fee is raised") as connection:
                await attempts.insert(connection, mine, plan, payouts, anchors)
                await claims.give_back(connection, mine)
        except asyncpg.UniqueViolationError as error:
            raise Unavailable("another worker's plan was first to own an input") from error

    async def write_ahead(
        self, mine: Claim, attempt: StoredAttempt, txid: TransactionId, raw: bytes
    ) -> None:
        """The signed bytes, durable before any node hears of them."""
        async with self._change(mine) as connection:
            await attempts.write_ahead(connection, attempt.attempt_id, txid, raw)
            await claims.move(connection, mine, PayoutState.SIGNED)
            await claims.give_back(connection, mine)

    async def write_ahead_bump(
        self, mine: Claim, attempt: StoredAttempt, txid: TransactionId, raw: bytes
    ) -> None:
        """As `write_ahead`; the payout is where it was, and the next look sends the bytes."""
        async with self._change(mine, "its fee is raised") as connection:
            await attempts.write_ahead(connection, attempt.attempt_id, txid, raw)
            await attempts.set_state(connection, attempt.attempt_id, AttemptState.BROADCAST)
            await claims.give_back(connection, mine)

    async def release_to_nodes(self, mine: Claim, attempt: StoredAttempt) -> None:
        """The next thing that happens may be a broadcast."""
        async with self._change(mine) as connection:
            await attempts.move(connection, attempt, AttemptState.BROADCAST)
            await claims.move(connection, mine, PayoutState.BROADCASTING)
            await claims.give_back(connection, mine)

    async def mined(self, mine: Claim, winner: StoredAttempt, work: Work) -> None:
        """Seen in a block, not final; a sibling that was in one before no longer is."""
        async with self._change(mine) as connection:
            await self._unmine(connection, work, winner)
            await attempts.move(connection, winner, AttemptState.MINED)
            if mine.state is PayoutState.BROADCASTING:
                await claims.move(connection, mine, PayoutState.CONFIRMING)
            await claims.give_back(connection, mine, pause_seconds=limits.PAUSE_SECONDS)

    async def unmined(self, mine: Claim, work: Work) -> None:
        """No block has any of them (any more); the same bytes are sent again."""
        async with self._change(mine, "not in a block") as connection:
            await self._unmine(connection, work, None)
            if mine.state is PayoutState.CONFIRMING:
                await claims.move(connection, mine, PayoutState.BROADCASTING)
            await claims.give_back(connection, mine, pause_seconds=limits.PAUSE_SECONDS)

    async def settle(
        self, mine: Claim, winner: StoredAttempt, work: Work, found: Confirmation
    ) -> None:
        """Paid: state, book and the engine's command in one transaction.

        The other attempts share an input with the one that is final: its proof is theirs.
        """
        async with self._change(mine) as connection:
            for sibling in others(work.attempts, winner):
                if sibling.state not in ENDS:
                    proof = f"final is {found.txid}: ".encode() + found.proof
                    await attempts.end(connection, sibling, AttemptState.DEAD, proof)
            await attempts.move(connection, winner, AttemptState.FINAL)
            await attempts.free_inputs(connection, mine.withdrawal_id)
            await connection.execute(
                "update custody.attempt set fee_atoms = $2, death_proof = null "
                "where attempt_id = $1",
                winner.attempt_id,
                found.fee_atoms,
            )
            if mine.state is PayoutState.BROADCASTING:
                await claims.move(connection, mine, PayoutState.CONFIRMING)
            await claims.move(connection, mine, PayoutState.SETTLED)
            await self._post_paid(connection, mine, work, "settle", is_undone=False)
            await self._post_fee(connection, mine, found.fee_atoms, "settle")
            await self._command(connection, mine, "settle")
            await claims.give_back(connection, mine, pause_seconds=limits.PAUSE_SECONDS)

    async def reopen(self, mine: Claim, winner: StoredAttempt, work: Work) -> None:
        """A reorganisation took the block of a settled payout: book and engine go back.

        Deaths may have been proven by blocks that are gone: every dead attempt is looked at anew.
        """
        async with self._change(mine, "its block left the chain") as connection:
            fee_atoms = await connection.fetchval(
                "update custody.attempt set fee_atoms = null from "
                "(select attempt_id, fee_atoms from custody.attempt where attempt_id = $1) before "
                "where attempt.attempt_id = before.attempt_id returning before.fee_atoms",
                winner.attempt_id,
            )
            for attempt in work.attempts:
                if attempt is winner or (attempt.txid and attempt.state is AttemptState.DEAD):
                    await attempts.move(connection, attempt, AttemptState.BROADCAST)
            await claims.move(connection, mine, PayoutState.BROADCASTING)
            await self._post_paid(connection, mine, work, "reopen", is_undone=True)
            await self._post_fee(connection, mine, -int(fee_atoms or 0), "reopen")
            await self._command(connection, mine, "reopen")
            await claims.give_back(connection, mine)

    async def bury(self, mine: Claim, endings: tuple[Ending, ...], *, ended: bool) -> None:
        """All attempts are dead, or failed on the chain, with proof: build anew, or money back."""
        async with self._change(mine, "dead with proof") as connection:
            for one in endings:
                await attempts.end(connection, one.attempt, one.state, one.proof)
                await self._post_fee(connection, mine, one.fee_atoms, "failed")
            await attempts.free_inputs(connection, mine.withdrawal_id)
            if ended:
                await claims.move(connection, mine, PayoutState.FAILED, reason="ATTEMPTS_USED_UP")
                await self._command(connection, mine, "release")
            else:
                await claims.move(connection, mine, PayoutState.STARTED)
            await claims.give_back(connection, mine)

    async def _unmine(
        self, connection: Connection, work: Work, winner: StoredAttempt | None
    ) -> None:
        for attempt in others(work.attempts, winner):
            if attempt.state is AttemptState.MINED:
                await attempts.move(connection, attempt, AttemptState.BROADCAST)

    @asynccontextmanager
    async def _change(self, mine: Claim, reason: str = "") -> AsyncIterator[Connection]:
        async with changing(self._database, self._worker, reason) as connection:
            await claims.hold(connection, mine)
            yield connection

    async def _command(self, connection: Connection, mine: Claim, kind: str) -> None:
        await outbox.put(
            connection, kind, mine.withdrawal_id, network_id=mine.network_id, shard=mine.shard
        )

    async def _post_paid(
        self, connection: Connection, mine: Claim, work: Work, cause: str, *, is_undone: bool
    ) -> None:
        # A fee below the chain's unit is in the engine's books only.
        charged = to_chain(
            mine.engine_fee_atoms,
            decimals=work.token.decimals,
            engine_decimals=work.engine_decimals,
        )
        entries = postings.of_payout(mine.asset_id, mine.amount_atoms, charged or 0)
        await postings.post(
            connection,
            mine.network_id,
            cause,
            mine.withdrawal_id,
            postings.undone(entries) if is_undone else entries,
        )

    async def _post_fee(
        self, connection: Connection, mine: Claim, fee_atoms: int, cause: str
    ) -> None:
        if fee_atoms == 0:
            return
        native = await connection.fetchval(
            "select asset_id from custody.asset where network_id = $1 and contract = ''",
            mine.network_id,
        )
        await postings.post(
            connection,
            mine.network_id,
            cause,
            mine.withdrawal_id,
            postings.of_network_fee(native, fee_atoms),
        )


def number_of(stored: list[StoredAttempt]) -> int:
    """Of the approval under which the open attempts are, or the next one is, from 0."""
    return sum(attempt.state in ENDS for attempt in stored)


def others(stored: list[StoredAttempt], winner: StoredAttempt | None) -> list[StoredAttempt]:
    """All attempts but that one."""
    return [attempt for attempt in stored if attempt is not winner]
