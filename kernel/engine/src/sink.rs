//! Where the engine tells what happened. Static dispatch: what a sink does not look at is not even put together.

use cambist_codec::encoder::{Cause, Encoder, Level2};
use cambist_codec::messages::{
    BalanceUpdate, BestBidOffer, ExecutionReport, L3Event, MarketStatus, PrivateEvent,
    SessionEvent, SystemEvent, Trade,
};

/// Takes the events of one batch in the order they happen.
pub trait Sink {
    /// Names the cause of the events that follow.
    fn cause(&mut self, cause: Cause);
    /// An execution report of an account.
    fn report(&mut self, account_id: u64, account_seq: u64, report: &ExecutionReport);
    /// Any other event of an account.
    fn private(&mut self, account_id: u64, account_seq: u64, event: &PrivateEvent);
    /// An event of a session; `connection` is that after the event.
    fn session(&mut self, session_id: u64, connection: u32, event: &SessionEvent);
    /// An order-by-order event of a market.
    fn l3(&mut self, market_id: u32, event: &L3Event);
    /// A trade of a market.
    fn trade(&mut self, market_id: u32, trade: &Trade);
    /// A change of a market's phase.
    fn status(&mut self, market_id: u32, status: &MarketStatus);
    /// The levels of a market that the batch changed.
    fn l2(&mut self, market_id: u32, delta: &Level2<'_>);
    /// The best prices of a market after the batch.
    fn bbo(&mut self, market_id: u32, quote: &BestBidOffer);
    /// The balances of one account in one asset after the batch; assets of an account ascend.
    fn balance(&mut self, update: &BalanceUpdate);
    /// An event of the venue itself.
    fn system(&mut self, event: &SystemEvent<'_>);
}

impl Sink for Encoder {
    #[inline]
    fn cause(&mut self, cause: Cause) {
        self.cause(cause);
    }

    #[inline]
    fn report(&mut self, account_id: u64, account_seq: u64, report: &ExecutionReport) {
        self.report(account_id, account_seq, report);
    }

    fn private(&mut self, account_id: u64, account_seq: u64, event: &PrivateEvent) {
        self.private(account_id, account_seq, event);
    }

    fn session(&mut self, session_id: u64, connection: u32, event: &SessionEvent) {
        self.session(session_id, connection, event);
    }

    #[inline]
    fn l3(&mut self, market_id: u32, event: &L3Event) {
        self.l3(market_id, event);
    }

    #[inline]
    fn trade(&mut self, market_id: u32, trade: &Trade) {
        self.trade(market_id, trade);
    }

    fn status(&mut self, market_id: u32, status: &MarketStatus) {
        self.status(market_id, status);
    }

    fn l2(&mut self, market_id: u32, delta: &Level2<'_>) {
        self.l2(market_id, delta);
    }

    fn bbo(&mut self, market_id: u32, quote: &BestBidOffer) {
        self.bbo(market_id, quote);
    }

    fn balance(&mut self, update: &BalanceUpdate) {
        self.balance(update);
    }

    fn system(&mut self, event: &SystemEvent<'_>) {
        self.system(event);
    }
}
