"""Limits of the command line, each with unit and reason."""

from typing import Final

# Levels per side of a book that is shown.
DEPTH: Final = 10
DEPTH_MAX: Final = 1_000
# Redraws per second of live views: more than eyes can follow costs a core.
REDRAWS_PER_SECOND: Final = 8
# Seconds between two readings of `top`.
TOP_SECONDS: Final = 1.0
# Bytes of a file of `apply`; a hundred thousand accounts fit.
APPLY_BYTES_MAX: Final = 16 * 1024 * 1024
# Calls of `apply` under way at once.
APPLY_CALLS_MAX: Final = 32
# Orders of one `bench`, and how many of them may be without an answer.
BENCH_ORDERS: Final = 10_000
BENCH_ORDERS_MAX: Final = 10_000_000
BENCH_WINDOW: Final = 256
BENCH_WINDOW_MAX: Final = 8_000
