"""Requests of operators as commands of the venue, and back. Pure."""

from collections.abc import Mapping

from cambist.admin.v1 import admin_pb2
from cambist.internal.journal.v1 import system_pb2
from matching.admin.amounts import to_bytes, to_text
from matching.admin.definitions import AccountShape, Fees, MarketEntry
from matching.errors import Rejected


def create_asset(asset: admin_pb2.Asset) -> system_pb2.CreateAsset:
    """The command."""
    return system_pb2.CreateAsset(
        asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals
    )


def create_market(market: admin_pb2.Market) -> system_pb2.CreateMarket:
    """The command. Raises Rejected."""
    return system_pb2.CreateMarket(
        market_id=market.market_id,
        symbol=market.symbol,
        base_asset_id=market.base_asset_id,
        quote_asset_id=market.quote_asset_id,
        lot_size_atoms=to_bytes(market.lot_size_atoms, "lot_size_atoms"),
        tick_size_atoms=to_bytes(market.tick_size_atoms, "tick_size_atoms"),
        parameters=parameters(market.limits),
    )


def parameters(limits: admin_pb2.MarketLimits) -> system_pb2.MarketParameters:
    """Limits and fees as the engine takes them. Raises Rejected."""
    return system_pb2.MarketParameters(
        price_step_ticks=limits.price_step_ticks,
        quantity_step_lots=limits.quantity_step_lots,
        minimum_quantity_lots=limits.minimum_quantity_lots,
        maximum_quantity_lots=limits.maximum_quantity_lots,
        minimum_notional_atoms=to_bytes(limits.minimum_notional_atoms, "minimum_notional_atoms"),
        maximum_notional_atoms=to_bytes(limits.maximum_notional_atoms, "maximum_notional_atoms"),
        maker_fee_ppm=limits.maker_fee_ppm,
        taker_fee_ppm=limits.taker_fee_ppm,
        resting_orders_max=limits.resting_orders_max,
        market_protection_ppm=limits.market_protection_ppm,
        static_band_ppm=limits.static_band_ppm,
    )


def create_account(account: admin_pb2.Account) -> system_pb2.CreateAccount:
    """The command."""
    return system_pb2.CreateAccount(
        account_id=account.account_id,
        firm_id=account.firm_id,
        self_trade_group_id=account.self_trade_group_id,
        limits=system_pb2.AccountLimits(
            open_orders_max=account.open_orders_max, id_capacity=account.id_capacity
        ),
    )


def set_fee_tier(request: admin_pb2.SetFeeTierRequest) -> system_pb2.SetFeeTier:
    """The command."""
    tier = request.tier
    return system_pb2.SetFeeTier(
        account_id=request.account_id,
        market_id=tier.market_id,
        maker_fee_ppm=tier.maker_fee_ppm,
        taker_fee_ppm=tier.taker_fee_ppm,
        remove=request.remove,
    )


def set_trading_limits(
    request: admin_pb2.SetTradingLimitsRequest,
) -> system_pb2.SetTradingLimits:
    """The command. Raises Rejected."""
    wanted = request.limits
    return system_pb2.SetTradingLimits(
        account_id=request.account_id,
        market_id=wanted.market_id,
        order_lots_max=wanted.order_lots_max,
        order_notional_atoms_max=to_bytes(
            wanted.order_notional_atoms_max, "order_notional_atoms_max"
        ),
        open_orders_max=wanted.open_orders_max,
        open_lots_max=wanted.open_lots_max,
        open_notional_atoms_max=to_bytes(wanted.open_notional_atoms_max, "open_notional_atoms_max"),
        position_atoms_max=to_bytes(wanted.position_atoms_max, "position_atoms_max"),
    )


def trading_limits_of(stands: system_pb2.SetTradingLimits) -> admin_pb2.TradingLimits:
    """Limits as operators see them."""
    return admin_pb2.TradingLimits(
        market_id=stands.market_id,
        order_lots_max=stands.order_lots_max,
        order_notional_atoms_max=to_text(stands.order_notional_atoms_max),
        open_orders_max=stands.open_orders_max,
        open_lots_max=stands.open_lots_max,
        open_notional_atoms_max=to_text(stands.open_notional_atoms_max),
        position_atoms_max=to_text(stands.position_atoms_max),
    )


def kill_switch(request: admin_pb2.SetKillSwitchRequest) -> system_pb2.KillSwitch:
    """The command. Raises Rejected unless it names one account, firm or market, or the shard."""
    named = [
        system_pb2.KillSwitch(scope=scope, target_id=target_id, active=request.active)
        for scope, target_id, is_named in (
            (system_pb2.KILL_SCOPE_ACCOUNT, request.account_id, request.account_id),
            (system_pb2.KILL_SCOPE_FIRM, request.firm_id, request.firm_id),
            (system_pb2.KILL_SCOPE_MARKET, request.market_id, request.market_id),
            (system_pb2.KILL_SCOPE_ALL, 0, request.whole_shard),
        )
        if is_named
    ]
    if len(named) != 1:
        raise Rejected("INVALID_PARAMETER", "name one account, firm or market, or the whole shard")
    return named[0]


def market_of(entry: MarketEntry) -> admin_pb2.Market:
    """A market as operators see it."""
    market = entry.definition
    stands = market.parameters
    limits = admin_pb2.MarketLimits(
        price_step_ticks=stands.price_step_ticks,
        quantity_step_lots=stands.quantity_step_lots,
        minimum_quantity_lots=stands.minimum_quantity_lots,
        maximum_quantity_lots=stands.maximum_quantity_lots,
        minimum_notional_atoms=to_text(stands.minimum_notional_atoms),
        maximum_notional_atoms=to_text(stands.maximum_notional_atoms),
        maker_fee_ppm=stands.maker_fee_ppm,
        taker_fee_ppm=stands.taker_fee_ppm,
        resting_orders_max=stands.resting_orders_max,
        market_protection_ppm=stands.market_protection_ppm,
        static_band_ppm=stands.static_band_ppm,
    )
    return admin_pb2.Market(
        market_id=market.market_id,
        symbol=market.symbol,
        base_asset_id=market.base_asset_id,
        quote_asset_id=market.quote_asset_id,
        lot_size_atoms=to_text(market.lot_size_atoms),
        tick_size_atoms=to_text(market.tick_size_atoms),
        limits=limits,
        phase=entry.phase,
        tick_value_atoms=entry.tick_value_atoms,
        reference_price_ticks=entry.reference_price_ticks,
    )


def account_of(
    account_id: int,
    shape: AccountShape,
    fee_tiers: Mapping[int, Fees],
    trading_limits: Mapping[int, system_pb2.SetTradingLimits],
) -> admin_pb2.Account:
    """An account as operators see it."""
    return admin_pb2.Account(
        account_id=account_id,
        firm_id=shape.firm_id,
        self_trade_group_id=shape.self_trade_group_id,
        open_orders_max=shape.open_orders_max,
        id_capacity=shape.id_capacity,
        frozen=shape.frozen,
        fee_tiers=[
            admin_pb2.FeeTier(
                market_id=market_id,
                maker_fee_ppm=fees.maker_fee_ppm,
                taker_fee_ppm=fees.taker_fee_ppm,
            )
            for market_id, fees in sorted(fee_tiers.items())
        ],
        trading_limits=[trading_limits_of(trading_limits[id_]) for id_ in sorted(trading_limits)],
    )


def is_same_market(wanted: system_pb2.CreateMarket, entry: MarketEntry) -> bool:
    """Whether a market is the one asked for; limits and fees may have changed since."""
    present = entry.definition
    fixed = ("market_id", "symbol", "base_asset_id", "quote_asset_id")
    sizes = ("lot_size_atoms", "tick_size_atoms")
    return all(getattr(wanted, name) == getattr(present, name) for name in fixed) and all(
        to_text(getattr(wanted, name)) == to_text(getattr(present, name)) for name in sizes
    )


def is_same_account(wanted: system_pb2.CreateAccount, shape: AccountShape) -> bool:
    """Whether an account is of the same firm and group; its limits may have changed since."""
    return (wanted.firm_id, wanted.self_trade_group_id) == (
        shape.firm_id,
        shape.self_trade_group_id,
    )
