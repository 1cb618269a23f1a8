//! Decoding of snapshots.

use super::system::{
    create_account, create_asset, create_firm, create_market, session_established, set_fee_tier,
    set_trading_limits,
};
use crate::messages::{
    AccountKeys, AccountState, BalanceState, BookState, BooksSection, DepositState,
    DisconnectWindow, EarlyCancel, FirmState, KeyState, KeysSection, LimitsSection, MarketTriggers,
    MoneySection, OrderState, SessionState, SessionsSection, SourceState, TriggersSection,
    WaitingOrder, WithdrawalState,
};
use crate::reader::{Decoded, Reader};
use crate::scan;
use crate::values::{amount, enumeration, packed};

pub fn money_section(mut reader: Reader<'_>) -> Decoded<MoneySection<'_>> {
    let mut value = MoneySection::default();
    scan!(reader, {
        1 many LENGTH => value.assets.push(create_asset(reader.message(1)?)?),
        2 many LENGTH => value.balances.push(balance_state(reader.message(2)?)?),
        3 many LENGTH => value.deposits.push(deposit_state(reader.message(3)?)?),
        4 many LENGTH => value.withdrawals.push(withdrawal_state(reader.message(4)?)?),
        5 many LENGTH => value.sources.push(source_state(reader.message(5)?)?),
    });
    Ok(value)
}

pub fn balance_state(mut reader: Reader<'_>) -> Decoded<BalanceState> {
    let mut value = BalanceState::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.asset_id = reader.u32(2)?,
        3 once LENGTH => value.available_atoms = amount(&mut reader, 3)?,
        4 once LENGTH => value.held_atoms = amount(&mut reader, 4)?,
        5 once LENGTH => value.in_flight_atoms = amount(&mut reader, 5)?,
    });
    Ok(value)
}

pub fn deposit_state(mut reader: Reader<'_>) -> Decoded<DepositState> {
    let mut value = DepositState::default();
    scan!(reader, {
        1 once LENGTH => value.deposit_id = reader.sixteen(1)?.unwrap_or_default(),
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.asset_id = reader.u32(3)?,
        4 once LENGTH => value.amount_atoms = amount(&mut reader, 4)?,
        5 once VARINT => value.credited = reader.bool(5)?,
    });
    Ok(value)
}

pub fn withdrawal_state(mut reader: Reader<'_>) -> Decoded<WithdrawalState> {
    let mut value = WithdrawalState::default();
    scan!(reader, {
        1 once LENGTH => value.withdrawal_id = reader.sixteen(1)?.unwrap_or_default(),
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.asset_id = reader.u32(3)?,
        4 once LENGTH => value.amount_atoms = amount(&mut reader, 4)?,
        5 once LENGTH => value.fee_atoms = amount(&mut reader, 5)?,
        6 once VARINT => value.phase = enumeration(&mut reader, 6)?,
    });
    Ok(value)
}

pub fn source_state(mut reader: Reader<'_>) -> Decoded<SourceState> {
    let mut value = SourceState::default();
    scan!(reader, {
        1 once VARINT => value.source_id = reader.u32(1)?,
        2 once VARINT => value.last_source_seq = reader.varint(2)?,
    });
    Ok(value)
}

pub fn books_section(mut reader: Reader<'_>) -> Decoded<BooksSection<'_>> {
    let mut value = BooksSection::default();
    scan!(reader, {
        1 many LENGTH => value.books.push(book_state(reader.message(1)?)?),
    });
    Ok(value)
}

pub fn book_state(mut reader: Reader<'_>) -> Decoded<BookState<'_>> {
    let mut value = BookState::default();
    scan!(reader, {
        1 once LENGTH => value.market = create_market(reader.message(1)?)?,
        2 once VARINT => value.phase = enumeration(&mut reader, 2)?,
        3 once VARINT => value.market_seq = reader.varint(3)?,
        4 once VARINT => value.trade_id = reader.varint(4)?,
        5 once VARINT => value.public_order_id = reader.varint(5)?,
        6 once VARINT => value.last_l2_market_seq = reader.varint(6)?,
        7 once VARINT => value.killed = reader.bool(7)?,
        8 once VARINT => value.clearing = reader.bool(8)?,
        9 once VARINT => value.cleared_count = reader.varint(9)?,
        10 many LENGTH => value.bids.push(order_state(reader.message(10)?)?),
        11 many LENGTH => value.asks.push(order_state(reader.message(11)?)?),
        12 once VARINT => value.reference_price_ticks = reader.i64(12)?,
    });
    Ok(value)
}

pub fn order_state(mut reader: Reader<'_>) -> Decoded<OrderState> {
    let mut value = OrderState::default();
    scan!(reader, {
        1 once VARINT => value.order_id = reader.varint(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once LENGTH => value.cl_ord_id = reader.sixteen(3)?.unwrap_or_default(),
        4 once VARINT => value.session_id = reader.varint(4)?,
        5 once VARINT => value.price_ticks = reader.i64(5)?,
        6 once VARINT => value.quantity_lots = reader.i64(6)?,
        7 once VARINT => value.leaves_lots = reader.i64(7)?,
        8 once VARINT => value.cum_lots = reader.i64(8)?,
        9 once LENGTH => value.cum_tick_lots = amount(&mut reader, 9)?,
        10 once VARINT => value.maker_fee_ppm = reader.i32(10)?,
        11 once VARINT => value.taker_fee_ppm = reader.i32(11)?,
        12 once VARINT => value.expire_time_ns = reader.i64(12)?,
        13 once VARINT => value.post_only = reader.bool(13)?,
        14 once VARINT => value.self_trade_prevention = enumeration(&mut reader, 14)?,
        15 once VARINT => value.tag = reader.u32(15)?,
        16 once VARINT => value.public_order_id = reader.varint(16)?,
        17 once VARINT => value.display_lots = reader.i64(17)?,
        18 once VARINT => value.shown_lots = reader.i64(18)?,
    });
    Ok(value)
}

pub fn triggers_section(mut reader: Reader<'_>) -> Decoded<TriggersSection> {
    let mut value = TriggersSection::default();
    scan!(reader, {
        1 many LENGTH => value.markets.push(market_triggers(reader.message(1)?)?),
    });
    Ok(value)
}

pub fn market_triggers(mut reader: Reader<'_>) -> Decoded<MarketTriggers> {
    let mut value = MarketTriggers::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.last_price_ticks = reader.i64(2)?,
        3 many LENGTH => value.waiting.push(waiting_order(reader.message(3)?)?),
        4 many LENGTH => packed(&mut reader, 4, &mut value.ready_order_ids)?,
    });
    Ok(value)
}

pub fn waiting_order(mut reader: Reader<'_>) -> Decoded<WaitingOrder> {
    let mut value = WaitingOrder::default();
    scan!(reader, {
        1 once LENGTH => value.order = order_state(reader.message(1)?)?,
        2 once VARINT => value.side = enumeration(&mut reader, 2)?,
        3 once VARINT => value.order_type = enumeration(&mut reader, 3)?,
        4 once VARINT => value.time_in_force = enumeration(&mut reader, 4)?,
        5 once VARINT => value.trigger_price_ticks = reader.i64(5)?,
        6 once VARINT => value.trailing_offset_ticks = reader.i64(6)?,
        7 once VARINT => value.trailing_offset_ppm = reader.u32(7)?,
        8 once VARINT => value.extreme_price_ticks = reader.i64(8)?,
        9 once VARINT => value.seen_price_ticks = reader.i64(9)?,
        10 once LENGTH => value.quote_budget_atoms = amount(&mut reader, 10)?,
    });
    Ok(value)
}

pub fn sessions_section(mut reader: Reader<'_>) -> Decoded<SessionsSection> {
    let mut value = SessionsSection::default();
    scan!(reader, {
        1 many LENGTH => value.sessions.push(session_state(reader.message(1)?)?),
        2 many LENGTH => value.windows.push(disconnect_window(reader.message(2)?)?),
    });
    Ok(value)
}

pub fn disconnect_window(mut reader: Reader<'_>) -> Decoded<DisconnectWindow> {
    let mut value = DisconnectWindow::default();
    scan!(reader, {
        1 once VARINT => value.session_id = reader.varint(1)?,
        2 once VARINT => value.ends_ns = reader.i64(2)?,
        3 many LENGTH => packed(&mut reader, 3, &mut value.account_ids)?,
    });
    Ok(value)
}

pub fn session_state(mut reader: Reader<'_>) -> Decoded<SessionState> {
    let mut value = SessionState::default();
    scan!(reader, {
        1 once LENGTH => value.established = session_established(reader.message(1)?)?,
        2 once VARINT => value.connection = reader.u32(2)?,
        3 once VARINT => value.connected = reader.bool(3)?,
        4 once VARINT => value.last_order_seq_no = reader.varint(4)?,
        5 once VARINT => value.last_cancel_seq_no = reader.varint(5)?,
        6 once VARINT => value.last_used_ns = reader.i64(6)?,
        7 many LENGTH => value.early_cancels.push(early_cancel(reader.message(7)?)?),
    });
    Ok(value)
}

pub fn early_cancel(mut reader: Reader<'_>) -> Decoded<EarlyCancel> {
    let mut value = EarlyCancel::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.market_id = reader.u32(2)?,
        3 once VARINT => value.side = enumeration(&mut reader, 3)?,
        4 once VARINT => value.tag = reader.u32(4)?,
        5 once VARINT => value.up_to_order_seq_no = reader.varint(5)?,
    });
    Ok(value)
}

pub fn keys_section(mut reader: Reader<'_>) -> Decoded<KeysSection> {
    let mut value = KeysSection::default();
    scan!(reader, {
        1 many LENGTH => value.accounts.push(account_keys(reader.message(1)?)?),
    });
    Ok(value)
}

pub fn account_keys(mut reader: Reader<'_>) -> Decoded<AccountKeys> {
    let mut value = AccountKeys::default();
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once VARINT => value.stale_floor_ns = reader.i64(2)?,
        3 many LENGTH => value.keys.push(key_state(reader.message(3)?)?),
    });
    Ok(value)
}

pub fn key_state(mut reader: Reader<'_>) -> Decoded<KeyState> {
    let mut value = KeyState::default();
    scan!(reader, {
        1 once LENGTH => value.id = reader.sixteen(1)?.unwrap_or_default(),
        2 once VARINT => value.kind = enumeration(&mut reader, 2)?,
        3 once FIXED64 => value.body_hash = reader.fixed64(3)?,
        4 once VARINT => value.sent_time_ns = reader.i64(4)?,
        5 once VARINT => value.answer_seq = reader.varint(5)?,
        6 once VARINT => value.reason = enumeration(&mut reader, 6)?,
        7 once VARINT => value.order_id = reader.varint(7)?,
        8 once VARINT => value.open = reader.bool(8)?,
        9 once VARINT => value.detail = reader.u32(9)?,
    });
    Ok(value)
}

pub fn limits_section(mut reader: Reader<'_>) -> Decoded<LimitsSection<'_>> {
    let mut value = LimitsSection::default();
    scan!(reader, {
        1 many LENGTH => value.firms.push(firm_state(reader.message(1)?)?),
        2 many LENGTH => value.accounts.push(account_state(reader.message(2)?)?),
        3 once VARINT => value.killed = reader.bool(3)?,
        4 many LENGTH => value.fee_tiers.push(set_fee_tier(reader.message(4)?)?),
        5 many LENGTH => value.trading_limits.push(set_trading_limits(reader.message(5)?)?),
    });
    Ok(value)
}

pub fn firm_state(mut reader: Reader<'_>) -> Decoded<FirmState<'_>> {
    let mut value = FirmState::default();
    scan!(reader, {
        1 once LENGTH => value.firm = create_firm(reader.message(1)?)?,
        2 once VARINT => value.killed = reader.bool(2)?,
    });
    Ok(value)
}

pub fn account_state(mut reader: Reader<'_>) -> Decoded<AccountState> {
    let mut value = AccountState::default();
    scan!(reader, {
        1 once LENGTH => value.account = create_account(reader.message(1)?)?,
        2 once VARINT => value.frozen = reader.bool(2)?,
        3 once VARINT => value.killed = reader.bool(3)?,
        4 once VARINT => value.account_seq = reader.varint(4)?,
        5 once VARINT => value.cancel_all_at_ns = reader.i64(5)?,
    });
    Ok(value)
}
