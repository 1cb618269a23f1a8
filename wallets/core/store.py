"""What the pipeline stores: one transaction per method, fenced by the claim. No decisions here.

What every payout passes is stored for several in one transaction, when several come at a time.

Called by `wallets.core.pipeline`. Every method may raise Unavailable (nothing changed), Unknown
(the commit may have happened: a later claim reads what is there) or Fenced.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import asyncpg

from runtime.errors import Unavailable
from runtime.postgres import Connection, Database, outcome_of_read
from wallets import limits
from wallets.books import postings
from wallets.contract import (
    Approval,
    AttemptId,
    Confirmation,
    Payout,
    Plan,
    TransactionId,
    WithdrawalId,
)
from wallets.core import attempts, batches, claims, outbox, together, working
from wallets.core.attempts import StoredAttempt
from wallets.core.batches import Mate
from wallets.core.claims import Claim
from wallets.core.sharing import Sharing
from wallets.core.together import paid
from wallets.core.transactions import changing
from wallets.core.verdict import Ending
from wallets.core.working import SHARED, Work
from wallets.errors import Condition, Fenced
from wallets.states import ENDED_ATTEMPTS, AttemptState, PayoutState

Piece = TypeVar("Piece")
OBSTACLES: Final = """
select exists (
        select from custody.payout p join custody.address a using (network_id)
        where p.withdrawal_id = asked.id and p.kind = 'customer'
            and a.key = asked.key) as pays_ourselves,
    exists (
        select from custody.payout p join custody.deposit d using (account_id, asset_id)
        where p.withdrawal_id = asked.id and p.kind = 'customer' and d.credit_count % 2 = 1
            and d.state in ('credited', 'orphaned')) as awaits_deposits
from unnest($1::bytea[], $2::bytea[]) with ordinality as asked (id, key, place) order by place
"""


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Why a payout may not be started now."""

    # It goes to an address that we derived.
    pays_ourselves: bool
    # A credit of the payer's may still be taken back: no block has it, or too few.
    awaits_deposits: bool


class Store:
    """The tables of withdrawals of one network, for one worker."""

    def __init__(
        self, database: Database, network_id: int, worker: str, *, starts: bool = True
    ) -> None:
        """`starts` as in `claims.claim`."""
        self._starts = starts
        self._database = database
        self._network_id = network_id
        self._worker = worker
        self._claiming = Sharing(self._claim_some)
        self._reading = Sharing(self._read_all)
        self._hindering = Sharing(self._read_obstacles)
        self._approving = Sharing(partial(self._write, together.approve))
        self._planning = Sharing(partial(self._write, together.plan))
        self._signing = Sharing(partial(self._write, together.write_ahead))
        self._settling = Sharing(partial(self._write, together.settle))

    async def claim(
        self, *, builds: bool = True, goes_on: bool = False, is_alone: bool = True
    ) -> Claim | None:
        """The next payout with something to do; see `claims.claim`.

        Unless it is to be alone, others of this worker are claimed in the same commit.
        """
        if is_alone:
            (mine,) = await self._claim_some([builds])
        else:
            mine = await self._claiming.do(builds)
        return None if mine is None else replace(mine, goes_on=goes_on)

    async def _claim_some(self, wanted: Sequence[bool]) -> list[Claim | None]:
        """One for each who may build, or may not, as far as there are any."""
        found = await claims.claim_some(
            self._database,
            self._network_id,
            self._worker,
            len(wanted),
            builds=all(wanted),
            starts=self._starts,
        )
        return [*found, *[None] * (len(wanted) - len(found))]

    async def _write(
        self,
        write: Callable[[Connection, Sequence[Piece]], Awaitable[Sequence[Exception | None]]],
        pieces: Sequence[Piece],
    ) -> Sequence[Exception | None]:
        """All of them in one transaction."""
        async with self._database.transaction() as connection:
            return await write(connection, pieces)

    async def read(self, mine: Claim) -> Work:
        """One look at everything."""
        return await self._reading.do(mine)

    async def _read_all(self, claimed: Sequence[Claim]) -> list[Work | Exception]:
        async with self._database.connection() as connection, outcome_of_read():
            return await working.read(connection, claimed)

    async def gather(self, mine: Claim, mates_max: int) -> tuple[Mate, ...]:
        """Claims other payouts that one transaction can pay together with this one."""
        if mates_max < 1:
            return ()
        gathered = await batches.gather(self._database, mine, mates_max)
        async with self._database.connection() as connection:
            ids: list[bytes] = [one.withdrawal_id for one in gathered]
            return tuple(await batches.read_approved(connection, mine, ids))

    async def let_go(self, mates: Sequence[Mate]) -> None:
        """Gives gathered payouts back as they were; another worker's are left alone."""
        async with changing(self._database, self._worker) as connection:
            await connection.executemany(
                "update custody.payout set claimed_by = '', claim_expires_at = '-infinity' "
                "where withdrawal_id = $1 and fencing_token = $2",
                [(mate.claim.withdrawal_id, mate.claim.fencing_token) for mate in mates],
            )

    async def count_ready(self, mine: Claim, counted_max: int) -> int:
        """How many payouts of the asset have started and are not planned, this one too."""
        row = await self._database.read_row(
            "select count(*) from (select from custody.payout where network_id = $1 "
            "and asset_id = $2 and state = 'started' limit $3) ready",
            mine.network_id,
            mine.asset_id,
            counted_max,
        )
        return 0 if row is None else int(row[0])

    async def read_owned(self, mine: Claim) -> frozenset[str]:
        """All inputs that attempts own, of this payout too."""
        async with self._database.connection() as connection:
            return await attempts.read_owned(connection, mine.network_id)

    async def wait(
        self, mine: Claim, condition: Condition | None = None, work: Work | None = None
    ) -> None:
        """Gives the claim back for a while, with the batch it is in; a condition says why."""
        newest = work.newest if work is not None and mine.state in SHARED else None
        async with self._change(mine, attempt_id=newest) as (connection, members):
            pause_seconds = limits.PAUSE_SECONDS
            if work is not None and mine.state is PayoutState.SETTLED:
                pause_seconds = watch_pause_seconds(work.waited_seconds)
            await claims.give_back(
                connection, members, pause_seconds=pause_seconds, condition=condition
            )

    async def obstacles(self, mine: Claim, key: bytes) -> Obstacles:
        """What keeps a customer's payout to this key from being started."""
        return await self._hindering.do((mine, key))

    async def _read_obstacles(self, asked: Sequence[tuple[Claim, bytes]]) -> list[Obstacles]:
        ids = [mine.withdrawal_id for mine, _ in asked]
        rows = await self._database.read(OBSTACLES, ids, [key for _, key in asked])
        return [Obstacles(row["pays_ourselves"], row["awaits_deposits"]) for row in rows]

    async def reject(self, mine: Claim, reason: str) -> None:
        """Refused before the start; the money goes back."""
        async with self._change(mine, reason) as (connection, _):
            await claims.move(connection, [mine], PayoutState.REJECTED, reason=reason)
            await self._command(connection, mine, "release")

    async def approve(
        self,
        mine: Claim,
        number: int,
        approval: Approval,
        fee_atoms_max: int,
        *,
        starts: bool = False,
    ) -> None:
        """The approver's word for attempt `number`; the first one approves the payout.

        With `starts` the engine is asked as by `start`, in the same transaction.
        """
        piece = together.Approving(mine, number, approval, fee_atoms_max, starts)
        await self._approving.do(piece)

    async def read_ended(self, withdrawal_id: WithdrawalId) -> list[StoredAttempt]:
        """A payout's attempts that can never pay."""
        async with self._database.connection() as connection:
            stored = await attempts.read(connection, withdrawal_id)
        return [attempt for attempt in stored if attempt.state in ENDED_ATTEMPTS]

    async def renew(
        self, mine: Claim, withdrawal_id: WithdrawalId, number: int, approval: Approval
    ) -> None:
        """The approver's word anew, of the claimed payout or of one in its attempt."""
        async with self._change(mine) as (connection, _):
            await connection.execute(
                "update custody.approval set approval = $3, signature = $4 "
                "where withdrawal_id = $1 and attempt_number = $2",
                withdrawal_id,
                number,
                approval.approval,
                approval.signature,
            )

    async def start(self, mine: Claim) -> None:
        """Asks the engine for the point of no return; its answer comes by the inbox."""
        async with self._change(mine) as (connection, _):
            await claims.give_back(connection, [mine], pause_seconds=limits.NEVER_SECONDS)
            await self._command(connection, mine, "start")

    async def cancel(self, mine: Claim) -> None:
        """The signer will never sign for it, or all it signed is dead: the money goes back."""
        async with self._change(mine, "cancelled by the customer") as (connection, _):
            await self._cancel(connection, mine)

    async def drop(self, mine: Claim, work: Work, wish: Claim) -> None:
        """One payout leaves a plan that nobody will ever sign; the others are planned anew."""
        attempt = work.attempts[-1]
        proof = b"the signer signs nothing any more for " + wish.withdrawal_id.hex().encode()
        async with self._change(
            mine, "cancelled by the customer", attempt_id=attempt.attempt_id
        ) as (connection, members):
            if wish.withdrawal_id not in {one.withdrawal_id for one in members}:
                raise Fenced("another worker moved who wants to be cancelled")
            await attempts.end(connection, attempt, AttemptState.DEAD, proof)
            await attempts.free_inputs(connection, [one.withdrawal_id for one in members])
            await claims.give_back(connection, members, state=PayoutState.STARTED)
            await self._cancel(connection, wish)

    async def plan(
        self, mine: Claim, plan: Plan, payouts: list[Payout], mates: Sequence[Mate] = ()
    ) -> None:
        """From here on the attempt owns its inputs.

        Raises Unavailable when another one does, or another worker holds the plan's lease.
        """
        members = (mine, *(mate.claim for mate in mates))
        try:
            await self._planning.do(together.Planning(mine, members, plan, tuple(payouts)))
        except asyncpg.UniqueViolationError as error:
            raise Unavailable("another worker's plan was first to own an input") from error

    async def plan_bump(
        self,
        mine: Claim,
        plan: Plan,
        payouts: list[Payout],
        work: Work,
        leaving: Sequence[Claim] = (),
    ) -> None:
        """A further attempt beside those that may be mined. Raises Unavailable as `plan` does.

        Those that leave are in none of its outputs; what was sent before may pay them all the same.
        """
        try:
            async with self._change(mine, "its fee is raised", attempt_id=work.newest) as (
                connection,
                members,
            ):
                stored = await attempts.read(connection, mine.withdrawal_id)
                if stored[-1].attempt_id != work.newest:
                    raise Fenced("another worker raised the fee of this batch")
                if not set(leaving) <= set(members):
                    raise Fenced("another worker moved who wants to be cancelled")
                await attempts.insert(connection, mine, plan, payouts, work.anchors)
                await claims.move(connection, leaving, PayoutState.CANCELLING)
                await claims.give_back(connection, members)
        except asyncpg.UniqueViolationError as error:
            raise Unavailable("another worker's plan was first to own an input") from error

    async def write_ahead(
        self,
        mine: Claim,
        attempt: StoredAttempt,
        txid: TransactionId,
        raw: bytes,
        *,
        releases: bool = False,
    ) -> None:
        """The signed bytes, durable before any node hears of them.

        With `releases` what follows is as after `release_to_nodes`, in the same transaction.
        """
        piece = together.Signing(mine, attempt, txid, raw, releases)
        await self._signing.do(piece)

    async def write_ahead_bump(
        self, mine: Claim, attempt: StoredAttempt, txid: TransactionId, raw: bytes
    ) -> None:
        """As `write_ahead`; the payouts are where they were, and the next look sends the bytes."""
        async with self._change(mine, "its fee is raised", attempt_id=attempt.attempt_id) as (
            connection,
            members,
        ):
            now = await connection.fetchval(
                "select state from custody.attempt where attempt_id = $1 for update",
                attempt.attempt_id,
            )
            if now != AttemptState.PLANNED:
                raise Fenced("another worker signed for this batch")
            await attempts.write_ahead(connection, attempt.attempt_id, txid, raw)
            await attempts.set_state(connection, attempt.attempt_id, AttemptState.BROADCAST)
            await claims.give_back(connection, members)

    async def release_to_nodes(self, mine: Claim, attempt: StoredAttempt) -> None:
        """The next thing that happens may be a broadcast; then nobody looks for a while."""
        async with self._change(mine, attempt_id=attempt.attempt_id) as (connection, members):
            await attempts.move(connection, attempt, AttemptState.BROADCAST)
            await claims.give_back(
                connection,
                members,
                pause_seconds=limits.PAUSE_SECONDS,
                state=PayoutState.BROADCASTING,
            )

    async def mined(self, mine: Claim, winner: StoredAttempt, work: Work) -> None:
        """Seen in a block, not final; a sibling that was in one before no longer is."""
        async with self._change(mine, attempt_id=winner.attempt_id) as (connection, members):
            await self._unmine(connection, work, winner)
            await attempts.move(connection, winner, AttemptState.MINED)
            await claims.give_back(
                connection,
                members,
                pause_seconds=limits.PAUSE_SECONDS,
                state=PayoutState.CONFIRMING if mine.state is PayoutState.BROADCASTING else None,
            )

    async def unmined(self, mine: Claim, work: Work) -> None:
        """No block has any of them (any more); the same bytes are sent again."""
        async with self._change(mine, "not in a block", attempt_id=work.newest) as (
            connection,
            members,
        ):
            await self._unmine(connection, work, None)
            await claims.give_back(
                connection,
                members,
                pause_seconds=limits.PAUSE_SECONDS,
                state=PayoutState.BROADCASTING if mine.state is PayoutState.CONFIRMING else None,
            )

    async def settle(
        self, mine: Claim, winner: StoredAttempt, work: Work, found: Confirmation
    ) -> None:
        """Paid: states, book and the engine's commands of the whole batch in one transaction.

        The other attempts share an input with the one that is final: its proof is theirs.
        """
        await self._settling.do(together.Settling(mine, winner, work, found))

    async def reopen(self, mine: Claim, winner: StoredAttempt, work: Work) -> None:
        """A reorganisation took the block of settled payouts: book and engine go back.

        Deaths may have been proven by blocks that are gone: every dead attempt is looked at anew.
        """
        async with self._change(mine, "its block left the chain", attempt_id=winner.attempt_id) as (
            connection,
            members,
        ):
            fee_atoms = await connection.fetchval(
                "update custody.attempt set fee_atoms = null from "
                "(select attempt_id, fee_atoms from custody.attempt where attempt_id = $1) before "
                "where attempt.attempt_id = before.attempt_id returning before.fee_atoms",
                winner.attempt_id,
            )
            ids = [one.withdrawal_id for one in members]
            for attempt in await attempts.read(connection, *ids):
                is_winner = attempt.attempt_id == winner.attempt_id
                if is_winner or (attempt.txid and attempt.state is AttemptState.DEAD):
                    await attempts.move(connection, attempt, AttemptState.BROADCAST)
            await claims.give_back(connection, members, state=PayoutState.BROADCASTING)
            await self._post_fee(connection, mine, work, -int(fee_atoms or 0), "reopen")
            undone = [(one.withdrawal_id, postings.undone(paid(one, work))) for one in members]
            await postings.post_all(connection, mine.network_id, "reopen", undone)
            await together.command(connection, "reopen", members)

    async def bury(
        self, mine: Claim, endings: tuple[Ending, ...], work: Work, *, ended: bool
    ) -> None:
        """All attempts are dead, or failed on the chain, with proof: build anew, or money back.

        A mate with an attempt of its own that may be mined is left where it is.
        """
        async with self._change(mine, "dead with proof", attempt_id=work.newest) as (
            connection,
            members,
        ):
            for one in endings:
                await attempts.end(connection, one.attempt, one.state, one.proof)
                await self._post_fee(connection, mine, work, one.fee_atoms, "failed")
            left = await attempts.read_live(connection, members)
            dead = [one for one in members if not left[one.withdrawal_id] and not ended] or [mine]
            await attempts.free_inputs(connection, [one.withdrawal_id for one in dead])
            if ended:
                await claims.give_back(
                    connection, dead, state=PayoutState.FAILED, reason="ATTEMPTS_USED_UP"
                )
                await self._command(connection, mine, "release")
            else:
                await claims.give_back(connection, dead, state=PayoutState.STARTED)

    async def leave(self, mine: Claim, endings: tuple[Ending, ...], work: Work) -> None:
        """All that paid one that was dropped is dead, with proof: the money goes back."""
        async with self._change(mine, "cancelled by the customer", attempt_id=work.newest) as (
            connection,
            _,
        ):
            for one in endings:
                await attempts.end(connection, one.attempt, one.state, one.proof)
                await self._post_fee(connection, mine, work, one.fee_atoms, "failed")
            left = await attempts.read_live(connection, [mine])
            if left[mine.withdrawal_id]:
                raise Fenced("what pays it may be mined again")
            await self._cancel(connection, mine)

    async def _unmine(
        self, connection: Connection, work: Work, winner: StoredAttempt | None
    ) -> None:
        for attempt in others(work.attempts, winner):
            if attempt.state is AttemptState.MINED:
                await attempts.move(connection, attempt, AttemptState.BROADCAST)

    @asynccontextmanager
    async def _change(
        self, mine: Claim, reason: str = "", *, attempt_id: AttemptId | None = None
    ) -> AsyncIterator[tuple[Connection, list[Claim]]]:
        """One transaction over the claimed payout and those of an attempt that stand beside it."""
        async with self._database.transaction() as connection:
            yield connection, await batches.hold(connection, mine, attempt_id, reason)

    async def _cancel(self, connection: Connection, mine: Claim) -> None:
        await claims.give_back(
            connection, [mine], state=PayoutState.CANCELLED, reason="CANCELLED_BY_CUSTOMER"
        )
        await self._command(connection, mine, "release")

    async def _command(self, connection: Connection, mine: Claim, kind: str) -> None:
        await outbox.put(
            connection, kind, mine.withdrawal_id, network_id=mine.network_id, shard=mine.shard
        )

    async def _post_fee(
        self, connection: Connection, mine: Claim, work: Work, fee_atoms: int, cause: str
    ) -> None:
        if fee_atoms == 0:
            return
        await postings.post(
            connection,
            mine.network_id,
            cause,
            mine.withdrawal_id,
            postings.of_network_fee(work.native_asset_id, fee_atoms),
        )


def number_of(stored: list[StoredAttempt]) -> int:
    """Of the approval under which the open attempts are, or the next one is, from 0."""
    return sum(attempt.state in ENDED_ATTEMPTS for attempt in stored)


def watch_pause_seconds(age_seconds: int) -> float:
    """Until the next look at a payout that settled so long ago."""
    if age_seconds >= limits.SETTLED_WATCH_SECONDS:
        return limits.NEVER_SECONDS
    return max(limits.PAUSE_SECONDS, age_seconds * limits.SETTLED_PAUSE_OF_AGE)


def others(stored: list[StoredAttempt], winner: StoredAttempt | None) -> list[StoredAttempt]:
    """All attempts but that one."""
    return [one for one in stored if winner is None or one.attempt_id != winner.attempt_id]
