"""Every bound of deposits, by name."""

from typing import Final

# Rows of the live branch that are derived before anybody asks for them, so that whoever scans
# blocks knows an address before it is given out.
LOOK_AHEAD: Final = 20
# Places that one command derives for a database made anew.
RESTORED_PLACES_MAX: Final = 5_000_000
# Addresses read at once for the list of them.
ADDRESSES_PAGE: Final = 10_000
# Addresses of one account on one network that never received anything.
UNUSED_ADDRESSES_MAX: Final = 20
# Width of an amount in the engine's journal.
AMOUNT_BITS: Final = 128
# Depth at which mined coins may move, by consensus.
COINBASE_DEPTH: Final = 100
# A fork that takes more blocks away waits for a person.
REORGANISATION_DEPTH_MAX: Final = 100
# Keys of one block that are looked up at once; more cannot be in a block of any chain served.
MOVEMENTS_MAX: Final = 200_000
# Deposits that one height changes in one way; the next height takes what is left.
DEPOSITS_PAGE: Final = 10_000
# Between two looks for deposits that nobody has screened.
SCREENING_SECONDS: Final = 1.0
# A question without an answer is asked again after so long; the other side knows it by its id.
SCREENING_RETRY_SECONDS: Final = 30.0
# Questions of one look, and answers that may fail in a row before it ends.
SCREENED_PAGE: Final = 200
SCREENING_FAILURES_MAX: Final = 3
# Held deposits that one list shows.
HELD_SHOWN_MAX: Final = 1_000
# Between two looks at the memory pool; ids that it may hold, transactions read in one look, and
# deposits that may wait for their block at once.
POOL_SECONDS: Final = 2.0
POOL_TXIDS_MAX: Final = 1_000_000
POOL_READ_MAX: Final = 1_000
POOL_SEEN_MAX: Final = 100_000
