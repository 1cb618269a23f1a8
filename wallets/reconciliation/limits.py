"""Every bound of reconciliation, by name."""

from typing import Final

# Between two looks: a deficit stops payouts within a minute.
LOOK_SECONDS: Final = 30.0
SNAPSHOT_BYTES_MAX: Final = 4 * 1024**3
# For the rows of the journal since the look before.
FOLLOW_SECONDS: Final = 60.0
STATUS_SECONDS: Final = 5.0
# Rows that `python -m wallets reconcile` shows.
RUNS_SHOWN: Final = 20
# Looks at a chain that went on meanwhile, and the pause between two.
CUT_TRIES_MAX: Final = 100
CUT_PAUSE_SECONDS: Final = 0.2
# Questions to nodes at once.
READS_AT_ONCE: Final = 8
# Addresses read per try: those that something happened to, and those not read for longest.
TOUCHED_PAGE: Final = 256
OLDEST_PAGE: Final = 16
# Transactions of ours that are on their way; above it nobody can tell in time.
OPEN_MAX: Final = 1_000
RECEIPTS_MAX: Final = 10_000
# Blocks in which is looked for who sent a token that is missing; beyond, it counts as sent.
DEPARTURE_BLOCKS_MAX: Final = 128
# Of them before the last whole look, where another branch may have put what was later.
DEPARTURE_OVERLAP_BLOCKS: Final = 16
