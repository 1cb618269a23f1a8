//! Strict decoding of the commands of firms: `cambist.orders.v1.Command`.

use crate::messages::{
    Amend, Cancel, CancelAllAfter, CancelQuotes, Command, MassCancel, MassQuote, NewList, NewOrder,
    Quote, Replace, RequestWithdrawal, ResetProtection, Resolve, Transfer,
};
use crate::reader::{Decoded, MalformedReason, Reader, fault};
use crate::scan;
use crate::values::{amount, enumeration, expires_after_ms, required_id, required_text};

/// Reads one command into `slot` and gives the number of its member. The frequent ones are read where they will stay,
/// since copying them costs as much as reading them.
///
/// # Errors
/// The first fault of its bytes; `EMPTY_COMMAND`.
#[inline]
pub fn command<'a>(mut reader: Reader<'a>, slot: &mut Command<'a>) -> Decoded<u32> {
    let mut member = 0;
    scan!(reader, {
        1 oneof LENGTH => {
            *slot = Command::NewOrder(NewOrder::default());
            if let Command::NewOrder(order) = slot {
                read_new_order(reader.message(1)?, order)?;
            }
            member = 1;
        },
        2 oneof LENGTH => {
            *slot = Command::Cancel(Cancel::default());
            if let Command::Cancel(cancel) = slot {
                read_cancel(reader.message(2)?, cancel)?;
            }
            member = 2;
        },
        3 oneof LENGTH => {
            *slot = Command::Amend(Amend::default());
            if let Command::Amend(amend) = slot {
                read_amend(reader.message(3)?, amend)?;
            }
            member = 3;
        },
        4 oneof LENGTH => (member, *slot) = (4, Command::Replace(replace(reader.message(4)?)?)),
        5 oneof LENGTH => (member, *slot) = (5, Command::MassCancel(mass_cancel(reader.message(5)?)?)),
        6 oneof LENGTH => (member, *slot) = (6, Command::NewList(new_list(reader.message(6)?)?)),
        7 oneof LENGTH => (member, *slot) = (7, Command::MassQuote(mass_quote(reader.message(7)?)?)),
        8 oneof LENGTH => (member, *slot) = (8, Command::CancelQuotes(cancel_quotes(reader.message(8)?)?)),
        9 oneof LENGTH => (member, *slot) = (9, Command::ResetProtection(reset_protection(reader.message(9)?)?)),
        10 oneof LENGTH => (member, *slot) = (10, Command::CancelAllAfter(cancel_all_after(reader.message(10)?)?)),
        11 oneof LENGTH => (member, *slot) = (11, Command::Resolve(resolve(reader.message(11)?)?)),
        12 oneof LENGTH => (member, *slot) = (12, Command::Transfer(transfer(reader.message(12)?)?)),
        13 oneof LENGTH => (member, *slot) = (13, Command::RequestWithdrawal(request_withdrawal(reader.message(13)?)?)),
    });
    if member == 0 {
        return fault(MalformedReason::EmptyCommand, 0);
    }
    Ok(member)
}

fn new_order(reader: Reader<'_>) -> Decoded<NewOrder> {
    let mut value = NewOrder::default();
    read_new_order(reader, &mut value)?;
    Ok(value)
}

fn read_new_order(mut reader: Reader<'_>, value: &mut NewOrder) -> Decoded<()> {
    let mut cl_ord_id = None;
    scan!(reader, {
        1 once LENGTH => cl_ord_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.market_id = reader.u32(3)?,
        4 once VARINT => value.side = enumeration(&mut reader, 4)?,
        5 once VARINT => value.order_type = enumeration(&mut reader, 5)?,
        6 once VARINT => value.time_in_force = enumeration(&mut reader, 6)?,
        7 once VARINT => value.price_ticks = reader.i64(7)?,
        8 once VARINT => value.quantity_lots = reader.i64(8)?,
        9 once LENGTH => value.quote_budget_atoms = amount(&mut reader, 9)?,
        10 once VARINT => value.sent_time_ns = reader.i64(10)?,
        11 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 11)?,
        12 once VARINT => value.expire_time_ns = reader.i64(12)?,
        13 once VARINT => value.post_only = reader.bool(13)?,
        14 once VARINT => value.self_trade_prevention = enumeration(&mut reader, 14)?,
        15 once VARINT => value.tag = reader.u32(15)?,
        16 once VARINT => value.display_lots = reader.i64(16)?,
        17 once VARINT => value.hidden = reader.bool(17)?,
        18 once VARINT => value.minimum_lots = reader.i64(18)?,
        19 once VARINT => value.trigger_price_ticks = reader.i64(19)?,
        20 once VARINT => value.trailing_offset_ticks = reader.i64(20)?,
        21 once VARINT => value.trailing_offset_ppm = reader.u32(21)?,
        22 once VARINT => value.peg_offset_ticks = reader.i64(22)?,
    });
    value.cl_ord_id = required_id(cl_ord_id, 1)?;
    Ok(())
}

fn read_cancel(mut reader: Reader<'_>, value: &mut Cancel) -> Decoded<()> {
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once LENGTH => value.orig_cl_ord_id = reader.sixteen(3)?,
        4 once VARINT => value.order_id = reader.varint(4)?,
        5 once VARINT => value.sent_time_ns = reader.i64(5)?,
        6 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 6)?,
        7 once VARINT => value.after_order_seq_no = reader.varint(7)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(())
}

fn read_amend(mut reader: Reader<'_>, value: &mut Amend) -> Decoded<()> {
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once LENGTH => value.orig_cl_ord_id = reader.sixteen(3)?,
        4 once VARINT => value.order_id = reader.varint(4)?,
        5 once VARINT => value.price_ticks = reader.i64(5)?,
        6 once VARINT => value.quantity_lots = reader.i64(6)?,
        7 once VARINT => value.sent_time_ns = reader.i64(7)?,
        8 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 8)?,
        9 once VARINT => value.display_lots = reader.i64(9)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(())
}

fn replace(mut reader: Reader<'_>) -> Decoded<Replace> {
    let mut value = Replace::default();
    let mut new = None;
    scan!(reader, {
        1 once LENGTH => value.orig_cl_ord_id = reader.sixteen(1)?,
        2 once LENGTH => new = Some(new_order(reader.message(2)?)?),
        3 once VARINT => value.allow_missing = reader.bool(3)?,
    });
    // An absent order is an empty one, and that has no id.
    value.new_order = new.map_or_else(|| fault(MalformedReason::BadLength, 1), Ok)?;
    Ok(value)
}

fn mass_cancel(mut reader: Reader<'_>) -> Decoded<MassCancel> {
    let mut value = MassCancel::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.market_id = reader.u32(3)?,
        4 once VARINT => value.side = enumeration(&mut reader, 4)?,
        5 once VARINT => value.this_session_only = reader.bool(5)?,
        6 once VARINT => value.tag = reader.u32(6)?,
        7 once VARINT => value.sent_time_ns = reader.i64(7)?,
        8 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 8)?,
        9 once VARINT => value.after_order_seq_no = reader.varint(9)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn new_list(mut reader: Reader<'_>) -> Decoded<NewList> {
    let mut value = NewList::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.list_type = enumeration(&mut reader, 2)?,
        3 many LENGTH => value.orders.push(new_order(reader.message(3)?)?),
    });
    value.request_id = required_id(request_id, 1)?;
    if !(2..=3).contains(&value.orders.len()) {
        return fault(MalformedReason::BadList, 3);
    }
    Ok(value)
}

fn mass_quote(mut reader: Reader<'_>) -> Decoded<MassQuote> {
    let mut value = MassQuote::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.sent_time_ns = reader.i64(3)?,
        4 once VARINT => value.quote_set = reader.u32(4)?,
        5 many LENGTH => value.quotes.push(quote(reader.message(5)?)?),
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn quote(mut reader: Reader<'_>) -> Decoded<Quote> {
    let mut value = Quote::default();
    scan!(reader, {
        1 once VARINT => value.market_id = reader.u32(1)?,
        2 once VARINT => value.bid_price_ticks = reader.i64(2)?,
        3 once VARINT => value.bid_lots = reader.i64(3)?,
        4 once VARINT => value.ask_price_ticks = reader.i64(4)?,
        5 once VARINT => value.ask_lots = reader.i64(5)?,
    });
    Ok(value)
}

fn cancel_quotes(mut reader: Reader<'_>) -> Decoded<CancelQuotes> {
    let mut value = CancelQuotes::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.quote_set = reader.u32(3)?,
        4 once VARINT => value.sent_time_ns = reader.i64(4)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn reset_protection(mut reader: Reader<'_>) -> Decoded<ResetProtection> {
    let mut value = ResetProtection::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.quote_set = reader.u32(3)?,
        4 once VARINT => value.sent_time_ns = reader.i64(4)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn cancel_all_after(mut reader: Reader<'_>) -> Decoded<CancelAllAfter> {
    let mut value = CancelAllAfter::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.timeout_ms = reader.u32(3)?,
        4 once VARINT => value.sent_time_ns = reader.i64(4)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn resolve(mut reader: Reader<'_>) -> Decoded<Resolve> {
    let mut value = Resolve::default();
    let mut id = None;
    scan!(reader, {
        1 once VARINT => value.account_id = reader.varint(1)?,
        2 once LENGTH => id = reader.sixteen(2)?,
        3 once VARINT => value.sent_time_ns = reader.i64(3)?,
    });
    value.id = required_id(id, 2)?;
    Ok(value)
}

fn transfer(mut reader: Reader<'_>) -> Decoded<Transfer> {
    let mut value = Transfer::default();
    let mut request_id = None;
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.to_account_id = reader.varint(3)?,
        4 once VARINT => value.asset_id = reader.u32(4)?,
        5 once LENGTH => value.amount_atoms = amount(&mut reader, 5)?,
        6 once VARINT => value.sent_time_ns = reader.i64(6)?,
        7 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 7)?,
    });
    value.request_id = required_id(request_id, 1)?;
    Ok(value)
}

fn request_withdrawal(mut reader: Reader<'_>) -> Decoded<RequestWithdrawal<'_>> {
    let mut value = RequestWithdrawal::default();
    let mut request_id = None;
    let mut destination = "";
    scan!(reader, {
        1 once LENGTH => request_id = reader.sixteen(1)?,
        2 once VARINT => value.account_id = reader.varint(2)?,
        3 once VARINT => value.asset_id = reader.u32(3)?,
        4 once VARINT => value.network_id = reader.u32(4)?,
        5 once LENGTH => value.amount_atoms = amount(&mut reader, 5)?,
        6 once LENGTH => value.fee_atoms = amount(&mut reader, 6)?,
        7 once LENGTH => destination = reader.string(7, 128)?,
        8 once VARINT => value.quote_expires_ns = reader.i64(8)?,
        9 once VARINT => value.sent_time_ns = reader.i64(9)?,
        10 once VARINT => value.expires_after_ms = expires_after_ms(&mut reader, 10)?,
    });
    value.request_id = required_id(request_id, 1)?;
    value.destination = required_text(destination, 7)?;
    Ok(value)
}
