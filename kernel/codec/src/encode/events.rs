//! Canonical bytes of events for accounts and sessions.

use crate::messages::{
    AccountStatusReport, BatchApplied, CancelReject, CommandRefused, ExecutionReport,
    MassCancelReport, MoneyReport, NotApplied, PreventedMatch, PrivateEvent, ResolveReport,
    SessionDropped, SessionEvent, SessionOpened, SessionOver, WireEnum,
};
use crate::writer::{
    Writer, put_amount, put_bool, put_i64, put_id, put_message, put_message_bytes, put_optional_id,
    put_u32, put_u64,
};

/// Appends the member of an event.
#[inline]
pub fn put_private_event(out: &mut Vec<u8>, event: &PrivateEvent) {
    match event {
        PrivateEvent::ExecutionReport(value) => {
            let mut report = Writer::default();
            put_execution_report(&mut report, value);
            put_message_bytes(out, 6, report.as_slice());
        }
        PrivateEvent::CancelReject(value) => {
            put_message(out, 7, |inner| put_cancel_reject(inner, value));
        }
        PrivateEvent::MassCancelReport(value) => {
            put_message(out, 8, |inner| put_mass_cancel_report(inner, value));
        }
        PrivateEvent::ResolveReport(value) => {
            put_message(out, 9, |inner| put_resolve_report(inner, value));
        }
        PrivateEvent::PreventedMatch(value) => {
            put_message(out, 10, |inner| put_prevented_match(inner, value));
        }
        PrivateEvent::MoneyReport(value) => {
            put_message(out, 11, |inner| put_money_report(inner, value));
        }
        PrivateEvent::AccountStatusReport(value) => {
            put_message(out, 12, |inner| put_account_status_report(inner, *value));
        }
    }
}

/// Appends the member of an event.
#[inline]
pub fn put_session_event(out: &mut Vec<u8>, event: &SessionEvent) {
    match event {
        SessionEvent::Opened(value) => {
            put_message(out, 4, |inner| put_session_opened(inner, value));
        }
        SessionEvent::Applied(value) => {
            put_message(out, 5, |inner| put_batch_applied(inner, value));
        }
        SessionEvent::NotApplied(value) => {
            put_message(out, 6, |inner| put_not_applied(inner, value));
        }
        SessionEvent::Refused(value) => {
            put_message(out, 7, |inner| put_command_refused(inner, value));
        }
        SessionEvent::Dropped(value) => {
            put_message(out, 8, |inner| put_session_dropped(inner, *value));
        }
        SessionEvent::Over(value) => put_message(out, 9, |inner| put_session_over(inner, *value)),
    }
}

/// Longest bytes of an execution report, and room to spare.
pub const EXECUTION_REPORT_BYTES: usize = 512;

/// Writes an execution report, which is what the engine tells most.
pub fn put_execution_report(out: &mut Writer<EXECUTION_REPORT_BYTES>, value: &ExecutionReport) {
    out.optional_id(1, value.cl_ord_id);
    out.optional_id(2, value.request_id);
    out.u64(3, value.order_id);
    out.u32(4, value.market_id);
    out.u32(5, value.exec_type.number());
    out.u32(6, value.side.number());
    out.i64(7, value.price_ticks);
    out.i64(8, value.quantity_lots);
    out.i64(9, value.leaves_lots);
    out.i64(10, value.cum_lots);
    out.i64(11, value.last_lots);
    out.i64(12, value.last_price_ticks);
    out.amount(13, value.cum_tick_lots);
    out.amount(14, value.fee_atoms);
    out.u32(15, value.fee_asset_id);
    out.u32(16, value.liquidity.number());
    out.u64(17, value.trade_id);
    out.u64(18, value.public_order_id);
    out.u32(19, value.reject_reason.number());
    out.u32(20, value.cancel_reason.number());
    out.bool(21, value.repeat);
    out.u64(22, value.first_answer_seq);
    out.u32(23, value.phase.number());
    out.u32(24, value.order_type.number());
    out.u32(25, value.time_in_force.number());
    out.u32(26, value.tag);
    out.i64(27, value.expire_time_ns);
    out.amount(28, value.quote_budget_atoms);
    out.i64(29, value.trigger_price_ticks);
    out.i64(30, value.trailing_offset_ticks);
    out.u32(31, value.trailing_offset_ppm);
    out.i64(32, value.display_lots);
}

pub fn put_cancel_reject(out: &mut Vec<u8>, value: &CancelReject) {
    put_id(out, 1, value.request_id);
    put_optional_id(out, 2, value.orig_cl_ord_id);
    put_u64(out, 3, value.order_id);
    put_u32(out, 4, value.reject_reason.number());
    put_bool(out, 5, value.repeat);
    put_u64(out, 6, value.first_answer_seq);
    put_u32(out, 7, value.phase.number());
}

pub fn put_mass_cancel_report(out: &mut Vec<u8>, value: &MassCancelReport) {
    put_id(out, 1, value.request_id);
    put_u32(out, 2, value.affected_count);
    put_bool(out, 3, value.repeat);
    put_u64(out, 4, value.first_answer_seq);
}

pub fn put_resolve_report(out: &mut Vec<u8>, value: &ResolveReport) {
    put_id(out, 1, value.id);
    put_u32(out, 2, value.state.number());
    put_u64(out, 3, value.order_id);
    put_i64(out, 4, value.cum_lots);
    put_i64(out, 5, value.leaves_lots);
    put_u32(out, 6, value.reject_reason.number());
    put_u64(out, 7, value.first_answer_seq);
}

pub fn put_prevented_match(out: &mut Vec<u8>, value: &PreventedMatch) {
    put_u32(out, 1, value.market_id);
    put_u64(out, 2, value.order_id);
    put_u32(out, 3, value.side.number());
    put_i64(out, 4, value.price_ticks);
    put_i64(out, 5, value.quantity_lots);
    put_u32(out, 6, value.mode.number());
    put_u32(out, 7, value.liquidity.number());
}

pub fn put_money_report(out: &mut Vec<u8>, value: &MoneyReport) {
    put_u32(out, 1, value.kind.number());
    put_optional_id(out, 2, value.id);
    put_u32(out, 3, value.asset_id);
    put_amount(out, 4, value.amount_atoms);
    put_amount(out, 5, value.fee_atoms);
    put_u64(out, 6, value.counterparty_account_id);
    put_u32(out, 7, value.reject_reason.number());
    put_bool(out, 8, value.repeat);
    put_u64(out, 9, value.first_answer_seq);
}

pub fn put_account_status_report(out: &mut Vec<u8>, value: AccountStatusReport) {
    put_u32(out, 1, value.open_orders_max);
    put_bool(out, 2, value.frozen);
    put_bool(out, 3, value.killed);
}

pub fn put_session_opened(out: &mut Vec<u8>, value: &SessionOpened) {
    put_u64(out, 1, value.correlation);
    put_u64(out, 2, value.last_order_seq_no);
    put_u64(out, 3, value.last_cancel_seq_no);
}

pub fn put_batch_applied(out: &mut Vec<u8>, value: &BatchApplied) {
    put_u32(out, 1, value.command_class.number());
    put_u64(out, 2, value.first_seq_no);
    put_u32(out, 3, value.count);
}

pub fn put_not_applied(out: &mut Vec<u8>, value: &NotApplied) {
    put_u32(out, 1, value.command_class.number());
    put_u64(out, 2, value.from_seq_no);
    put_u64(out, 3, value.count);
    put_u32(out, 4, value.reason.number());
}

pub fn put_command_refused(out: &mut Vec<u8>, value: &CommandRefused) {
    put_u32(out, 1, value.command_class.number());
    put_u64(out, 2, value.seq_no);
    put_id(out, 3, value.id);
    put_u32(out, 4, value.reason.number());
}

pub fn put_session_dropped(out: &mut Vec<u8>, value: SessionDropped) {
    put_i64(out, 1, value.window_ends_ns);
}

pub fn put_session_over(out: &mut Vec<u8>, value: SessionOver) {
    put_bool(out, 1, value.by_client);
}
