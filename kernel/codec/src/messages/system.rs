//! Commands of the venue itself: `cambist.internal.journal.v1`.

use super::{
    AccountLimits, CancelOnDisconnect, Id, KillScope, MarketParameters, MarketPhase, SetFeeTier,
    SetTradingLimits,
};

/// One command of the venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemCommand<'a> {
    /// Creates an asset.
    CreateAsset(CreateAsset<'a>),
    /// Creates a market in phase HALTED.
    CreateMarket(CreateMarket<'a>),
    /// Replaces the limits and fees of a market; resting orders keep their frozen fees.
    UpdateMarket(UpdateMarket),
    /// Sets the phase of a market.
    SetPhase(SetPhase),
    /// Halts one market or all.
    Halt(Halt),
    /// Ends a halt.
    Resume(Resume),
    /// Sets the price that bands and auctions refer to; 0 = none.
    SetReferencePrice(SetReferencePrice),
    /// Creates a firm.
    CreateFirm(CreateFirm<'a>),
    /// Creates an account.
    CreateAccount(CreateAccount),
    /// Replaces limits and freeze of an account.
    SetAccountLimits(SetAccountLimits),
    /// Gives an account its own fees.
    SetFeeTier(SetFeeTier),
    /// Turns a kill switch on or off.
    KillSwitch(KillSwitch),
    /// Undoes a trade.
    BustTrade(BustTrade),
    /// Changes price or quantity of a trade.
    CorrectTrade(CorrectTrade),
    /// Does nothing by itself: lets due timers fire and open cursors go on.
    Clock(Clock),
    /// Stands in the journal in the place of a command that stopped the engine.
    CommandPoisoned(CommandPoisoned<'a>),
    /// Tells replay to leave out a command that is in the journal.
    SkipPoisonCommand(SkipPoisonCommand),
    /// A process became primary.
    EpochStarted(EpochStarted),
    /// From the next batch on, other rules.
    SwitchRules(SwitchRules),
    /// A connection asks for a session; a new session is made when the id is new.
    SessionEstablished(SessionEstablished),
    /// A connection was lost.
    SessionLost(SessionLost),
    /// A session is over and is forgotten.
    SessionEnded(SessionEnded),
    /// A gateway's link broke: all sessions on it are lost.
    GatewayLost(GatewayLost),
    /// Credits a deposit. A refused credit consumes its number and goes to suspense.
    Credit(Credit),
    /// Takes a credit back. The account may go negative.
    ReverseCredit(ReverseCredit),
    /// A credit can no longer be reversed and is forgotten.
    FinalizeCredit(FinalizeCredit),
    /// Held to in flight: the point of no return.
    StartWithdrawal(StartWithdrawal),
    /// In flight to external and fees.
    SettleWithdrawal(SettleWithdrawal),
    /// Held or in flight back to available.
    ReleaseWithdrawal(ReleaseWithdrawal),
    /// External back to in flight, after a reorganisation of the chain.
    ReopenWithdrawal(ReopenWithdrawal),
    /// A settled or released withdrawal can no longer change and is forgotten.
    FinalizeWithdrawal(FinalizeWithdrawal),
    /// Sends money to another shard.
    ShardTransferOut(ShardTransferOut),
    /// Takes money from another shard; never refused: an unknown account's money goes to suspense.
    ShardTransferIn(ShardTransferIn),
    /// Moves money between two accounts of any kind, the venue's own included.
    Adjust(Adjust<'a>),
    /// Bounds what an account may order in one market.
    SetTradingLimits(SetTradingLimits),
}

/// Creates an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateAsset<'a> {
    /// Asset, from 1.
    pub asset_id: u32,
    /// Symbol, for example "BTC".
    pub symbol: &'a str,
    /// Decimals of one whole unit, 0 to 30.
    pub decimals: u32,
}

/// Creates a market in phase HALTED.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateMarket<'a> {
    /// Market; the upper 16 bits must be the shard.
    pub market_id: u32,
    /// Symbol, for example "BTC-USDT".
    pub symbol: &'a str,
    /// Base asset.
    pub base_asset_id: u32,
    /// Quote asset, another than the base.
    pub quote_asset_id: u32,
    /// Base atoms per lot, 1 to 2^100 (16 bytes).
    pub lot_size_atoms: i128,
    /// Quote atoms per tick for one whole unit of base, 1 to 2^100 (16 bytes). `tick_value` =
    /// `tick_size_atoms` × `lot_size_atoms` / 10^base decimals must be an integer from 1 to 2^60.
    pub tick_size_atoms: i128,
    /// Limits and fees.
    pub parameters: MarketParameters,
}

/// Replaces the limits and fees of a market; resting orders keep their frozen fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpdateMarket {
    /// Market.
    pub market_id: u32,
    /// All of them, not a patch.
    pub parameters: MarketParameters,
}

/// Sets the phase of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetPhase {
    /// Market.
    pub market_id: u32,
    /// CONTINUOUS, `POST_ONLY`, `CANCEL_ONLY` or HALTED; others are UNSUPPORTED.
    pub phase: MarketPhase,
}

/// Halts one market or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Halt {
    /// Market; 0 = all.
    pub market_id: u32,
}

/// Ends a halt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Market; 0 = all that are halted.
    pub market_id: u32,
    /// Phase to resume in: `CANCEL_ONLY`, `POST_ONLY` or CONTINUOUS.
    pub phase: MarketPhase,
}

/// Sets the price that bands and auctions refer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetReferencePrice {
    /// Market.
    pub market_id: u32,
    /// Price.
    pub price_ticks: i64,
}

/// Creates a firm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateFirm<'a> {
    /// Firm, from 1.
    pub firm_id: u32,
    /// Name.
    pub name: &'a str,
}

/// Creates an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateAccount {
    /// Account, from 4,096; smaller numbers are the venue's own.
    pub account_id: u64,
    /// Firm.
    pub firm_id: u32,
    /// Self-trade group; 0 = this account alone.
    pub self_trade_group_id: u64,
    /// Limits.
    pub limits: AccountLimits,
}

/// Replaces limits and freeze of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAccountLimits {
    /// Account.
    pub account_id: u64,
    /// All of them, not a patch.
    pub limits: AccountLimits,
    /// No new orders and no withdrawals.
    pub frozen: bool,
}

/// Turns a kill switch on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KillSwitch {
    /// What it covers.
    pub scope: KillScope,
    /// Account, firm, session or market; 0 with ALL.
    pub target_id: u64,
    /// On, else off.
    pub active: bool,
}

/// Undoes a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BustTrade {
    /// Market.
    pub market_id: u32,
    /// Trade.
    pub trade_id: u64,
}

/// Changes price or quantity of a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrectTrade {
    /// Market.
    pub market_id: u32,
    /// Trade.
    pub trade_id: u64,
    /// New price.
    pub price_ticks: i64,
    /// New quantity.
    pub quantity_lots: i64,
}

/// Does nothing by itself: lets due timers fire and open cursors go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock;

/// Stands in the journal in the place of a command that stopped the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandPoisoned<'a> {
    /// The envelope, as it was.
    pub envelope: &'a [u8],
    /// Index of the command in it.
    pub index: u32,
    /// Market that is halted; 0 = none could be told.
    pub market_id: u32,
}

/// Tells replay to leave out a command that is in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkipPoisonCommand {
    /// Its journal sequence.
    pub seq: u64,
}

/// A process became primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochStarted {
    /// The new epoch.
    pub epoch: u64,
}

/// From the next batch on, other rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchRules {
    /// Version; this build knows 1.
    pub version: u32,
}

/// A connection asks for a session; a new session is made when the id is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionEstablished {
    /// Session, chosen by the gateway at Negotiate, from 1.
    pub session_id: u64,
    /// Firm of its accounts.
    pub firm_id: u32,
    /// Accounts it may use, 1 to 1,000, ascending.
    pub account_ids: Vec<u64>,
    /// Markets it may trade, ascending; empty = all; at most 1,000.
    pub market_ids: Vec<u32>,
    /// May enter orders; else cancels and queries only.
    pub may_trade: bool,
    /// Cancel on disconnect.
    pub cancel_on_disconnect: CancelOnDisconnect,
    /// Window in which a reconnect cancels nothing, at most 600,000.
    pub window_ms: u32,
    /// Link of the gateway to matching that carries it.
    pub link_id: u64,
    /// Echoed in `SessionOpened`.
    pub correlation: u64,
}

/// A connection was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionLost {
    /// Session.
    pub session_id: u64,
    /// Its connection; an older one is ignored.
    pub connection: u32,
    /// The client said that it is done with the connection: a logout, not a disconnect.
    pub by_client: bool,
}

/// A session is over and is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionEnded {
    /// Session.
    pub session_id: u64,
    /// Its connection; an older one is ignored; 0 = ended by the venue, whatever the connection.
    pub connection: u32,
}

/// A gateway's link broke: all sessions on it are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayLost {
    /// Link.
    pub link_id: u64,
}

/// Credits a deposit. A refused credit consumes its number and goes to suspense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credit {
    /// Source (chain, network, shard), from 1.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Deposit (16 bytes).
    pub deposit_id: Id,
    /// Account.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
}

/// Takes a credit back. The account may go negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReverseCredit {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Deposit (16 bytes).
    pub deposit_id: Id,
}

/// A credit can no longer be reversed and is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinalizeCredit {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Deposit (16 bytes).
    pub deposit_id: Id,
}

/// Held to in flight: the point of no return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartWithdrawal {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
}

/// In flight to external and fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettleWithdrawal {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
}

/// Held or in flight back to available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleaseWithdrawal {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
}

/// External back to in flight, after a reorganisation of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReopenWithdrawal {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
}

/// A settled or released withdrawal can no longer change and is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinalizeWithdrawal {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
}

/// Sends money to another shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardTransferOut {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Peer shard, 1 to 4,000.
    pub peer_shard: u32,
    /// Account that pays.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
}

/// Takes money from another shard; never refused: an unknown account's money goes to suspense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardTransferIn {
    /// Source: the peer's journal.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Peer shard, 1 to 4,000.
    pub peer_shard: u32,
    /// Account that receives.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
}

/// Moves money between two accounts of any kind, the venue's own included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adjust<'a> {
    /// Source.
    pub source_id: u32,
    /// Next number of the source.
    pub source_seq: u64,
    /// Id of the adjustment (16 bytes).
    pub adjustment_id: Id,
    /// Account that pays; venue accounts may go negative.
    pub from_account_id: u64,
    /// Account that receives.
    pub to_account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount, above zero (16 bytes).
    pub amount_atoms: i128,
    /// First approver, 1 to 64 characters.
    pub first_approver: &'a str,
    /// Second approver, another one.
    pub second_approver: &'a str,
}
