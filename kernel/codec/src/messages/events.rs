//! Events for accounts and sessions: `cambist.orders.v1`.

use super::{
    CancelReason, CommandClass, ExecType, Id, Liquidity, MarketPhase, MoneyKind, OrderType,
    RejectReason, ResolveState, SelfTradePrevention, Side, TimeInForce,
};

/// What happened in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateEvent {
    /// What happened to an order. Which fields are set per `exec_type`: docs/semantics.md.
    ExecutionReport(ExecutionReport),
    /// A request on an existing order was refused.
    CancelReject(CancelReject),
    /// Answer to a `MassCancel`; the cancelled orders follow, each with a report of its own.
    MassCancelReport(MassCancelReport),
    /// Answer to a Resolve.
    ResolveReport(ResolveReport),
    /// A match that self-trade prevention stopped; each of the two accounts gets one.
    PreventedMatch(PreventedMatch),
    /// Money moved other than by trading, or a request for it was refused.
    MoneyReport(MoneyReport),
    /// Limits, freeze or kill switch of the account changed.
    AccountStatusReport(AccountStatusReport),
}

/// What happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// A connection took the session; an older one is taken over.
    Opened(SessionOpened),
    /// A batch was applied: each of its commands has its answer.
    Applied(BatchApplied),
    /// A batch was not applied and nothing of it changed anything.
    NotApplied(NotApplied),
    /// A command was refused before an account could be told: unknown account, or one the session may not use.
    Refused(CommandRefused),
    /// The connection was lost.
    Dropped(SessionDropped),
    /// The session is over.
    Over(SessionOver),
}

/// What happened to an order. Which fields are set per `exec_type`: docs/semantics.md.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecutionReport {
    /// Client order id of the order (16 bytes); absent in the repeat of a Cancel or Amend that named the order id.
    pub cl_ord_id: Option<Id>,
    /// Id of the Cancel or Amend that this answers (16 bytes); absent when it answers a `NewOrder` or nothing.
    pub request_id: Option<Id>,
    /// Venue's order id; absent when refused.
    pub order_id: u64,
    /// Market.
    pub market_id: u32,
    /// What happened.
    pub exec_type: ExecType,
    /// Side.
    pub side: Side,
    /// Order price.
    pub price_ticks: i64,
    /// Total quantity of the order.
    pub quantity_lots: i64,
    /// Open quantity after this event.
    pub leaves_lots: i64,
    /// Filled quantity after this event.
    pub cum_lots: i64,
    /// Quantity of this fill, or of this decrement.
    pub last_lots: i64,
    /// Price of this fill.
    pub last_price_ticks: i64,
    /// Sum of `price_ticks` × lots over all fills (16 bytes); divided by `cum_lots` it is the average price.
    pub cum_tick_lots: i128,
    /// Fee of this fill (16 bytes); negative is a rebate.
    pub fee_atoms: i128,
    /// Asset of the fee.
    pub fee_asset_id: u32,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// Trade id, unique per market.
    pub trade_id: u64,
    /// Id of the order in the public feed at its present queue place; told to its owner only.
    pub public_order_id: u64,
    /// Why it was refused.
    pub reject_reason: RejectReason,
    /// Why it was cancelled.
    pub cancel_reason: CancelReason,
    /// This repeats an answer that was given before.
    pub repeat: bool,
    /// With repeat: journal sequence of the first answer.
    pub first_answer_seq: u64,
    /// With `reject_reason` PHASE: the phase.
    pub phase: MarketPhase,
    /// Order type.
    pub order_type: OrderType,
    /// Time in force.
    pub time_in_force: TimeInForce,
    /// The firm's tag.
    pub tag: u32,
    /// End of a GTD order.
    pub expire_time_ns: i64,
    /// Quote budget of a market order (16 bytes).
    pub quote_budget_atoms: i128,
    /// Trigger price of an order that waits; with TRIGGERED the one that was reached.
    pub trigger_price_ticks: i64,
    /// Distance of a trailing stop in ticks.
    pub trailing_offset_ticks: i64,
    /// Distance of a trailing stop in parts per million.
    pub trailing_offset_ppm: u32,
    /// Displayed part of an iceberg; 0 = all.
    pub display_lots: i64,
}

/// A request on an existing order was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelReject {
    /// Id of the request (16 bytes).
    pub request_id: Id,
    /// Client order id that the request named (16 bytes).
    pub orig_cl_ord_id: Option<Id>,
    /// Order id that the request named.
    pub order_id: u64,
    /// Why.
    pub reject_reason: RejectReason,
    /// This repeats an answer that was given before.
    pub repeat: bool,
    /// With repeat: journal sequence of the first answer.
    pub first_answer_seq: u64,
    /// With `reject_reason` PHASE: the phase.
    pub phase: MarketPhase,
}

/// Answer to a `MassCancel`; the cancelled orders follow, each with a report of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MassCancelReport {
    /// Id of the request (16 bytes).
    pub request_id: Id,
    /// How many orders it cancelled.
    pub affected_count: u32,
    /// This repeats an answer that was given before.
    pub repeat: bool,
    /// With repeat: journal sequence of the first answer.
    pub first_answer_seq: u64,
}

/// Answer to a Resolve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolveReport {
    /// The id asked about (16 bytes).
    pub id: Id,
    /// What became of it.
    pub state: ResolveState,
    /// Order id, when it was an order that was accepted.
    pub order_id: u64,
    /// Filled quantity, when the order is open.
    pub cum_lots: i64,
    /// Open quantity, when the order is open.
    pub leaves_lots: i64,
    /// Why, when it was refused.
    pub reject_reason: RejectReason,
    /// Journal sequence of its first answer, when known.
    pub first_answer_seq: u64,
}

/// A match that self-trade prevention stopped; each of the two accounts gets one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreventedMatch {
    /// Market.
    pub market_id: u32,
    /// The account's own order in this match.
    pub order_id: u64,
    /// Its side.
    pub side: Side,
    /// Price at which they would have traded.
    pub price_ticks: i64,
    /// Quantity that would have traded.
    pub quantity_lots: i64,
    /// The mode that ruled.
    pub mode: SelfTradePrevention,
    /// MAKER or TAKER.
    pub liquidity: Liquidity,
}

/// Money moved other than by trading, or a request for it was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyReport {
    /// What it was.
    pub kind: MoneyKind,
    /// Id of the request, deposit or withdrawal (16 bytes); absent when money moves between shards.
    pub id: Option<Id>,
    /// Asset.
    pub asset_id: u32,
    /// Amount (16 bytes).
    pub amount_atoms: i128,
    /// Fee of a withdrawal (16 bytes).
    pub fee_atoms: i128,
    /// The other account of a transfer.
    pub counterparty_account_id: u64,
    /// Why it was refused; then nothing moved.
    pub reject_reason: RejectReason,
    /// This repeats an answer that was given before.
    pub repeat: bool,
    /// With repeat: journal sequence of the first answer.
    pub first_answer_seq: u64,
}

/// Limits, freeze or kill switch of the account changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountStatusReport {
    /// Open orders allowed.
    pub open_orders_max: u32,
    /// No new orders, no withdrawals.
    pub frozen: bool,
    /// A kill switch is on.
    pub killed: bool,
}

/// A connection took the session; an older one is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionOpened {
    /// Echo of the establishing command: tells the gateway that asked.
    pub correlation: u64,
    /// Last order-class number taken.
    pub last_order_seq_no: u64,
    /// Last cancel-class number taken.
    pub last_cancel_seq_no: u64,
}

/// A batch was applied: each of its commands has its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchApplied {
    /// Class.
    pub command_class: CommandClass,
    /// First number of the batch.
    pub first_seq_no: u64,
    /// Commands in it.
    pub count: u32,
}

/// A batch was not applied and nothing of it changed anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotApplied {
    /// Class.
    pub command_class: CommandClass,
    /// First missing number; absent unless the cause is a gap.
    pub from_seq_no: u64,
    /// How many are missing.
    pub count: u64,
    /// `OLD_CONNECTION`, or unspecified for a gap.
    pub reason: RejectReason,
}

/// A command was refused before an account could be told: unknown account, or one the session may not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandRefused {
    /// Class.
    pub command_class: CommandClass,
    /// Number of the command.
    pub seq_no: u64,
    /// Id of the command (16 bytes).
    pub id: Id,
    /// Why.
    pub reason: RejectReason,
}

/// The connection was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionDropped {
    /// Engine time at which the window ends; 0 = no window.
    pub window_ends_ns: i64,
}

/// The session is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionOver {
    /// Ended by the client, else by the venue.
    pub by_client: bool,
}
