"""Every bound of the audit chain, by name."""

from typing import Final

BATCH_EVENTS_MAX: Final = 10_000
# Between two batches; what happened since the last one is not covered yet.
PAUSE_SECONDS: Final = 60.0
# Batches that are read at once.
BATCHES_PAGE: Final = 1_000
