//! Canonical bytes of the rows of a snapshot.

use super::system::{
    put_create_account, put_create_asset, put_create_firm, put_create_market,
    put_session_established, put_set_fee_tier, put_set_trading_limits,
};
use crate::messages::{
    AccountKeys, AccountState, BalanceState, BookState, BooksSection, DepositState,
    DisconnectWindow, EarlyCancel, FirmState, KeyState, KeysSection, LimitsSection, MarketTriggers,
    MoneySection, OrderState, SessionState, SessionsSection, SourceState, TriggersSection,
    WaitingOrder, WireEnum, WithdrawalState,
};
use crate::writer::{
    put_amount, put_bool, put_fixed64, put_i64, put_id, put_message, put_packed, put_u32, put_u64,
};

pub fn put_money_section(out: &mut Vec<u8>, value: &MoneySection<'_>) {
    for row in &value.assets {
        put_message(out, 1, |inner| put_create_asset(inner, row));
    }
    for row in &value.balances {
        put_message(out, 2, |inner| put_balance_state(inner, row));
    }
    for row in &value.deposits {
        put_message(out, 3, |inner| put_deposit_state(inner, row));
    }
    for row in &value.withdrawals {
        put_message(out, 4, |inner| put_withdrawal_state(inner, row));
    }
    for row in &value.sources {
        put_message(out, 5, |inner| put_source_state(inner, row));
    }
}

pub fn put_balance_state(out: &mut Vec<u8>, value: &BalanceState) {
    put_u64(out, 1, value.account_id);
    put_u32(out, 2, value.asset_id);
    put_amount(out, 3, value.available_atoms);
    put_amount(out, 4, value.held_atoms);
    put_amount(out, 5, value.in_flight_atoms);
}

pub fn put_deposit_state(out: &mut Vec<u8>, value: &DepositState) {
    put_id(out, 1, value.deposit_id);
    put_u64(out, 2, value.account_id);
    put_u32(out, 3, value.asset_id);
    put_amount(out, 4, value.amount_atoms);
    put_bool(out, 5, value.credited);
}

pub fn put_withdrawal_state(out: &mut Vec<u8>, value: &WithdrawalState) {
    put_id(out, 1, value.withdrawal_id);
    put_u64(out, 2, value.account_id);
    put_u32(out, 3, value.asset_id);
    put_amount(out, 4, value.amount_atoms);
    put_amount(out, 5, value.fee_atoms);
    put_u32(out, 6, value.phase.number());
}

pub fn put_source_state(out: &mut Vec<u8>, value: &SourceState) {
    put_u32(out, 1, value.source_id);
    put_u64(out, 2, value.last_source_seq);
}

pub fn put_books_section(out: &mut Vec<u8>, value: &BooksSection<'_>) {
    for row in &value.books {
        put_message(out, 1, |inner| put_book_state(inner, row));
    }
}

pub fn put_book_state(out: &mut Vec<u8>, value: &BookState<'_>) {
    put_message(out, 1, |inner| put_create_market(inner, &value.market));
    put_u32(out, 2, value.phase.number());
    put_u64(out, 3, value.market_seq);
    put_u64(out, 4, value.trade_id);
    put_u64(out, 5, value.public_order_id);
    put_u64(out, 6, value.last_l2_market_seq);
    put_bool(out, 7, value.killed);
    put_bool(out, 8, value.clearing);
    put_u64(out, 9, value.cleared_count);
    for row in &value.bids {
        put_message(out, 10, |inner| put_order_state(inner, row));
    }
    for row in &value.asks {
        put_message(out, 11, |inner| put_order_state(inner, row));
    }
    put_i64(out, 12, value.reference_price_ticks);
}

pub fn put_order_state(out: &mut Vec<u8>, value: &OrderState) {
    put_u64(out, 1, value.order_id);
    put_u64(out, 2, value.account_id);
    put_id(out, 3, value.cl_ord_id);
    put_u64(out, 4, value.session_id);
    put_i64(out, 5, value.price_ticks);
    put_i64(out, 6, value.quantity_lots);
    put_i64(out, 7, value.leaves_lots);
    put_i64(out, 8, value.cum_lots);
    put_amount(out, 9, value.cum_tick_lots);
    put_i64(out, 10, i64::from(value.maker_fee_ppm));
    put_i64(out, 11, i64::from(value.taker_fee_ppm));
    put_i64(out, 12, value.expire_time_ns);
    put_bool(out, 13, value.post_only);
    put_u32(out, 14, value.self_trade_prevention.number());
    put_u32(out, 15, value.tag);
    put_u64(out, 16, value.public_order_id);
    put_i64(out, 17, value.display_lots);
    put_i64(out, 18, value.shown_lots);
}

pub fn put_triggers_section(out: &mut Vec<u8>, value: &TriggersSection) {
    for row in &value.markets {
        put_message(out, 1, |inner| put_market_triggers(inner, row));
    }
}

pub fn put_market_triggers(out: &mut Vec<u8>, value: &MarketTriggers) {
    put_u32(out, 1, value.market_id);
    put_i64(out, 2, value.last_price_ticks);
    for row in &value.waiting {
        put_message(out, 3, |inner| put_waiting_order(inner, row));
    }
    put_packed(out, 4, value.ready_order_ids.iter().copied());
}

pub fn put_waiting_order(out: &mut Vec<u8>, value: &WaitingOrder) {
    put_message(out, 1, |inner| put_order_state(inner, &value.order));
    put_u32(out, 2, value.side.number());
    put_u32(out, 3, value.order_type.number());
    put_u32(out, 4, value.time_in_force.number());
    put_i64(out, 5, value.trigger_price_ticks);
    put_i64(out, 6, value.trailing_offset_ticks);
    put_u32(out, 7, value.trailing_offset_ppm);
    put_i64(out, 8, value.extreme_price_ticks);
    put_i64(out, 9, value.seen_price_ticks);
    put_amount(out, 10, value.quote_budget_atoms);
}

pub fn put_sessions_section(out: &mut Vec<u8>, value: &SessionsSection) {
    for row in &value.sessions {
        put_message(out, 1, |inner| put_session_state(inner, row));
    }
    for row in &value.windows {
        put_message(out, 2, |inner| put_disconnect_window(inner, row));
    }
}

pub fn put_disconnect_window(out: &mut Vec<u8>, value: &DisconnectWindow) {
    put_u64(out, 1, value.session_id);
    put_i64(out, 2, value.ends_ns);
    put_packed(out, 3, value.account_ids.iter().copied());
}

pub fn put_session_state(out: &mut Vec<u8>, value: &SessionState) {
    put_message(out, 1, |inner| {
        put_session_established(inner, &value.established);
    });
    put_u32(out, 2, value.connection);
    put_bool(out, 3, value.connected);
    put_u64(out, 4, value.last_order_seq_no);
    put_u64(out, 5, value.last_cancel_seq_no);
    put_i64(out, 6, value.last_used_ns);
    for row in &value.early_cancels {
        put_message(out, 7, |inner| put_early_cancel(inner, row));
    }
}

pub fn put_early_cancel(out: &mut Vec<u8>, value: &EarlyCancel) {
    put_u64(out, 1, value.account_id);
    put_u32(out, 2, value.market_id);
    put_u32(out, 3, value.side.number());
    put_u32(out, 4, value.tag);
    put_u64(out, 5, value.up_to_order_seq_no);
}

pub fn put_keys_section(out: &mut Vec<u8>, value: &KeysSection) {
    for row in &value.accounts {
        put_message(out, 1, |inner| put_account_keys(inner, row));
    }
}

pub fn put_account_keys(out: &mut Vec<u8>, value: &AccountKeys) {
    put_u64(out, 1, value.account_id);
    put_i64(out, 2, value.stale_floor_ns);
    for row in &value.keys {
        put_message(out, 3, |inner| put_key_state(inner, row));
    }
}

pub fn put_key_state(out: &mut Vec<u8>, value: &KeyState) {
    put_id(out, 1, value.id);
    put_u32(out, 2, value.kind.number());
    put_fixed64(out, 3, value.body_hash);
    put_i64(out, 4, value.sent_time_ns);
    put_u64(out, 5, value.answer_seq);
    put_u32(out, 6, value.reason.number());
    put_u64(out, 7, value.order_id);
    put_bool(out, 8, value.open);
    put_u32(out, 9, value.detail);
}

pub fn put_limits_section(out: &mut Vec<u8>, value: &LimitsSection<'_>) {
    for row in &value.firms {
        put_message(out, 1, |inner| put_firm_state(inner, row));
    }
    for row in &value.accounts {
        put_message(out, 2, |inner| put_account_state(inner, row));
    }
    put_bool(out, 3, value.killed);
    for row in &value.fee_tiers {
        put_message(out, 4, |inner| put_set_fee_tier(inner, row));
    }
    for row in &value.trading_limits {
        put_message(out, 5, |inner| put_set_trading_limits(inner, row));
    }
}

pub fn put_firm_state(out: &mut Vec<u8>, value: &FirmState<'_>) {
    put_message(out, 1, |inner| put_create_firm(inner, &value.firm));
    put_bool(out, 2, value.killed);
}

pub fn put_account_state(out: &mut Vec<u8>, value: &AccountState) {
    put_message(out, 1, |inner| put_create_account(inner, &value.account));
    put_bool(out, 2, value.frozen);
    put_bool(out, 3, value.killed);
    put_u64(out, 4, value.account_seq);
    put_i64(out, 5, value.cancel_all_at_ns);
}
