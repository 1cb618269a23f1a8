"""Gives a customer an address to pay to.

Called by the servicer. The same request gets the same address; without a request id that is the
first address of the account on the network, whatever the asset.
"""

from dataclasses import dataclass

from runtime.postgres import Database
from wallets.deposits.addresses import reserve
from wallets.errors import Rejected
from wallets.service import limits
from wallets.service.deriving import derives

FIRST = b"first"
ID_BYTES_MAX = 16


@dataclass(frozen=True, slots=True)
class AddressAsk:
    """An account that wants to be paid; `network` is "bitcoin" or "bitcoin/main"."""

    account_id: int
    asset_id: int
    network: str
    request_id: bytes
    shard: int


async def give_address(database: Database, ask: AddressAsk) -> str:
    """The address as text. Raises Rejected, Broken, Unavailable, Unknown: ask again."""
    if len(ask.request_id) > ID_BYTES_MAX:
        raise Rejected("INVALID_REQUEST", f"request_id has at most {ID_BYTES_MAX} bytes")
    rows = await database.read(
        "select c.chain, c.network, c.network_id, a.deposits_suspended, exists ("
        "select from custody.key_branch b where b.network_id = c.network_id "
        "and b.branch = 'deposit' and not b.retired) as is_served "
        "from custody.asset a join custody.chain c using (network_id) "
        "where a.asset_id = $1 and (c.chain = $2 or c.chain || '/' || c.network = $2) limit 2",
        ask.asset_id,
        ask.network[: limits.TEXT_LENGTH_MAX],
    )
    if len(rows) != 1:
        raise Rejected("NETWORK_NOT_SERVED", "no network of this name takes this asset, or several")
    (row,) = rows
    if not row["is_served"]:
        raise Rejected("DEPOSITS_NOT_SERVED", "this network has no deposit addresses")
    if row["deposits_suspended"]:
        raise Rejected("DEPOSITS_SUSPENDED", "deposits of this asset are suspended")
    address = await reserve(
        database,
        derives(row["chain"], row["network"]),
        row["network_id"],
        ask.account_id,
        ask.request_id or FIRST,
        ask.shard,
    )
    return address.text
