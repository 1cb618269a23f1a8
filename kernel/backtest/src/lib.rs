//! The venue's engine driven by rows of numbers: what trades here is what trades in production.
//!
//! `cambist.backtest` drives it through the Python face. A journal is replayed through the same decoder as at the venue;
//! rows skip protobuf on both sides. It never reads a clock: time is what the rows say.

#![forbid(unsafe_code)]

mod columns;
mod recorder;
mod rows;
#[cfg(test)]
mod tests;

pub use columns::{Columns, Wanted};
pub use recorder::Recorder;
pub use rows::{BadRow, ORDER_BYTES, QUOTE_BYTES, REPORT_BYTES, TRADE_BYTES};

use cambist_codec::{ApplyError, Kernel};
use cambist_engine::types::{CommandClass, RejectReason, SystemCommand};
use cambist_engine::{Engine, Head};
use rows::OrderRow;

/// Rows of one call.
pub const ROWS_MAX: usize = 16_777_216;
/// Rows of one batch.
pub const BATCH_ROWS_MAX: usize = 4_096;

/// An engine and what it told.
#[derive(Debug)]
pub struct Backtest {
    kernel: Kernel<Recorder>,
    requests: u64,
    credits: u64,
}

impl Backtest {
    /// An empty shard.
    #[must_use]
    pub fn new(shard: u32) -> Self {
        Self {
            kernel: Kernel::new(shard),
            requests: 0,
            credits: 0,
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.kernel.machine().engine
    }

    /// What it told since it was last taken; what is taken is to be cleared by the caller.
    pub fn columns(&mut self) -> &mut Columns {
        &mut self.kernel.machine_mut().columns
    }

    /// A command of the venue, at the present time. The reason when it was refused.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn system(&mut self, command: SystemCommand<'_>) -> Result<(), RejectReason> {
        let Recorder { engine, columns } = self.kernel.machine_mut();
        let head = Head {
            command_class: CommandClass::System,
            received_ns: engine.time_ns(),
            ..Head::default()
        };
        columns.refused = RejectReason::Unspecified;
        columns.start(engine.time_ns());
        engine.begin(engine.time_ns(), columns);
        engine.system_envelope(&head, &[command], columns);
        engine.end(columns);
        match std::mem::take(&mut columns.refused) {
            RejectReason::Unspecified => Ok(()),
            reason => Err(reason),
        }
    }

    /// The number of the next credit.
    pub fn next_credit(&mut self) -> u64 {
        self.credits += 1;
        self.credits
    }

    /// Goes on to a time: what is due until then happens. Earlier times change nothing.
    pub fn advance(&mut self, time_ns: i64) {
        let Recorder { engine, columns } = self.kernel.machine_mut();
        loop {
            let due = engine.next_timer_ns();
            let now = if due == 0 { time_ns } else { due.min(time_ns) };
            if now < engine.time_ns() {
                return;
            }
            columns.start(now);
            engine.begin(now, columns);
            engine.end(columns);
            // A due timer that is still there was over the work of one batch.
            let next = engine.next_timer_ns();
            if now == time_ns && (next == 0 || next > time_ns) {
                return;
            }
        }
    }

    /// Plays order rows; rows whose times lie within `batch_ns` are one batch, at the time of its last row.
    ///
    /// # Errors
    /// [`BadRow`], with nothing played.
    pub fn play(&mut self, bytes: &[u8], batch_ns: i64) -> Result<usize, BadRow> {
        let orders = self.read(bytes)?;
        let mut commands = Vec::with_capacity(BATCH_ROWS_MAX);
        let mut rest = &orders[..];
        while let Some(first) = rest.first() {
            let until_ns = first.time_ns.saturating_add(batch_ns);
            let bounded = &rest[..rest.len().min(BATCH_ROWS_MAX)];
            let count = bounded.partition_point(|row| row.time_ns <= until_ns);
            let (batch, after) = rest.split_at(count);
            commands.clear();
            commands.extend(batch.iter().map(|row| row.command(&mut self.requests)));
            let time_ns = batch[count - 1].time_ns;
            let Recorder { engine, columns } = self.kernel.machine_mut();
            let head = Head {
                command_class: CommandClass::Unary,
                received_ns: time_ns,
                ..Head::default()
            };
            columns.start(time_ns);
            engine.begin(time_ns, columns);
            for number in 0..count {
                engine.firm_envelope_ahead(&head, &commands[number..], 1, columns);
            }
            engine.end(columns);
            rest = after;
        }
        Ok(orders.len())
    }

    fn read(&self, bytes: &[u8]) -> Result<Vec<OrderRow>, BadRow> {
        let (rows, odd) = bytes.as_chunks::<ORDER_BYTES>();
        if !odd.is_empty() || rows.len() > ROWS_MAX {
            let index = rows.len().min(ROWS_MAX);
            return Err(BadRow {
                index,
                field: "size",
            });
        }
        let mut now = self.engine().time_ns();
        let mut orders = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let row = OrderRow::read(row).map_err(|field| BadRow { index, field })?;
            let bad = |field| Err(BadRow { index, field });
            if row.time_ns < now {
                return bad("time_ns");
            }
            if !self.engine().has_account(row.account_id) {
                return bad("account_id");
            }
            now = row.time_ns;
            orders.push(row);
        }
        Ok(orders)
    }

    /// Replays a batch of a journal.
    ///
    /// # Errors
    /// As the venue's own engine.
    pub fn replay(&mut self, batch: &[u8]) -> Result<(), ApplyError> {
        self.kernel.apply(batch).map(|_| ())
    }

    /// Hash of each part of the state, by its name.
    #[must_use]
    pub fn state_parts(&self) -> [(&'static str, [u8; 32]); 6] {
        self.kernel.state_parts()
    }
}
