"""Plays of administration: assets, markets, firms, accounts, limits, rules, what is not built."""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import BTC, USDT, market_id

SPARE_MARKETS: Final = range(100, 130)


def assets(flow: Flow) -> None:
    """Assets that are new, taken, impossible."""
    number = flow.random.randrange(100, 160)
    flow.venue(
        system.CreateAsset(asset_id=number, symbol=f"A{number}", decimals=number % 31),
        system.CreateAsset(asset_id=number, symbol="OTHER", decimals=1),
        system.CreateAsset(asset_id=number + 100_000, symbol="BTC", decimals=1),
        system.CreateAsset(asset_id=0, symbol="ZERO"),
        system.CreateAsset(asset_id=number + 200_000, symbol="DEEP", decimals=31),
    )


def _market(number: int) -> system.CreateMarket:
    return system.CreateMarket(
        market_id=market_id(number),
        symbol=f"SPARE-{number}",
        base_asset_id=BTC,
        quote_asset_id=USDT,
        lot_size_atoms=amount(10**4),
        tick_size_atoms=amount(10**4),
    )


def markets(flow: Flow) -> None:
    """Markets that are new, taken, impossible."""
    fresh = flow.random.choice(SPARE_MARKETS)
    kinds: tuple[dict[str, int | bytes | str], ...] = (
        {"market_id": market_id(50, flow.world.shard + 1)},
        {"market_id": market_id(0)},
        {"symbol": "BTC-USDT"},
        {"market_id": market_id(1)},
        {"base_asset_id": 404},
        {"quote_asset_id": 404},
        {"quote_asset_id": BTC},
        {"lot_size_atoms": b""},
        {"tick_size_atoms": amount(-1)},
        {"lot_size_atoms": amount((1 << 100) + 1)},
        {"tick_size_atoms": amount(1 << 100), "lot_size_atoms": amount(1 << 27)},
        {"tick_size_atoms": amount(10**4 + 1)},
        {"tick_size_atoms": amount(1), "lot_size_atoms": amount(1)},
        {"tick_size_atoms": amount(1 << 70), "lot_size_atoms": amount(1 << 55)},
    )
    found = [_market(fresh)]
    for fields in flow.random.sample(kinds, 6):
        market = _market(131)
        for name, value in fields.items():
            setattr(market, name, value)
        found.append(market)
    bad = _market(132)
    bad.parameters.taker_fee_ppm = -1
    flow.venue(*found, bad)


def firms_and_accounts(flow: Flow) -> None:
    """Firms and accounts that are new, taken, impossible."""
    number = flow.random.randrange(60_000, 60_040)
    limits = system.AccountLimits(open_orders_max=9, id_capacity=16)
    flow.venue(
        system.CreateFirm(firm_id=number, name="Firm ünd Söhne"),
        system.CreateFirm(firm_id=0, name="none"),
        system.CreateFirm(firm_id=1, name="again"),
        system.CreateAccount(account_id=number, firm_id=number, self_trade_group_id=900),
        system.CreateAccount(account_id=4_095, firm_id=1),
        system.CreateAccount(account_id=4_096, firm_id=1),
        system.CreateAccount(account_id=number + 10**6, firm_id=404),
        system.CreateAccount(account_id=number + 1_000, firm_id=1, limits=limits),
        *(
            system.CreateAccount(account_id=number + 10**6, firm_id=1, limits=wrong)
            for wrong in (
                system.AccountLimits(open_orders_max=10_001),
                system.AccountLimits(id_capacity=15),
                system.AccountLimits(id_capacity=65_537),
            )
        ),
    )


def limits_of_accounts(flow: Flow) -> None:
    """Limits change: fewer ids evict at once."""
    small = system.AccountLimits(open_orders_max=3, id_capacity=16)
    plan = flow.account()
    own = system.AccountLimits(open_orders_max=plan.open_orders_max, id_capacity=plan.id_capacity)
    bodies: list[Message] = [
        system.SetAccountLimits(account_id=31_337, limits=small),
        system.SetAccountLimits(account_id=2, limits=small),
        system.SetAccountLimits(
            account_id=plan.account_id, limits=system.AccountLimits(id_capacity=3)
        ),
        system.SetAccountLimits(account_id=5_001, limits=system.AccountLimits(id_capacity=40)),
        system.SetAccountLimits(account_id=5_001),
        system.SetAccountLimits(account_id=plan.account_id, limits=own),
    ]
    flow.venue(*bodies)


def fee_tiers(flow: Flow) -> None:
    """Accounts get fees of their own, in a market or in all, and lose them while orders rest."""
    market = flow.random.choice((0, flow.market().market_id))
    account_id = flow.account_of().account_id
    taker = flow.random.choice((0, 1, 40, 333, 1_000))
    maker = flow.random.choice((-taker, -taker // 3, 0, taker))
    tier = system.SetFeeTier(
        account_id=account_id, market_id=market, maker_fee_ppm=maker, taker_fee_ppm=taker
    )
    flow.venue(tier)
    for number in (1, 3, 8):
        price = flow.middles[market_id(number)]
        for side in flow.random.sample((enums.SIDE_BUY, enums.SIDE_SELL), 2):
            flow.firm(limit_order(flow, number, side=side, price_ticks=price))
            own = limit_order(flow, number, side=side, price_ticks=price, account_id=account_id)
            flow.firm(own)
    if flow.random.random() < 0.7:
        flow.venue(system.SetFeeTier(account_id=account_id, market_id=market, remove=True))


def refused_fee_tiers(flow: Flow) -> None:
    """Tiers of nobody, of no market, out of their bounds, and with rebates that nobody pays for."""
    account_id, market = flow.account().account_id, flow.market().market_id
    kinds: tuple[dict[str, Any], ...] = (
        {"account_id": 31_337},
        {"account_id": 1},
        {"market_id": market_id(1, flow.world.shard + 1)},
        {"market_id": market_id(444)},
        {"taker_fee_ppm": -1},
        {"taker_fee_ppm": 100_001},
        {"taker_fee_ppm": 9, "maker_fee_ppm": 10},
        {"taker_fee_ppm": 9, "maker_fee_ppm": -10},
        {"taker_fee_ppm": 100_000, "maker_fee_ppm": -100_000},
        {"maker_fee_ppm": -(1 << 31)},
        {"taker_fee_ppm": 1, "remove": True},
        {"market_id": market, "remove": True},
    )
    tiers = [
        system.SetFeeTier(**{"account_id": account_id, **fields})
        for fields in flow.random.sample(kinds, 6)
    ]
    flow.venue(*tiers)


def rules_and_what_is_not_built(flow: Flow) -> None:
    """Rules versions, the clock, and the commands of later issues."""
    flow.venue(
        system.SwitchRules(version=1),
        system.SwitchRules(version=0),
        system.SwitchRules(version=2),
        system.Clock(),
        system.SkipPoisonCommand(seq=5),
        system.SetReferencePrice(market_id=market_id(1), price_ticks=5),
        system.BustTrade(market_id=market_id(1), trade_id=1),
        system.CorrectTrade(market_id=market_id(1), trade_id=1, price_ticks=-1),
    )


def clock(flow: Flow) -> None:
    """The sequencer's own command."""
    flow.venue(system.Clock())


def days_go_by(flow: Flow) -> Iterator[None]:
    """Time jumps by minutes, hours, a year; some orders end in between and some do not."""
    second = 1_000_000_000
    for lifetime in (500, 5_000, 100_000, 399 * 86_400):
        order = limit_order(flow, flow.random.choice((1, 3, 8)))
        order.time_in_force = enums.TIME_IN_FORCE_GTD
        order.expire_time_ns = flow.now + lifetime * second
        order.price_ticks += 40 if order.side == enums.SIDE_SELL else -40
        flow.firm(order)
    yield
    flow.now += second * flow.random.choice((300, 599, 660, 4_000, 90_000, 401 * 86_400))
    flow.venue(system.Clock())


def spare_market_lives(flow: Flow) -> None:
    """A market made during the tape is opened and gets orders."""
    market = market_id(flow.random.choice(SPARE_MARKETS))
    flow.venue(system.SetPhase(market_id=market, phase=enums.MARKET_PHASE_CONTINUOUS))
    for _ in range(2):
        flow.firm(limit_order(flow, 1, market_id=market))


PLAYS: Final = (
    assets,
    markets,
    firms_and_accounts,
    limits_of_accounts,
    fee_tiers,
    refused_fee_tiers,
    rules_and_what_is_not_built,
    clock,
    days_go_by,
    spare_market_lives,
)
