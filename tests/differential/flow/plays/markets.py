"""Plays of markets: phases, halts, kill switches and their cursors, freezes, parameters."""

from collections.abc import Iterator
from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import FULL_RULES
from tests.differential.flow.messages import amount
from tests.differential.flow.orders import amend, cancel, mass_cancel
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import MarketPlan, market_id

CONTINUOUS: Final = enums.MARKET_PHASE_CONTINUOUS
POST_ONLY: Final = enums.MARKET_PHASE_POST_ONLY
CANCEL_ONLY: Final = enums.MARKET_PHASE_CANCEL_ONLY
HALTED: Final = enums.MARKET_PHASE_HALTED


def set_phase(market: int, phase: enums.MarketPhase.ValueType) -> system.SetPhase:
    """A SetPhase."""
    return system.SetPhase(market_id=market, phase=phase)


def parameters(plan: MarketPlan) -> system.MarketParameters:
    """The parameters of a plan."""
    return system.MarketParameters(
        price_step_ticks=plan.price_step_ticks,
        quantity_step_lots=plan.quantity_step_lots,
        minimum_quantity_lots=plan.minimum_quantity_lots,
        maximum_quantity_lots=plan.maximum_quantity_lots,
        minimum_notional_atoms=amount(plan.minimum_notional_atoms),
        maximum_notional_atoms=amount(plan.maximum_notional_atoms),
        maker_fee_ppm=plan.maker_fee_ppm,
        taker_fee_ppm=plan.taker_fee_ppm,
        resting_orders_max=plan.resting_orders_max,
    )


def phases(flow: Flow) -> Iterator[None]:
    """Every phase meets every kind of order; the market ends in CONTINUOUS."""
    market = flow.market().market_id
    for phase in flow.random.sample((POST_ONLY, CANCEL_ONLY, HALTED, POST_ONLY), 2):
        flow.venue(set_phase(market, phase), set_phase(market, phase))
        for time_in_force in (
            enums.TIME_IN_FORCE_GTC,
            enums.TIME_IN_FORCE_IOC,
            enums.TIME_IN_FORCE_FOK,
        ):
            order = limit_order(flow, market_id=market, time_in_force=time_in_force)
            order.price_ticks = flow.middles[market] // 5 * 5
            order.quantity_lots = 100
            flow.firm(order)
        order = limit_order(flow, market_id=market, time_in_force=enums.TIME_IN_FORCE_GTD)
        order.expire_time_ns = flow.now + 1_000_000_000
        flow.firm(order)
        if flow.random.random() < 0.5:
            yield
        resting = flow.model.orders.draw(flow.random)
        if resting is not None:
            flow.firm(amend(flow, resting))
    flow.venue(set_phase(market, CONTINUOUS))


def bad_phases(flow: Flow) -> None:
    """SetPhase, Halt and Resume that are refused."""
    market, other = market_id(8), market_id(1, flow.world.shard + 3)
    flow.venue(
        set_phase(other, CONTINUOUS),
        set_phase(market_id(500), CONTINUOUS),
        set_phase(market, enums.MARKET_PHASE_UNSPECIFIED),
        set_phase(
            market, flow.random.choice((enums.MARKET_PHASE_CLOSED, enums.MARKET_PHASE_DELISTED))
        ),
        set_phase(market, enums.MARKET_PHASE_OPENING_AUCTION),
        system.Halt(market_id=other),
        system.Halt(market_id=market_id(501)),
        system.Resume(market_id=market, phase=HALTED),
        system.Resume(market_id=market, phase=CONTINUOUS),
        system.Resume(market_id=other, phase=CONTINUOUS),
        system.Resume(market_id=market_id(501), phase=CONTINUOUS),
        system.Resume(phase=enums.MARKET_PHASE_UNSPECIFIED),
        set_phase(0, CONTINUOUS),
    )


def halt_and_resume(flow: Flow) -> Iterator[None]:
    """One market or all are halted and come back."""
    market = flow.random.choice((0, 0, flow.market().market_id))
    flow.venue(system.Halt(market_id=market))
    flow.firm(limit_order(flow, 1))
    if flow.random.random() < 0.5:
        yield
    phase = flow.random.choice((CANCEL_ONLY, POST_ONLY, CONTINUOUS))
    flow.venue(system.Resume(market_id=market, phase=phase), system.Resume(phase=CONTINUOUS))
    flow.firm(limit_order(flow, 1))
    for plan in flow.world.markets:
        flow.venue(set_phase(plan.market_id, CONTINUOUS))


def killed_market(flow: Flow) -> Iterator[None]:
    """A kill switch clears a market through a cursor; orders are refused until it is off."""
    market = flow.market().market_id
    switch = system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=market, active=True)
    flow.venue(switch)
    flow.firm(limit_order(flow, market_id=market))
    order = flow.model.orders.draw(flow.random)
    if order is not None:
        flow.firm(amend(flow, order))
        flow.firm(cancel(flow, order))
    if flow.random.random() < 0.3:
        flow.venue(system.KillSwitch(scope=switch.scope, target_id=market, active=False), switch)
    if flow.random.random() < 0.3:
        flow.venue(set_phase(market, HALTED))
    yield
    if flow.random.random() < 0.5:
        flow.firm(limit_order(flow, market_id=market))
        yield
    flow.venue(
        system.KillSwitch(scope=switch.scope, target_id=market, active=False),
        set_phase(market, CONTINUOUS),
    )
    flow.firm(limit_order(flow, market_id=market))


def killed_account(flow: Flow) -> Iterator[None]:
    """A kill switch cancels an account's orders, also those of a halted market."""
    account_id = flow.account().account_id
    market = flow.market().market_id
    flow.venue(set_phase(market, HALTED))
    switch = system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=account_id, active=True)
    flow.venue(switch)
    for command in (
        limit_order(flow, account_id=account_id),
        mass_cancel(flow, account_id),
    ):
        flow.firm(command)
    resting = flow.model.orders.draw(flow.random)
    if resting is not None:
        flow.firm(amend(flow, resting))
    yield
    flow.venue(
        system.KillSwitch(scope=switch.scope, target_id=account_id, active=False),
        set_phase(market, CONTINUOUS),
    )


def bad_kill_switches(flow: Flow) -> None:
    """Scopes that are not built, and targets that do not exist."""
    targets = {
        system.KILL_SCOPE_UNSPECIFIED: (0,),
        system.KILL_SCOPE_ACCOUNT: (0, 1, 99_999),
        system.KILL_SCOPE_FIRM: (1,),
        system.KILL_SCOPE_SESSION: (11,),
        system.KILL_SCOPE_MARKET: (
            market_id(1, flow.world.shard + 1),
            market_id(888),
            (1 << 32) + market_id(1),
        ),
        system.KILL_SCOPE_ALL: (0,),
    }
    if flow.rules_version >= FULL_RULES:
        # They are good under these rules.
        del targets[system.KILL_SCOPE_FIRM], targets[system.KILL_SCOPE_ALL]
    flow.venue(
        *(
            system.KillSwitch(scope=scope, target_id=flow.random.choice(ids), active=True)
            for scope, ids in targets.items()
        )
    )


def frozen_account(flow: Flow) -> Iterator[None]:
    """A frozen account trades and withdraws nothing, and may cancel."""
    plan = flow.account()
    limits = system.AccountLimits(
        open_orders_max=plan.open_orders_max, id_capacity=plan.id_capacity
    )
    flow.venue(system.SetAccountLimits(account_id=plan.account_id, limits=limits, frozen=True))
    flow.firm(limit_order(flow, account_id=plan.account_id))
    resting = [o for o in flow.model.orders.all()[:200] if o.account_id == plan.account_id]
    if resting:
        order = flow.random.choice(resting)
        flow.firm(amend(flow, order))
        flow.firm(cancel(flow, order))
    if flow.random.random() < 0.5:
        yield
    flow.venue(system.SetAccountLimits(account_id=plan.account_id, limits=limits))


def other_fees(flow: Flow) -> None:
    """Fees change while orders rest: each keeps what was frozen at its entry."""
    plan = flow.market()
    changed = parameters(plan)
    if flow.random.random() < 0.7:
        changed.taker_fee_ppm = flow.random.choice((0, 1, 250, 777, 100_000))
        changed.maker_fee_ppm = flow.random.choice(
            (-changed.taker_fee_ppm, 0, changed.taker_fee_ppm // 2, changed.taker_fee_ppm)
        )
    flow.venue(system.UpdateMarket(market_id=plan.market_id, parameters=changed))


def other_limits(flow: Flow) -> Iterator[None]:
    """Steps, minimums and bounds change while orders rest that do not fit them any more."""
    plan = flow.market()
    changed = parameters(plan)
    kinds: tuple[dict[str, int | bytes], ...] = (
        {"price_step_ticks": 3},
        {"quantity_step_lots": 7, "minimum_quantity_lots": 7},
        {"minimum_quantity_lots": 9, "maximum_quantity_lots": 12},
        {"minimum_notional_atoms": amount(1 << 40)},
        {"maximum_notional_atoms": amount(1)},
        {"resting_orders_max": 1},
    )
    for name, value in flow.random.choice(kinds).items():
        setattr(changed, name, value)
    account = flow.account_of()
    limits = system.AccountLimits(open_orders_max=1, id_capacity=16)
    flow.venue(
        system.UpdateMarket(market_id=plan.market_id, parameters=changed),
        system.SetAccountLimits(account_id=account.account_id, limits=limits),
    )
    for _ in range(4):
        flow.firm(limit_order(flow, market_id=plan.market_id))
        flow.firm(limit_order(flow, account_id=account.account_id))
        order = flow.model.orders.draw(flow.random)
        if order is not None:
            flow.firm(amend(flow, order))
    yield
    own = system.AccountLimits(
        open_orders_max=account.open_orders_max, id_capacity=account.id_capacity
    )
    flow.venue(
        system.UpdateMarket(market_id=plan.market_id, parameters=parameters(plan)),
        system.SetAccountLimits(account_id=account.account_id, limits=own),
    )


def bad_parameters(flow: Flow) -> None:
    """UpdateMarket with each parameter out of its bounds."""
    plan = flow.market()
    kinds: tuple[dict[str, int | bytes], ...] = (
        {"price_step_ticks": -1},
        {"price_step_ticks": (1 << 40) + 1},
        {"quantity_step_lots": -5},
        {"quantity_step_lots": (1 << 40) + 1},
        {"minimum_quantity_lots": -1},
        {"minimum_quantity_lots": 50, "maximum_quantity_lots": 49},
        {"maximum_quantity_lots": (1 << 53) + 1},
        {"minimum_notional_atoms": amount(-1)},
        {"minimum_notional_atoms": amount((1 << 120) + 1)},
        {"maximum_notional_atoms": amount(-1)},
        {"maximum_notional_atoms": amount((1 << 120) + 1)},
        {"taker_fee_ppm": -1},
        {"taker_fee_ppm": 100_001},
        {"taker_fee_ppm": 10, "maker_fee_ppm": 11},
        {"taker_fee_ppm": 10, "maker_fee_ppm": -11},
        {"resting_orders_max": 10_000_001},
    )
    updates = []
    for fields in flow.random.sample(kinds, 6):
        update = system.UpdateMarket(market_id=plan.market_id, parameters=parameters(plan))
        for name, value in fields.items():
            setattr(update.parameters, name, value)
        updates.append(update)
    updates.append(system.UpdateMarket(market_id=market_id(1, flow.world.shard + 1)))
    updates.append(system.UpdateMarket(market_id=market_id(321)))
    flow.venue(*updates)


PLAYS: Final = (
    phases,
    bad_phases,
    halt_and_resume,
    killed_market,
    killed_account,
    bad_kill_switches,
    frozen_account,
    other_fees,
    other_limits,
    bad_parameters,
)
