"""A customer's wish to cancel a withdrawal: granted while no transaction that pays it is mined.

Called by the servicer. Before the start the payout's row is locked and its token raised, so that a
worker that has claimed it writes nothing more. From then on the wish is noted: the pipeline asks
the signer to close the withdrawal, takes it out of its batch and gives the money back, or pays it
when it was signed after all. One that was signed with others may be left out by a replacement; for
one that was signed alone, or is in a block, the answer is no.
"""

from typing import Final

from runtime.postgres import Connection, Database
from wallets.contract import WithdrawalId
from wallets.core import engine_ahead, outbox
from wallets.core.transactions import changing
from wallets.errors import Rejected
from wallets.states import PayoutState

ACTOR: Final = "customer"
FIND: Final = """
select state, reason, network_id, shard from custody.payout
where withdrawal_id = $1 and account_id = $2 and kind = 'customer' for update
"""
STARTED: Final = """
select exists (select from custody.outbox where subject_id = $1 and kind = 'start')
"""
CANCEL: Final = """
update custody.payout set state = 'cancelled', condition = '', reason = 'CANCELLED_BY_CUSTOMER',
    claimed_by = '', fencing_token = fencing_token + 1, claim_expires_at = '-infinity'
where withdrawal_id = $1
"""
WISH: Final = "update custody.payout set cancel_requested = true where withdrawal_id = $1"
# Here nothing was asked of the engine, perhaps.
EARLY: Final = (PayoutState.REQUESTED, PayoutState.HELD, PayoutState.APPROVED)
# Nothing that pays it is known to be signed.
UNSIGNED: Final = (PayoutState.APPROVED, PayoutState.STARTED, PayoutState.BUILT)
# In no block, as far as is known: others of its transaction may go on without it.
UNMINED: Final = (PayoutState.SIGNED, PayoutState.BROADCASTING)
IS_WITH_OTHERS: Final = """
select exists (
    select from custody.attempt_output own
        join custody.attempt using (attempt_id)
        join custody.attempt_output other using (attempt_id)
        join custody.payout mate on mate.withdrawal_id = other.withdrawal_id
    where own.withdrawal_id = $1 and mate.withdrawal_id <> $1 and not mate.cancel_requested
        and attempt.state in ('signed', 'broadcast'))
"""


async def cancel(database: Database, account_id: int, withdrawal_id: bytes) -> str:
    """The state after it, `cancelling` for a wish; again it is the same.

    Raises Rejected, Unavailable, Unknown.
    """
    async with changing(database, ACTOR, "cancelled by the customer") as connection:
        row = await connection.fetchrow(FIND, withdrawal_id, account_id)
        if row is None:
            raise Rejected("UNKNOWN_WITHDRAWAL", "custody knows no such withdrawal of the account")
        if row["state"] == PayoutState.CANCELLED:
            return str(row["state"])
        if row["reason"] == engine_ahead.PARKED:
            raise Rejected("TOO_LATE", "the engine has started it, in a time that was lost here")
        if row["state"] not in EARLY or await connection.fetchval(STARTED, withdrawal_id):
            if not await _may_wish(connection, withdrawal_id, PayoutState(row["state"])):
                raise Rejected("TOO_LATE", f"it is {row['state']}")
            await connection.execute(WISH, withdrawal_id)
            return PayoutState.CANCELLING.value
        await connection.execute(CANCEL, withdrawal_id)
        await outbox.put(
            connection,
            "release",
            WithdrawalId(withdrawal_id),
            network_id=row["network_id"],
            shard=row["shard"],
        )
        return PayoutState.CANCELLED.value


async def _may_wish(connection: Connection, withdrawal_id: bytes, state: PayoutState) -> bool:
    if state in UNMINED:
        return bool(await connection.fetchval(IS_WITH_OTHERS, withdrawal_id))
    return state in (*UNSIGNED, PayoutState.CANCELLING)
