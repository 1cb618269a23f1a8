//! Events of the venue itself, and balances: `cambist.internal.journal.v1`.

use super::{
    CreateAccount, CreateAsset, CreateFirm, CreateMarket, EpochStarted, Id, KillSwitch,
    RejectReason, SetAccountLimits, SetFeeTier, SetReferencePrice, SetTradingLimits,
};

/// What happened to the venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemEvent<'a> {
    /// Answer to one command.
    Answer(SystemAnswer),
    /// Creates an asset.
    AssetCreated(CreateAsset<'a>),
    /// A market exists, or its parameters changed.
    MarketDefined(MarketDefined<'a>),
    /// Creates a firm.
    FirmCreated(CreateFirm<'a>),
    /// Creates an account.
    AccountCreated(CreateAccount),
    /// Replaces limits and freeze of an account.
    AccountLimitsSet(SetAccountLimits),
    /// A process became primary.
    EpochStarted(EpochStarted),
    /// A command was put aside and its market halted.
    PoisonNoted(PoisonNoted),
    /// Turns a kill switch on or off.
    KillSwitch(KillSwitch),
    /// What custody needs to pay a withdrawal.
    WithdrawalRequested(WithdrawalRequested<'a>),
    /// A cursor has done its work.
    CursorClosed(CursorClosed),
    /// An account has other fees from now on.
    FeeTierSet(SetFeeTier),
    /// An account has other limits in a market from now on.
    TradingLimitsSet(SetTradingLimits),
    /// A market has another reference price from now on.
    ReferencePriceSet(SetReferencePrice),
}

/// Balances of one account in one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BalanceUpdate {
    /// Last journal sequence of the batch.
    pub seq: u64,
    /// Account.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Free (16 bytes).
    pub available_atoms: i128,
    /// Held by open orders and requested withdrawals (16 bytes).
    pub held_atoms: i128,
    /// In started withdrawals (16 bytes).
    pub in_flight_atoms: i128,
}

/// Answer to one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemAnswer {
    /// Echo of the envelope.
    pub correlation: u64,
    /// Index of the command in its envelope.
    pub index: u32,
    /// Unspecified = done.
    pub reason: RejectReason,
}

/// A market exists, or its parameters changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketDefined<'a> {
    /// As created, with its present parameters.
    pub market: CreateMarket<'a>,
    /// Quote atoms per tick per lot.
    pub tick_value_atoms: i64,
}

/// A command was put aside and its market halted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoisonNoted {
    /// Market; 0 = none.
    pub market_id: u32,
}

/// What custody needs to pay a withdrawal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithdrawalRequested<'a> {
    /// Withdrawal (16 bytes).
    pub withdrawal_id: Id,
    /// Account.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Network.
    pub network_id: u32,
    /// Amount (16 bytes).
    pub amount_atoms: i128,
    /// Fee (16 bytes).
    pub fee_atoms: i128,
    /// Destination.
    pub destination: &'a str,
    /// End of the quote.
    pub quote_expires_ns: i64,
}

/// A cursor has done its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CursorClosed {
    /// Market that was cleared.
    pub market_id: u32,
    /// Orders it cancelled.
    pub cancelled_count: u64,
}
