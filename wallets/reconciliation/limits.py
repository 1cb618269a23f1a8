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
