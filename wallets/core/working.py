"""All that is stored about claimed payouts, read in one statement.

Called by `wallets.core.store`. One statement is one snapshot, and one round trip for all steps that
come at a time. It changes nothing and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.postgres import Connection
from wallets import limits
from wallets.contract import Approval, AttemptId, Token
from wallets.core import attempts, batches
from wallets.core.attempts import StoredAttempt
from wallets.core.batches import Mate
from wallets.core.claims import Claim
from wallets.errors import Stuck
from wallets.states import PayoutState

# Where a payout is in a transaction, with all others that it pays.
SHARED: Final = (
    PayoutState.BUILT,
    PayoutState.SIGNED,
    PayoutState.BROADCASTING,
    PayoutState.CONFIRMING,
    PayoutState.SETTLED,
)
READ: Final = f"""
select payout.withdrawal_id, a.asset_id, a.contract, a.decimals, a.engine_decimals,
    payout.cancel_requested, c.withdrawals_stopped,
    extract(epoch from clock_timestamp() - payout.changed_at)::bigint as waited_seconds,
    coalesce(tried.attempts, '{{}}') as tried,
    approval.approval, approval.signature, approval.fee_atoms_max,
    (select count(*) from custody.approval given
     where given.withdrawal_id = payout.withdrawal_id) as approvals,
    (select asset_id from custody.asset native
     where native.network_id = payout.network_id and native.contract = '') as native_asset_id,
    array(select distinct i.input from custody.owned_input i
          join custody.attempt_output o using (attempt_id)
          where o.withdrawal_id = payout.withdrawal_id order by 1) as anchors,
    case when payout.state = 'started' then array(
        select input from custody.owned_input
        where network_id = payout.network_id limit $2) end as owned,
    exists (select from custody.outbox
            where subject_id = payout.withdrawal_id and kind = 'start') as start_was_sent,
    payout.state = 'approved' and exists (
        select from custody.outbox where subject_id = payout.withdrawal_id and kind = 'start'
            and answer_reason is not null) as start_was_in_vain,
    array(select withdrawal_id from custody.attempt_output
          where attempt_id = tried.newest and withdrawal_id <> payout.withdrawal_id) as mates
from custody.payout payout join custody.asset a using (network_id, asset_id)
    join custody.chain c using (network_id)
    cross join lateral (
        select array_agg(row(one.*) order by one.attempt_id) as attempts,
            count(*) filter (where one.state in ('dead', 'failed')) as ended,
            max(one.attempt_id) as newest
        from ({attempts.TRIED}) one) tried
    left join custody.approval approval on approval.withdrawal_id = payout.withdrawal_id
        and approval.attempt_number = tried.ended
where payout.withdrawal_id = any($1::bytea[])
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Work:
    """All that is stored about a claimed payout."""

    token: Token
    # What the network takes its fees in.
    native_asset_id: int
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
    # Answered, and the payout stays where it was: that is never so.
    start_was_in_vain: bool
    # The other payouts of the newest attempt.
    mates: tuple[Mate, ...]
    # Since its state changed last, by the database's clock.
    waited_seconds: int
    # As they are now; whoever goes on with a claim saw them when it was made.
    cancel_requested: bool
    is_stopped: bool

    @property
    def newest(self) -> AttemptId | None:
        """The attempt whose payouts move together."""
        return self.attempts[-1].attempt_id if self.attempts else None

    @property
    def batch_approvals(self) -> tuple[Approval, ...] | None:
        """Of all payouts of the newest attempt; None while one is missing."""
        found = (self.approval, *(mate.approval for mate in self.mates))
        given = tuple(one for one in found if one is not None)
        return given if len(given) == len(found) else None

    @property
    def batch_fee_atoms_max(self) -> int:
        """The most that a transaction which pays all of them may cost."""
        return self.fee_atoms_max + sum(mate.fee_atoms_max for mate in self.mates)


async def read(connection: Connection, claimed: Sequence[Claim]) -> list[Work | Exception]:
    """One look at everything of each. Stuck when attempts own too many inputs to build on."""
    ids = [one.withdrawal_id for one in claimed]
    rows = await connection.fetch(READ, ids, limits.OWNED_INPUTS_MAX + 1)
    found = {row["withdrawal_id"]: row for row in rows}
    return [await _of_row(connection, one, found[one.withdrawal_id]) for one in claimed]


async def _of_row(connection: Connection, mine: Claim, row: asyncpg.Record) -> Work | Exception:
    try:
        owned = attempts.check_owned(row["owned"] or ())
    except Stuck as error:
        return error
    mates = await batches.read_approved(connection, mine, row["mates"]) if row["mates"] else ()
    return Work(
        token=Token(row["asset_id"], row["contract"], row["decimals"]),
        native_asset_id=row["native_asset_id"],
        engine_decimals=row["engine_decimals"],
        attempts=[attempts.of_columns(columns) for columns in row["tried"]],
        approval=None if row["approval"] is None else Approval(row["approval"], row["signature"]),
        fee_atoms_max=int(row["fee_atoms_max"] or 0),
        approvals=row["approvals"],
        anchors=tuple(row["anchors"]),
        owned=owned,
        start_was_sent=row["start_was_sent"],
        start_was_in_vain=row["start_was_in_vain"],
        mates=tuple(mates) if mine.state in SHARED else (),
        waited_seconds=row["waited_seconds"],
        cancel_requested=row["cancel_requested"],
        is_stopped=row["withdrawals_stopped"],
    )
