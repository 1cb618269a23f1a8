//! Canonical bytes of public events.

use crate::messages::{BestBidOffer, L2Level, L3Event, MarketStatus, Trade, WireEnum};
use crate::writer::{Writer, put_i64, put_u32, put_u64};

/// Longest bytes of an order-by-order event or a trade, and room to spare.
pub const PUBLIC_EVENT_BYTES: usize = 112;

pub fn put_l3_event(out: &mut Writer<PUBLIC_EVENT_BYTES>, value: &L3Event) {
    out.u64(1, value.market_seq);
    out.u32(2, value.action.number());
    out.u64(3, value.public_order_id);
    out.u32(4, value.side.number());
    out.i64(5, value.price_ticks);
    out.i64(6, value.quantity_lots);
    out.u64(7, value.trade_id);
    out.u32(8, value.phase.number());
}

pub fn put_trade(out: &mut Writer<PUBLIC_EVENT_BYTES>, value: &Trade) {
    out.u64(1, value.trade_id);
    out.u64(2, value.market_seq);
    out.i64(3, value.price_ticks);
    out.i64(4, value.quantity_lots);
    out.u32(5, value.aggressor_side.number());
}

pub fn put_l2_level(out: &mut Vec<u8>, value: &L2Level) {
    put_i64(out, 1, value.price_ticks);
    put_i64(out, 2, value.quantity_lots);
    put_u32(out, 3, value.order_count);
}

pub fn put_best_bid_offer(out: &mut Vec<u8>, value: &BestBidOffer) {
    put_u64(out, 1, value.market_seq);
    put_i64(out, 2, value.bid_price_ticks);
    put_i64(out, 3, value.bid_lots);
    put_i64(out, 4, value.ask_price_ticks);
    put_i64(out, 5, value.ask_lots);
}

pub fn put_market_status(out: &mut Vec<u8>, value: &MarketStatus) {
    put_u64(out, 1, value.market_seq);
    put_u32(out, 2, value.phase.number());
}
