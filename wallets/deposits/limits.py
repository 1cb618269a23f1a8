"""Every bound of deposits, by name."""

from typing import Final

# Rows of the live branch that are derived before anybody asks for them, so that whoever scans
# blocks knows an address before it is given out.
LOOK_AHEAD: Final = 20
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
