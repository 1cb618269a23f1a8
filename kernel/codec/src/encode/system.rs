//! Canonical bytes of the venue's own events, and of the commands that lie in events and snapshots.

use crate::messages::{
    AccountLimits, BalanceUpdate, CreateAccount, CreateAsset, CreateFirm, CreateMarket,
    CursorClosed, EpochStarted, KillSwitch, MarketDefined, MarketParameters, PoisonNoted,
    SessionEstablished, SetAccountLimits, SetFeeTier, SetReferencePrice, SetTradingLimits,
    SystemAnswer, SystemEvent, WireEnum, WithdrawalRequested,
};
use crate::writer::{
    put_amount, put_bool, put_bytes, put_i64, put_id, put_message, put_packed, put_u32, put_u64,
};

/// Appends the member of an event.
#[inline]
pub fn put_system_event(out: &mut Vec<u8>, event: &SystemEvent<'_>) {
    match event {
        SystemEvent::Answer(value) => put_message(out, 2, |inner| put_system_answer(inner, value)),
        SystemEvent::AssetCreated(value) => {
            put_message(out, 3, |inner| put_create_asset(inner, value));
        }
        SystemEvent::MarketDefined(value) => {
            put_message(out, 4, |inner| put_market_defined(inner, value));
        }
        SystemEvent::FirmCreated(value) => {
            put_message(out, 5, |inner| put_create_firm(inner, value));
        }
        SystemEvent::AccountCreated(value) => {
            put_message(out, 6, |inner| put_create_account(inner, value));
        }
        SystemEvent::AccountLimitsSet(value) => {
            put_message(out, 7, |inner| put_set_account_limits(inner, value));
        }
        SystemEvent::EpochStarted(value) => {
            put_message(out, 8, |inner| put_epoch_started(inner, *value));
        }
        SystemEvent::PoisonNoted(value) => {
            put_message(out, 9, |inner| put_poison_noted(inner, *value));
        }
        SystemEvent::KillSwitch(value) => {
            put_message(out, 10, |inner| put_kill_switch(inner, value));
        }
        SystemEvent::WithdrawalRequested(value) => {
            put_message(out, 11, |inner| put_withdrawal_requested(inner, value));
        }
        SystemEvent::CursorClosed(value) => {
            put_message(out, 12, |inner| put_cursor_closed(inner, value));
        }
        SystemEvent::FeeTierSet(value) => {
            put_message(out, 13, |inner| put_set_fee_tier(inner, value));
        }
        SystemEvent::TradingLimitsSet(value) => {
            put_message(out, 14, |inner| put_set_trading_limits(inner, value));
        }
        SystemEvent::ReferencePriceSet(value) => {
            put_message(out, 15, |inner| put_set_reference_price(inner, *value));
        }
    }
}

pub fn put_balance_update(out: &mut Vec<u8>, value: &BalanceUpdate) {
    put_u64(out, 1, value.seq);
    put_u64(out, 2, value.account_id);
    put_u32(out, 3, value.asset_id);
    put_amount(out, 4, value.available_atoms);
    put_amount(out, 5, value.held_atoms);
    put_amount(out, 6, value.in_flight_atoms);
}

pub fn put_system_answer(out: &mut Vec<u8>, value: &SystemAnswer) {
    put_u64(out, 1, value.correlation);
    put_u32(out, 2, value.index);
    put_u32(out, 3, value.reason.number());
}

pub fn put_market_defined(out: &mut Vec<u8>, value: &MarketDefined<'_>) {
    put_message(out, 1, |inner| put_create_market(inner, &value.market));
    put_i64(out, 2, value.tick_value_atoms);
}

pub fn put_poison_noted(out: &mut Vec<u8>, value: PoisonNoted) {
    put_u32(out, 1, value.market_id);
}

pub fn put_withdrawal_requested(out: &mut Vec<u8>, value: &WithdrawalRequested<'_>) {
    put_id(out, 1, value.withdrawal_id);
    put_u64(out, 2, value.account_id);
    put_u32(out, 3, value.asset_id);
    put_u32(out, 4, value.network_id);
    put_amount(out, 5, value.amount_atoms);
    put_amount(out, 6, value.fee_atoms);
    put_bytes(out, 7, value.destination.as_bytes());
    put_i64(out, 8, value.quote_expires_ns);
}

pub fn put_cursor_closed(out: &mut Vec<u8>, value: &CursorClosed) {
    put_u32(out, 1, value.market_id);
    put_u64(out, 2, value.cancelled_count);
}

pub fn put_create_asset(out: &mut Vec<u8>, value: &CreateAsset<'_>) {
    put_u32(out, 1, value.asset_id);
    put_bytes(out, 2, value.symbol.as_bytes());
    put_u32(out, 3, value.decimals);
}

pub fn put_create_market(out: &mut Vec<u8>, value: &CreateMarket<'_>) {
    put_u32(out, 1, value.market_id);
    put_bytes(out, 2, value.symbol.as_bytes());
    put_u32(out, 3, value.base_asset_id);
    put_u32(out, 4, value.quote_asset_id);
    put_amount(out, 5, value.lot_size_atoms);
    put_amount(out, 6, value.tick_size_atoms);
    put_message(out, 7, |inner| {
        put_market_parameters(inner, &value.parameters);
    });
}

pub fn put_market_parameters(out: &mut Vec<u8>, value: &MarketParameters) {
    put_i64(out, 1, value.price_step_ticks);
    put_i64(out, 2, value.quantity_step_lots);
    put_i64(out, 3, value.minimum_quantity_lots);
    put_i64(out, 4, value.maximum_quantity_lots);
    put_amount(out, 5, value.minimum_notional_atoms);
    put_amount(out, 6, value.maximum_notional_atoms);
    put_i64(out, 7, i64::from(value.maker_fee_ppm));
    put_i64(out, 8, i64::from(value.taker_fee_ppm));
    put_u32(out, 9, value.resting_orders_max);
    put_u32(out, 10, value.market_protection_ppm);
    put_u32(out, 11, value.static_band_ppm);
}

pub fn put_create_firm(out: &mut Vec<u8>, value: &CreateFirm<'_>) {
    put_u32(out, 1, value.firm_id);
    put_bytes(out, 2, value.name.as_bytes());
}

pub fn put_create_account(out: &mut Vec<u8>, value: &CreateAccount) {
    put_u64(out, 1, value.account_id);
    put_u32(out, 2, value.firm_id);
    put_u64(out, 3, value.self_trade_group_id);
    put_message(out, 4, |inner| put_account_limits(inner, value.limits));
}

pub fn put_account_limits(out: &mut Vec<u8>, value: AccountLimits) {
    put_u32(out, 1, value.open_orders_max);
    put_u32(out, 2, value.id_capacity);
}

pub fn put_set_account_limits(out: &mut Vec<u8>, value: &SetAccountLimits) {
    put_u64(out, 1, value.account_id);
    put_message(out, 2, |inner| put_account_limits(inner, value.limits));
    put_bool(out, 3, value.frozen);
}

pub fn put_set_fee_tier(out: &mut Vec<u8>, value: &SetFeeTier) {
    put_u64(out, 1, value.account_id);
    put_u32(out, 2, value.market_id);
    put_i64(out, 3, i64::from(value.maker_fee_ppm));
    put_i64(out, 4, i64::from(value.taker_fee_ppm));
    put_bool(out, 5, value.remove);
}

pub fn put_set_trading_limits(out: &mut Vec<u8>, value: &SetTradingLimits) {
    put_u64(out, 1, value.account_id);
    put_u32(out, 2, value.market_id);
    put_i64(out, 3, value.order_lots_max);
    put_amount(out, 4, value.order_notional_atoms_max);
    put_u32(out, 5, value.open_orders_max);
    put_i64(out, 6, value.open_lots_max);
    put_amount(out, 7, value.open_notional_atoms_max);
    put_amount(out, 8, value.position_atoms_max);
}

pub fn put_set_reference_price(out: &mut Vec<u8>, value: SetReferencePrice) {
    put_u32(out, 1, value.market_id);
    put_i64(out, 2, value.price_ticks);
}

pub fn put_epoch_started(out: &mut Vec<u8>, value: EpochStarted) {
    put_u64(out, 1, value.epoch);
}

pub fn put_kill_switch(out: &mut Vec<u8>, value: &KillSwitch) {
    put_u32(out, 1, value.scope.number());
    put_u64(out, 2, value.target_id);
    put_bool(out, 3, value.active);
}

pub fn put_session_established(out: &mut Vec<u8>, value: &SessionEstablished) {
    put_u64(out, 1, value.session_id);
    put_u32(out, 2, value.firm_id);
    put_packed(out, 3, value.account_ids.iter().copied());
    put_packed(out, 4, value.market_ids.iter().copied().map(u64::from));
    put_bool(out, 5, value.may_trade);
    put_u32(out, 6, value.cancel_on_disconnect.number());
    put_u32(out, 7, value.window_ms);
    put_u64(out, 8, value.link_id);
    put_u64(out, 9, value.correlation);
}
