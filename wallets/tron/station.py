"""The station: an account of ours that takes no payouts and helps deposit addresses.

Used by `gathering`: what the station has and what the chain asks, read once for each round. Rounds
follow one another, so nothing of the station's is under way when they begin.
"""

from dataclasses import dataclass

from runtime.postgres import Database
from wallets.errors import Condition, Stuck
from wallets.treasury import store
from wallets.tron import accounts, resources
from wallets.tron.accounts import HotAccount
from wallets.tron.contracts import Delegate, Resource, Transfer
from wallets.tron.limits import AMOUNT_SUN_MAX
from wallets.tron.moves import size_bytes
from wallets.tron.node_set import NodeSet
from wallets.tron.planner import Prices
from wallets.tron.resources import Resources
from wallets.tron.sweeping import Station


@dataclass(frozen=True, slots=True)
class Place:
    """A registered account, by the place of its key."""

    branch: str
    path_index: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds for one round."""

    hot: HotAccount
    # Whether the chain knows the hot account; else TRX makes it, for a fee.
    hot_exists: bool
    station: HotAccount
    stock: Station
    shares: Resources
    # Of the station's stake, to be lent; 0 where nothing is lent.
    lendable_sun: int
    prices: Prices
    native_asset_id: int
    chain_time_ms: int
    # Of a solid block that was there before any balance was read.
    height: int


async def read_scene(
    database: Database, nodes: NodeSet, network_id: int, place: Place, *, lends: bool
) -> Scene:
    """Of a new round; without `lends` the station's stake is not looked at.

    Raises Stuck, Unavailable.
    """
    hot, station = await read_places(database, network_id, place)
    native = await store.native_asset(database, network_id)
    if native is None:
        raise Stuck(Condition.ASSET_SUSPENDED, "TRX is not registered")
    solid = await nodes.tip()
    shares = await resources.read_resources(nodes, station.account)
    lendable_sun = await resources.read_lendable(nodes, station.account) if lends else 0
    stock = Station(
        await resources.read_balance(nodes, station.account),
        shares.energy_of(lendable_sun),
        size_bytes(Transfer(station.account, hot.account, AMOUNT_SUN_MAX)),
        size_bytes(Delegate(station.account, hot.account, AMOUNT_SUN_MAX, Resource.ENERGY)),
    )
    hot_exists = await resources.exists(nodes, hot.account)
    prices = await resources.read_prices(nodes)
    _, chain_time_ms = await nodes.head()
    return Scene(
        hot,
        hot_exists,
        station,
        stock,
        shares,
        lendable_sun,
        prices,
        native,
        chain_time_ms,
        solid.height,
    )


async def read_places(
    database: Database, network_id: int, place: Place
) -> tuple[HotAccount, HotAccount]:
    """Where sweeps go, and where help comes from. Raises Stuck."""
    hot = await accounts.read_accounts(database, network_id)
    station = await accounts.read_draining(database, network_id, place.branch, place.path_index)
    if not hot:
        raise Stuck(Condition.HOT_WALLET_UNFUNDED, "no account to gather deposits on")
    if station is None:
        raise Stuck(Condition.PINNED, "the station is no account of ours without payouts")
    return hot[0], station
