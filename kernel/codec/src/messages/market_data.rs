//! Public events of a market: `cambist.market_data.v1`.

use super::{L3Action, MarketPhase, Side};

/// One order-by-order event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L3Event {
    /// Number within the market, from 1.
    pub market_seq: u64,
    /// What happened.
    pub action: L3Action,
    /// Id of the queue place: new at every queue place, not the order id.
    pub public_order_id: u64,
    /// Side; set with ADD.
    pub side: Side,
    /// Price; set with ADD.
    pub price_ticks: i64,
    /// ADD: quantity; MODIFY: what is left; EXECUTE: what traded.
    pub quantity_lots: i64,
    /// EXECUTE: the trade.
    pub trade_id: u64,
    /// PHASE: the new phase.
    pub phase: MarketPhase,
}

/// One trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    /// Number within the market, from 1.
    pub trade_id: u64,
    /// `market_seq` of its EXECUTE.
    pub market_seq: u64,
    /// Price.
    pub price_ticks: i64,
    /// Quantity.
    pub quantity_lots: i64,
    /// Side of the taker.
    pub aggressor_side: Side,
}

/// One price level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L2Level {
    /// Price.
    pub price_ticks: i64,
    /// Displayed quantity; 0 = gone.
    pub quantity_lots: i64,
    /// Displayed orders.
    pub order_count: u32,
}

/// Best bid and offer; an absent side has quantity 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BestBidOffer {
    /// `market_seq` up to which it is true.
    pub market_seq: u64,
    /// Best bid.
    pub bid_price_ticks: i64,
    /// Its quantity.
    pub bid_lots: i64,
    /// Best offer.
    pub ask_price_ticks: i64,
    /// Its quantity.
    pub ask_lots: i64,
}

/// Status of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketStatus {
    /// `market_seq` of the change.
    pub market_seq: u64,
    /// Phase.
    pub phase: MarketPhase,
}
