"""Whether the rows of a state fit one another: asked of every snapshot before it is used.

Called by `snapshot.decode`. The state hash of the journal is the proof that a snapshot is the right
one; this only keeps the engine from going on with one that no engine can have written.
"""

from collections import defaultdict

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from matching.reference import amounts, fee_tiers, limits, trading_limits, waiting
from matching.reference.administration import created_with_limits, filled_limits
from matching.reference.custody import VENUE_ACCOUNTS
from matching.reference.state import Market, State, held_asset, hold_of, is_firm_account
from matching.reference.types import Order

HASH_BYTES = 32


class Inconsistent(Exception):  # becomes SnapshotRefused
    """Two rows of a state do not fit one another."""


def expect(condition: bool, what: str) -> None:
    """Raises Inconsistent unless the condition holds."""
    if not condition:
        raise Inconsistent(what)


def judge(state: State, rules_newest: int) -> None:
    """Raises Inconsistent, Refusal."""
    expect(1 <= state.rules_version <= rules_newest, "rules version")
    expect(len(state.state_hash) == HASH_BYTES, "length of the state hash")
    _judge_firms(state)
    _judge_windows(state)
    _judge_markets(state)
    _judge_fee_tiers(state)
    _judge_trading_limits(state)
    _judge_money(state)
    _judge_keys(state)


def judge_asset(asset: system_pb2.CreateAsset) -> None:
    """Asked before its decimals are used. Raises Inconsistent."""
    expect(asset.decimals <= limits.DECIMALS_MAX, "decimals of an asset")


def is_holder(state: State, account_id: int) -> bool:
    """Whether an account may have money: one of a firm that exists, or the venue's."""
    peer_shard = account_id - limits.IN_TRANSIT_BASE
    return (
        account_id in state.accounts
        or account_id in VENUE_ACCOUNTS
        or 1 <= peer_shard <= limits.PEER_SHARD_MAX
    )


def judge_amounts(amount: int, fee: int) -> None:
    """Raises Inconsistent unless a command could have carried them."""
    expect(1 <= amount <= limits.AMOUNT_ATOMS_MAX, "an amount")
    expect(0 <= fee <= limits.AMOUNT_ATOMS_MAX, "a fee")


def _judge_firms(state: State) -> None:
    is_switched = state.killed or bool(state.killed_firms)
    is_full = state.rules_version >= limits.FULL_RULES
    expect(is_full or not is_switched, "a kill switch of newer rules")
    for account in state.accounts.values():
        expect(is_firm_account(account.account_id), "number of an account")
        expect(account.firm_id in state.firms, "firm of an account")
        # In a snapshot defaults are filled in.
        sent = created_with_limits(account).limits
        is_allowed = account.cancel_all_at_ns >= 0 and (
            state.rules_version >= limits.FULL_RULES or not account.cancel_all_at_ns
        )
        expect(is_allowed, "timer of an account")
        expect(filled_limits(sent) == (sent.open_orders_max, sent.id_capacity), "limits")
    for session in state.sessions.values():
        expect(session.established.session_id > 0, "number of a session")
        expect(session.established.correlation == 0, "correlation of a session")
        firm_id = session.established.firm_id
        expect(firm_id in state.firms, "firm of a session")
        owners = {
            state.accounts[account_id].firm_id if account_id in state.accounts else 0
            for account_id in session.account_ids
        }
        expect(owners == {firm_id}, "account of a session")


def _judge_windows(state: State) -> None:
    is_full = state.rules_version >= limits.FULL_RULES
    expect(is_full or not state.windows, "a disconnect window under older rules")
    for session_id, window in state.windows.items():
        expect(session_id > 0 and window.ends_ns > 0, "number or end of a window")
        session = state.sessions.get(session_id)
        expect(session is None or not session.connected, "a window of a connected session")
        accounts = window.account_ids
        is_ascending = accounts == sorted(set(accounts))
        expect(1 <= len(accounts) <= limits.LIST_ITEMS_MAX and is_ascending, "accounts of a window")
        expect(all(id_ in state.accounts for id_ in accounts), "an account of a window")


def _judge_markets(state: State) -> None:
    for market in state.markets.values():
        is_ours = market.market_id >> 16 == state.shard and market.market_id & 0xFFFF != 0
        expect(is_ours, "number of a market")
        bid, ask = market.best_price(1), market.best_price(2)
        expect(not (bid and ask and bid >= ask), "a crossed book")
        is_older = state.rules_version < limits.FULL_RULES
        is_protected = market.parameters.market_protection_ppm != 0
        expect(not (is_older and is_protected), "market-order protection under older rules")
        has_band = market.parameters.static_band_ppm or market.reference_price_ticks
        expect(not (is_older and has_band), "a price band under older rules")
        reference = market.reference_price_ticks
        expect(0 <= reference <= limits.PRICE_TICKS_MAX, "reference price")
        _judge_triggers(state, market)
    for account in state.accounts.values():
        for order in account.orders.values():
            if order.waits:
                _judge_waiting(state, order)
            else:
                _judge_order(state, order)


def _judge_fee_tiers(state: State) -> None:
    is_full = state.rules_version >= limits.FULL_RULES
    expect(is_full or not state.fee_tiers, "fee tiers under older rules")
    expect(len(state.fee_tiers) <= limits.FEE_TIERS_MAX, "number of fee tiers")
    for (account_id, market_id), fees in state.fee_tiers.items():
        expect(account_id in state.accounts, "account of a fee tier")
        expect(market_id == 0 or market_id in state.markets, "market of a fee tier")
        expect(fee_tiers.are_in_bounds(fees), "fees of a tier")
    is_covered = fee_tiers.are_covered(state.fee_tiers, state.fees_of_markets())
    expect(is_covered, "a rebate that nobody pays for")


def _judge_trading_limits(state: State) -> None:
    is_full = state.rules_version >= limits.FULL_RULES
    expect(is_full or not state.trading_limits, "trading limits under older rules")
    expect(len(state.trading_limits) <= limits.TRADING_LIMITS_MAX, "number of trading limits")
    for (account_id, market_id), bounds in state.trading_limits.items():
        expect(account_id in state.accounts, "account of trading limits")
        expect(market_id in state.markets, "market of trading limits")
        is_right = any(bounds) and trading_limits.are_in_bounds(bounds)
        expect(is_right, "bounds of trading limits")


def _judge_triggers(state: State, market: Market) -> None:
    has_some = bool(market.last_price_ticks or market.waiting)
    is_allowed = state.rules_version >= limits.FULL_RULES
    expect(is_allowed or not has_some, "triggers under older rules")
    expect(0 <= market.last_price_ticks <= limits.PRICE_TICKS_MAX, "last price")
    seen = sorted(id_ for id_, order in market.waiting.items() if order.seen_price_ticks)
    expect(sorted(market.ready) == seen, "a ready order")


def _judge_waiting(state: State, order: Order) -> None:
    expect(0 < order.order_id < state.next_order_id, "number of a waiting order")
    expect(order.order_type in waiting.TYPES, "type of a waiting order")
    expect(order.side in (1, 2), "side of a waiting order")
    is_new = not order.cum_lots and not order.public_order_id and not order.post_only
    expect(not order.display_lots and not order.shown_lots, "a waiting iceberg")
    expect(is_new and order.leaves_lots == order.quantity_lots, "fills of a waiting order")
    expect((order.leaves_lots >= 1) != (order.budget_atoms >= 1), "quantity of a waiting order")
    prices = order.price_ticks, order.extreme_price_ticks, order.seen_price_ticks
    expect(all(0 <= price <= limits.PRICE_TICKS_MAX for price in prices), "a price that waits")
    expect(0 <= order.taker_fee_ppm <= limits.FEE_PPM_MAX, "taker's fee of a waiting order")
    expect(abs(order.maker_fee_ppm) <= limits.FEE_PPM_MAX, "maker's fee of a waiting order")


def _judge_order(state: State, order: Order) -> None:
    expect(0 < order.order_id < state.next_order_id, "number of an order")
    expect(1 <= order.price_ticks <= limits.PRICE_TICKS_MAX, "price of an order")
    expect(order.leaves_lots >= 1 and order.cum_lots >= 0, "open quantity of an order")
    if order.display_lots:
        expect(state.rules_version >= limits.FULL_RULES, "an iceberg under older rules")
        is_right = 1 <= order.shown_lots <= min(order.display_lots, order.leaves_lots)
        expect(is_right, "what an iceberg shows")
    else:
        expect(not order.shown_lots, "what an order shows")
    expect(order.leaves_lots + order.cum_lots == order.quantity_lots, "quantity of an order")
    expect(0 <= order.taker_fee_ppm <= limits.FEE_PPM_MAX, "taker's fee of an order")
    expect(abs(order.maker_fee_ppm) <= limits.FEE_PPM_MAX, "maker's fee of an order")


def _judge_money(state: State) -> None:
    held: dict[tuple[int, int], int] = defaultdict(int)
    in_flight: dict[tuple[int, int], int] = defaultdict(int)
    for deposit in state.deposits.values():
        expect(deposit.asset_id in state.assets, "asset of a deposit")
        expect(is_holder(state, deposit.account_id), "account of a deposit")
        judge_amounts(deposit.amount_atoms, 0)
    for withdrawal in state.withdrawals.values():
        place = withdrawal.account_id, withdrawal.asset_id
        if withdrawal.phase == snapshot_pb2.WITHDRAWAL_PHASE_REQUESTED:
            held[place] += withdrawal.total_atoms
        elif withdrawal.phase == snapshot_pb2.WITHDRAWAL_PHASE_STARTED:
            in_flight[place] += withdrawal.total_atoms
        expect(withdrawal.account_id in state.accounts, "account of a withdrawal")
        expect(withdrawal.asset_id in state.assets, "asset of a withdrawal")
        judge_amounts(withdrawal.amount_atoms, withdrawal.fee_atoms)
        is_known = withdrawal.phase != snapshot_pb2.WITHDRAWAL_PHASE_UNSPECIFIED
        expect(is_known, "phase of a withdrawal")
    for account in state.accounts.values():
        for order in account.orders.values():
            market = state.markets[order.market_id]
            place = account.account_id, held_asset(order, market)
            held[place] += hold_of(order, market, order.leaves_lots)
    for (account_id, asset_id), row in state.balances.items():
        place = account_id, asset_id
        expect(is_holder(state, account_id), "account of a balance")
        expect(asset_id in state.assets, "asset of a balance")
        expect(row.held == held.pop(place, 0), "a hold")
        expect(row.in_flight == in_flight.pop(place, 0), "money in flight")
    expect(not any(held.values()) and not any(in_flight.values()), "a hold without a balance")


def _judge_keys(state: State) -> None:
    opened = set()
    for account_id, keys in state.keys.items():
        expect(account_id in state.accounts, "account of an id")
        for key in keys.by_id.values():
            expect(key.kind != snapshot_pb2.KEY_KIND_UNSPECIFIED, "kind of an id")
            expect(len(key.id) == amounts.ID_BYTES, "length of an id")
            if key.open:
                expect(not key.reason, "reason of an open id")
                expect(key.kind == snapshot_pb2.KEY_KIND_NEW_ORDER, "kind of an open id")
                opened.add((account_id, key.id, key.order_id))
    resting = {
        (order.account_id, order.cl_ord_id, order.order_id)
        for account in state.accounts.values()
        for order in account.orders.values()
    }
    expect(opened == resting, "the id of an order")
