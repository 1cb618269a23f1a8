//! Strict decoding of the events that the image follows. Fields that it does not use are judged and dropped.

use cambist_codec::reader::{Decoded, MalformedReason, Reader, fault};
use cambist_codec::scan;

/// Sixteen bytes; absent ones are zero.
pub type Sixteen = [u8; 16];

/// What happened at a queue place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L3Action {
    Add,
    Modify,
    Delete,
    Execute,
    Phase,
}

/// One order-by-order event.
#[derive(Clone, Copy, Debug)]
pub struct L3Event {
    pub market_seq: u64,
    pub action: L3Action,
    pub public_order_id: u64,
    pub side: u32,
    pub price_ticks: i64,
    pub quantity_lots: i64,
    pub phase: u32,
}

/// An enum whose values are 0 to `max` without a gap.
pub fn dense(reader: &mut Reader<'_>, field: u32, max: u32) -> Decoded<u32> {
    reader.enumeration(field, |number| {
        u32::try_from(number).ok().filter(|value| *value <= max)
    })
}

fn sixteen<'a>(reader: &mut Reader<'a>, field: u32) -> Decoded<&'a Sixteen> {
    Ok(reader.sixteen_in_place(field)?.unwrap_or(&[0; 16]))
}

/// Calls `event` with each message of a container's only field.
pub fn container<'a, E: From<cambist_codec::reader::Fault>>(
    payload: &'a [u8],
    mut event: impl FnMut(Reader<'a>) -> Result<(), E>,
) -> Result<u32, E> {
    let mut reader = Reader::new(payload);
    let mut count = 0;
    while let Some((number, wire_type)) = reader.tag()? {
        if number != 1 {
            return Err(cambist_codec::reader::unknown_field::<()>(number)
                .unwrap_err()
                .into());
        }
        cambist_codec::reader::expect_wire_type(1, wire_type, cambist_codec::reader::wire::LENGTH)?;
        event(reader.message(1)?)?;
        count += 1;
    }
    Ok(count)
}

pub fn l3_event(mut reader: Reader<'_>) -> Decoded<L3Event> {
    let (mut market_seq, mut action, mut public_order_id, mut side) = (0, 0, 0, 0);
    let (mut price_ticks, mut quantity_lots, mut phase) = (0, 0, 0);
    scan!(reader, {
        1 once VARINT => market_seq = reader.varint(1)?,
        2 once VARINT => action = dense(&mut reader, 2, 5)?,
        3 once VARINT => public_order_id = reader.varint(3)?,
        4 once VARINT => side = dense(&mut reader, 4, 2)?,
        5 once VARINT => price_ticks = reader.i64(5)?,
        6 once VARINT => quantity_lots = reader.i64(6)?,
        7 once VARINT => reader.varint(7)?,
        8 once VARINT => phase = dense(&mut reader, 8, 10)?,
    });
    let action = match action {
        1 => L3Action::Add,
        2 => L3Action::Modify,
        3 => L3Action::Delete,
        4 => L3Action::Execute,
        5 => L3Action::Phase,
        _ => return fault(MalformedReason::UnknownEnumValue, 2),
    };
    Ok(L3Event {
        market_seq,
        action,
        public_order_id,
        side,
        price_ticks,
        quantity_lots,
        phase,
    })
}

/// What the image checks of an L2 delta.
#[derive(Clone, Copy, Debug, Default)]
pub struct L2Delta {
    pub last_market_seq: u64,
    pub crc32: u32,
}

pub fn l2_delta(mut reader: Reader<'_>) -> Decoded<L2Delta> {
    let mut delta = L2Delta::default();
    scan!(reader, {
        1 once VARINT => reader.varint(1)?,
        2 once VARINT => delta.last_market_seq = reader.varint(2)?,
        3 once VARINT => reader.varint(3)?,
        4 many LENGTH => l2_level(reader.message(4)?)?,
        5 many LENGTH => l2_level(reader.message(5)?)?,
        6 once FIXED32 => delta.crc32 = reader.fixed32(6)?,
    });
    Ok(delta)
}

fn l2_level(mut reader: Reader<'_>) -> Decoded<()> {
    scan!(reader, {
        1 once VARINT => reader.i64(1)?,
        2 once VARINT => reader.i64(2)?,
        3 once VARINT => reader.u32(3)?,
    });
    Ok(())
}

/// Balances of one account in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub available: Sixteen,
    pub held: Sixteen,
    pub in_flight: Sixteen,
}

/// A balance, its account and its asset.
pub type BalanceOf = (u64, u32, Balance);

pub fn balance_update(mut reader: Reader<'_>) -> Decoded<BalanceOf> {
    let (mut account_id, mut asset_id, mut balance) = (0, 0, Balance::default());
    scan!(reader, {
        1 once VARINT => reader.varint(1)?,
        2 once VARINT => account_id = reader.varint(2)?,
        3 once VARINT => asset_id = reader.u32(3)?,
        4 once LENGTH => balance.available = *sixteen(&mut reader, 4)?,
        5 once LENGTH => balance.held = *sixteen(&mut reader, 5)?,
        6 once LENGTH => balance.in_flight = *sixteen(&mut reader, 6)?,
    });
    Ok((account_id, asset_id, balance))
}

/// What an execution report says of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExecType {
    #[default]
    Unspecified,
    New,
    Trade,
    Canceled,
    Replaced,
    Rejected,
    Expired,
    Restated,
    Triggered,
}

const EXEC_TYPES: [ExecType; 9] = [
    ExecType::Unspecified,
    ExecType::New,
    ExecType::Trade,
    ExecType::Canceled,
    ExecType::Replaced,
    ExecType::Rejected,
    ExecType::Expired,
    ExecType::Restated,
    ExecType::Triggered,
];

/// The fields of an execution report that an open order needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    pub cl_ord_id: Sixteen,
    pub order_id: u64,
    pub market_id: u32,
    pub exec_type: ExecType,
    pub side: u32,
    pub price_ticks: i64,
    pub quantity_lots: i64,
    pub leaves_lots: i64,
    pub cum_lots: i64,
    pub cum_tick_lots: Sixteen,
    pub public_order_id: u64,
    pub repeat: bool,
    pub time_in_force: u32,
    pub tag: u32,
    pub expire_time_ns: i64,
    pub order_type: u32,
    pub display_lots: i64,
    pub quote_budget: Sixteen,
    pub trigger_price_ticks: i64,
    pub trailing_offset_ticks: i64,
    pub trailing_offset_ppm: u32,
}

/// A private event as the image sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrivateEvent {
    pub account_seq: u64,
    pub account_id: u64,
    pub has_report: bool,
    pub report: Report,
}

/// Reads into an event that is as it was made: handing a report on from call to call took as long as reading it.
pub fn private_event(mut reader: Reader<'_>, event: &mut PrivateEvent) -> Decoded<()> {
    scan!(reader, {
        1 once VARINT => reader.varint(1)?,
        2 once VARINT => event.account_seq = reader.varint(2)?,
        3 once VARINT => event.account_id = reader.varint(3)?,
        4 once VARINT => reader.i64(4)?,
        5 once VARINT => reader.i64(5)?,
        6 oneof LENGTH => {
            event.has_report = true;
            execution_report(reader.message(6)?, &mut event.report)?;
        },
        7 oneof LENGTH => reader.bytes(7)?,
        8 oneof LENGTH => reader.bytes(8)?,
        9 oneof LENGTH => reader.bytes(9)?,
        10 oneof LENGTH => reader.bytes(10)?,
        11 oneof LENGTH => reader.bytes(11)?,
        12 oneof LENGTH => reader.bytes(12)?,
    });
    Ok(())
}

fn execution_report(mut reader: Reader<'_>, report: &mut Report) -> Decoded<()> {
    scan!(reader, {
        1 once LENGTH => report.cl_ord_id = *sixteen(&mut reader, 1)?,
        2 once LENGTH => reader.sixteen(2)?,
        3 once VARINT => report.order_id = reader.varint(3)?,
        4 once VARINT => report.market_id = reader.u32(4)?,
        5 once VARINT => report.exec_type = exec_type(&mut reader)?,
        6 once VARINT => report.side = dense(&mut reader, 6, 2)?,
        7 once VARINT => report.price_ticks = reader.i64(7)?,
        8 once VARINT => report.quantity_lots = reader.i64(8)?,
        9 once VARINT => report.leaves_lots = reader.i64(9)?,
        10 once VARINT => report.cum_lots = reader.i64(10)?,
        11 once VARINT => reader.i64(11)?,
        12 once VARINT => reader.i64(12)?,
        13 once LENGTH => report.cum_tick_lots = *sixteen(&mut reader, 13)?,
        14 once LENGTH => reader.sixteen(14)?,
        15 once VARINT => reader.u32(15)?,
        16 once VARINT => dense(&mut reader, 16, 2)?,
        17 once VARINT => reader.varint(17)?,
        18 once VARINT => report.public_order_id = reader.varint(18)?,
        19 once VARINT => reader.u32(19)?,
        20 once VARINT => reader.u32(20)?,
        21 once VARINT => report.repeat = reader.bool(21)?,
        22 once VARINT => reader.varint(22)?,
        23 once VARINT => dense(&mut reader, 23, 10)?,
        24 once VARINT => report.order_type = dense(&mut reader, 24, 8)?,
        25 once VARINT => report.time_in_force = dense(&mut reader, 25, 7)?,
        26 once VARINT => report.tag = reader.u32(26)?,
        27 once VARINT => report.expire_time_ns = reader.i64(27)?,
        28 once LENGTH => report.quote_budget = *sixteen(&mut reader, 28)?,
        29 once VARINT => report.trigger_price_ticks = reader.i64(29)?,
        30 once VARINT => report.trailing_offset_ticks = reader.i64(30)?,
        31 once VARINT => report.trailing_offset_ppm = reader.u32(31)?,
        32 once VARINT => report.display_lots = reader.i64(32)?,
    });
    Ok(())
}

fn exec_type(reader: &mut Reader<'_>) -> Decoded<ExecType> {
    Ok(EXEC_TYPES[dense(reader, 5, 8)? as usize])
}

/// The market that a system event defines, if it does.
pub fn defined_market(mut reader: Reader<'_>) -> Decoded<Option<u32>> {
    let mut market_id = None;
    scan!(reader, {
        1 once VARINT => reader.varint(1)?,
        2 oneof LENGTH => reader.bytes(2)?,
        3 oneof LENGTH => reader.bytes(3)?,
        4 oneof LENGTH => market_id = Some(market_defined(reader.message(4)?)?),
        5 oneof LENGTH => reader.bytes(5)?,
        6 oneof LENGTH => reader.bytes(6)?,
        7 oneof LENGTH => reader.bytes(7)?,
        8 oneof LENGTH => reader.bytes(8)?,
        9 oneof LENGTH => reader.bytes(9)?,
        10 oneof LENGTH => reader.bytes(10)?,
        11 oneof LENGTH => reader.bytes(11)?,
        12 oneof LENGTH => reader.bytes(12)?,
        13 oneof LENGTH => reader.bytes(13)?,
        14 oneof LENGTH => reader.bytes(14)?,
        15 oneof LENGTH => reader.bytes(15)?,
    });
    Ok(market_id)
}

fn market_defined(mut reader: Reader<'_>) -> Decoded<u32> {
    let mut market_id = 0;
    scan!(reader, {
        1 once LENGTH => market_id = market(reader.message(1)?)?,
        2 once VARINT => reader.i64(2)?,
    });
    Ok(market_id)
}

/// The id of a `CreateMarket`.
pub fn market(mut reader: Reader<'_>) -> Decoded<u32> {
    let mut market_id = 0;
    scan!(reader, {
        1 once VARINT => market_id = reader.u32(1)?,
        2 once LENGTH => reader.string(2, usize::MAX)?,
        3 once VARINT => reader.u32(3)?,
        4 once VARINT => reader.u32(4)?,
        5 once LENGTH => reader.sixteen(5)?,
        6 once LENGTH => reader.sixteen(6)?,
        7 once LENGTH => reader.bytes(7)?,
    });
    Ok(market_id)
}
