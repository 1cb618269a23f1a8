//! Canonical bytes of the events of one batch, by frame. The engine tells it what happened; it keeps no state of the
//! engine, only the sequence numbers that the directory needs.

use crate::encode::events::{
    EXECUTION_REPORT_BYTES, put_execution_report, put_private_event, put_session_event,
};
use crate::encode::market_data::{
    put_best_bid_offer, put_l2_level, put_l3_event, put_market_status, put_trade,
};
use crate::encode::system::{put_balance_update, put_system_event};
use crate::frames::Frames;
use crate::messages::{
    BalanceUpdate, BestBidOffer, ExecutionReport, L2Level, L3Event, MarketStatus, PrivateEvent,
    SessionEvent, SystemEvent, Trade,
};
use crate::row::FrameKind;
use crate::writer::{Writer, put_fixed32, put_message, put_message_bytes, put_u64};

/// Field number of the events in every container.
const EVENTS: u32 = 1;

/// What every private event says of its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// Journal sequence of the command.
    pub seq: u64,
    /// When it was received.
    pub received_ns: i64,
}

/// Longest bytes of what a private event says of its cause, and room to spare.
const HEAD_BYTES: usize = 96;

/// The encoder of one batch after the other.
#[derive(Debug, Default)]
pub struct Encoder {
    frames: Frames,
    time_ns: i64,
    cause: Cause,
    /// The fields `received_ns` and `sequenced_ns`, which many events share.
    times: Writer<32>,
    head: Writer<HEAD_BYTES>,
    report: Writer<EXECUTION_REPORT_BYTES>,
}

impl Encoder {
    /// Forgets the last batch and starts the one at engine time `time_ns`.
    pub fn start(&mut self, time_ns: i64) {
        self.frames.clear();
        self.time_ns = time_ns;
        self.set_cause(Cause {
            seq: 0,
            received_ns: 0,
        });
    }

    /// Names the cause of the events that follow.
    #[inline]
    pub fn cause(&mut self, cause: Cause) {
        if cause.received_ns == self.cause.received_ns {
            self.cause.seq = cause.seq;
        } else {
            self.set_cause(cause);
        }
    }

    fn set_cause(&mut self, cause: Cause) {
        self.cause = cause;
        self.times.clear();
        self.times.i64(4, cause.received_ns);
        self.times.i64(5, self.time_ns);
    }

    /// An execution report of an account.
    #[inline]
    pub fn report(&mut self, account_id: u64, account_seq: u64, report: &ExecutionReport) {
        self.report.clear();
        put_execution_report(&mut self.report, report);
        let body = self.report.as_slice();
        // The body's tag and length are two or three bytes.
        let length_bytes = if body.len() < 0x80 { 2 } else { 3 };
        let head = &mut self.head;
        head.clear();
        head.u64(1, self.cause.seq);
        head.u64(2, account_seq);
        head.u64(3, account_id);
        head.raw(self.times.as_slice());
        let length = head.as_slice().len() + length_bytes + body.len();
        head.message(6, body.len());
        let mut outer = Writer::<24>::default();
        outer.message(EVENTS, length);
        let frame = self.frames.frame(FrameKind::Private, account_id);
        self.frames.event(frame, account_seq, |log| {
            log.extend_from_slice(outer.as_slice());
            log.extend_from_slice(head.as_slice());
            log.extend_from_slice(body);
        });
    }

    /// An event of an account.
    pub fn private(&mut self, account_id: u64, account_seq: u64, event: &PrivateEvent) {
        if let PrivateEvent::ExecutionReport(report) = event {
            return self.report(account_id, account_seq, report);
        }
        let (seq, times) = (self.cause.seq, self.times.as_slice());
        let frame = self.frames.frame(FrameKind::Private, account_id);
        self.frames.event(frame, account_seq, |log| {
            put_message(log, EVENTS, |out| {
                put_u64(out, 1, seq);
                put_u64(out, 2, account_seq);
                put_u64(out, 3, account_id);
                out.extend_from_slice(times);
                put_private_event(out, event);
            });
        });
    }

    /// An event of a session; `connection` is that after the event.
    pub fn session(&mut self, session_id: u64, connection: u32, event: &SessionEvent) {
        let seq = self.cause.seq;
        let frame = self.frames.frame(FrameKind::Session, session_id);
        self.frames.event(frame, 0, |log| {
            put_message(log, EVENTS, |out| {
                put_u64(out, 1, seq);
                put_u64(out, 2, session_id);
                put_u64(out, 3, u64::from(connection));
                put_session_event(out, event);
            });
        });
    }

    /// An order-by-order event of a market.
    #[inline]
    pub fn l3(&mut self, market_id: u32, event: &L3Event) {
        let frame = self.frames.frame(FrameKind::L3, u64::from(market_id));
        self.frames.event(frame, event.market_seq, |log| {
            let mut body = Writer::default();
            put_l3_event(&mut body, event);
            put_message_bytes(log, EVENTS, body.as_slice());
        });
    }

    /// A trade of a market.
    #[inline]
    pub fn trade(&mut self, market_id: u32, trade: &Trade) {
        let frame = self.frames.frame(FrameKind::Trades, u64::from(market_id));
        self.frames.event(frame, trade.market_seq, |log| {
            let mut body = Writer::default();
            put_trade(&mut body, trade);
            put_message_bytes(log, EVENTS, body.as_slice());
        });
    }

    /// A change of a market's phase.
    pub fn status(&mut self, market_id: u32, status: &MarketStatus) {
        let frame = self.frames.frame(FrameKind::Status, u64::from(market_id));
        self.frames.event(frame, status.market_seq, |log| {
            put_message(log, EVENTS, |out| put_market_status(out, status));
        });
    }

    /// The levels of a market that the batch changed, best first.
    pub fn l2(&mut self, market_id: u32, delta: &Level2<'_>) {
        let frame = self.frames.frame(FrameKind::L2, u64::from(market_id));
        self.frames.event(frame, delta.last_market_seq, |log| {
            put_message(log, EVENTS, |out| {
                put_u64(out, 1, delta.first_market_seq);
                put_u64(out, 2, delta.last_market_seq);
                put_u64(out, 3, delta.prev_market_seq);
                for level in delta.bids {
                    put_message(out, 4, |inner| put_l2_level(inner, level));
                }
                for level in delta.asks {
                    put_message(out, 5, |inner| put_l2_level(inner, level));
                }
                put_fixed32(out, 6, delta.crc32);
            });
        });
        self.frames
            .set_range(frame, delta.first_market_seq, delta.last_market_seq);
    }

    /// The best prices of a market after the batch.
    pub fn bbo(&mut self, market_id: u32, quote: &BestBidOffer) {
        let frame = self.frames.frame(FrameKind::Bbo, u64::from(market_id));
        self.frames.event(frame, quote.market_seq, |log| {
            put_message(log, EVENTS, |out| {
                put_best_bid_offer(out, quote);
            });
        });
    }

    /// The balances of one account in one asset after the batch; assets of an account ascend.
    pub fn balance(&mut self, update: &BalanceUpdate) {
        let frame = self.frames.frame(FrameKind::Balance, update.account_id);
        self.frames.event(frame, update.seq, |log| {
            put_message(log, EVENTS, |out| put_balance_update(out, update));
        });
    }

    /// An event of the venue itself.
    pub fn system(&mut self, event: &SystemEvent<'_>) {
        let seq = self.cause.seq;
        let frame = self.frames.frame(FrameKind::System, 0);
        self.frames.event(frame, seq, |log| {
            put_message(log, EVENTS, |out| {
                put_u64(out, 1, seq);
                put_system_event(out, event);
            });
        });
    }

    /// Ends the batch. `numbers` tells the last order-class and cancel-class number of a session, (0, 0) when it does
    /// not exist any more. The row replaces what is in `out`.
    pub fn finish(&mut self, mut numbers: impl FnMut(u64) -> (u64, u64), out: &mut Vec<u8>) {
        self.frames.set_ranges(FrameKind::Session, &mut numbers);
        self.frames.write_row(out);
    }
}

/// The levels of a market that a batch changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level2<'a> {
    /// First `market_seq` covered.
    pub first_market_seq: u64,
    /// Last `market_seq` covered.
    pub last_market_seq: u64,
    /// Last `market_seq` of the delta before.
    pub prev_market_seq: u64,
    /// Changed bids, best first.
    pub bids: &'a [L2Level],
    /// Changed asks, best first.
    pub asks: &'a [L2Level],
    /// CRC32 over the best levels.
    pub crc32: u32,
}
