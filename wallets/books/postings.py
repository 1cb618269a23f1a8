"""Transfers of custody's book: written in the transaction of what they are about.

Accounts: what we have is positive (hot), what we owe is negative (customers), income is negative
(fees_charged), cost is positive (network_cost). Each transfer sums to zero per asset; the schema
refuses others. Called by the pipeline, the scan of deposits and
the treasury.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Connection
from wallets.books.accounts import Account

# Entries name the place of their transfer among all.
POST_SQL: Final = """
with transfer as materialized (
    select nextval('custody.transfer_number') as transfer_id, cause_id, place
    from unnest($3::bytea[]) with ordinality as cause (cause_id, place))
insert into custody.posting
    (transfer_id, network_id, asset_id, account, amount_atoms, cause, cause_id)
select transfer_id, $1::integer, asset_id, account, amount_atoms, $2::text, cause_id
from transfer join unnest($4::bigint[], $5::integer[], $6::text[], $7::numeric[])
    as entry (place, asset_id, account, amount_atoms) using (place)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transfer, in atoms of the chain."""

    asset_id: int
    account: str
    amount_atoms: int


def of_payout(asset_id: int, amount_atoms: int, fee_charged_atoms: int) -> list[Entry]:
    """A paid withdrawal: coins leave, the debt to the customer is gone, our fee is earned."""
    return [
        Entry(asset_id, Account.HOT, -amount_atoms),
        Entry(asset_id, Account.CUSTOMERS, amount_atoms + fee_charged_atoms),
        Entry(asset_id, Account.FEES_CHARGED, -fee_charged_atoms),
    ]


def of_network_fee(native_asset_id: int, fee_atoms: int) -> list[Entry]:
    """What the network took."""
    return [
        Entry(native_asset_id, Account.HOT, -fee_atoms),
        Entry(native_asset_id, Account.NETWORK_COST, fee_atoms),
    ]


def of_credit(asset_id: int, amount_atoms: int, remainder_atoms: int) -> list[Entry]:
    """A credited deposit, written when its command is: what the engine's unit cannot hold is ours.

    A credit that is reversed, or that the engine refused and did not put to suspense, is `undone`.
    """
    return [
        Entry(asset_id, Account.HOT, amount_atoms),
        Entry(asset_id, Account.CUSTOMERS, remainder_atoms - amount_atoms),
        Entry(asset_id, Account.UNCLAIMED, -remainder_atoms),
    ]


def of_found(asset_id: int, amount_atoms: int) -> list[Entry]:
    """Coins at the hot wallet that neither a deposit nor a transfer of ours brought."""
    return [
        Entry(asset_id, Account.HOT, amount_atoms),
        Entry(asset_id, Account.UNCLAIMED, -amount_atoms),
    ]


def of_move(asset_id: int, source: Account, target: Account, amount_atoms: int) -> list[Entry]:
    """Coins between places of ours."""
    return [Entry(asset_id, source, -amount_atoms), Entry(asset_id, target, amount_atoms)]


def undone(entries: Sequence[Entry]) -> list[Entry]:
    """The opposite."""
    return [Entry(entry.asset_id, entry.account, -entry.amount_atoms) for entry in entries]


async def post(
    connection: Connection, network_id: int, cause: str, cause_id: bytes, entries: Sequence[Entry]
) -> None:
    """Writes one transfer in the caller's transaction; sides of nothing are left out."""
    await post_all(connection, network_id, cause, [(cause_id, entries)])


async def post_all(
    connection: Connection,
    network_id: int,
    cause: str,
    transfers: Sequence[tuple[bytes, Sequence[Entry]]],
) -> None:
    """As `post`, for several transfers, each with what it is about."""
    written = [
        (place, entry)
        for place, (_, entries) in enumerate(transfers, start=1)
        for entry in entries
        if entry.amount_atoms
    ]
    await connection.execute(
        POST_SQL,
        network_id,
        cause,
        [cause_id for cause_id, _ in transfers],
        [place for place, _ in written],
        [entry.asset_id for _, entry in written],
        [entry.account for _, entry in written],
        [entry.amount_atoms for _, entry in written],
    )


async def read_balances(connection: Connection, network_id: int) -> dict[tuple[int, str], int]:
    """Sum per asset and account."""
    rows = await connection.fetch(
        "select asset_id, account, sum(amount_atoms) as total from custody.posting "
        "where network_id = $1 group by asset_id, account",
        network_id,
    )
    return {(row["asset_id"], row["account"]): int(row["total"]) for row in rows}
