"""Every bound of the service, by name."""

from typing import Final

QUOTE_SECONDS: Final = 60
# Quotes of one account that have not ended.
QUOTES_MAX: Final = 100
PAGE_SIZE: Final = 100
PAGE_SIZE_MAX: Final = 1_000
TOKEN_LENGTH_MAX: Final = 128
TEXT_LENGTH_MAX: Final = 128
# Of one account, in its book.
ADDRESSES_MAX: Final = 1_000
LABEL_LENGTH_MAX: Final = 64
# A month.
HOLD_SECONDS_MAX: Final = 2_678_400
# What the engine's amounts hold.
AMOUNT_ATOMS_MAX: Final = 1 << 120
AMOUNT_LENGTH_MAX: Final = 80
CALLS_MAX: Final = 256
STOP_SECONDS: Final = 5.0
