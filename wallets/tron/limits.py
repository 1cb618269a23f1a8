"""Every limit of the TRON adapter, each with its unit and reason."""

from typing import Final

# Sun; the chain counts in signed 64-bit numbers.
AMOUNT_SUN_MAX: Final = 2**63 - 1
# Atoms of a TRC-20 token: a 256-bit word of the call.
AMOUNT_TOKEN_MAX: Final = 2**256 - 1
# Bytes of a memo; each also costs bandwidth, and any memo costs 1 TRX.
MEMO_BYTES_MAX: Final = 512
# Milliseconds of chain time after which an unmined transaction is dead. The chain allows 24 h.
EXPIRATION_MILLISECONDS: Final = 10 * 60_000
EXPIRATION_MILLISECONDS_MAX: Final = 24 * 3_600_000
# Blocks that a reference block may be behind the head: the chain keeps 65,536 of them.
REFERENCE_AGE_BLOCKS_MAX: Final = 65_535
# Numbers of permissions: 0 owner, 1 witness, 2 to 9 active.
PERMISSION_ID_MAX: Final = 9
# Keys of one permission; the chain's own limit.
SIGNERS_MAX: Final = 5
# Sun; the chain's own ceiling on what one call may burn.
FEE_LIMIT_SUN_MAX: Final = 15_000_000_000
# Milliseconds that the timestamps of distinct payouts may run ahead of the chain's clock.
TIMESTAMP_LEAD_MILLISECONDS_MAX: Final = 5 * 60_000
# Bytes of one unsigned transaction that is read.
RAW_BYTES_MAX: Final = 500_000
# Characters of a node's own words that are kept.
REASON_LENGTH_MAX: Final = 200
# Bytes of one answer: the receipts of a full block are some 3 MB of JSON.
ANSWER_BYTES_MAX: Final = 64_000_000
# Brackets within brackets in one answer; blocks need about nine.
ANSWER_DEPTH_MAX: Final = 64
# Seconds for one call.
CALL_SECONDS: Final = 20.0
# Calls to one node at once.
CALLS_MAX: Final = 8
# Tries of a read; a broadcast has one.
READ_TRIES_MAX: Final = 2
# Hot accounts of one network.
ACCOUNTS_MAX: Final = 64
# Blocks that one proof of a death reads: the longest life in blocks, and a day of missed slots.
PROOF_BLOCKS_MAX: Final = 60_000
# Milliseconds of chain time for which ids of scanned blocks are kept: two of the longest lives.
SCAN_KEPT_MILLISECONDS: Final = 48 * 3_600_000
# Milliseconds of chain time for a transfer between addresses of ours: one that is never mined holds
# up the next round until its death is proven.
MOVE_EXPIRATION_MILLISECONDS: Final = 5 * 60_000
# Rows of assets on deposit addresses that one round looks at.
SWEEP_PAGE_MAX: Final = 64
# Steps of one round; with loans taken back they must fit in what is followed at once.
ROUND_STEPS_MAX: Final = 32
# Loans that one round looks at, to take them back.
LOANS_MAX: Final = 64
# Sweeps of one address that may fail on the chain before it is left alone, each for its fee.
SWEEP_FAILURES_MAX: Final = 3
# Hours for which an address is left alone, or not lent to after a loan to it failed.
PAUSE_HOURS: Final = 24
# Hours for which an address that was helped is looked at in each round.
HELP_LASTS_HOURS: Final = 24
# Seconds between two looks for transactions whose cost is not stored, and transactions of one look.
COSTS_SECONDS: Final = 30.0
COSTS_PAGE_MAX: Final = 100
# Lines of one answer about costs.
COSTS_SHOWN_MAX: Final = 1_000
# Days whose busiest says how much energy is needed.
NEED_DAYS: Final = 7
