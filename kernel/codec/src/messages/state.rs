//! Rows of a snapshot: `cambist.internal.journal.v1`.

use super::{
    CreateAccount, CreateAsset, CreateFirm, CreateMarket, Id, KeyKind, MarketPhase, OrderType,
    RejectReason, SelfTradePrevention, SessionEstablished, SetFeeTier, SetTradingLimits, Side,
    TimeInForce, WithdrawalPhase,
};

/// Assets, balances, deposits, withdrawals, sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoneySection<'a> {
    /// Ascending by asset.
    pub assets: Vec<CreateAsset<'a>>,
    /// Ascending by account, then asset; rows of three zeros are left out.
    pub balances: Vec<BalanceState>,
    /// Ascending by deposit id (byte order).
    pub deposits: Vec<DepositState>,
    /// Ascending by withdrawal id (byte order).
    pub withdrawals: Vec<WithdrawalState>,
    /// Ascending by source.
    pub sources: Vec<SourceState>,
}

/// Balances of one account in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BalanceState {
    /// Account.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Free (16 bytes).
    pub available_atoms: i128,
    /// Held (16 bytes).
    pub held_atoms: i128,
    /// In flight (16 bytes).
    pub in_flight_atoms: i128,
}

/// A credited or reversed deposit that is not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepositState {
    /// Deposit (16 bytes).
    pub deposit_id: Id,
    /// Account credited; the suspense account when the credit was refused.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount (16 bytes).
    pub amount_atoms: i128,
    /// Credited now, else reversed.
    pub credited: bool,
}

/// A withdrawal that is not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithdrawalState {
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
    /// Account.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount (16 bytes).
    pub amount_atoms: i128,
    /// Fee (16 bytes).
    pub fee_atoms: i128,
    /// State.
    pub phase: WithdrawalPhase,
}

/// Last number taken from a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Source.
    pub source_id: u32,
    /// Last number.
    pub last_source_seq: u64,
}

/// Markets with their books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksSection<'a> {
    /// Ascending by market.
    pub books: Vec<BookState<'a>>,
}

/// One market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookState<'a> {
    /// As created, with its present parameters.
    pub market: CreateMarket<'a>,
    /// Phase.
    pub phase: MarketPhase,
    /// Last `market_seq` given.
    pub market_seq: u64,
    /// Last trade id given.
    pub trade_id: u64,
    /// Last public order id given.
    pub public_order_id: u64,
    /// `market_seq` at the end of the last L2 delta.
    pub last_l2_market_seq: u64,
    /// A kill switch is on.
    pub killed: bool,
    /// An open cursor cancels every order of the market.
    pub clearing: bool,
    /// Orders that the open cursor has cancelled so far.
    pub cleared_count: u64,
    /// Resting bids, best price first, then queue order.
    pub bids: Vec<OrderState>,
    /// Resting asks, best price first, then queue order.
    pub asks: Vec<OrderState>,
    /// What bands refer to; 0 = none.
    pub reference_price_ticks: i64,
}

/// One resting order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderState {
    /// Order.
    pub order_id: u64,
    /// Account.
    pub account_id: u64,
    /// Client order id (16 bytes).
    pub cl_ord_id: Id,
    /// Session that entered it; 0 = none.
    pub session_id: u64,
    /// Price.
    pub price_ticks: i64,
    /// Total quantity.
    pub quantity_lots: i64,
    /// Open quantity.
    pub leaves_lots: i64,
    /// Filled quantity.
    pub cum_lots: i64,
    /// Sum of price × lots of the fills (16 bytes).
    pub cum_tick_lots: i128,
    /// Maker fee frozen at entry.
    pub maker_fee_ppm: i32,
    /// Taker fee frozen at entry.
    pub taker_fee_ppm: i32,
    /// End of a GTD order; 0 = GTC.
    pub expire_time_ns: i64,
    /// Refuses to trade on entry, also after an amendment.
    pub post_only: bool,
    /// Self-trade prevention mode when it is the taker.
    pub self_trade_prevention: SelfTradePrevention,
    /// The firm's tag.
    pub tag: u32,
    /// Public id of its queue place.
    pub public_order_id: u64,
    /// Displayed part of an iceberg; 0 = all.
    pub display_lots: i64,
    /// Iceberg: what it shows now.
    pub shown_lots: i64,
}

/// Orders that wait for a price, and last prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriggersSection {
    /// Ascending by market; markets with nothing but zeros are left out.
    pub markets: Vec<MarketTriggers>,
}

/// What waits in one market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketTriggers {
    /// Market.
    pub market_id: u32,
    /// Price of the last trade under rules version 2 or later; 0 = none.
    pub last_price_ticks: i64,
    /// Ascending by order id; ready ones are among them.
    pub waiting: Vec<WaitingOrder>,
    /// Orders that saw their price and are not entered yet, first to be entered first.
    pub ready_order_ids: Vec<u64>,
}

/// One order that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingOrder {
    /// As a resting one; no public id, nothing filled.
    pub order: OrderState,
    /// Side.
    pub side: Side,
    /// Order type as sent.
    pub order_type: OrderType,
    /// Time in force as sent.
    pub time_in_force: TimeInForce,
    /// Trigger price; 0 for a trailing stop.
    pub trigger_price_ticks: i64,
    /// Distance of a trailing stop in ticks.
    pub trailing_offset_ticks: i64,
    /// Distance of a trailing stop in parts per million.
    pub trailing_offset_ppm: u32,
    /// Trailing stop: best price since entry, the highest for a sell, the lowest for a buy; 0 = none yet.
    pub extreme_price_ticks: i64,
    /// Ready: the price that reached the trigger; else 0.
    pub seen_price_ticks: i64,
    /// Budget of a buy at any price (16 bytes).
    pub quote_budget_atoms: i128,
}

/// Sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionsSection {
    /// Ascending by session.
    pub sessions: Vec<SessionState>,
    /// Ascending by session; empty under rules version 1.
    pub windows: Vec<DisconnectWindow>,
}

/// A session was lost or is over, and takes its open orders with it unless it comes back in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisconnectWindow {
    /// Session; it may be gone.
    pub session_id: u64,
    /// Engine time from which its orders are cancelled.
    pub ends_ns: i64,
    /// Accounts that are still to be looked at, 1 to 1,000, ascending.
    pub account_ids: Vec<u64>,
}

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// As established last; correlation is 0.
    pub established: SessionEstablished,
    /// Connection number.
    pub connection: u32,
    /// A connection holds it.
    pub connected: bool,
    /// Last order-class number taken.
    pub last_order_seq_no: u64,
    /// Last cancel-class number taken.
    pub last_cancel_seq_no: u64,
    /// Engine time of its last use.
    pub last_used_ns: i64,
    /// Mass cancels that wait for orders sent before them, in order of arrival.
    pub early_cancels: Vec<EarlyCancel>,
}

/// A `MassCancel` that overtook orders of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlyCancel {
    /// Account.
    pub account_id: u64,
    /// Only this market; 0 = all.
    pub market_id: u32,
    /// Only this side.
    pub side: Side,
    /// Only this tag; 0 = any.
    pub tag: u32,
    /// Order-class messages up to this number are refused.
    pub up_to_order_seq_no: u64,
}

/// Ids of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysSection {
    /// Ascending by account.
    pub accounts: Vec<AccountKeys>,
}

/// Ids of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountKeys {
    /// Account.
    pub account_id: u64,
    /// Ids with `sent_time` at or below this are refused as STALE when unknown.
    pub stale_floor_ns: i64,
    /// Ascending by id (byte order).
    pub keys: Vec<KeyState>,
}

/// One id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// The id (16 bytes).
    pub id: Id,
    /// What it was used for.
    pub kind: KeyKind,
    /// fold64 of the body; 0 when burnt.
    pub body_hash: u64,
    /// `sent_time_ns` of the command.
    pub sent_time_ns: i64,
    /// Journal sequence of the first answer.
    pub answer_seq: u64,
    /// Reason of the first answer; unspecified = accepted.
    pub reason: RejectReason,
    /// Order it made or was about; 0 = none.
    pub order_id: u64,
    /// The order it made is open: the id is not counted against the capacity.
    pub open: bool,
    /// `MassCancel`: orders cancelled. New, refused by PHASE: the phase.
    pub detail: u32,
}

/// Firms, accounts, switches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsSection<'a> {
    /// Ascending by firm.
    pub firms: Vec<FirmState<'a>>,
    /// Ascending by account.
    pub accounts: Vec<AccountState>,
    /// The kill switch of the whole shard is on.
    pub killed: bool,
    /// Ascending by account, then market; `remove` is not set.
    pub fee_tiers: Vec<SetFeeTier>,
    /// Ascending by account, then market; each has a limit.
    pub trading_limits: Vec<SetTradingLimits>,
}

/// One firm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirmState<'a> {
    /// As created.
    pub firm: CreateFirm<'a>,
    /// Its kill switch is on.
    pub killed: bool,
}

/// One account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// As created, with its present limits (defaults filled in).
    pub account: CreateAccount,
    /// No new orders and no withdrawals.
    pub frozen: bool,
    /// Its kill switch is on.
    pub killed: bool,
    /// Last `account_seq` given.
    pub account_seq: u64,
    /// When the dead man's timer cancels its open orders; 0 = off.
    pub cancel_all_at_ns: i64,
}
