//! Bounds of the engine: `docs/semantics.md` section 1. Every table, loop and amount has one.

/// `PRICE_TICKS_MAX`: largest price.
pub const PRICE_TICKS_MAX: i64 = 1 << 53;
/// `QUANTITY_LOTS_MAX`: largest quantity of an order.
pub const QUANTITY_LOTS_MAX: i64 = 1 << 53;
/// `AMOUNT_ATOMS_MAX`: largest amount in a command, largest notional, largest base amount.
pub const AMOUNT_ATOMS_MAX: i128 = 1 << 120;
/// `BALANCE_ATOMS_MAX`: largest magnitude of a balance.
pub const BALANCE_ATOMS_MAX: i128 = 1 << 126;
/// `WORK_ORDERS_MAX`: resting orders that one taker, or the cursors and timers of one batch, may touch.
pub const WORK_ORDERS_MAX: u32 = 10_000;
/// `RETENTION_NS`: window of ids.
pub const RETENTION_NS: i64 = 600_000_000_000;
/// `SENT_TIME_AHEAD_NS`: tolerated lead of `sent_time_ns`.
pub const SENT_TIME_AHEAD_NS: i64 = 5_000_000_000;
/// `EXPIRE_TIME_AHEAD_NS`: 400 days, how far ahead a GTD order may end.
pub const EXPIRE_TIME_AHEAD_NS: i64 = 400 * 86_400 * 1_000_000_000;
/// `EARLY_CANCELS_MAX`: per session.
pub const EARLY_CANCELS_MAX: usize = 16;
/// `SESSIONS_MAX`: per shard.
pub const SESSIONS_MAX: usize = 20_000;
/// `SESSION_IDLE_NS`: how long an unconnected session is safe from being dropped for a new one.
pub const SESSION_IDLE_NS: i64 = 3_600_000_000_000;
/// Largest window of a session, in milliseconds.
pub const SESSION_WINDOW_MS_MAX: u32 = 600_000;
/// `ASSETS_MAX`: per shard.
pub const ASSETS_MAX: usize = 10_000;
/// Market numbers of a shard: the lower half of a market's id.
pub const MARKETS_PER_SHARD: u32 = 1 << 16;
/// `MARKETS_MAX`: per shard.
pub const MARKETS_MAX: usize = 4_096;
/// `FIRMS_MAX`: per shard.
pub const FIRMS_MAX: usize = 100_000;
/// `ACCOUNTS_MAX`: per shard.
pub const ACCOUNTS_MAX: usize = 1_000_000;
/// `DEPOSITS_MAX`: per shard, not final.
pub const DEPOSITS_MAX: usize = 4_000_000;
/// `WITHDRAWALS_MAX`: per shard, not final.
pub const WITHDRAWALS_MAX: usize = 1_000_000;
/// `SOURCES_MAX`: per shard.
pub const SOURCES_MAX: usize = 10_000;
/// `FEE_TIERS_MAX`: per shard.
pub const FEE_TIERS_MAX: usize = 100_000;
/// `TRADING_LIMITS_MAX`: per shard.
pub const TRADING_LIMITS_MAX: usize = 100_000;
/// `CRC_LEVELS`: per side.
pub const CRC_LEVELS: usize = 10;
/// Most decimals of an asset.
pub const DECIMALS_MAX: u32 = 30;
/// Largest lot size and tick size.
pub const SIZE_ATOMS_MAX: i128 = 1 << 100;
/// Largest product of lot size and tick size.
pub const SIZE_PRODUCT_MAX: i128 = 1 << 126;
/// Largest tick value.
pub const TICK_VALUE_MAX: i128 = 1 << 60;
/// Largest price step and quantity step.
pub const STEP_MAX: i64 = 1 << 40;
/// Largest fee in parts per million.
pub const FEE_PPM_MAX: i32 = 100_000;
/// Largest distance of a market's protection, in parts per million: the price stays above zero.
pub const MARKET_PROTECTION_PPM_MAX: u32 = 999_999;
/// Largest distance of a market's static band, in parts per million: its lower edge stays above zero.
pub const STATIC_BAND_PPM_MAX: u32 = 999_999;
/// Largest number of resting orders of a market.
pub const RESTING_ORDERS_MAX: u32 = 10_000_000;
/// Resting orders of a market when nothing is said.
pub const RESTING_ORDERS_DEFAULT: u32 = 2_000_000;
/// Largest number of open orders of an account.
pub const OPEN_ORDERS_MAX: u32 = 10_000;
/// Open orders of an account when nothing is said.
pub const OPEN_ORDERS_DEFAULT: u32 = 1_000;
/// Smallest and largest number of ids that an account keeps besides those of open orders.
pub const ID_CAPACITY_MIN: u32 = 16;
/// See [`ID_CAPACITY_MIN`].
pub const ID_CAPACITY_MAX: u32 = 65_536;
/// Ids of an account when nothing is said.
pub const ID_CAPACITY_DEFAULT: u32 = 1_024;
/// Largest number of a peer shard.
pub const PEER_SHARD_MAX: u32 = 4_000;
/// First account of a firm.
pub const FIRM_ACCOUNTS_FROM: u64 = 4_096;
/// The venue's fees.
pub const FEES: u32 = 1;
/// Money that could not be given to whom it was meant for.
pub const SUSPENSE: u32 = 3;
/// The world outside: minus what the venue holds.
pub const EXTERNAL: u32 = 4;
/// The last of the venue's plain accounts.
pub const VENUE_ACCOUNTS_MAX: u64 = 4;
/// `IN_TRANSIT(peer)` is this plus the peer.
pub const IN_TRANSIT: u32 = 16;
/// The rules version with triggers, replacements, icebergs and the dead man's timer.
pub const FULL_RULES: u32 = 2;
/// Waiting orders that are entered in one cascade.
pub const CASCADE_ORDERS_MAX: u32 = 1_000;
/// Resting orders that the takers of one cascade touch before it stops taking up further ones.
pub const CASCADE_TOUCHES_MAX: u64 = 10_000;
/// Largest distance of a trailing stop in parts per million.
pub const TRAILING_PPM_MAX: u32 = 999_999;
/// A day.
pub const DAY_NS: i64 = 86_400_000_000_000;
/// Accounts that a session may name.
pub const LIST_ITEMS_MAX: usize = 1_000;
/// Shortest disconnect window where the venue is at fault.
pub const DISCONNECT_GRACE_NS: i64 = 10_000_000_000;
/// Longest time of a dead man's timer.
pub const CANCEL_ALL_AFTER_MS_MAX: u32 = 86_400_000;
