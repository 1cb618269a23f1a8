"""The state as canonical bytes, and back. Section 2 and snapshot.proto."""

from typing import Any

from google.protobuf.message import DecodeError, Message

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from matching.reference import (
    amounts,
    consistency,
    limits,
    order_rows,
    schema,
    trading_limits,
    trigger_rows,
)
from matching.reference.administration import (
    created_with_limits,
    created_with_parameters,
    filled_parameters,
    market_sizes,
)
from matching.reference.consistency import Inconsistent
from matching.reference.errors import Refusal, SnapshotRefused
from matching.reference.state import Market, State
from matching.reference.strict_decoder import Fault, scan
from matching.reference.types import (
    Account,
    Balance,
    Deposit,
    DisconnectWindow,
    EarlyCancel,
    Fees,
    Key,
    Order,
    Session,
    Withdrawal,
)

SECTIONS = {
    "money": snapshot_pb2.MoneySection.DESCRIPTOR,
    "books": snapshot_pb2.BooksSection.DESCRIPTOR,
    "triggers": snapshot_pb2.TriggersSection.DESCRIPTOR,
    "sessions": snapshot_pb2.SessionsSection.DESCRIPTOR,
    "keys": snapshot_pb2.KeysSection.DESCRIPTOR,
    "limits": snapshot_pb2.LimitsSection.DESCRIPTOR,
}


def encode(state: State) -> bytes:
    """Canonical bytes of a snapshot."""
    whole = snapshot_pb2.Snapshot(
        layout_version=limits.LAYOUT_VERSION,
        shard=state.shard,
        last_seq=state.last_seq,
        time_ns=state.time_ns,
        rules_version=state.rules_version,
        state_hash=state.state_hash,
        next_order_id=state.next_order_id,
        **sections(state),
    )
    return canonical(whole)


def canonical(message: Message) -> bytes:
    """What the protobuf library gives is the canonical encoding."""
    return message.SerializeToString(deterministic=True)


def sections(state: State) -> dict[str, Any]:
    """Each section's bytes by its name."""
    return {
        "money": canonical(_money(state)),
        "books": canonical(_books(state)),
        "triggers": canonical(trigger_rows.encode(state)),
        "sessions": canonical(_sessions(state)),
        "keys": canonical(_keys(state)),
        "limits": canonical(_limits(state)),
    }


def _money(state: State) -> snapshot_pb2.MoneySection:
    section = snapshot_pb2.MoneySection(assets=[asset for _, asset in sorted(state.assets.items())])
    for (account_id, asset_id), row in sorted(state.balances.items()):
        if any(row.row()):
            section.balances.add(
                account_id=account_id,
                asset_id=asset_id,
                available_atoms=amounts.to_bytes(row.available),
                held_atoms=amounts.to_bytes(row.held),
                in_flight_atoms=amounts.to_bytes(row.in_flight),
            )
    for deposit_id, deposit in sorted(state.deposits.items()):
        section.deposits.add(
            deposit_id=deposit_id,
            account_id=deposit.account_id,
            asset_id=deposit.asset_id,
            amount_atoms=amounts.to_bytes(deposit.amount_atoms),
            credited=deposit.credited,
        )
    for withdrawal_id, withdrawal in sorted(state.withdrawals.items()):
        section.withdrawals.add(
            withdrawal_id=withdrawal_id,
            account_id=withdrawal.account_id,
            asset_id=withdrawal.asset_id,
            amount_atoms=amounts.to_bytes(withdrawal.amount_atoms),
            fee_atoms=amounts.to_bytes(withdrawal.fee_atoms),
            phase=withdrawal.phase,
        )
    for source_id, last in sorted(state.sources.items()):
        section.sources.add(source_id=source_id, last_source_seq=last)
    return section


def _books(state: State) -> snapshot_pb2.BooksSection:
    section = snapshot_pb2.BooksSection()
    for _, market in sorted(state.markets.items()):
        section.books.add(
            market=created_with_parameters(market),
            phase=market.phase,
            market_seq=market.market_seq,
            trade_id=market.trade_id,
            public_order_id=market.public_order_id,
            last_l2_market_seq=market.last_l2_market_seq,
            killed=market.killed,
            clearing=market.clearing,
            cleared_count=market.cleared_count,
            bids=[order_rows.encode(order) for order in _orders(market, 1)],
            asks=[order_rows.encode(order) for order in _orders(market, 2)],
            reference_price_ticks=market.reference_price_ticks,
        )
    return section


def _orders(market: Market, side: int) -> list[Order]:
    """Best price first, then queue order."""
    return [
        order
        for price in market.best_first(side)
        for order in market.levels[side][price].orders.values()
    ]


def _sessions(state: State) -> snapshot_pb2.SessionsSection:
    section = snapshot_pb2.SessionsSection()
    for _, session in sorted(state.sessions.items()):
        section.sessions.add(
            established=session.established,
            connection=session.connection,
            connected=session.connected,
            last_order_seq_no=session.last_order_seq_no,
            last_cancel_seq_no=session.last_cancel_seq_no,
            last_used_ns=session.last_used_ns,
            early_cancels=[
                snapshot_pb2.EarlyCancel(
                    account_id=early.account_id,
                    market_id=early.market_id,
                    side=early.side,
                    tag=early.tag,
                    up_to_order_seq_no=early.up_to_order_seq_no,
                )
                for early in session.early_cancels
            ],
        )
    for session_id, window in sorted(state.windows.items()):
        section.windows.add(
            session_id=session_id, ends_ns=window.ends_ns, account_ids=window.account_ids
        )
    return section


def _keys(state: State) -> snapshot_pb2.KeysSection:
    section = snapshot_pb2.KeysSection()
    for account_id, keys in sorted(state.keys.items()):
        if not keys.by_id and not keys.stale_floor_ns:
            continue
        rows = section.accounts.add(account_id=account_id, stale_floor_ns=keys.stale_floor_ns)
        for id_, key in sorted(keys.by_id.items()):
            rows.keys.add(
                id=id_,
                kind=key.kind,
                body_hash=key.body_hash,
                sent_time_ns=key.sent_time_ns,
                answer_seq=key.answer_seq,
                reason=key.reason,
                order_id=key.order_id,
                open=key.open,
                detail=key.detail,
            )
    return section


def _limits(state: State) -> snapshot_pb2.LimitsSection:
    section = snapshot_pb2.LimitsSection(killed=state.killed)
    for firm_id, firm in sorted(state.firms.items()):
        section.firms.add(firm=firm, killed=firm_id in state.killed_firms)
    for _, account in sorted(state.accounts.items()):
        section.accounts.add(
            account=created_with_limits(account),
            frozen=account.frozen,
            killed=account.killed,
            account_seq=account.account_seq,
            cancel_all_at_ns=account.cancel_all_at_ns,
        )
    for (account_id, market_id), fees in sorted(state.fee_tiers.items()):
        section.fee_tiers.add(
            account_id=account_id,
            market_id=market_id,
            maker_fee_ppm=fees.maker_ppm,
            taker_fee_ppm=fees.taker_ppm,
        )
    for (account_id, market_id), bounds in sorted(state.trading_limits.items()):
        section.trading_limits.add(
            account_id=account_id,
            market_id=market_id,
            order_lots_max=bounds.order_lots_max,
            order_notional_atoms_max=amounts.to_bytes(bounds.order_notional_atoms_max),
            open_orders_max=bounds.open_orders_max,
            open_lots_max=bounds.open_lots_max,
            open_notional_atoms_max=amounts.to_bytes(bounds.open_notional_atoms_max),
            position_atoms_max=amounts.to_bytes(bounds.position_atoms_max),
        )
    return section


# --- and back


def decode(data: bytes, rules_newest: int) -> State:
    """The state in canonical bytes. Raises SnapshotRefused."""
    try:
        state = _restore(snapshot_pb2.Snapshot.FromString(data))
        consistency.judge(state, rules_newest)
    except (DecodeError, Fault, KeyError, Inconsistent, Refusal) as error:
        raise SnapshotRefused(f"{type(error).__name__}: {error}") from error
    if encode(state) != data:
        raise SnapshotRefused("not the canonical bytes of its state")
    return state


def _restore(whole: snapshot_pb2.Snapshot) -> State:
    for name, descriptor in SECTIONS.items():
        section: bytes = getattr(whole, name)
        scan(section, 0, len(section), schema.of(descriptor))
    state = State(
        shard=whole.shard,
        last_seq=whole.last_seq,
        time_ns=whole.time_ns,
        state_hash=whole.state_hash,
        next_order_id=whole.next_order_id,
        rules_version=whole.rules_version,
    )
    _restore_money(state, snapshot_pb2.MoneySection.FromString(whole.money))
    _restore_limits(state, snapshot_pb2.LimitsSection.FromString(whole.limits))
    for book in snapshot_pb2.BooksSection.FromString(whole.books).books:
        _restore_book(state, book)
    trigger_rows.restore(state, snapshot_pb2.TriggersSection.FromString(whole.triggers))
    sessions = snapshot_pb2.SessionsSection.FromString(whole.sessions)
    for row in sessions.sessions:
        _restore_session(state, row)
    for window in sessions.windows:
        accounts = list(window.account_ids)
        state.windows[window.session_id] = DisconnectWindow(window.ends_ns, accounts)
    for account in snapshot_pb2.KeysSection.FromString(whole.keys).accounts:
        _restore_keys(state, account)
    return state


def _restore_money(state: State, section: snapshot_pb2.MoneySection) -> None:
    for asset in section.assets:
        consistency.judge_asset(asset)
        state.assets[asset.asset_id] = asset
    for balance in section.balances:
        state.balances[balance.account_id, balance.asset_id] = Balance(
            amounts.from_bytes(balance.available_atoms),
            amounts.from_bytes(balance.held_atoms),
            amounts.from_bytes(balance.in_flight_atoms),
        )
    for deposit in section.deposits:
        state.deposits[deposit.deposit_id] = Deposit(
            deposit.account_id,
            deposit.asset_id,
            amounts.from_bytes(deposit.amount_atoms),
            deposit.credited,
        )
    for withdrawal in section.withdrawals:
        state.withdrawals[withdrawal.withdrawal_id] = Withdrawal(
            withdrawal.account_id,
            withdrawal.asset_id,
            amounts.from_bytes(withdrawal.amount_atoms),
            amounts.from_bytes(withdrawal.fee_atoms),
            withdrawal.phase,
        )
    state.sources = {source.source_id: source.last_source_seq for source in section.sources}


def _restore_limits(state: State, section: snapshot_pb2.LimitsSection) -> None:
    state.killed = section.killed
    state.firms = {row.firm.firm_id: row.firm for row in section.firms}
    state.killed_firms = {row.firm.firm_id for row in section.firms if row.killed}
    for row in section.accounts:
        created = row.account
        state.accounts[created.account_id] = Account(
            created.account_id,
            created.firm_id,
            created.self_trade_group_id,
            created.limits.open_orders_max,
            created.limits.id_capacity,
            row.frozen,
            row.killed,
            row.account_seq,
        )
        state.arm(state.accounts[created.account_id], row.cancel_all_at_ns)
    for tier in section.fee_tiers:
        fees = Fees(tier.maker_fee_ppm, tier.taker_fee_ppm)
        state.fee_tiers[tier.account_id, tier.market_id] = fees
    for bounds in section.trading_limits:
        key = bounds.account_id, bounds.market_id
        state.trading_limits[key] = trading_limits.from_message(bounds)


def _restore_book(state: State, book: snapshot_pb2.BookState) -> None:
    created = system_pb2.CreateMarket()
    created.CopyFrom(book.market)
    lot, tick_value = market_sizes(state, created)
    market = Market(
        created,
        tick_value,
        lot,
        filled_parameters(created.parameters),
        phase=book.phase,
        market_seq=book.market_seq,
        trade_id=book.trade_id,
        public_order_id=book.public_order_id,
        last_l2_market_seq=book.last_l2_market_seq,
        killed=book.killed,
        clearing=book.clearing,
        cleared_count=book.cleared_count,
        reference_price_ticks=book.reference_price_ticks,
    )
    state.markets[created.market_id] = market
    for side, orders in ((1, book.bids), (2, book.asks)):
        for row in orders:
            state.list_order(order_rows.restore(row, created.market_id, side))


def _restore_session(state: State, row: snapshot_pb2.SessionState) -> None:
    established = row.established
    state.sessions[established.session_id] = Session(
        established,
        frozenset(established.account_ids),
        frozenset(established.market_ids),
        row.connection,
        row.connected,
        row.last_order_seq_no,
        row.last_cancel_seq_no,
        row.last_used_ns,
        [
            EarlyCancel(
                early.account_id,
                early.market_id,
                early.side,
                early.tag,
                early.up_to_order_seq_no,
            )
            for early in row.early_cancels
        ],
    )


def _restore_keys(state: State, row: snapshot_pb2.AccountKeys) -> None:
    keys = state.keys_of(row.account_id)
    keys.stale_floor_ns = row.stale_floor_ns
    for key in row.keys:
        consistency.expect(key.id not in keys.by_id, "an id twice")
        keys.add(
            Key(
                key.id,
                key.kind,
                key.body_hash,
                key.sent_time_ns,
                key.answer_seq,
                key.reason,
                key.order_id,
                key.open,
                key.detail,
            )
        )
