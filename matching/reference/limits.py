"""Bounds of the engine: section 1 of docs/semantics.md and the parameter bounds of section 8.

Read by every module of the package. Tests lower some of them to reach a bound quickly, so they are
always read as attributes of this module and never imported by name.
"""

PRICE_TICKS_MAX = 1 << 53  # largest price: exact in every client's number type
QUANTITY_LOTS_MAX = 1 << 53  # largest quantity
CUM_LOTS_MAX = (1 << 63) - 1  # what a market order by budget may buy in all
AMOUNT_ATOMS_MAX = 1 << 120  # largest amount in a command, notional and base amount
BALANCE_ATOMS_MAX = 1 << 126  # largest magnitude of a balance: sums of two still fit 128 bits
WORK_ORDERS_MAX = 10_000  # orders one taker, or all cursors and timers of a batch, may touch
CASCADE_ORDERS_MAX = 1_000  # waiting orders entered in one cascade
CASCADE_TOUCHES_MAX = 10_000  # resting orders touched before a cascade takes up no further order
CANCEL_ALL_AFTER_MS_MAX = 86_400_000  # largest dead man's timer: a day
DAY_NS = 86_400 * 10**9  # DAY orders end at midnight UTC
TRAILING_PPM_MAX = 999_999  # a trailing stop stays above zero
BATCH_COMMANDS_MAX = 10_000  # commands per batch
BATCH_ENVELOPES_MAX = 4_096  # envelopes per batch
ENVELOPE_COMMANDS_MAX = 1_000  # commands per envelope
ENVELOPE_BYTES_MAX = 1 << 20  # bytes of the body of an envelope
NANOSECONDS_PER_MILLISECOND = 1_000_000
RETENTION_NS = 600 * 10**9  # window in which an unknown id can be told from a repeat
SENT_TIME_AHEAD_NS = 5 * 10**9  # tolerated lead of a client's clock
EXPIRES_AFTER_MS_MAX = 60_000  # largest life of a command on its way
EXPIRE_TIME_AHEAD_NS = 400 * 86_400 * 10**9  # farthest end of a GTD order
EARLY_CANCELS_MAX = 16  # mass cancels per session that wait for orders
SESSIONS_MAX = 20_000  # sessions per shard
SESSION_IDLE_NS = 3_600 * 10**9  # an unconnected session may be dropped after this
SESSION_WINDOW_MS_MAX = 600_000  # largest cancel-on-disconnect window
DISCONNECT_GRACE_NS = 10 * 10**9  # shortest window where the venue is at fault
LIST_ITEMS_MAX = 1_000  # accounts, and markets, that a session may name
ASSETS_MAX = 10_000  # per shard
MARKETS_MAX = 4_096  # per shard
FIRMS_MAX = 100_000  # per shard
ACCOUNTS_MAX = 1_000_000  # per shard
DEPOSITS_MAX = 4_000_000  # per shard, not final
WITHDRAWALS_MAX = 1_000_000  # per shard, not final
SOURCES_MAX = 10_000  # per shard
FEE_TIERS_MAX = 100_000  # per shard
TRADING_LIMITS_MAX = 100_000  # per shard
CRC_LEVELS = 10  # levels per side in the checksum of a book

DECIMALS_MAX = 30  # of an asset
LOT_SIZE_ATOMS_MAX = 1 << 100  # lot and tick size
SIZE_PRODUCT_MAX = 1 << 126  # lot size times tick size, before the division by 10^decimals
TICK_VALUE_ATOMS_MAX = 1 << 60  # quote atoms per tick per lot
STEP_MAX = 1 << 40  # price and quantity step
FEE_PPM_MAX = 100_000  # a tenth of the notional
MARKET_PROTECTION_PPM_MAX = 999_999  # the worst price of a market order stays above zero
STATIC_BAND_PPM_MAX = 999_999  # the lower edge of a band stays above zero
RESTING_ORDERS_MAX = 10_000_000  # bound of resting_orders_max
RESTING_ORDERS_DEFAULT = 2_000_000  # of a market
OPEN_ORDERS_MAX = 10_000  # bound of open_orders_max: a kill switch touches them all at once
OPEN_ORDERS_DEFAULT = 1_000  # of an account
ID_CAPACITY_MIN = 16  # bounds of id_capacity
ID_CAPACITY_MAX = 65_536
ID_CAPACITY_DEFAULT = 1_024  # of an account
PEER_SHARD_MAX = 4_000  # in-transit accounts stay below the firms' first account

FEES_ACCOUNT = 1  # takes all fees
INSURANCE_ACCOUNT = 2
SUSPENSE_ACCOUNT = 3  # money whose owner is unknown
EXTERNAL_ACCOUNT = 4  # the world outside: minus all that came in
IN_TRANSIT_BASE = 16  # IN_TRANSIT(peer) = this + peer
FIRM_ACCOUNT_MIN = 4_096  # accounts below are the venue's own

LAYOUT_VERSION = 1  # of event rows and snapshots
FULL_RULES = 2  # the rules version with which orders may wait for a price, and much besides
RULES_NEWEST = 2  # the newest one of which this build can be told to know
