"""Who works on which payout: a claim has a lease and a token, and each write names the token.

Called by the pipeline. A claim that was overtaken writes nothing any more: `Fenced`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from runtime.postgres import Connection, Database
from wallets import limits
from wallets.contract import WithdrawalId
from wallets.errors import Condition
from wallets.states import PayoutState

# States in which a worker has something to do; HELD waits for people.
OPEN: Final = (
    PayoutState.REQUESTED,
    PayoutState.APPROVED,
    PayoutState.STARTED,
    PayoutState.BUILT,
    PayoutState.SIGNED,
    PayoutState.BROADCASTING,
    PayoutState.CONFIRMING,
    PayoutState.CANCELLING,
)
# Where the stop switch of a network still holds a payout back.
STOPPABLE: Final = (
    PayoutState.REQUESTED,
    PayoutState.APPROVED,
    PayoutState.STARTED,
    PayoutState.BUILT,
)

# A batch is one piece of work: nobody takes a payout while another one of its transaction is worked
# on. Two workers that do so all the same are harmless, one of them is fenced.
# A large payout that has waited for coins for long is not overtaken by later ones for ever.
# Who waits for an answer of the engine is not claimable: that is the inbox's to move. It stands at
# the end of the index `payout_next`, whose first rows are those that may be taken, however many
# wait behind them. Only a clock that stands still during the statement can bound an index.
CLAIM_SQL: Final = f"""
update custody.payout set claimed_by = $2, fencing_token = fencing_token + 1,
    claim_expires_at = clock_timestamp() + make_interval(secs => $3)
where withdrawal_id = any(array(
    select p.withdrawal_id from custody.payout p
    where p.network_id = $1 and p.state in ({", ".join(f"'{state}'" for state in OPEN)})
      and p.claim_expires_at <= clock_timestamp() and p.not_before <= statement_timestamp()
      and p.state = any($4)
      and not (p.state = any($5) and (
          select withdrawals_stopped from custody.chain where network_id = $1))
      and (exists (select from custody.outbox o
                   where o.subject_id = p.withdrawal_id and o.answer_reason is null)) is false
      and (exists (select from custody.attempt_output own
                   join custody.attempt_output other using (attempt_id)
                   join custody.payout mate on mate.withdrawal_id = other.withdrawal_id
                   where own.withdrawal_id = p.withdrawal_id
                     and mate.claim_expires_at > clock_timestamp())) is false
      and not (p.state = 'started' and exists (
          select from custody.payout older
          where older.network_id = p.network_id and older.asset_id = p.asset_id
            and older.state = 'started' and older.condition = 'HotWalletUnfunded'
            and older.priority >= p.priority and older.created_at < p.created_at
            and older.changed_at <= clock_timestamp() - make_interval(secs => $6)))
    order by p.priority desc, p.not_before, p.created_at
    limit $7 for update of p skip locked))
returning *
"""  # noqa: S608 - made of constants
# A look after what is settled never keeps anybody from being paid: only who finds nothing else does
# it. How often, and until when, is told by `not_before`.
CLAIM_SETTLED: Final = """
update custody.payout set claimed_by = $2, fencing_token = fencing_token + 1,
    claim_expires_at = clock_timestamp() + make_interval(secs => $3)
where withdrawal_id = any(array(
    select p.withdrawal_id from custody.payout p
    where p.network_id = $1 and p.state = 'settled'
      and p.claim_expires_at <= clock_timestamp() and p.not_before <= statement_timestamp()
      and (exists (select from custody.outbox o
                   where o.subject_id = p.withdrawal_id and o.answer_reason is null)) is false
      and (exists (select from custody.attempt_output own
                   join custody.attempt_output other using (attempt_id)
                   join custody.payout mate on mate.withdrawal_id = other.withdrawal_id
                   where own.withdrawal_id = p.withdrawal_id
                     and mate.claim_expires_at > clock_timestamp())) is false
    order by p.not_before limit $4 for update of p skip locked))
returning *
"""

# Where a worker that goes on keeps its claim: the next step waits for nobody.
KEPT: Final = (PayoutState.APPROVED, PayoutState.BUILT)
GIVE_BACK: Final = """
update custody.payout set claimed_by = '', claim_expires_at = '-infinity', condition = $3,
    not_before = clock_timestamp() + make_interval(secs => $2)
where withdrawal_id = any($1::bytea[])
"""
# The trigger on states is not run for nothing: those who stay where they are have their own.
# Those that go on may be kept, for as long as if it were claimed now.
MOVE_AND_GIVE_BACK: Final = """
update custody.payout set state = $4, reason = $5, condition = $3,
    claimed_by = case when withdrawal_id = any($6::bytea[]) then claimed_by else '' end,
    claim_expires_at = case when withdrawal_id = any($6::bytea[])
        then clock_timestamp() + make_interval(secs => $7) else '-infinity' end,
    not_before = clock_timestamp() + make_interval(secs => $2)
where withdrawal_id = any($1::bytea[])
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A payout as it was when it was claimed; amounts without "engine" are atoms of the chain."""

    withdrawal_id: WithdrawalId
    worker: str
    fencing_token: int
    shard: int
    network_id: int
    asset_id: int
    destination_text: str
    amount_atoms: int
    engine_amount_atoms: int
    engine_fee_atoms: int
    state: PayoutState
    # The customer wants the money back; granted until a transaction is signed.
    cancel_requested: bool
    # Whether the worker keeps it from a step to the next one, see `KEPT`.
    goes_on: bool = False


async def claim(
    database: Database,
    network_id: int,
    worker: str,
    *,
    builds: bool = True,
    starts: bool = True,
    goes_on: bool = False,
) -> Claim | None:
    """The next payout that something can be done about, or None; see `claim_some`."""
    found = await claim_some(database, network_id, worker, 1, builds=builds, starts=starts)
    return replace(found[0], goes_on=goes_on) if found else None


async def claim_some(
    database: Database,
    network_id: int,
    worker: str,
    count: int,
    *,
    builds: bool = True,
    starts: bool = True,
) -> list[Claim]:
    """The next payouts that something can be done about, at most so many.

    Without `builds` none that waits for a plan: this worker can make none. Without `starts` none
    that the stop switch would hold back either. Several may be of one batch: those who share
    transactions claim one at a time.
    """
    states = OPEN if builds else [state for state in OPEN if state is not PayoutState.STARTED]
    rows = await database.write(
        CLAIM_SQL,
        network_id,
        worker,
        limits.CLAIM_SECONDS,
        [state.value for state in states if starts or state not in STOPPABLE],
        [state.value for state in STOPPABLE],
        limits.STARVED_SECONDS,
        count,
    ) or await database.write(CLAIM_SETTLED, network_id, worker, limits.CLAIM_SECONDS, count)
    return [of_row(row) for row in rows]


def of_row(row: asyncpg.Record) -> Claim:
    """A row of `custody.payout`."""
    return Claim(
        withdrawal_id=WithdrawalId(row["withdrawal_id"]),
        worker=row["claimed_by"],
        fencing_token=row["fencing_token"],
        shard=row["shard"],
        network_id=row["network_id"],
        asset_id=row["asset_id"],
        destination_text=row["destination_text"],
        amount_atoms=int(row["amount_atoms"]),
        engine_amount_atoms=int(row["engine_amount_atoms"]),
        engine_fee_atoms=int(row["engine_fee_atoms"]),
        state=PayoutState(row["state"]),
        cancel_requested=row["cancel_requested"],
    )


async def move(
    connection: Connection, members: Sequence[Claim], *states: PayoutState, reason: str = ""
) -> None:
    """Through these states in order; they were locked before. The trigger refuses other ways."""
    for state in states:
        await connection.execute(
            "update custody.payout set state = $2, reason = $3, condition = '' "
            "where withdrawal_id = any($1::bytea[])",
            [one.withdrawal_id for one in members],
            state.value,
            reason,
        )


async def give_back(
    connection: Connection,
    members: Sequence[Claim],
    *,
    pause_seconds: float = 0.0,
    condition: Condition | None = None,
    state: PayoutState | None = None,
    reason: str = "",
) -> None:
    """Ends the claims; with a condition the payouts say why they wait.

    With a state they go there as by `move`, in the same statement, and those that go on are kept.
    """
    if not members:
        return
    where = [one.withdrawal_id for one in members], pause_seconds, condition or ""
    if state is None:
        await connection.execute(GIVE_BACK, *where)
        return
    kept = [one.withdrawal_id for one in members if one.goes_on and state in KEPT]
    await connection.execute(
        MOVE_AND_GIVE_BACK, *where, state.value, reason, kept, limits.CLAIM_SECONDS
    )
