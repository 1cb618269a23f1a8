"""What the scaler is told of a network's payouts, counted by the database.

Called by the servicer. One query over open payouts, which the index `payout_open` bounds.
"""

from typing import Final

from cambist.internal.wallets.v1 import wallets_pb2
from runtime.postgres import Database
from wallets.core import claims
from wallets.errors import Condition
from wallets.states import PayoutState
from wallets.worker.scanning import Scanning
from wallets.worker.steps import Steps

# More workers do not help against these.
BLOCKING: Final = (
    Condition.HOT_WALLET_UNFUNDED,
    Condition.SIGNER_UNAVAILABLE,
    Condition.SIGNER_KEY_MISSING,
    Condition.AT_CEILING,
    Condition.APPROVAL_MISSING,
    Condition.WITHDRAWALS_STOPPED,
)

# Claimable as in `claims.CLAIM_SQL`, but for settled payouts that are only watched.
COUNTS: Final = """
with open as (
    select p.state, p.condition,
        greatest(p.created_at, p.not_before, p.claim_expires_at) as since,
        p.claim_expires_at <= clock_timestamp() and p.not_before <= clock_timestamp()
            and p.state = any($2) and not ((c.withdrawals_stopped or not $6) and p.state = any($3))
            and not exists (select from custody.outbox o
                            where o.subject_id = p.withdrawal_id and o.answer_reason is null)
            as claimable
    from custody.payout p join custody.chain c using (network_id)
    where p.network_id = $1 and (p.state = any($2) or p.state = 'held'))
select count(*) filter (where claimable) as claimable,
    coalesce(extract(epoch from clock_timestamp() - min(since) filter (where claimable)) * 1000, 0)
        as age_ms,
    count(*) filter (where state = $4) as confirming,
    count(*) filter (where condition = any($5) or state = 'held') as blocked,
    count(*) filter (where condition <> '') as stuck
from open
"""


async def read(
    database: Database, network_id: int, *, starts: bool = True
) -> wallets_pb2.StreamSignalsResponse:
    """The counts of a network, without those of the process; `starts` as in `claims.claim`."""
    row = await database.read_row(
        COUNTS,
        network_id,
        [state.value for state in claims.OPEN],
        [state.value for state in claims.STOPPABLE],
        PayoutState.CONFIRMING.value,
        [condition.value for condition in BLOCKING],
        starts,
    )
    assert row is not None, "an aggregate always has a row"
    return wallets_pb2.StreamSignalsResponse(
        claimable_count=row["claimable"],
        oldest_claimable_age_ms=max(0, int(row["age_ms"])),
        confirming_count=row["confirming"],
        blocked_count=row["blocked"],
        stuck_count=row["stuck"],
    )


async def read_with(
    database: Database,
    network_id: int,
    steps: Steps,
    scanning: Scanning | None,
    *,
    starts: bool,
) -> wallets_pb2.StreamSignalsResponse:
    """The counts of a network and of this process."""
    signals = await read(database, network_id, starts=starts)
    if scanning is not None and scanning.is_scanning:
        signals.scanning = True
        signals.scan_lag_blocks = scanning.lag_blocks
        signals.scan_condition, signals.scan_detail = scanning.condition, scanning.detail
    signals.in_flight_count = steps.in_flight_count
    signals.draining = steps.draining
    return signals
