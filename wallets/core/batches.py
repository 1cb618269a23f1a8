"""Payouts that one transaction pays: gathered before it is planned, and moved together after.

Called by `wallets.core.store`. Any of them may be the one that was claimed; the others' rows are
locked in the same order by everybody, and who works on one of them finds its state changed and
writes nothing. A payout that stands elsewhere than the claimed one finds its own way later.
"""

from collections.abc import Sequence
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
# Says by the way who changes states in this transaction, and why. `place` is whose they are.
LOCK: Final = """
select p.*, asked.place,
    set_config('custody.actor', $4, true), set_config('custody.reason', $5, true)
from (
    select place, withdrawal_id, null as state
    from unnest($1::bytea[]) with ordinality as mine (withdrawal_id, place)
    union all
    select place, o.withdrawal_id, mine.state
    from unnest($1::bytea[], $2::bigint[], $3::text[]) with ordinality
        as mine (withdrawal_id, attempt_id, state, place)
    join custody.attempt_output o on o.attempt_id = mine.attempt_id
        and o.withdrawal_id <> mine.withdrawal_id
) asked join custody.payout p on p.withdrawal_id = asked.withdrawal_id
    and p.state = coalesce(asked.state, p.state)
order by p.withdrawal_id for update of p
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
    (held,) = await hold_all(connection, [(mine, attempt_id)], reason)
    if isinstance(held, Fenced):
        raise held
    return held


async def hold_all(
    connection: Connection, wanted: Sequence[tuple[Claim, AttemptId | None]], reason: str
) -> list[list[Claim] | Fenced]:
    """As `hold` for several of one worker; nobody is held for two of them."""
    rows = await connection.fetch(
        LOCK,
        [mine.withdrawal_id for mine, _ in wanted],
        [attempt_id or 0 for _, attempt_id in wanted],
        [mine.state.value for mine, _ in wanted],
        wanted[0][0].worker,
        reason,
    )
    found: list[dict[bytes, Claim]] = [{} for _ in wanted]
    for row in rows:
        found[row["place"] - 1][row["withdrawal_id"]] = claims.of_row(row)
    taken: set[bytes] = set()
    held: list[list[Claim] | Fenced] = []
    for (mine, _), members in zip(wanted, found, strict=True):
        own = members.get(mine.withdrawal_id)
        is_ours = own is not None and (own.fencing_token, own.state) == (
            mine.fencing_token,
            mine.state,
        )
        if own is None or not is_ours or not taken.isdisjoint(members):
            held.append(Fenced(f"payout {mine.withdrawal_id.hex()} is another worker's"))
            continue
        taken |= members.keys()
        members[mine.withdrawal_id] = replace(own, goes_on=mine.goes_on)
        held.append(list(members.values()))
    return held


async def hold_claimed(connection: Connection, claimed: Sequence[Claim]) -> set[Claim]:
    """Locks payouts that we claimed, to change states; those that are still ours."""
    rows = await connection.fetch(
        LOCK_CLAIMED, [one.withdrawal_id for one in claimed], claimed[0].worker
    )
    found = {row["withdrawal_id"]: (row["fencing_token"], row["state"]) for row in rows}
    return {
        one
        for one in claimed
        if found.get(one.withdrawal_id) == (one.fencing_token, one.state.value)
    }
