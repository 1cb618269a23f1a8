//! Why commands are refused and orders cancelled, with the numbers of `protos/`.

use super::wire_enum;

wire_enum! {
    /// Why the rest of an order was cancelled.
    CancelReason {
        /// Not cancelled.
        Unspecified = 0,
        /// A Cancel named it.
        Requested = 1,
        /// A `MassCancel` named it.
        MassCancel = 2,
        /// Immediate or cancel: what did not trade at once.
        Ioc = 3,
        /// A market order met an empty book.
        NoLiquidity = 4,
        /// A market order ran out of funds or budget.
        InsufficientFunds = 5,
        /// Self-trade prevention.
        SelfTrade = 6,
        /// The taker reached the work limit of one command.
        WorkLimit = 7,
        /// A kill switch.
        Killed = 8,
        /// The market was cleared by the operator.
        MarketCleared = 9,
        /// The session was lost and its window passed.
        Disconnect = 10,
        /// The dead man's timer fired.
        Timer = 11,
        /// Another leg of the list traded or was cancelled.
        List = 12,
        /// Market-maker protection.
        Protection = 13,
        /// What was left of a market order would have traded too far from the best price that it met first.
        MarketProtection = 14,
    }
}

wire_enum! {
    /// Why a command was refused. A refused command changes nothing in books, money and triggers.
    RejectReason {
        /// Not refused.
        Unspecified = 0,
        /// No such account on this shard.
        UnknownAccount = 1,
        /// The session may not act for this account.
        AccountNotPermitted = 2,
        /// No such market.
        UnknownMarket = 3,
        /// The session may not trade this market.
        MarketNotPermitted = 4,
        /// The market lives on another shard.
        WrongShard = 5,
        /// The id was used before with another body.
        IdReused = 6,
        /// `sent_time` is too old to tell a repeat from a new command: not applied now.
        Stale = 7,
        /// `sent_time` is more than 5 s ahead of the engine.
        SentTimeAhead = 8,
        /// `expires_after_ms` had passed before the engine took it: surely not executed.
        Expired = 9,
        /// The id was settled as never applied by a Resolve.
        Burnt = 10,
        /// A cancel that was sent later overtook this order.
        CancelledBeforeEntry = 11,
        /// Price zero, negative, or beyond the bound.
        InvalidPrice = 12,
        /// Price not a multiple of the market's price step.
        OffTick = 13,
        /// Quantity or budget zero, negative, or beyond the bound.
        InvalidQuantity = 14,
        /// Quantity not a multiple of the market's quantity step.
        OffLot = 15,
        /// Below the market's smallest quantity.
        QuantityBelowMinimum = 16,
        /// Above the market's largest quantity.
        QuantityAboveMaximum = 17,
        /// Price × quantity below the market's smallest notional.
        NotionalBelowMinimum = 18,
        /// Price × quantity above the market's largest notional.
        NotionalAboveMaximum = 19,
        /// Price × quantity × tick value does not fit 127 bits.
        NotionalOverflow = 20,
        /// Fields that do not go together, or a required one missing.
        InvalidCombination = 21,
        /// Expire time absent, not in the future, or too far ahead.
        InvalidExpireTime = 22,
        /// The hold is larger than what is available.
        InsufficientFunds = 23,
        /// The market's phase does not take this command; the phase is in the report.
        Phase = 24,
        /// A post-only order would trade at once.
        PostOnlyWouldCross = 25,
        /// A fill-or-kill order cannot be filled wholly.
        FokNotFillable = 26,
        /// The account has as many open orders as it may.
        OpenOrdersLimit = 27,
        /// The account has no such order.
        UnknownOrder = 28,
        /// The order is known and closed.
        OrderClosed = 29,
        /// The new total quantity is not above what is already filled.
        QuantityBelowFilled = 30,
        /// The account is frozen.
        AccountFrozen = 31,
        /// A kill switch is on.
        Killed = 32,
        /// Not built yet, or not enabled for this market.
        Unsupported = 33,
        /// The market or the shard holds as many orders as it can.
        BookFull = 34,
        /// A balance would not fit 127 bits.
        BalanceOverflow = 35,
        /// The session has as many open early cancels as it may.
        TooManyPending = 36,
        /// The command named an amendment that changes nothing.
        NothingToAmend = 37,
        /// The command stopped the engine and was put aside; its market is halted.
        Poisoned = 38,
        /// No such asset.
        UnknownAsset = 40,
        /// No such firm.
        UnknownFirm = 41,
        /// Amount zero, negative, or too large.
        InvalidAmount = 42,
        /// A parameter out of its bounds.
        InvalidParameter = 43,
        /// The id is taken.
        DuplicateId = 44,
        /// A table of the engine is full.
        Capacity = 45,
        /// The tick value is not a whole number of quote atoms.
        TickValueNotInteger = 46,
        /// `source_seq` is beyond the next one.
        SourceGap = 47,
        /// `source_seq` was applied before.
        SourceRepeat = 48,
        /// No such deposit.
        UnknownDeposit = 49,
        /// The deposit's state does not allow it.
        DepositState = 50,
        /// No such withdrawal.
        UnknownWithdrawal = 51,
        /// The withdrawal's state does not allow it.
        WithdrawalState = 52,
        /// The accounts belong to different firms.
        ForeignAccount = 53,
        /// No such session.
        UnknownSession = 54,
        /// A newer connection holds the session.
        OldConnection = 55,
        /// The rules version is not in this build.
        UnknownRulesVersion = 56,
        /// Above the largest quantity of one order that the account has in the market.
        OrderQuantityLimit = 57,
        /// Above the largest notional or budget of one order that the account has in the market.
        OrderNotionalLimit = 58,
        /// The account's open quantity on this side of the market would be above its limit.
        OpenQuantityLimit = 59,
        /// The notional of the account's open orders in the market would be above its limit.
        OpenNotionalLimit = 60,
        /// What the account has and buys of the base asset would be above its limit.
        PositionLimit = 61,
        /// A buy priced above the market's static band, or a sell below it.
        OutsidePriceBand = 62,
    }
}
