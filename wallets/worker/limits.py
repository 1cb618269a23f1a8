"""Every bound of the worker, by name."""

from typing import Final

# Between two looks for a payout when there was none.
IDLE_SECONDS: Final = 1.0
# After a step that a dependency or another worker ended.
RETRY_SECONDS: Final = 1.0
# Between two looks for a new block.
SCAN_SECONDS: Final = 1.0
# Blocks after which the scan asks again whether its nodes are on our chain.
BLOCKS_PER_CHECK: Final = 200
# A head that is older is named ChainStalled; three hours without a block happen once in years.
BITCOIN_STALLED_SECONDS: Final = 10_800
ETHEREUM_STALLED_SECONDS: Final = 600
# Solid blocks are a minute old on a chain of 27 witnesses.
TRON_STALLED_SECONDS: Final = 600
# For which a head and prices are good for further payouts; blocks of TRON come every 3 seconds.
TRON_KEPT_SECONDS: Final = 1.0
SIGNALS_SECONDS: Final = 5.0
# Of what a worker tells the operator of its nodes.
DETAIL_CHARACTERS_MAX: Final = 500
# Between two looks of the telemetry at all payouts of a network.
FIGURES_SECONDS: Final = 5.0
# Events of one look: so many pages of so many; what is left is told by the next one.
FIGURES_EVENTS_MAX: Final = 2_000
FIGURES_PAGES_MAX: Final = 10
# In which a transaction that took an event's number has committed, all but surely.
EVENTS_SETTLE_SECONDS: Final = 2.0
DRAIN_MILLISECONDS_MAX: Final = 600_000
# At SIGTERM: a step that does not end in this time is left to the next worker.
STOP_SECONDS: Final = 20.0
CALLS_MAX: Final = 64
STEPS_MAX: Final = 64
SOURCES_MAX: Final = 1_000
FILE_BYTES_MAX: Final = 1_048_576
