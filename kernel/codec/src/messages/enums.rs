//! Closed lists of the contract, with the numbers of `protos/`.

use super::wire_enum;

wire_enum! {
    /// Side of an order.
    Side {
        /// Not set; refused as `INVALID_COMBINATION`.
        Unspecified = 0,
        /// Buy the base asset, pay the quote asset.
        Buy = 1,
        /// Sell the base asset, receive the quote asset.
        Sell = 2,
    }
}

wire_enum! {
    /// How an order is priced.
    OrderType {
        /// Not set; refused as `INVALID_COMBINATION`.
        Unspecified = 0,
        /// Trades at its price or better; the rest follows the time in force.
        Limit = 1,
        /// Trades at any price while funds last; never rests.
        Market = 2,
        /// Becomes a market order when triggered.
        Stop = 3,
        /// Becomes a limit order when triggered.
        StopLimit = 4,
        /// Becomes a market order when the price improves to the trigger.
        TakeProfit = 5,
        /// Becomes a limit order when the price improves to the trigger.
        TakeProfitLimit = 6,
        /// A stop whose trigger follows the best price at a distance.
        TrailingStop = 7,
        /// Rests at a price that follows a reference.
        Pegged = 8,
    }
}

wire_enum! {
    /// How long an order lives.
    TimeInForce {
        /// Not set; refused as `INVALID_COMBINATION`.
        Unspecified = 0,
        /// Rests until filled or cancelled.
        Gtc = 1,
        /// Trades at once; the rest is cancelled.
        Ioc = 2,
        /// Trades at once and wholly, or is refused and changes nothing.
        Fok = 3,
        /// Rests until `expire_time_ns`.
        Gtd = 4,
        /// Rests until the end of the trading day.
        Day = 5,
        /// Takes part in the opening auction only.
        AtTheOpen = 6,
        /// Takes part in the closing auction only.
        AtTheClose = 7,
    }
}

wire_enum! {
    /// What happens when an order meets an order of its own self-trade group. The taker's mode rules.
    SelfTradePrevention {
        /// Not set: `CANCEL_NEWEST`.
        Unspecified = 0,
        /// The rest of the taker is cancelled.
        CancelNewest = 1,
        /// The resting order is cancelled, the taker goes on.
        CancelOldest = 2,
        /// Both are cancelled.
        CancelBoth = 3,
        /// The smaller quantity is taken from both; what reaches zero is cancelled.
        Decrement = 4,
        /// They trade with each other.
        None = 5,
    }
}

wire_enum! {
    /// The two number spaces of a session, and the classes without numbers.
    CommandClass {
        /// Not set; malformed.
        Unspecified = 0,
        /// Everything that is not of class CANCEL.
        Order = 1,
        /// Cancel, `MassCancel`, `CancelQuotes`, `CancelAllAfter`, Resolve.
        Cancel = 2,
        /// One command of a unary call: no session, no sequence number.
        Unary = 3,
        /// Commands of the venue itself: administration, custody, sequencer.
        System = 4,
    }
}

wire_enum! {
    /// Phase of a market. An order that the phase refuses is told which phase.
    MarketPhase {
        /// Not set.
        Unspecified = 0,
        /// No orders, no cancels.
        Closed = 1,
        /// Orders rest and do not trade.
        PreOpen = 2,
        /// Call of the opening auction.
        OpeningAuction = 3,
        /// Orders trade as they arrive.
        Continuous = 4,
        /// Call of an auction that a price band started.
        VolatilityPause = 5,
        /// Call of the closing auction.
        ClosingAuction = 6,
        /// Only limit orders that do not trade on entry.
        PostOnly = 7,
        /// Only cancels.
        CancelOnly = 8,
        /// Nothing at all; left only by the operator.
        Halted = 9,
        /// For ever closed.
        Delisted = 10,
    }
}

wire_enum! {
    /// What an execution report says of the order.
    ExecType {
        /// Not set.
        Unspecified = 0,
        /// Accepted.
        New = 1,
        /// A fill.
        Trade = 2,
        /// The rest was cancelled; `cancel_reason` says why.
        Canceled = 3,
        /// Amended.
        Replaced = 4,
        /// Refused; `reject_reason` says why; nothing changed.
        Rejected = 5,
        /// A GTD order reached its time.
        Expired = 6,
        /// Changed by the venue (self-trade decrement, trade correction).
        Restated = 7,
        /// Its trigger was reached: it is entered now.
        Triggered = 8,
    }
}

wire_enum! {
    /// Which side of a trade the order was.
    Liquidity {
        /// Not a trade.
        Unspecified = 0,
        /// It rested.
        Maker = 1,
        /// It was the aggressor.
        Taker = 2,
    }
}

wire_enum! {
    /// State of an id, as Resolve tells it.
    ResolveState {
        /// Not set.
        Unspecified = 0,
        /// The order is open.
        Open = 1,
        /// The order is closed, or the command was carried out.
        Applied = 2,
        /// The command was refused.
        Rejected = 3,
        /// It was never applied and now never will be: the id is burnt.
        NeverApplied = 4,
        /// Too old to tell; the order history decides.
        Forgotten = 5,
    }
}

wire_enum! {
    /// When a lost or ended session takes its orders with it.
    CancelOnDisconnect {
        /// Not set: NEVER.
        Unspecified = 0,
        /// Orders stay.
        Never = 1,
        /// When the connection is lost and the window has passed.
        OnDisconnect = 2,
        /// When the client terminates the session.
        OnLogout = 3,
        /// Both.
        Both = 4,
    }
}

wire_enum! {
    /// How the orders of a list are linked.
    ListType {
        /// Not set.
        Unspecified = 0,
        /// One cancels the other.
        Oco = 1,
        /// One triggers the other.
        Oto = 2,
        /// One triggers a pair that cancel each other.
        Otoco = 3,
    }
}

wire_enum! {
    /// What moved the money.
    MoneyKind {
        /// Not set.
        Unspecified = 0,
        /// A deposit was credited.
        Credit = 1,
        /// A credit was reversed.
        CreditReversed = 2,
        /// A withdrawal was requested: available to held.
        WithdrawalRequested = 3,
        /// A withdrawal started: held to in flight.
        WithdrawalStarted = 4,
        /// A withdrawal was settled: in flight to external and fees.
        WithdrawalSettled = 5,
        /// A withdrawal was released: back to available.
        WithdrawalReleased = 6,
        /// A settled withdrawal was re-opened: external to in flight.
        WithdrawalReopened = 7,
        /// Sent to another account of the firm.
        TransferOut = 8,
        /// Received from another account of the firm.
        TransferIn = 9,
        /// Adjusted by two persons of the venue.
        Adjusted = 10,
        /// Left for another shard.
        ShardOut = 11,
        /// Came from another shard.
        ShardIn = 12,
    }
}

wire_enum! {
    /// What a kill switch covers.
    KillScope {
        /// Not set.
        Unspecified = 0,
        /// One account: its orders are cancelled, new ones refused.
        Account = 1,
        /// All accounts of a firm.
        Firm = 2,
        /// One session.
        Session = 3,
        /// One market: cleared through a cursor, new orders refused.
        Market = 4,
        /// Everything.
        All = 5,
    }
}

wire_enum! {
    /// What happened at a queue place.
    L3Action {
        /// Not set.
        Unspecified = 0,
        /// A displayed order joined the tail of its level.
        Add = 1,
        /// It became smaller and kept its place; `quantity_lots` is what is left.
        Modify = 2,
        /// It left; nothing traded.
        Delete = 3,
        /// It traded `quantity_lots` at its price; at zero it is gone.
        Execute = 4,
        /// The phase of the market changed.
        Phase = 5,
    }
}

wire_enum! {
    /// State of a withdrawal.
    WithdrawalPhase {
        /// Not set.
        Unspecified = 0,
        /// Held.
        Requested = 1,
        /// In flight.
        Started = 2,
        /// Paid.
        Settled = 3,
        /// Given back.
        Released = 4,
    }
}

wire_enum! {
    /// What kind of command an id was used for.
    KeyKind {
        /// Not set.
        Unspecified = 0,
        /// `NewOrder`.
        NewOrder = 1,
        /// Cancel.
        Cancel = 2,
        /// Amend.
        Amend = 3,
        /// `MassCancel`.
        MassCancel = 4,
        /// Transfer.
        Transfer = 5,
        /// `RequestWithdrawal`.
        Withdrawal = 6,
        /// Burnt by a Resolve or an early Cancel.
        Burnt = 7,
        /// A command that this build does not carry out.
        Unsupported = 8,
        /// A `CancelAllAfter`.
        CancelAllAfter = 9,
    }
}
