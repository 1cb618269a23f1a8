//! Strict decoding of the parts of a snapshot that the image starts from.

use crate::error::FeedBroken;
use crate::events::{BalanceOf, Sixteen, dense, market};
use cambist_codec::reader::{Decoded, MalformedReason, Reader, fault};
use cambist_codec::scan;

/// Head of a snapshot and the sections that the image reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot<'a> {
    pub shard: u32,
    pub last_seq: u64,
    pub money: &'a [u8],
    pub books: &'a [u8],
    pub triggers: &'a [u8],
    pub limits: &'a [u8],
}

pub fn snapshot(bytes: &[u8]) -> Decoded<Snapshot<'_>> {
    let mut reader = Reader::new(bytes);
    let (mut layout, mut parts) = (0, Snapshot::default());
    scan!(reader, {
        1 once VARINT => layout = reader.u32(1)?,
        2 once VARINT => parts.shard = reader.u32(2)?,
        3 once VARINT => parts.last_seq = reader.varint(3)?,
        4 once VARINT => reader.i64(4)?,
        5 once VARINT => reader.u32(5)?,
        6 once LENGTH => reader.bytes(6)?,
        7 once VARINT => reader.varint(7)?,
        8 once LENGTH => parts.money = reader.bytes(8)?,
        9 once LENGTH => parts.books = reader.bytes(9)?,
        10 once LENGTH => parts.triggers = reader.bytes(10)?,
        11 once LENGTH => reader.bytes(11)?,
        12 once LENGTH => reader.bytes(12)?,
        13 once LENGTH => parts.limits = reader.bytes(13)?,
    });
    if layout != 1 {
        return fault(MalformedReason::UnknownEnumValue, 1);
    }
    Ok(parts)
}

/// Calls `row` with every balance of a money section.
pub fn balances(bytes: &[u8], mut row: impl FnMut(BalanceOf)) -> Decoded<()> {
    let mut reader = Reader::new(bytes);
    scan!(reader, {
        1 many LENGTH => reader.bytes(1)?,
        2 many LENGTH => row(balance_state(reader.message(2)?)?),
        3 many LENGTH => reader.bytes(3)?,
        4 many LENGTH => reader.bytes(4)?,
        5 many LENGTH => reader.bytes(5)?,
    });
    Ok(())
}

fn balance_state(mut reader: Reader<'_>) -> Decoded<BalanceOf> {
    let (mut account_id, mut asset_id, mut balance) = (0, 0, crate::events::Balance::default());
    scan!(reader, {
        1 once VARINT => account_id = reader.varint(1)?,
        2 once VARINT => asset_id = reader.u32(2)?,
        3 once LENGTH => balance.available = reader.sixteen(3)?.unwrap_or_default(),
        4 once LENGTH => balance.held = reader.sixteen(4)?.unwrap_or_default(),
        5 once LENGTH => balance.in_flight = reader.sixteen(5)?.unwrap_or_default(),
    });
    Ok((account_id, asset_id, balance))
}

/// Calls `row` with (account, last `account_seq`) of every account of a limits section.
pub fn accounts(bytes: &[u8], mut row: impl FnMut(u64, u64)) -> Decoded<()> {
    let mut reader = Reader::new(bytes);
    scan!(reader, {
        1 many LENGTH => reader.bytes(1)?,
        2 many LENGTH => {
            let (account_id, account_seq) = account_state(reader.message(2)?)?;
            row(account_id, account_seq);
        },
        3 once VARINT => reader.bool(3)?,
        4 many LENGTH => reader.bytes(4)?,
        5 many LENGTH => reader.bytes(5)?,
    });
    Ok(())
}

fn account_state(mut reader: Reader<'_>) -> Decoded<(u64, u64)> {
    let (mut account_id, mut account_seq) = (0, 0);
    scan!(reader, {
        1 once LENGTH => account_id = account(reader.message(1)?)?,
        2 once VARINT => reader.bool(2)?,
        3 once VARINT => reader.bool(3)?,
        4 once VARINT => account_seq = reader.varint(4)?,
        5 once VARINT => reader.i64(5)?,
    });
    Ok((account_id, account_seq))
}

fn account(mut reader: Reader<'_>) -> Decoded<u64> {
    let mut account_id = 0;
    scan!(reader, {
        1 once VARINT => account_id = reader.varint(1)?,
        2 once VARINT => reader.u32(2)?,
        3 once VARINT => reader.varint(3)?,
        4 once LENGTH => reader.bytes(4)?,
    });
    Ok(account_id)
}

/// One market of a books section, without its orders.
#[derive(Clone, Copy, Debug, Default)]
pub struct BookHead {
    pub market_id: u32,
    pub phase: u32,
    pub market_seq: u64,
}

/// One resting order.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestingOrder {
    pub side: u32,
    pub order_id: u64,
    pub account_id: u64,
    pub cl_ord_id: Sixteen,
    pub price_ticks: i64,
    pub quantity_lots: i64,
    pub leaves_lots: i64,
    pub cum_lots: i64,
    pub cum_tick_lots: Sixteen,
    pub expire_time_ns: i64,
    pub tag: u32,
    pub public_order_id: u64,
    pub display_lots: i64,
    shown_lots: i64,
}

impl RestingOrder {
    /// What the book shows of it.
    pub fn shown(&self) -> i64 {
        if self.display_lots == 0 {
            self.leaves_lots
        } else {
            self.shown_lots
        }
    }
}

/// One order that waits for a price.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitingOrder {
    pub order: RestingOrder,
    pub order_type: u32,
    pub time_in_force: u32,
    pub trigger_price_ticks: i64,
    pub trailing_offset_ticks: i64,
    pub trailing_offset_ppm: u32,
    pub quote_budget: Sixteen,
}

/// Calls `book` with every market and its orders, bids first.
pub fn books(
    bytes: &[u8],
    mut book: impl FnMut(BookHead, &[RestingOrder]) -> Result<(), FeedBroken>,
) -> Result<(), FeedBroken> {
    let mut orders = Vec::new();
    crate::events::container(bytes, |reader| {
        orders.clear();
        let head = book_state(reader, &mut orders)?;
        book(head, &orders)
    })?;
    Ok(())
}

fn book_state(mut reader: Reader<'_>, orders: &mut Vec<RestingOrder>) -> Decoded<BookHead> {
    let mut head = BookHead::default();
    scan!(reader, {
        1 once LENGTH => head.market_id = market(reader.message(1)?)?,
        2 once VARINT => head.phase = dense(&mut reader, 2, 10)?,
        3 once VARINT => head.market_seq = reader.varint(3)?,
        4 once VARINT => reader.varint(4)?,
        5 once VARINT => reader.varint(5)?,
        6 once VARINT => reader.varint(6)?,
        7 once VARINT => reader.bool(7)?,
        8 once VARINT => reader.bool(8)?,
        9 once VARINT => reader.varint(9)?,
        10 many LENGTH => orders.push(order_state(reader.message(10)?, 1)?),
        11 many LENGTH => orders.push(order_state(reader.message(11)?, 2)?),
        12 once VARINT => reader.i64(12)?,
    });
    Ok(head)
}

fn order_state(mut reader: Reader<'_>, side: u32) -> Decoded<RestingOrder> {
    let mut order = RestingOrder {
        side,
        ..RestingOrder::default()
    };
    scan!(reader, {
        1 once VARINT => order.order_id = reader.varint(1)?,
        2 once VARINT => order.account_id = reader.varint(2)?,
        3 once LENGTH => order.cl_ord_id = reader.sixteen(3)?.unwrap_or_default(),
        4 once VARINT => reader.varint(4)?,
        5 once VARINT => order.price_ticks = reader.i64(5)?,
        6 once VARINT => order.quantity_lots = reader.i64(6)?,
        7 once VARINT => order.leaves_lots = reader.i64(7)?,
        8 once VARINT => order.cum_lots = reader.i64(8)?,
        9 once LENGTH => order.cum_tick_lots = reader.sixteen(9)?.unwrap_or_default(),
        10 once VARINT => reader.i32(10)?,
        11 once VARINT => reader.i32(11)?,
        12 once VARINT => order.expire_time_ns = reader.i64(12)?,
        13 once VARINT => reader.bool(13)?,
        14 once VARINT => dense(&mut reader, 14, 5)?,
        15 once VARINT => order.tag = reader.u32(15)?,
        16 once VARINT => order.public_order_id = reader.varint(16)?,
        17 once VARINT => order.display_lots = reader.i64(17)?,
        18 once VARINT => order.shown_lots = reader.i64(18)?,
    });
    Ok(order)
}

/// Calls `row` with (market, order) of every waiting order of a triggers section.
pub fn waiting(bytes: &[u8], mut row: impl FnMut(u32, &WaitingOrder)) -> Decoded<()> {
    let mut orders = Vec::new();
    let mut reader = Reader::new(bytes);
    scan!(reader, {
        1 many LENGTH => {
            orders.clear();
            let market_id = market_triggers(reader.message(1)?, &mut orders)?;
            for order in &orders {
                row(market_id, order);
            }
        },
    });
    Ok(())
}

fn market_triggers(mut reader: Reader<'_>, orders: &mut Vec<WaitingOrder>) -> Decoded<u32> {
    let mut market_id = 0;
    scan!(reader, {
        1 once VARINT => market_id = reader.u32(1)?,
        2 once VARINT => reader.i64(2)?,
        3 many LENGTH => orders.push(waiting_order(reader.message(3)?)?),
        4 once LENGTH => reader.bytes(4)?,
    });
    Ok(market_id)
}

fn waiting_order(mut reader: Reader<'_>) -> Decoded<WaitingOrder> {
    let mut waiting = WaitingOrder::default();
    scan!(reader, {
        1 once LENGTH => waiting.order = order_state(reader.message(1)?, 0)?,
        2 once VARINT => waiting.order.side = dense(&mut reader, 2, 2)?,
        3 once VARINT => waiting.order_type = dense(&mut reader, 3, 8)?,
        4 once VARINT => waiting.time_in_force = dense(&mut reader, 4, 7)?,
        5 once VARINT => waiting.trigger_price_ticks = reader.i64(5)?,
        6 once VARINT => waiting.trailing_offset_ticks = reader.i64(6)?,
        7 once VARINT => waiting.trailing_offset_ppm = reader.u32(7)?,
        8 once VARINT => reader.i64(8)?,
        9 once VARINT => reader.i64(9)?,
        10 once LENGTH => waiting.quote_budget = reader.sixteen(10)?.unwrap_or_default(),
    });
    Ok(waiting)
}
