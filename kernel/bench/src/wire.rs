//! Batches of envelopes as protobuf.

use crate::commands::{SHARD, Sent};
use cambist_codec::writer::{put_i64, put_id, put_message, put_optional_id, put_u32, put_u64};
use cambist_engine::Head;
use cambist_engine::types::{Command, WireEnum};

/// Batches as bytes, the first with `first_seq`.
pub fn batches(sent: &[Sent], mut first_seq: u64) -> Vec<Vec<u8>> {
    let batches = sent.iter().map(|batch| {
        let mut out = Vec::new();
        put_u32(&mut out, 1, SHARD);
        put_u64(&mut out, 2, first_seq);
        put_i64(&mut out, 3, batch.time_ns());
        let mut commands = &batch.commands[..];
        for (head, count) in &batch.envelopes {
            let (here, behind) = commands.split_at(*count);
            put_message(&mut out, 4, |out| put_envelope(out, head, here));
            commands = behind;
        }
        first_seq += batch.commands.len() as u64;
        out
    });
    batches.collect()
}

fn put_envelope(out: &mut Vec<u8>, head: &Head, commands: &[Command<'_>]) {
    put_u32(out, 1, head.command_class.number());
    put_u64(out, 2, head.session_id);
    put_u32(out, 3, head.connection);
    put_u64(out, 4, head.first_seq_no);
    put_u64(out, 5, commands.len() as u64);
    put_i64(out, 6, head.received_ns);
    put_message(out, 8, |body| {
        for command in commands {
            put_message(body, 1, |out| put_command(out, command));
        }
    });
}

fn put_command(out: &mut Vec<u8>, command: &Command<'_>) {
    match command {
        Command::NewOrder(order) => put_message(out, 1, |out| {
            put_id(out, 1, order.cl_ord_id);
            put_u64(out, 2, order.account_id);
            put_u32(out, 3, order.market_id);
            put_u32(out, 4, order.side.number());
            put_u32(out, 5, order.order_type.number());
            put_u32(out, 6, order.time_in_force.number());
            put_i64(out, 7, order.price_ticks);
            put_i64(out, 8, order.quantity_lots);
            put_i64(out, 10, order.sent_time_ns);
        }),
        Command::Cancel(cancel) => put_message(out, 2, |out| {
            put_id(out, 1, cancel.request_id);
            put_u64(out, 2, cancel.account_id);
            put_optional_id(out, 3, cancel.orig_cl_ord_id);
            put_i64(out, 5, cancel.sent_time_ns);
        }),
        Command::Amend(amend) => put_message(out, 3, |out| {
            put_id(out, 1, amend.request_id);
            put_u64(out, 2, amend.account_id);
            put_optional_id(out, 3, amend.orig_cl_ord_id);
            put_i64(out, 5, amend.price_ticks);
            put_i64(out, 6, amend.quantity_lots);
            put_i64(out, 7, amend.sent_time_ns);
        }),
        other => unreachable!("the tape has no {other:?}"),
    }
}
