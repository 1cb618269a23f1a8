"""An order meets the other side of its book: section 5. Called for new orders and amendments."""

from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import amounts, frames, limits, order_events
from matching.reference.order_checks import edge_of
from matching.reference.run import Run
from matching.reference.state import BUY, PPM, Market, fee_part, hold_of, opposite
from matching.reference.types import Order

CANCEL_NEWEST = enums_pb2.SELF_TRADE_PREVENTION_CANCEL_NEWEST
CANCEL_OLDEST = enums_pb2.SELF_TRADE_PREVENTION_CANCEL_OLDEST
CANCEL_BOTH = enums_pb2.SELF_TRADE_PREVENTION_CANCEL_BOTH
DECREMENT = enums_pb2.SELF_TRADE_PREVENTION_DECREMENT
NONE = enums_pb2.SELF_TRADE_PREVENTION_NONE
SELF_TRADE = enums_pb2.CANCEL_REASON_SELF_TRADE
# Market orders, and orders that wait to become one: the market's protection bounds them.
PROTECTED = (
    enums_pb2.ORDER_TYPE_MARKET,
    enums_pb2.ORDER_TYPE_STOP,
    enums_pb2.ORDER_TYPE_TAKE_PROFIT,
    enums_pb2.ORDER_TYPE_TRAILING_STOP,
)
MAKER, TAKER = enums_pb2.LIQUIDITY_MAKER, enums_pb2.LIQUIDITY_TAKER


def ruling_mode(order: Order) -> enums_pb2.SelfTradePrevention.ValueType:
    """The taker's mode; unspecified is CANCEL_NEWEST."""
    return order.self_trade_prevention or CANCEL_NEWEST


def has_leaves(taker: Order) -> bool:
    """Whether a taker wants more; one by budget always does."""
    return taker.budget_atoms > 0 or taker.leaves_lots > 0


def run_taker(run: Run, taker: Order) -> bool:
    """Matches until the taker stops; whether what is left may rest (or ends as IOC).

    False when the rest was cancelled, its hold given back and told.
    """
    market = run.state.markets[taker.market_id]
    touched, protection = 0, protection_of(market, taker)
    while has_leaves(taker):
        maker = market.first_order(opposite(taker.side))
        if maker is None:
            if taker.is_market:
                return cancel_rest(run, taker, enums_pb2.CANCEL_REASON_NO_LIQUIDITY)
            return True
        if protection and not reaches(taker.side, protection, maker.price_ticks):
            return cancel_rest(run, taker, enums_pb2.CANCEL_REASON_MARKET_PROTECTION)
        if not taker.is_market and not is_within(taker, maker.price_ticks):
            return True
        touched += 1
        run.touches += 1
        if touched > limits.WORK_ORDERS_MAX:
            return cancel_rest(run, taker, enums_pb2.CANCEL_REASON_WORK_LIMIT)
        mode = ruling_mode(taker)
        if mode != NONE and run.state.is_same_group(taker.account_id, maker.account_id):
            if not prevent(run, taker, maker, mode):
                return False
            continue
        lots = min(maker.shown, affordable_lots(run, taker, maker.price_ticks, market))
        if not taker.budget_atoms:
            lots = min(lots, taker.leaves_lots)
        if lots <= 0:
            return cancel_rest(run, taker, enums_pb2.CANCEL_REASON_INSUFFICIENT_FUNDS)
        trade(run, market, taker, maker, lots)
    return True


def is_within(taker: Order, price_ticks: int) -> bool:
    """Whether a price is as good as the taker's own."""
    return reaches(taker.side, taker.price_ticks, price_ticks)


def reaches(side: enums_pb2.Side.ValueType, limit_ticks: int, price_ticks: int) -> bool:
    """Whether a price is as good for a side as a limit."""
    return price_ticks <= limit_ticks if side == BUY else price_ticks >= limit_ticks


def protection_of(market: Market, taker: Order) -> int:
    """The worst price at which the market lets a market order trade; 0 = its own price is tighter.

    docs/semantics/risk.md, sections 5 and 7.
    """
    ppm = market.parameters.market_protection_ppm
    best = market.best_price(opposite(taker.side))
    if not (best and taker.order_type in PROTECTED):
        return 0
    distance = best * ppm // PPM
    protection = best + distance if taker.side == BUY else best - distance
    bounds = [protection] if ppm else []
    edge = edge_of(market, taker.side)
    if edge:
        bounds.append(edge)
    if not bounds:
        return 0
    worst = min(bounds) if taker.side == BUY else max(bounds)
    is_tighter = worst != taker.price_ticks and is_within(taker, worst)
    return worst if taker.is_market or is_tighter else 0


def cancel_rest(run: Run, taker: Order, reason: enums_pb2.CancelReason.ValueType) -> bool:
    """The rest is cancelled; False, so that callers stop."""
    order_events.give_back(run, taker, taker.leaves_lots, 0)
    order_events.tell_canceled(run, taker, reason)
    return False


def affordable_lots(run: Run, taker: Order, price_ticks: int, market: Market) -> int:
    """What funds allow at a price; without bound for a limit order, whose funds are held."""
    if not taker.is_market:
        return taker.leaves_lots
    created = market.created
    if taker.side != BUY:
        return run.state.available(taker.account_id, created.base_asset_id) // market.lot_size
    funds = run.state.available(taker.account_id, created.quote_asset_id)
    if taker.budget_atoms:
        funds = min(funds, taker.budget_atoms - taker.spent_atoms)
    lots = funds * PPM // (price_ticks * market.tick_value * (PPM + taker.taker_fee_ppm))
    if taker.budget_atoms:
        lots = min(lots, limits.CUM_LOTS_MAX - taker.cum_lots)
    return lots


# --- self-trade prevention


def prevent(
    run: Run, taker: Order, maker: Order, mode: enums_pb2.SelfTradePrevention.ValueType
) -> bool:
    """Two orders of one group meet; whether the taker goes on."""
    lots = maker.leaves_lots
    if not taker.budget_atoms:
        lots = min(lots, taker.leaves_lots)
    for order, liquidity in ((taker, TAKER), (maker, MAKER)):
        prevented = events_pb2.PreventedMatch(
            market_id=order.market_id,
            order_id=order.order_id,
            side=order.side,
            price_ticks=maker.price_ticks,
            quantity_lots=lots,
            mode=mode,
            liquidity=liquidity,
        )
        run.tell(order.account_id, prevented_match=prevented)
    if mode == DECREMENT:
        return decrement(run, taker, maker, lots)
    if mode in (CANCEL_OLDEST, CANCEL_BOTH):
        order_events.cancel_resting(run, maker, SELF_TRADE)
    if mode in (CANCEL_NEWEST, CANCEL_BOTH):
        return cancel_rest(run, taker, SELF_TRADE)
    return True


def decrement(run: Run, taker: Order, maker: Order, lots: int) -> bool:
    """Both lose the quantity, the taker first; whether the taker goes on."""
    goes_on = taker.leaves_lots > lots
    order_events.give_back(run, taker, taker.leaves_lots, taker.leaves_lots - lots)
    if goes_on:
        taker.quantity_lots -= lots
        taker.leaves_lots -= lots
        tell_restated(run, taker, lots)
    else:
        order_events.tell_canceled(run, taker, SELF_TRADE)
    if maker.leaves_lots == lots:
        order_events.cancel_resting(run, maker, SELF_TRADE)
        return goes_on
    market = run.state.markets[maker.market_id]
    order_events.give_back(run, maker, maker.leaves_lots, maker.leaves_lots - lots)
    run.touch(market, maker.side, maker.price_ticks)
    shown_before = maker.shown
    market.shrink(maker, lots)
    maker.quantity_lots -= lots
    tell_restated(run, maker, lots)
    if maker.shown != shown_before:
        order_events.tell_modified(run, maker)
    return goes_on


def tell_restated(run: Run, order: Order, lots: int) -> None:
    """An order lost quantity without a fill."""
    order_events.tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_RESTATED,
        quantity_lots=order.quantity_lots,
        leaves_lots=order.leaves_lots,
        cum_lots=order.cum_lots,
        last_lots=lots,
    )


# --- trades


def trade(run: Run, market: Market, taker: Order, maker: Order, lots: int) -> None:
    """One trade at the maker's price: money, book, events."""
    price = maker.price_ticks
    notional = lots * price * market.tick_value
    market.trade_id += 1
    if run.rules_version >= limits.FULL_RULES:
        market.last_price_ticks = price
        run.trade_prices.append((market.market_id, price))
    fees = {}
    for order, ppm in ((taker, taker.taker_fee_ppm), (maker, maker.maker_fee_ppm)):
        fees[order.order_id] = pay(run, market, order, lots, notional, fee_part(notional, ppm))
    fee_row = run.balance(limits.FEES_ACCOUNT, market.created.quote_asset_id)
    fee_row.available += sum(fees.values())
    run.touch(market, maker.side, price)
    market.shrink(maker, lots, is_trade=True)
    if not taker.budget_atoms:
        taker.leaves_lots -= lots
    for order in (taker, maker):
        order.cum_lots += lots
        order.cum_tick_lots += lots * price
    if not maker.leaves_lots:
        market.remove(maker)
        run.state.unlist_order(maker)
    for order, liquidity in ((taker, TAKER), (maker, MAKER)):
        tell_trade(run, market, order, lots, price, fees[order.order_id], liquidity)
    market_seq = run.tell_l3(
        market,
        action=market_events.L3_ACTION_EXECUTE,
        public_order_id=maker.public_order_id,
        quantity_lots=lots,
        trade_id=market.trade_id,
    )
    printed = market_events.Trade(
        trade_id=market.trade_id,
        market_seq=market_seq,
        price_ticks=price,
        quantity_lots=lots,
        aggressor_side=taker.side,
    )
    run.frames.tell(frames.TRADES, market.market_id, printed)
    if maker.leaves_lots and not maker.shown:
        order_events.refresh(run, maker)


def pay(run: Run, market: Market, order: Order, lots: int, notional: int, fee: int) -> int:
    """Books one side of a trade; the fee that was paid."""
    base = run.balance(order.account_id, market.created.base_asset_id)
    quote = run.balance(order.account_id, market.created.quote_asset_id)
    amount = lots * market.lot_size
    if order.side != BUY:
        if order.is_market:
            base.available -= amount
        else:
            base.held -= amount
        quote.available += notional - fee
        return fee
    if order.is_market:
        quote.available -= notional + fee
        order.spent_atoms += notional + fee
    else:
        before = hold_of(order, market, order.leaves_lots)
        released = before - hold_of(order, market, order.leaves_lots - lots)
        fee = min(fee, released - notional)
        quote.held -= released
        quote.available += released - notional - fee
    base.available += amount
    return fee


def tell_trade(
    run: Run,
    market: Market,
    order: Order,
    lots: int,
    price_ticks: int,
    fee: int,
    liquidity: enums_pb2.Liquidity.ValueType,
) -> None:
    """A fill, told to its owner."""
    order_events.tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_TRADE,
        leaves_lots=order.leaves_lots,
        cum_lots=order.cum_lots,
        last_lots=lots,
        last_price_ticks=price_ticks,
        cum_tick_lots=amounts.to_bytes(order.cum_tick_lots),
        fee_atoms=amounts.to_bytes(fee),
        fee_asset_id=market.created.quote_asset_id,
        liquidity=liquidity,
        trade_id=market.trade_id,
    )
