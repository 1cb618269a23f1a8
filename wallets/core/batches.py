"""Payouts that one transaction pays: gathered before it is planned, and moved together after.

Called by `wallets.core.store`. Any of them may be the one that was claimed; the others' rows are
locked in the same order by everybody, and who works on one of them finds its state changed and
writes nothing. A payout that stands elsewhere than the claimed one finds its own way later.
"""

from dataclasses import dataclass, replace
from typing import Final

from runtime.postgres import Connection, Database
from wallets import limits
from wallets.contract import Approval, AttemptId
from wallets.core import claims
from wallets.core.claims import Claim
from wallets.errors import Fenced

# The oldest that are ready: started, approved for what comes next, nobody's at the moment.
GATHER: Final = """
update custody.payout set claimed_by = $3, fencing_token = fencing_token + 1,
    claim_expires_at = clock_timestamp() + make_interval(secs => $4)
where withdrawal_id in (
    select p.withdrawal_id from custody.payout p join custody.chain c using (network_id)
    where p.network_id = $1 and p.asset_id = $2 and p.state = 'started'
      and not p.cancel_requested and p.withdrawal_id <> $5
      and p.claim_expires_at <= clock_timestamp()
      and p.not_before <= clock_timestamp() and not c.withdrawals_stopped
      and not exists (select from custody.outbox o
                      where o.subject_id = p.withdrawal_id and o.answer_reason is null)
      and not exists (
          select from custody.payout older
          where older.network_id = p.network_id and older.asset_id = p.asset_id
            and older.state = 'started' and older.condition = 'HotWalletUnfunded'
            and older.priority >= p.priority and older.created_at < p.created_at
            and older.changed_at <= clock_timestamp() - make_interval(secs => $7))
      and exists (select from custody.approval a
                  where a.withdrawal_id = p.withdrawal_id and a.attempt_number = (
                      select count(*) from custody.attempt_output o
                      join custody.attempt t using (attempt_id)
                      where o.withdrawal_id = p.withdrawal_id and t.state in ('dead', 'failed')))
    order by p.priority desc, p.created_at
    limit $6 for update of p skip locked)
returning *
"""
# With the approval under which each of them is, or is next.
MATES: Final = """
select p.*, a.approval, a.signature, a.fee_atoms_max
from custody.payout p left join custody.approval a on a.withdrawal_id = p.withdrawal_id
    and a.attempt_number = (
        select count(*) from custody.attempt_output o join custody.attempt t using (attempt_id)
        where o.withdrawal_id = p.withdrawal_id and t.state in ('dead', 'failed'))
where p.withdrawal_id = any($1::bytea[]) and p.withdrawal_id <> $2
order by p.withdrawal_id
"""
# Says by the way who changes states in this transaction, and why.
LOCK: Final = """
select p.*, set_config('custody.actor', $4, true), set_config('custody.reason', $5, true)
from custody.payout p
where p.withdrawal_id = $1 or (p.state = $3 and p.withdrawal_id in (
    select withdrawal_id from custody.attempt_output where attempt_id = $2))
order by p.withdrawal_id for update
"""
LOCK_CLAIMED: Final = """
select withdrawal_id, fencing_token, state,
    set_config('custody.actor', $2, true), set_config('custody.reason', '', true)
from custody.payout where withdrawal_id = any($1::bytea[]) order by withdrawal_id for update
"""


@dataclass(frozen=True, slots=True)
class Mate:
    """A payout that shares an attempt with the claimed one."""

    claim: Claim
    approval: Approval | None
    fee_atoms_max: int


async def gather(database: Database, mine: Claim, mates_max: int) -> list[Claim]:
    """Claims others that can be paid together with this one."""
    rows = await database.write(
        GATHER,
        mine.network_id,
        mine.asset_id,
        mine.worker,
        limits.CLAIM_SECONDS,
        mine.withdrawal_id,
        mates_max,
        limits.STARVED_SECONDS,
    )
    return [claims.of_row(row) for row in rows]


async def read_approved(
    connection: Connection, mine: Claim, withdrawal_ids: list[bytes]
) -> list[Mate]:
    """These payouts but the claimed one, each with its approval."""
    if not set(withdrawal_ids) - {mine.withdrawal_id}:
        return []
    return [
        Mate(
            claims.of_row(row),
            None if row["approval"] is None else Approval(row["approval"], row["signature"]),
            int(row["fee_atoms_max"] or 0),
        )
        for row in await connection.fetch(MATES, withdrawal_ids, mine.withdrawal_id)
    ]


async def hold(
    connection: Connection, mine: Claim, attempt_id: AttemptId | None, reason: str
) -> list[Claim]:
    """Locks the claimed payout and those of the attempt that stand where it does; all of them.

    The worker changes states in this transaction, for this reason. Raises Fenced when the claimed
    one is another worker's now.
    """
    rows = await connection.fetch(
        LOCK, mine.withdrawal_id, attempt_id or 0, mine.state.value, mine.worker, reason
    )
    held = {row["withdrawal_id"]: claims.of_row(row) for row in rows}
    found = held.get(mine.withdrawal_id)
    if found is None or (found.fencing_token, found.state) != (mine.fencing_token, mine.state):
        raise Fenced(f"payout {mine.withdrawal_id.hex()} is another worker's")
    held[mine.withdrawal_id] = replace(found, goes_on=mine.goes_on)
    return list(held.values())


async def hold_claimed(connection: Connection, mine: Claim, members: list[Claim]) -> None:
    """Locks payouts that we claimed, all or none, to change states. Raises Fenced."""
    rows = await connection.fetch(LOCK_CLAIMED, [one.withdrawal_id for one in members], mine.worker)
    found = {row["withdrawal_id"]: (row["fencing_token"], row["state"]) for row in rows}
    for one in members:
        if found.get(one.withdrawal_id) != (one.fencing_token, one.state.value):
            raise Fenced(f"payout {one.withdrawal_id.hex()} is another worker's")
