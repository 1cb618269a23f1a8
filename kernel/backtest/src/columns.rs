//! The sink of a backtest: each kind of event as rows of its own.

use crate::rows::{QUOTE_BYTES, REPORT_BYTES, TRADE_BYTES, order_number};
use cambist_codec::encoder::{Cause, Level2};
use cambist_engine::Sink;
use cambist_engine::types::{
    BalanceUpdate, BestBidOffer, CancelReject, ExecType, ExecutionReport, L3Event, MarketStatus,
    PrivateEvent, RejectReason, SessionEvent, SystemEvent, Trade,
};

/// What a backtest wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Reports of accounts.
    pub reports: bool,
    /// Trades of markets.
    pub trades: bool,
    /// Best prices of markets, where a batch changed them.
    pub quotes: bool,
}

impl Wanted {
    /// Everything.
    pub const ALL: Self = Self {
        reports: true,
        trades: true,
        quotes: true,
    };
}

/// The rows of everything that happened since they were taken.
#[derive(Debug)]
pub struct Columns {
    /// What is kept.
    pub wanted: Wanted,
    /// Rows of `REPORT_BYTES`.
    pub reports: Vec<u8>,
    /// Rows of `TRADE_BYTES`.
    pub trades: Vec<u8>,
    /// Rows of `QUOTE_BYTES`.
    pub quotes: Vec<u8>,
    /// Why the venue refused a command of its own.
    pub refused: RejectReason,
    seq: u64,
    time_ns: i64,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            wanted: Wanted::ALL,
            reports: Vec::new(),
            trades: Vec::new(),
            quotes: Vec::new(),
            refused: RejectReason::Unspecified,
            seq: 0,
            time_ns: 0,
        }
    }
}

/// Puts fields behind one another.
struct Row<'a>(&'a mut Vec<u8>);

impl Row<'_> {
    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn i128(&mut self, value: i128) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u8s<const COUNT: usize>(&mut self, values: [u8; COUNT]) {
        self.0.extend_from_slice(&values);
    }
}

impl Columns {
    /// Starts a batch.
    pub fn start(&mut self, time_ns: i64) {
        self.time_ns = time_ns;
    }

    fn keep(&mut self, account_id: u64, report: &ExecutionReport) {
        if !self.wanted.reports {
            return;
        }
        let before = self.reports.len();
        let mut row = Row(&mut self.reports);
        row.u64(self.seq)
            .i64(self.time_ns)
            .u64(account_id)
            .u64(order_number(report.cl_ord_id))
            .u64(report.order_id)
            .i64(report.price_ticks)
            .i64(report.leaves_lots)
            .i64(report.cum_lots)
            .i64(report.last_lots)
            .i64(report.last_price_ticks)
            .u64(report.trade_id)
            .i128(report.fee_atoms)
            .u32(report.market_id)
            .u32(report.fee_asset_id)
            .u8s([
                report.exec_type as u8,
                report.side as u8,
                report.reject_reason as u8,
                report.cancel_reason as u8,
                report.liquidity as u8,
                0,
                0,
                0,
            ]);
        debug_assert_eq!(self.reports.len() - before, REPORT_BYTES);
    }

    fn keep_refusal(&mut self, account_id: u64, reject: &CancelReject) {
        let report = ExecutionReport {
            cl_ord_id: reject.orig_cl_ord_id,
            exec_type: ExecType::Rejected,
            reject_reason: reject.reject_reason,
            ..ExecutionReport::default()
        };
        self.keep(account_id, &report);
    }
}

impl Sink for Columns {
    fn cause(&mut self, cause: Cause) {
        self.seq = cause.seq;
    }

    fn report(&mut self, account_id: u64, _: u64, report: &ExecutionReport) {
        self.keep(account_id, report);
    }

    fn private(&mut self, account_id: u64, _: u64, event: &PrivateEvent) {
        match event {
            PrivateEvent::ExecutionReport(report) => self.keep(account_id, report),
            PrivateEvent::CancelReject(reject) => self.keep_refusal(account_id, reject),
            _ => {}
        }
    }

    fn session(&mut self, _: u64, _: u32, _: &SessionEvent) {}

    fn l3(&mut self, _: u32, _: &L3Event) {}

    fn trade(&mut self, market_id: u32, trade: &Trade) {
        if !self.wanted.trades {
            return;
        }
        let before = self.trades.len();
        let mut row = Row(&mut self.trades);
        row.u64(self.seq)
            .i64(self.time_ns)
            .u64(trade.trade_id)
            .u64(trade.market_seq)
            .i64(trade.price_ticks)
            .i64(trade.quantity_lots)
            .u32(market_id)
            .u8s([trade.aggressor_side as u8, 0, 0, 0]);
        debug_assert_eq!(self.trades.len() - before, TRADE_BYTES);
    }

    fn status(&mut self, _: u32, _: &MarketStatus) {}

    fn l2(&mut self, _: u32, _: &Level2<'_>) {}

    fn bbo(&mut self, market_id: u32, quote: &BestBidOffer) {
        if !self.wanted.quotes {
            return;
        }
        let before = self.quotes.len();
        let mut row = Row(&mut self.quotes);
        row.i64(self.time_ns)
            .u64(quote.market_seq)
            .i64(quote.bid_price_ticks)
            .i64(quote.bid_lots)
            .i64(quote.ask_price_ticks)
            .i64(quote.ask_lots)
            .u32(market_id)
            .u8s([0; 4]);
        debug_assert_eq!(self.quotes.len() - before, QUOTE_BYTES);
    }

    fn balance(&mut self, _: &BalanceUpdate) {}

    fn system(&mut self, event: &SystemEvent<'_>) {
        if let SystemEvent::Answer(answer) = event
            && self.refused == RejectReason::Unspecified
        {
            self.refused = answer.reason;
        }
    }
}
