"""The address book of an account: where its withdrawals may go, each address after a hold.

Called by the servicer and by `quotes`. An account that has a book is paid to nothing else; one that
has none is paid anywhere, unless the venue demands books. A customer can only add: who stole a
key wins nothing before the hold has passed. Operators remove, two of them (`address_book_command`).
The approver has a hold of its own on what it sees for the first time; this one is told early.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cambist.wallet.v1 import wallet_pb2
from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.errors import Rejected
from wallets.people import check_people
from wallets.service import limits
from wallets.service.destinations import check_destination

ACTOR: Final = "customer"
PEOPLE: Final = "people"
NETWORK: Final = """
select network_id, chain, network from custody.chain
where chain = $1 or chain || '/' || network = $1 limit 2
"""
COUNT: Final = """
select count(*) from custody.address_book where account_id = $1 and removed_at is null
"""
# What was removed begins anew; what is there keeps its hold, whatever it is called.
ADD: Final = """
insert into custody.address_book as b (account_id, network_id, key, text, label, usable_from)
values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
on conflict (account_id, network_id, key) do update set text = excluded.text,
    label = excluded.label, removed_at = null,
    usable_from = case when b.removed_at is null then b.usable_from else excluded.usable_from end
returning (extract(epoch from usable_from) * 1000000)::bigint * 1000 as usable_from_ns
"""
IS_THERE: Final = """
select exists (select from custody.address_book
    where account_id = $1 and network_id = $2 and key = $3 and removed_at is null)
"""
REMOVE: Final = """
update custody.address_book set removed_at = clock_timestamp()
where account_id = $1 and network_id = $2 and text = $3 and removed_at is null returning true
"""
EVENT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('address_book', $1, '', $2, current_setting('custody.actor'), $3)
"""
LIST: Final = """
select c.chain, b.text, b.label,
    (extract(epoch from b.usable_from) * 1000000)::bigint * 1000 as usable_from_ns
from custody.address_book b join custody.chain c using (network_id)
where b.account_id = $1 and b.removed_at is null
order by b.usable_from, b.network_id, b.key limit $2
"""
IN_BOOK: Final = """
select exists (select from custody.address_book
        where account_id = $1 and removed_at is null) as has_book,
    (select usable_from from custody.address_book where account_id = $1 and network_id = $2
        and key = $3 and removed_at is null) as usable_from,
    clock_timestamp() as now
"""
NOW_NS: Final = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000"
SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Holds:
    """How long new things wait, and whether every account needs a book."""

    address_seconds: int
    key_seconds: int
    is_book_demanded: bool


async def add(
    database: Database, asked: wallet_pb2.AddAddressRequest, holds: Holds
) -> wallet_pb2.AddAddressResponse:
    """Puts it into the book; again it keeps its hold and takes the label. Raises Rejected."""
    if not 1 <= len(asked.label) <= limits.LABEL_LENGTH_MAX or not asked.label.isprintable():
        raise Rejected("INVALID_LABEL", f"not 1 to {limits.LABEL_LENGTH_MAX} printable characters")
    async with changing(database, ACTOR) as connection:
        rows = await connection.fetch(NETWORK, asked.network[: limits.TEXT_LENGTH_MAX])
        if len(rows) != 1:
            raise Rejected("NETWORK_NOT_SERVED", "no network of this name, or several")
        (row,) = rows
        destination = await check_destination(
            connection, row["network_id"], row["chain"], row["network"], asked.address
        )
        # Two at once of one account wait for each other here, so that the bound holds.
        await connection.execute("select pg_advisory_xact_lock(hashint8($1))", asked.account_id)
        place = asked.account_id, row["network_id"], destination.key
        if not await connection.fetchval(IS_THERE, *place):
            if await connection.fetchval(COUNT, asked.account_id) >= limits.ADDRESSES_MAX:
                raise Rejected("TOO_MANY_ADDRESSES", f"a book holds {limits.ADDRESSES_MAX}")
            await _tell(connection, asked.account_id, destination.text, "added", "")
        usable_from_ns = await connection.fetchval(
            ADD, *place, destination.text, asked.label, holds.address_seconds
        )
    return wallet_pb2.AddAddressResponse(usable_from_ns=usable_from_ns)


async def remove(
    database: Database, network_id: int, account_id: int, text: str, people: Sequence[str]
) -> None:
    """Takes an address out of a book; two persons decide. Raises Rejected."""
    names = check_people(people)
    async with changing(database, PEOPLE) as connection:
        if not await connection.fetchval(REMOVE, account_id, network_id, text):
            raise Rejected("ADDRESS_NOT_IN_BOOK", f"account {account_id} has no {text} there")
        await _tell(connection, account_id, text, "removed", f"by {' and '.join(names)}")


async def _tell(connection: Connection, account_id: int, text: str, what: str, reason: str) -> None:
    await connection.execute(EVENT, f"{account_id}/{text}", what, reason)


async def listed(database: Database, account_id: int) -> wallet_pb2.ListAddressesResponse:
    """The whole book of an account."""
    rows = await database.read(LIST, account_id, limits.ADDRESSES_MAX)
    return wallet_pb2.ListAddressesResponse(
        addresses=[
            wallet_pb2.Address(
                network=row["chain"],
                address=row["text"],
                label=row["label"],
                usable_from_ns=row["usable_from_ns"],
            )
            for row in rows
        ]
    )


async def check_in_book(
    connection: Connection, account_id: int, network_id: int, key: bytes, holds: Holds
) -> None:
    """Whether an account may be paid there now. Raises Rejected."""
    row = await connection.fetchrow(IN_BOOK, account_id, network_id, key)
    assert row is not None, "three questions always have answers"
    if row["usable_from"] is None:
        if row["has_book"] or holds.is_book_demanded:
            raise Rejected("ADDRESS_NOT_IN_BOOK", "add it to the account's address book first")
    elif row["usable_from"] > row["now"]:
        raise Rejected("ADDRESS_HELD", f"it can be used from {row['usable_from'].isoformat()}")


async def check_key(connection: Connection, key_changed_ns: int, holds: Holds) -> None:
    """Whether the API key that asks is old enough. Raises Rejected."""
    if holds.key_seconds == 0:
        return
    usable_from_ns = key_changed_ns + holds.key_seconds * SECOND_NS
    if await connection.fetchval(NOW_NS) < usable_from_ns:
        raise Rejected("KEY_HELD", "a new API key, or a new public key of it, withdraws later")
