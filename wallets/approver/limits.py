"""Every limit of the approver."""

from typing import Final

# Calls at once; further ones hear RESOURCE_EXHAUSTED.
CALLS_MAX: Final = 256
STOP_SECONDS: Final = 10.0
DEAD_ATTEMPTS_MAX: Final = 100
PEOPLE_MAX: Final = 16
# Approvals of one withdrawal: attempts, and anew after their expiry.
APPROVALS_OF_WITHDRAWAL_MAX: Final = 1_000
# Rows of the journal after which the cursor is stored though nothing was requested.
ROWS_PER_CURSOR: Final = 1_000
# Between two tries to follow a journal.
FOLLOW_PAUSE_SECONDS: Final = 1.0
HOUR_NS: Final = 3_600 * 1_000_000_000
DAY_NS: Final = 24 * HOUR_NS
KEY_BYTES: Final = 32
TXID_LENGTH_MAX: Final = 128
DESTINATION_LENGTH_MAX: Final = 128
