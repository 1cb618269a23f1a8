//! What markets and accounts may do and pay: limits and fees of `cambist.internal.journal.v1`.

/// Limits and fees of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketParameters {
    /// Prices are multiples of this, 1 to 2^40; absent = 1.
    pub price_step_ticks: i64,
    /// Quantities are multiples of this, 1 to 2^40; absent = 1.
    pub quantity_step_lots: i64,
    /// Smallest quantity; absent = 1.
    pub minimum_quantity_lots: i64,
    /// Largest quantity, up to 2^53; absent = 2^53.
    pub maximum_quantity_lots: i64,
    /// Smallest notional in quote atoms (16 bytes); absent = 0.
    pub minimum_notional_atoms: i128,
    /// Largest notional in quote atoms (16 bytes); absent = none.
    pub maximum_notional_atoms: i128,
    /// Maker fee in parts per million of notional, -100,000 to 100,000; never below minus the taker fee.
    pub maker_fee_ppm: i32,
    /// Taker fee in parts per million of notional, 0 to 100,000.
    pub taker_fee_ppm: i32,
    /// Most resting orders; absent = 2,000,000.
    pub resting_orders_max: u32,
    /// A market order pays at most so many parts per million more than the best price that it met first, 1 to
    /// 999,999, and takes at least so many fewer; absent = no bound.
    pub market_protection_ppm: u32,
    /// Buys may not be priced so many parts per million above the reference price, nor sells so many below it, 1 to
    /// 999,999; absent = no bound.
    pub static_band_ppm: u32,
}

/// Limits of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Most open orders, 1 to 10,000; absent = 1,000.
    pub open_orders_max: u32,
    /// Ids kept besides those of open orders, 16 to 65,536; absent = 1,024.
    pub id_capacity: u32,
}

/// Gives an account its own fees, for the orders that it enters from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetFeeTier {
    /// Account.
    pub account_id: u64,
    /// Market; 0 = every market for which the account has no tier of its own.
    pub market_id: u32,
    /// Maker fee in parts per million of notional.
    pub maker_fee_ppm: i32,
    /// Taker fee in parts per million of notional.
    pub taker_fee_ppm: i32,
    /// Takes the tier back, and names no fees.
    pub remove: bool,
}

/// Bounds what an account may order in one market; each limit that is 0 is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetTradingLimits {
    /// Account.
    pub account_id: u64,
    /// Market.
    pub market_id: u32,
    /// Largest quantity of one order.
    pub order_lots_max: i64,
    /// Largest notional or budget of one order.
    pub order_notional_atoms_max: i128,
    /// Most open orders.
    pub open_orders_max: u32,
    /// Largest open quantity of one side.
    pub open_lots_max: i64,
    /// Largest notional of all open orders of both sides.
    pub open_notional_atoms_max: i128,
    /// Largest balance in the base asset that buys may lead to.
    pub position_atoms_max: i128,
}
