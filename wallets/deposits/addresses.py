"""Gives deposit addresses to accounts: the next place of the live branch, once per request.

Called by whoever serves customers. Only the extended public key is near. An address is never given
to two accounts, and it is in the table as a look-ahead row long before it is given out, so that
no block can pay it unseen.
"""

from typing import Final, Protocol

from runtime.postgres import Connection, Database
from wallets.contract import Destination
from wallets.core.transactions import changing
from wallets.deposits import limits
from wallets.errors import Broken, Rejected

ACTOR: Final = "addresses"
BRANCH: Final = "deposit"

LIVE_BRANCH: Final = """
select generation, extended_public_key, next_index from custody.key_branch
where network_id = $1 and branch = $2 and not retired
order by generation desc limit 1 for update
"""
GIVEN: Final = """
select text, key from custody.address
where network_id = $1 and account_id = $2 and request_id = $3
"""
UNUSED: Final = """
select count(*) from custody.address
where network_id = $1 and account_id = $2 and not exists (
    select from custody.deposit
    where deposit.network_id = address.network_id and deposit.key = address.key
        and deposit.account_id = address.account_id)
"""
DERIVED_UP_TO: Final = """
select coalesce(max(path_index), -1) from custody.address
where network_id = $1 and branch = $2 and generation = $3
"""
ADD: Final = """
insert into custody.address (network_id, key, text, branch, generation, path_index)
values ($1, $2, $3, $4, $5, $6)
"""
GIVE: Final = """
update custody.address set account_id = $5, request_id = $6, shard = $7
where network_id = $1 and branch = $2 and generation = $3 and path_index = $4 and account_id = 0
returning text, key
"""
LIVE_BRANCHES: Final = """
select branch, generation, extended_public_key, next_index from custody.key_branch
where network_id = $1 and not retired order by branch, generation for update
"""
ADVANCE: Final = """
update custody.key_branch set next_index = next_index + 1
where network_id = $1 and branch = $2 and generation = $3
"""


class Derives(Protocol):
    """The part of a chain's adapter that is used here."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """The deposit address of a place of a branch; as in `Adapter`."""


async def reserve(
    database: Database,
    adapter: Derives,
    network_id: int,
    account_id: int,
    request_id: bytes,
    shard: int = 0,
) -> Destination:
    """The address of a request: a new one, or the one that the same request got before.

    Deposits on it are credited on `shard`; 0 = the network's first.

    Raises Rejected for an account with too many unused addresses, Broken without a live branch,
    Unavailable, Unknown (ask again with the same request).
    """
    if account_id < 1 or not request_id:
        raise Rejected("INVALID_REQUEST", "an address needs an account and a request id")
    async with changing(database, ACTOR) as connection:
        # The branch's row is locked first: two equal requests at once see each other.
        live = await connection.fetchrow(LIVE_BRANCH, network_id, BRANCH)
        given = await connection.fetchrow(GIVEN, network_id, account_id, request_id)
        if given is not None:
            return Destination(given["text"], given["key"])
        if live is None:
            raise Broken(f"network {network_id} has no live branch for deposits")
        if await connection.fetchval(UNUSED, network_id, account_id) >= limits.UNUSED_ADDRESSES_MAX:
            raise Rejected("TOO_MANY_UNUSED_ADDRESSES", "use the addresses that you have")
        generation, index = live["generation"], live["next_index"]
        await _look_ahead(
            connection, adapter, network_id, BRANCH, generation, live["extended_public_key"], index
        )
        row = await connection.fetchrow(
            GIVE, network_id, BRANCH, generation, index, account_id, request_id, shard
        )
        if row is None:
            raise Broken(f"place {index} of generation {generation} is given out already")
        await connection.execute(ADVANCE, network_id, BRANCH, generation)
        return Destination(row["text"], row["key"])


async def look_ahead(database: Database, adapter: Derives, network_id: int) -> None:
    """Derives the first and next places of every live branch, so that blocks can be matched.

    Called by a worker before it scans. Raises Unavailable, Unknown.
    """
    async with changing(database, ACTOR) as connection:
        for live in await connection.fetch(LIVE_BRANCHES, network_id):
            await _look_ahead(connection, adapter, network_id, *live)


async def _look_ahead(
    connection: Connection,
    adapter: Derives,
    network_id: int,
    branch: str,
    generation: int,
    extended_public_key: str,
    index: int,
) -> None:
    """Derives the place that is given out, and those after it, where they are missing."""
    last = await connection.fetchval(DERIVED_UP_TO, network_id, branch, generation)
    found = [
        (place, adapter.create_wallet(extended_public_key, place))
        for place in range(last + 1, index + limits.LOOK_AHEAD + 1)
    ]
    await connection.executemany(
        ADD,
        [
            (network_id, address.key, address.text, branch, generation, place)
            for place, address in found
        ],
    )
