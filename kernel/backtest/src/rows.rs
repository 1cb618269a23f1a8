//! The rows on both sides: packed little-endian records, as structured arrays of `NumPy` have them.
//!
//! `cambist.backtest.rows` declares the same layouts; a test holds the two against each other.

use cambist_engine::types::{
    Amend, Cancel, Command, Id, NewOrder, OrderType, SelfTradePrevention, Side, TimeInForce,
    WireEnum,
};
use std::fmt;

/// Bytes of an order row.
pub const ORDER_BYTES: usize = 64;
/// Bytes of a report row.
pub const REPORT_BYTES: usize = 120;
/// Bytes of a trade row.
pub const TRADE_BYTES: usize = 56;
/// Bytes of a quote row.
pub const QUOTE_BYTES: usize = 56;

/// A request of ours that is no order has an id above all order numbers.
const REQUEST: u128 = 1 << 64;

/// An order row that says nothing sensible; no row was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Which row, from 0.
    pub index: usize,
    /// Which field of it.
    pub field: &'static str,
}

impl fmt::Display for BadRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}: {}", self.index, self.field)
    }
}

impl std::error::Error for BadRow {}

/// What a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Limit,
    Market,
    Cancel,
    Amend,
}

/// One row of orders.
#[derive(Clone, Copy, Debug)]
pub struct OrderRow {
    /// When it happens.
    pub time_ns: i64,
    /// Whose.
    pub account_id: u64,
    /// The caller's number of the order, unique per account.
    order: u64,
    price_ticks: i64,
    quantity_lots: i64,
    expire_time_ns: i64,
    market_id: u32,
    kind: Kind,
    side: Side,
    time_in_force: TimeInForce,
    is_post_only: bool,
    self_trade_prevention: SelfTradePrevention,
    tag: u32,
}

impl OrderRow {
    /// Reads a row.
    ///
    /// # Errors
    /// The name of the field that is wrong.
    pub fn read(bytes: &[u8; ORDER_BYTES]) -> Result<Self, &'static str> {
        let (words, tail) = bytes.split_at(48);
        let (words, _) = words.as_chunks::<8>();
        let [time, account, order, price, quantity, end] = [0, 1, 2, 3, 4, 5].map(|at| words[at]);
        Ok(Self {
            time_ns: i64::from_le_bytes(time),
            account_id: u64::from_le_bytes(account),
            order: u64::from_le_bytes(order),
            price_ticks: i64::from_le_bytes(price),
            quantity_lots: i64::from_le_bytes(quantity),
            expire_time_ns: i64::from_le_bytes(end),
            market_id: u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]),
            kind: kind(tail[4])?,
            side: Side::from_number(tail[5].into()).ok_or("side")?,
            time_in_force: TimeInForce::from_number(tail[6].into()).ok_or("time_in_force")?,
            is_post_only: match tail[7] {
                0 => false,
                1 => true,
                _ => return Err("post_only"),
            },
            self_trade_prevention: SelfTradePrevention::from_number(tail[8].into())
                .ok_or("self_trade_prevention")?,
            tag: u32::from_le_bytes([tail[12], tail[13], tail[14], tail[15]]),
        })
    }

    /// The command of the row; `requests` counts those that need an id of their own.
    pub fn command(&self, requests: &mut u64) -> Command<'static> {
        let named = u128::from(self.order).to_be_bytes();
        match self.kind {
            Kind::Limit | Kind::Market => Command::NewOrder(NewOrder {
                cl_ord_id: named,
                account_id: self.account_id,
                market_id: self.market_id,
                side: self.side,
                order_type: if self.kind == Kind::Limit {
                    OrderType::Limit
                } else {
                    OrderType::Market
                },
                time_in_force: self.time_in_force,
                price_ticks: self.price_ticks,
                quantity_lots: self.quantity_lots,
                sent_time_ns: self.time_ns,
                expire_time_ns: self.expire_time_ns,
                post_only: self.is_post_only,
                self_trade_prevention: self.self_trade_prevention,
                tag: self.tag,
                ..NewOrder::default()
            }),
            Kind::Cancel => Command::Cancel(Cancel {
                request_id: next_request(requests),
                account_id: self.account_id,
                orig_cl_ord_id: Some(named),
                sent_time_ns: self.time_ns,
                ..Cancel::default()
            }),
            Kind::Amend => Command::Amend(Amend {
                request_id: next_request(requests),
                account_id: self.account_id,
                orig_cl_ord_id: Some(named),
                price_ticks: self.price_ticks,
                quantity_lots: self.quantity_lots,
                sent_time_ns: self.time_ns,
                ..Amend::default()
            }),
        }
    }
}

fn kind(number: u8) -> Result<Kind, &'static str> {
    match number {
        1 => Ok(Kind::Limit),
        2 => Ok(Kind::Market),
        3 => Ok(Kind::Cancel),
        4 => Ok(Kind::Amend),
        _ => Err("kind"),
    }
}

fn next_request(requests: &mut u64) -> Id {
    *requests += 1;
    (REQUEST | u128::from(*requests)).to_be_bytes()
}

/// The caller's number of an order; 0 for an id that is none of ours.
pub fn order_number(id: Option<Id>) -> u64 {
    let id = u128::from_be_bytes(id.unwrap_or_default());
    u64::try_from(id).unwrap_or_default()
}
