"""Every bound of the look after a restore, by name."""

from typing import Final

# Differences of one kind that are told; there may be more.
TOLD_MAX: Final = 100
STATUS_SECONDS: Final = 10.0
# For the rows of a journal that custody has not taken.
FOLLOW_SECONDS: Final = 3_600.0
# Transactions of ours that are compared with the signer's log at once.
ATTEMPTS_PAGE: Final = 1_000
# Commands of a lost time that are judged together: a deposit may have several of them.
UNKNOWN_MAX: Final = 100_000
NOTE_LENGTH_MAX: Final = 1_000
