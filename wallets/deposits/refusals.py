"""A credit that the engine refused: its deposit is held by name, and the chain goes on.

Called by the inbox in the transaction that takes the answer. The money is never lost: on an unknown
account the engine has it in suspense, else it credited nobody, and the book forgets it.
Only people move a deposit that was held here.
"""

from typing import Final

from cambist.orders.v1 import enums_pb2
from runtime.postgres import Connection
from wallets.books import postings
from wallets.core.transactions import name_actor
from wallets.errors import Broken
from wallets.states import DepositState

ACTOR: Final = "inbox"
PREFIX: Final = "CREDIT_REFUSED_"
NAME_START: Final = len("REJECT_REASON_")


def name_of(reason: int) -> str:
    """The condition of the deposit, after the engine's reason."""
    known = enums_pb2.RejectReason.DESCRIPTOR.values_by_number.get(reason)
    return PREFIX + (known.name[NAME_START:] if known else str(reason))


async def hold(connection: Connection, deposit_id: bytes, reason: int) -> None:
    """Holds a deposit whose credit was refused. Raises Broken when there is none."""
    row = await connection.fetchrow(
        "update custody.deposit set reason = $2 where deposit_id = $1 returning *",
        deposit_id,
        name_of(reason),
    )
    if row is None:
        raise Broken("a credit without a deposit")
    # Its block may have left the chain since: then it is held when it is mined again.
    if row["state"] == DepositState.CREDITED:
        await name_actor(connection, ACTOR, name_of(reason))
        await connection.execute(
            "update custody.deposit set state = 'held' where deposit_id = $1", deposit_id
        )
    if reason == enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT:
        return
    await connection.execute(
        "update custody.deposit set credit_count = credit_count + 1 where deposit_id = $1",
        deposit_id,
    )
    entries = postings.of_credit(
        row["asset_id"], int(row["amount_atoms"]), int(row["remainder_atoms"])
    )
    await postings.post(
        connection, row["network_id"], "credit_refused", deposit_id, postings.undone(entries)
    )
