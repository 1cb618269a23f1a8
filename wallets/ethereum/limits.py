"""Every limit of the Ethereum adapter, each with its unit and reason."""

from typing import Final

# Nodes that must tell a block alike where nothing else proves it.
AGREEING_WITHOUT_ROOTS: Final = 2
# Bytes of one answer of a node: receipts of a full block are some 5 MB of JSON, rarely 20.
ANSWER_BYTES_MAX: Final = 64_000_000
# Brackets within brackets in one answer; blocks and receipts need about six.
ANSWER_DEPTH_MAX: Final = 64
# Seconds for one call.
CALL_SECONDS: Final = 20.0
# Calls to one node at once.
CALLS_MAX: Final = 16
# Tries of a read whose connection broke; a send has one.
READ_TRIES_MAX: Final = 2
# Blocks that are read before their turn, some megabytes each, while a scan catches up.
READ_AHEAD_BLOCKS: Final = 3
# Processes of one worker that read blocks.
READING_PROCESSES: Final = 2
# Blocks that the agreed tip may lie below the lowest of the tips that count.
TIP_SEARCH_BLOCKS: Final = 6
# Digits of a quantity (256 bits).
QUANTITY_DIGITS_MAX: Final = 64
# Nonces of one lane that are not mined yet; geth promises to keep no more for one account.
OUTSTANDING_MAX: Final = 16
# Lanes of one network.
LANES_MAX: Final = 64
# A worker that does not renew in this time has lost its lanes to the others.
LANE_LEASE_SECONDS: Final = 10.0
LANE_RENEWAL_SECONDS: Final = 3.0
# For which what nodes said of lanes at a block, and prices, are good for further plans.
KEPT_SECONDS: Final = 1.0
# Answers about lanes that are kept: each lane's nonce and balances.
KEPT_MAX: Final = 256
# Blocks whose receipts were proven, some megabytes each, while payouts settle by them.
PROVEN_BLOCKS: Final = 4
PROVEN_SECONDS: Final = 60.0
# Cancels of nonces that are looked at in one round.
CANCELS_MAX: Final = 64
# Attempts that share one nonce: bumps and a cancel.
SIBLINGS_MAX: Final = 64
# The largest amount that a contract can hold.
AMOUNT_ATOMS_MAX: Final = 2**256 - 1
# Addresses with deposits that are read in one round of sweeps, worth a look or not.
SWEEP_SCAN_MAX: Final = 4_096
# Holdings on deposit addresses that are looked at in one round of sweeps.
SWEEP_PAGE_MAX: Final = 64
