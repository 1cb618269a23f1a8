"""What `cambist apply` will do: the difference between a file and what exists. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from cambist.admin.v1 import admin_pb2
from cambist.cli.venue_file import (
    LIMIT_AMOUNTS,
    LIMIT_NUMBERS,
    WantedAccount,
    WantedAsset,
    WantedFirm,
    WantedMarket,
    WantedVenue,
)
from cambist.client.enums import MarketPhase


class Action(Enum):
    """What happens to a thing."""

    CREATE = "create"
    CHANGE = "change"
    # It exists and cannot become what the file says: nothing at all is applied.
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class CreateAsset:
    """An asset that is not there."""

    asset: admin_pb2.Asset


@dataclass(frozen=True, slots=True)
class CreateMarket:
    """A market that is not there."""

    market: admin_pb2.Market


@dataclass(frozen=True, slots=True)
class SetMarketLimits:
    """Limits or fees that differ."""

    market_id: int
    limits: admin_pb2.MarketLimits


@dataclass(frozen=True, slots=True)
class SetPhase:
    """A phase that differs."""

    market_id: int
    phase: MarketPhase


@dataclass(frozen=True, slots=True)
class CreateFirm:
    """A firm that is not there."""

    firm_id: int
    name: str


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """An account that is not there."""

    account: admin_pb2.Account


@dataclass(frozen=True, slots=True)
class SetAccountLimits:
    """Limits of an account that differ."""

    account_id: int
    open_orders_max: int
    id_capacity: int
    # As it stands: the call replaces all, and a freeze is not the file's to lift.
    frozen: bool


Change = (
    CreateAsset
    | CreateMarket
    | SetMarketLimits
    | SetPhase
    | CreateFirm
    | CreateAccount
    | SetAccountLimits
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or one that cannot be done."""

    action: Action
    what: str
    detail: str
    # None for a conflict.
    change: Change | None = None


def make_plan(
    wanted: WantedVenue,
    present: admin_pb2.ListDefinitionsResponse,
    accounts: Mapping[int, admin_pb2.Account],
) -> list[Step]:
    """Steps in an order in which they can be carried out; empty when all is as it should be."""
    steps: list[Step] = []
    steps += asset_steps(wanted.assets, present)
    steps += market_steps(wanted.markets, present)
    steps += firm_steps(wanted.firms, present)
    for account in wanted.accounts:
        steps += account_steps(account, accounts.get(account.account_id))
    return steps


def asset_steps(
    wanted: tuple[WantedAsset, ...], present: admin_pb2.ListDefinitionsResponse
) -> Iterator[Step]:
    """Assets."""
    known = {asset.asset_id: asset for asset in present.assets}
    for asset in wanted:
        found = known.get(asset.asset_id)
        name = f"asset {asset.symbol}"
        if found is None:
            message = admin_pb2.Asset(
                asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals
            )
            detail = f"id {asset.asset_id}, {asset.decimals} decimals"
            yield Step(Action.CREATE, name, detail, CreateAsset(message))
        elif (found.symbol, found.decimals) != (asset.symbol, asset.decimals):
            detail = f"asset {found.asset_id} is {found.symbol} with {found.decimals} decimals"
            yield Step(Action.CONFLICT, name, detail)


def market_steps(
    wanted: tuple[WantedMarket, ...], present: admin_pb2.ListDefinitionsResponse
) -> Iterator[Step]:
    """Markets: made first, then their limits, then their phase."""
    known = {market.market_id: market for market in present.markets}
    for market in wanted:
        found = known.get(market.market_id)
        name = f"market {market.symbol}"
        phase = MarketPhase.HALTED if found is None else MarketPhase(found.phase)
        if found is None:
            detail = f"id {market.market_id}"
            yield Step(Action.CREATE, name, detail, CreateMarket(message_of(market)))
        elif differing := fixed_differences(market, found):
            yield Step(Action.CONFLICT, name, f"cannot change {', '.join(differing)}")
            continue
        elif changed := changed_limits(market, found.limits):
            merged = admin_pb2.MarketLimits()
            merged.CopyFrom(found.limits)
            set_limits(merged, market.limits)
            change = SetMarketLimits(market.market_id, merged)
            yield Step(Action.CHANGE, name, ", ".join(changed), change)
        if market.phase is not None and market.phase is not phase:
            detail = f"phase {phase.name} -> {market.phase.name}"
            yield Step(Action.CHANGE, name, detail, SetPhase(market.market_id, market.phase))


def message_of(market: WantedMarket) -> admin_pb2.Market:
    """A market as AdminService takes it; limits that are not named take their defaults."""
    message = admin_pb2.Market(
        market_id=market.market_id,
        symbol=market.symbol,
        base_asset_id=market.base_asset_id,
        quote_asset_id=market.quote_asset_id,
        lot_size_atoms=str(market.lot_size_atoms),
        tick_size_atoms=str(market.tick_size_atoms),
    )
    set_limits(message.limits, market.limits)
    return message


def set_limits(message: admin_pb2.MarketLimits, limits: Mapping[str, int]) -> None:
    """Sets the named limits."""
    for name, value in limits.items():
        setattr(message, name, str(value) if name in LIMIT_AMOUNTS else value)


def fixed_differences(market: WantedMarket, found: admin_pb2.Market) -> list[str]:
    """What of a market differs and cannot change."""
    pairs = {
        "symbol": (market.symbol, found.symbol),
        "base": (market.base_asset_id, found.base_asset_id),
        "quote": (market.quote_asset_id, found.quote_asset_id),
        "lot_size": (market.lot_size_atoms, int(found.lot_size_atoms or 0)),
        "tick_size": (market.tick_size_atoms, int(found.tick_size_atoms or 0)),
    }
    return [name for name, (ours, theirs) in pairs.items() if ours != theirs]


def changed_limits(market: WantedMarket, found: admin_pb2.MarketLimits) -> list[str]:
    """Named limits that differ, as "name old -> new"."""
    changed = []
    for name in (*LIMIT_NUMBERS, *LIMIT_AMOUNTS):
        present = int(getattr(found, name) or 0)
        if name in market.limits and market.limits[name] != present:
            changed.append(f"{name} {present} -> {market.limits[name]}")
    return changed


def firm_steps(
    wanted: tuple[WantedFirm, ...], present: admin_pb2.ListDefinitionsResponse
) -> Iterator[Step]:
    """Firms."""
    known = {firm.firm_id: firm.name for firm in present.firms}
    for firm in wanted:
        name = f"firm {firm.firm_id}"
        if firm.firm_id not in known:
            yield Step(Action.CREATE, name, firm.name, CreateFirm(firm.firm_id, firm.name))
        elif known[firm.firm_id] != firm.name:
            yield Step(Action.CONFLICT, name, f"is called {known[firm.firm_id]!r}")


def account_steps(wanted: WantedAccount, found: admin_pb2.Account | None) -> Iterator[Step]:
    """An account."""
    name = f"account {wanted.account_id}"
    if found is None:
        message = admin_pb2.Account(
            account_id=wanted.account_id,
            firm_id=wanted.firm_id,
            self_trade_group_id=wanted.self_trade_group_id,
            open_orders_max=wanted.open_orders_max or 0,
            id_capacity=wanted.id_capacity or 0,
        )
        yield Step(Action.CREATE, name, f"firm {wanted.firm_id}", CreateAccount(message))
        return
    if found.firm_id != wanted.firm_id:
        yield Step(Action.CONFLICT, name, f"is of firm {found.firm_id}")
        return
    if found.self_trade_group_id != wanted.self_trade_group_id:
        detail = f"its self-trade group is {found.self_trade_group_id}"
        yield Step(Action.CONFLICT, name, detail)
        return
    changed = {
        field: (present, value)
        for field, present, value in (
            ("open_orders_max", found.open_orders_max, wanted.open_orders_max),
            ("id_capacity", found.id_capacity, wanted.id_capacity),
        )
        if value is not None and value != present
    }
    if changed:
        detail = ", ".join(f"{field} {old} -> {new}" for field, (old, new) in changed.items())
        change = SetAccountLimits(
            wanted.account_id,
            wanted.open_orders_max if wanted.open_orders_max is not None else found.open_orders_max,
            wanted.id_capacity if wanted.id_capacity is not None else found.id_capacity,
            found.frozen,
        )
        yield Step(Action.CHANGE, name, detail, change)
