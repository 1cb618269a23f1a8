//! Commands of firms: `cambist.orders.v1`.

use super::{Id, ListType, OrderType, SelfTradePrevention, Side, TimeInForce};

/// One command of a firm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// A new order.
    NewOrder(NewOrder),
    /// Cancels one order, named by exactly one of `orig_cl_ord_id` and `order_id`.
    Cancel(Cancel),
    /// Changes price and total quantity of a resting order, named by exactly one of `orig_cl_ord_id` and `order_id`. Same price
    Amend(Amend),
    /// Cancels an order and enters another in its place.
    Replace(Replace),
    /// Cancels all open orders of an account that match every given filter.
    MassCancel(MassCancel),
    /// A list of linked orders.
    NewList(NewList),
    /// Replaces all quotes of a quote set.
    MassQuote(MassQuote),
    /// Cancels all quotes of a quote set.
    CancelQuotes(CancelQuotes),
    /// Re-arms market-maker protection after it fired.
    ResetProtection(ResetProtection),
    /// Dead man's timer: cancels all orders of the account unless renewed in time.
    CancelAllAfter(CancelAllAfter),
    /// Asks what became of an id and settles it: an id that is unknown and not too old is burnt.
    Resolve(Resolve),
    /// Moves money between two accounts of one firm.
    Transfer(Transfer),
    /// Holds amount + fee for a withdrawal that custody will pay.
    RequestWithdrawal(RequestWithdrawal<'a>),
}

impl Default for Command<'_> {
    fn default() -> Self {
        Self::Resolve(Resolve::default())
    }
}

/// A new order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewOrder {
    /// Client order id, exactly 16 bytes.
    pub cl_ord_id: Id,
    /// Account that owns the order.
    pub account_id: u64,
    /// Market; the upper 16 bits are its shard.
    pub market_id: u32,
    /// Side.
    pub side: Side,
    /// Order type.
    pub order_type: OrderType,
    /// Time in force.
    pub time_in_force: TimeInForce,
    /// Limit price, 1 to 2^53; absent for market orders.
    pub price_ticks: i64,
    /// Quantity, 1 to 2^53; absent when `quote_budget_atoms` is set.
    pub quantity_lots: i64,
    /// Market buy only: spend at most this, fee included (16 bytes).
    pub quote_budget_atoms: i128,
    /// When the client sent it first; part of the body, never changed by a resend.
    pub sent_time_ns: i64,
    /// Refused as EXPIRED when taken later than `sent_time_ns` + this; 0 = never; at most 60,000.
    pub expires_after_ms: u32,
    /// End of a GTD order; at most 400 days ahead.
    pub expire_time_ns: i64,
    /// Refuse rather than trade on entry.
    pub post_only: bool,
    /// Self-trade prevention mode.
    pub self_trade_prevention: SelfTradePrevention,
    /// Free number for the firm's own use; mass cancels can name it.
    pub tag: u32,
    /// Displayed part of an iceberg; 0 = all.
    pub display_lots: i64,
    /// Rests without being displayed.
    pub hidden: bool,
    /// Smallest quantity that may trade on entry.
    pub minimum_lots: i64,
    /// Trigger price of stop and take-profit types.
    pub trigger_price_ticks: i64,
    /// Distance of a trailing stop in ticks.
    pub trailing_offset_ticks: i64,
    /// Distance of a trailing stop in parts per million.
    pub trailing_offset_ppm: u32,
    /// Offset of a pegged order from its reference, signed.
    pub peg_offset_ticks: i64,
}

/// Cancels one order, named by exactly one of `orig_cl_ord_id` and `order_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cancel {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account that owns the order.
    pub account_id: u64,
    /// Client order id of the order (16 bytes).
    pub orig_cl_ord_id: Option<Id>,
    /// Venue's order id.
    pub order_id: u64,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// As in `NewOrder`.
    pub expires_after_ms: u32,
    /// Highest order-class `seq_no` the client had sent when it sent this; 0 = none. When the engine has not reached it,
    /// an unknown `orig_cl_ord_id` is burnt, so that the order that is still on its way is refused on arrival.
    pub after_order_seq_no: u64,
}

/// Changes price and total quantity of a resting order, named by exactly one of `orig_cl_ord_id` and `order_id`. Same price
/// and a smaller quantity keep the queue place; anything else goes to the tail of its new level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amend {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account that owns the order.
    pub account_id: u64,
    /// Client order id of the order (16 bytes).
    pub orig_cl_ord_id: Option<Id>,
    /// Venue's order id.
    pub order_id: u64,
    /// New price; 0 keeps it.
    pub price_ticks: i64,
    /// New total quantity, what is filled included; 0 keeps it.
    pub quantity_lots: i64,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// As in `NewOrder`.
    pub expires_after_ms: u32,
    /// New displayed part of an iceberg; 0 keeps it.
    pub display_lots: i64,
}

/// Cancels an order and enters another in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replace {
    /// Client order id of the order to cancel (16 bytes).
    pub orig_cl_ord_id: Option<Id>,
    /// The new order.
    pub new_order: NewOrder,
    /// Enter the new order even when the old one is gone.
    pub allow_missing: bool,
}

/// Cancels all open orders of an account that match every given filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MassCancel {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account.
    pub account_id: u64,
    /// Only this market; 0 = all.
    pub market_id: u32,
    /// Only this side; unspecified = both.
    pub side: Side,
    /// Only orders that this session entered.
    pub this_session_only: bool,
    /// Only orders with this tag; 0 = any.
    pub tag: u32,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// As in `NewOrder`.
    pub expires_after_ms: u32,
    /// As in Cancel: order-class messages of this session within the filters up to this number are refused on arrival.
    pub after_order_seq_no: u64,
}

/// A list of linked orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewList {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// OCO, OTO or OTOCO.
    pub list_type: ListType,
    /// 2 or 3 orders of one account and one market.
    pub orders: Vec<NewOrder>,
}

/// Replaces all quotes of a quote set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MassQuote {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account.
    pub account_id: u64,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// Quote set of the account, protected as one group.
    pub quote_set: u32,
    /// At most 50 two-sided quotes.
    pub quotes: Vec<Quote>,
}

/// One two-sided quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Market.
    pub market_id: u32,
    /// Bid price; 0 = no bid.
    pub bid_price_ticks: i64,
    /// Bid quantity.
    pub bid_lots: i64,
    /// Ask price; 0 = no ask.
    pub ask_price_ticks: i64,
    /// Ask quantity.
    pub ask_lots: i64,
}

/// Cancels all quotes of a quote set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelQuotes {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account.
    pub account_id: u64,
    /// Quote set; 0 = all.
    pub quote_set: u32,
    /// When the client sent it first.
    pub sent_time_ns: i64,
}

/// Re-arms market-maker protection after it fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResetProtection {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account.
    pub account_id: u64,
    /// Quote set.
    pub quote_set: u32,
    /// When the client sent it first.
    pub sent_time_ns: i64,
}

/// Dead man's timer: cancels all orders of the account unless renewed in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelAllAfter {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account.
    pub account_id: u64,
    /// Milliseconds from now; 0 disarms; at most 86,400,000.
    pub timeout_ms: u32,
    /// When the client sent it first.
    pub sent_time_ns: i64,
}

/// Asks what became of an id and settles it: an id that is unknown and not too old is burnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolve {
    /// Account of the command asked about.
    pub account_id: u64,
    /// Id of the command asked about, exactly 16 bytes.
    pub id: Id,
    /// `sent_time_ns` of the command asked about.
    pub sent_time_ns: i64,
}

/// Moves money between two accounts of one firm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Id of this request, exactly 16 bytes.
    pub request_id: Id,
    /// Account that pays.
    pub account_id: u64,
    /// Account that receives.
    pub to_account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// As in `NewOrder`.
    pub expires_after_ms: u32,
}

/// Holds amount + fee for a withdrawal that custody will pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestWithdrawal<'a> {
    /// Withdrawal id, exactly 16 bytes; also the id of this request.
    pub request_id: Id,
    /// Account that pays.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Network on which it is paid.
    pub network_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
    /// Quoted fee, in the same asset (16 bytes).
    pub fee_atoms: i128,
    /// Destination address, 1 to 128 characters.
    pub destination: &'a str,
    /// When the quote ends; 0 = no quote.
    pub quote_expires_ns: i64,
    /// When the client sent it first.
    pub sent_time_ns: i64,
    /// As in `NewOrder`.
    pub expires_after_ms: u32,
}
