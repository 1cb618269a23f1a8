//! Keeps the events of a batch.

use cambist_codec::encoder::{Cause, Level2};
use cambist_engine::Sink;
use cambist_engine::types::*;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Private(u64, u64, PrivateEvent),
    Session(u64, u32, SessionEvent),
    L3(u32, L3Event),
    Trade(u32, Trade),
    Status(u32, MarketStatus),
    L2(u32, Delta),
    Bbo(u32, BestBidOffer),
    Balance(BalanceUpdate),
    Answer(SystemAnswer),
    /// Any other event of the venue, as text.
    System(String),
}

/// An owned `Level2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    pub first: u64,
    pub last: u64,
    pub previous: u64,
    pub bids: Vec<L2Level>,
    pub asks: Vec<L2Level>,
    pub crc32: u32,
}

#[derive(Debug, Default)]
pub struct Recorder {
    pub events: Vec<Event>,
    /// The causes, in the order they were named.
    pub causes: Vec<Cause>,
}

impl Sink for Recorder {
    fn cause(&mut self, cause: Cause) {
        self.causes.push(cause);
    }

    fn report(&mut self, account_id: u64, account_seq: u64, report: &ExecutionReport) {
        self.private(
            account_id,
            account_seq,
            &PrivateEvent::ExecutionReport(*report),
        );
    }

    fn private(&mut self, account_id: u64, account_seq: u64, event: &PrivateEvent) {
        let event = event.clone();
        self.events
            .push(Event::Private(account_id, account_seq, event));
    }

    fn session(&mut self, session_id: u64, connection: u32, event: &SessionEvent) {
        let event = event.clone();
        self.events
            .push(Event::Session(session_id, connection, event));
    }

    fn l3(&mut self, market_id: u32, event: &L3Event) {
        self.events.push(Event::L3(market_id, *event));
    }

    fn trade(&mut self, market_id: u32, trade: &Trade) {
        self.events.push(Event::Trade(market_id, *trade));
    }

    fn status(&mut self, market_id: u32, status: &MarketStatus) {
        self.events.push(Event::Status(market_id, *status));
    }

    fn l2(&mut self, market_id: u32, delta: &Level2<'_>) {
        let delta = Delta {
            first: delta.first_market_seq,
            last: delta.last_market_seq,
            previous: delta.prev_market_seq,
            bids: delta.bids.to_vec(),
            asks: delta.asks.to_vec(),
            crc32: delta.crc32,
        };
        self.events.push(Event::L2(market_id, delta));
    }

    fn bbo(&mut self, market_id: u32, quote: &BestBidOffer) {
        self.events.push(Event::Bbo(market_id, *quote));
    }

    fn balance(&mut self, update: &BalanceUpdate) {
        self.events.push(Event::Balance(*update));
    }

    fn system(&mut self, event: &SystemEvent<'_>) {
        self.events.push(match event {
            SystemEvent::Answer(answer) => Event::Answer(*answer),
            other => Event::System(format!("{other:?}")),
        });
    }
}

/// Reasons of the answers to commands of the venue.
pub fn answers(events: &[Event]) -> Vec<RejectReason> {
    let answers = events.iter().filter_map(|event| match event {
        Event::Answer(answer) => Some(answer.reason),
        _ => None,
    });
    answers.collect()
}

/// Events of an account.
pub fn privates(events: &[Event], account_id: u64) -> Vec<&PrivateEvent> {
    let privates = events.iter().filter_map(|event| match event {
        Event::Private(account, _, event) if *account == account_id => Some(event),
        _ => None,
    });
    privates.collect()
}

/// Execution reports of an account.
pub fn reports(events: &[Event], account_id: u64) -> Vec<ExecutionReport> {
    let privates = privates(events, account_id).into_iter();
    let reports = privates.filter_map(|event| match event {
        PrivateEvent::ExecutionReport(report) => Some(*report),
        _ => None,
    });
    reports.collect()
}

/// Reports of one kind of an account.
pub fn of_type(events: &[Event], account_id: u64, exec_type: ExecType) -> Vec<ExecutionReport> {
    let mut reports = reports(events, account_id);
    reports.retain(|report| report.exec_type == exec_type);
    reports
}

/// Reasons of refused requests of an account.
pub fn rejects(events: &[Event], account_id: u64) -> Vec<RejectReason> {
    let privates = privates(events, account_id).into_iter();
    let reasons = privates.filter_map(|event| match event {
        PrivateEvent::CancelReject(reject) => Some(reject.reject_reason),
        PrivateEvent::MoneyReport(report) if report.reject_reason != RejectReason::Unspecified => {
            Some(report.reject_reason)
        }
        _ => None,
    });
    reasons.collect()
}

/// Trades of MARKET.
pub fn trades(events: &[Event]) -> Vec<Trade> {
    let trades = events.iter().filter_map(|event| match event {
        Event::Trade(_, trade) => Some(*trade),
        _ => None,
    });
    trades.collect()
}
