"""Pauses payouts of a token that keeps a fee of what we send; two persons let them go on.

`apply_block` runs in the scanner's transaction that moves its watermark: what a block logs of our
own transactions is compared with what was signed, so a fee that is switched on is seen with the
first payment or sweep that it cuts. Only new plans of that token stop; what is on its way is
followed, and other assets go on.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from runtime import logs
from runtime.postgres import Connection, Database
from wallets.contract import Block
from wallets.core.transactions import changing
from wallets.errors import Condition, Rejected
from wallets.ethereum.addresses import text_of
from wallets.ethereum.transactions import parse_signed, payment_of
from wallets.people import check_people

ACTOR: Final = "assets"
OURS: Final = """
select txid, raw from custody.attempt
where network_id = $1 and txid = any($2::text[]) and raw is not null
"""
SUSPEND: Final = """
update custody.asset set withdrawals_suspended = true, suspended_reason = $3
where network_id = $1 and contract = $2 and not withdrawals_suspended returning asset_id
"""
RESUME: Final = """
update custody.asset set withdrawals_suspended = false, suspended_reason = ''
where network_id = $1 and contract = $2 and withdrawals_suspended returning asset_id
"""
AUDIT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('asset', $1, $2, $3, $4, $5)
"""


async def apply_block(connection: Connection, network_id: int, block: Block) -> None:
    """Looks at our own payments of tokens in a block. A payment without any log is not its task."""
    logged: Counter[tuple[str, bytes, bytes]] = Counter()
    for move in block.movements:
        if move.contract:
            logged[move.txid, move.contract, move.key] += move.amount_atoms
    txids = list({txid for txid, _, _ in logged})
    for row in await connection.fetch(OURS, network_id, txids):
        payment = payment_of(parse_signed(row["raw"]))
        if payment is None or not payment[0]:
            continue
        contract, recipient, amount_atoms = payment
        told_atoms = logged[row["txid"], contract, recipient]
        if told_atoms < amount_atoms:
            missing = f"{row['txid']} moved {told_atoms} of {amount_atoms} atoms"
            await _suspend(connection, network_id, contract, missing)


async def _suspend(connection: Connection, network_id: int, contract: bytes, what: str) -> None:
    reason = f"{Condition.ASSET_SUSPENDED}: {what}"
    asset_id = await connection.fetchval(SUSPEND, network_id, contract, reason)
    if asset_id is not None:
        await connection.execute(AUDIT, str(asset_id), "paid", "suspended", ACTOR, reason)
        logs.get(__name__).error("a token keeps a fee", token=text_of(contract), reason=reason)


async def read_reason(database: Database, network_id: int, contract: bytes) -> str:
    """Why an asset is not paid; empty = it is. Raises Unavailable."""
    row = await database.read_row(
        "select coalesce(nullif(suspended_reason, ''), 'by hand') as reason from custody.asset "
        "where network_id = $1 and contract = $2 and withdrawals_suspended",
        network_id,
        contract,
    )
    return "" if row is None else str(row["reason"])


async def resume(
    database: Database, network_id: int, contract: bytes, people: Sequence[str]
) -> None:
    """Payouts of an asset go on, in the names of two persons. Raises Rejected, Unavailable."""
    names = check_people(people)
    async with changing(database, ACTOR, "resumed") as connection:
        asset_id = await connection.fetchval(RESUME, network_id, contract)
        if asset_id is None:
            raise Rejected("NOT_SUSPENDED", "no suspended asset of this network has the contract")
        by = " and ".join(names)
        await connection.execute(AUDIT, str(asset_id), "suspended", "paid", ACTOR, by)
