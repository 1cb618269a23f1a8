"""Quotes of withdrawals, and whether one may be requested.

Called by the servicer. The engine holds amount and fee by its own rules; here is refused early what
custody could never pay: a wrong address, one of our own, an amount that the chain cannot express.
"""

from dataclasses import dataclass

from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.core.units import to_chain
from wallets.errors import Rejected
from wallets.service import limits
from wallets.service.address_book import Holds, check_in_book, check_key
from wallets.service.amounts import atoms_of
from wallets.service.destinations import check_destination

ACTOR = "service"
ID_BYTES = 16
# A withdrawal that the engine holds has done with its quote, which keeps no other from being made.
OPEN = """
select count(*) - count(distinct p.withdrawal_id)
from custody.fee_quote q
    left join custody.payout p on p.withdrawal_id = q.request_id and p.account_id = q.account_id
where q.account_id = $1 and q.expires_at >= clock_timestamp()
"""
USE = """
update custody.fee_quote set request_id = $6
where quote_id = $1 and account_id = $2 and network_id = $3 and asset_id = $4
    and engine_amount_atoms = $5
returning engine_fee_atoms, expires_at > clock_timestamp() as holds,
    (extract(epoch from expires_at) * 1000000)::bigint * 1000 as expires_ns
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """A withdrawal as a customer wants it; `network` is "bitcoin" or "bitcoin/main"."""

    account_id: int
    asset_id: int
    network: str
    amount: str
    destination: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Under which quote it is requested, with which id, and how old the key that asks is."""

    quote_id: bytes
    request_id: bytes
    key_changed_ns: int


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset on a network, as registered."""

    network_id: int
    chain: str
    network: str
    decimals: int
    engine_decimals: int
    withdrawal_minimum_atoms: int
    fee_engine_atoms: int

    @property
    def minimum_engine_atoms(self) -> int:
        """The smallest amount in the engine's unit that reaches the minimum, at least one atom."""
        up, down = int(10**self.engine_decimals), int(10**self.decimals)
        return max(1, -(-self.withdrawal_minimum_atoms * up // down))


@dataclass(frozen=True, slots=True)
class Checked:
    """A withdrawal that custody could pay."""

    asset: Asset
    amount_engine_atoms: int
    fee_engine_atoms: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A fee that holds until `expires_ns`."""

    quote_id: bytes
    checked: Checked
    expires_ns: int


async def check(connection: Connection, ask: Ask, holds: Holds) -> Checked:
    """Looks at asset, amount, destination and the account's book. Raises Rejected."""
    asset = await _read_asset(connection, ask)
    amount = atoms_of(ask.amount, asset.engine_decimals)
    if amount < asset.minimum_engine_atoms:
        raise Rejected("AMOUNT_BELOW_MINIMUM", "smaller than the smallest withdrawal")
    if to_chain(amount, decimals=asset.decimals, engine_decimals=asset.engine_decimals) is None:
        raise Rejected("INVALID_AMOUNT", f"the network has {asset.decimals} decimals")
    destination = await check_destination(
        connection, asset.network_id, asset.chain, asset.network, ask.destination
    )
    await check_in_book(connection, ask.account_id, asset.network_id, destination.key, holds)
    return Checked(asset, amount, asset.fee_engine_atoms)


async def quote(database: Database, ask: Ask, quote_id: bytes, holds: Holds) -> Quote:
    """Promises a fee for a while. Raises Rejected."""
    async with changing(database, ACTOR) as connection:
        checked = await check(connection, ask, holds)
        # Two at once of one account wait for each other here, so that the bound holds.
        await connection.execute("select pg_advisory_xact_lock(hashint8($1))", ask.account_id)
        await connection.execute(
            "delete from custody.fee_quote where account_id = $1 "
            "and expires_at < clock_timestamp() - interval '1 hour'",
            ask.account_id,
        )
        open_count = await connection.fetchval(OPEN, ask.account_id)
        if open_count >= limits.QUOTES_MAX:
            raise Rejected("TOO_MANY_QUOTES", f"{limits.QUOTES_MAX} quotes have not ended yet")
        expires_ns = await connection.fetchval(
            "insert into custody.fee_quote (quote_id, account_id, network_id, asset_id, "
            "engine_amount_atoms, engine_fee_atoms, expires_at) values ($1, $2, $3, $4, $5, $6, "
            "clock_timestamp() + make_interval(secs => $7)) "
            "returning (extract(epoch from expires_at) * 1000000)::bigint * 1000",
            quote_id,
            ask.account_id,
            checked.asset.network_id,
            ask.asset_id,
            checked.amount_engine_atoms,
            checked.fee_engine_atoms,
            limits.QUOTE_SECONDS,
        )
    return Quote(quote_id, checked, int(expires_ns))


async def check_quoted(database: Database, ask: Ask, quoted: Quoted, holds: Holds) -> Quote:
    """The quote under which a withdrawal may be requested now; it keeps the request's id.

    Raises Rejected.
    """
    async with changing(database, ACTOR) as connection:
        await check_key(connection, quoted.key_changed_ns, holds)
        checked = await check(connection, ask, holds)
        row = await connection.fetchrow(
            USE,
            quoted.quote_id,
            ask.account_id,
            checked.asset.network_id,
            ask.asset_id,
            checked.amount_engine_atoms,
            quoted.request_id,
        )
    if row is None:
        raise Rejected("UNKNOWN_QUOTE", "no quote of this account, asset, network and amount")
    if not row["holds"]:
        raise Rejected("QUOTE_EXPIRED", "ask for a new quote")
    fee = int(row["engine_fee_atoms"])
    return Quote(
        quoted.quote_id, Checked(checked.asset, checked.amount_engine_atoms, fee), row["expires_ns"]
    )


async def _read_asset(connection: Connection, ask: Ask) -> Asset:
    rows = await connection.fetch(
        "select c.chain, c.network, c.withdrawals_stopped, a.* from custody.asset a "
        "join custody.chain c using (network_id) "
        "where a.asset_id = $1 and (c.chain = $2 or c.chain || '/' || c.network = $2) limit 2",
        ask.asset_id,
        ask.network[: limits.TEXT_LENGTH_MAX],
    )
    if len(rows) != 1:
        raise Rejected("NETWORK_NOT_SERVED", "no network of this name pays this asset, or several")
    (row,) = rows
    if row["withdrawals_suspended"] or row["withdrawals_stopped"]:
        raise Rejected("WITHDRAWALS_SUSPENDED", "withdrawals of this asset are suspended")
    return Asset(
        row["network_id"],
        row["chain"],
        row["network"],
        row["decimals"],
        row["engine_decimals"],
        int(row["withdrawal_minimum_atoms"]),
        int(row["withdrawal_fee_engine_atoms"]),
    )
