"""Every limit of the Bitcoin adapter, each with its unit and reason."""

from typing import Final

# Bytes of one answer of a node: a block of 4 MB is 8 MB of hexadecimal digits.
ANSWER_BYTES_MAX: Final = 10_000_000
# Brackets within brackets in one answer; nodes need about six. The parser of JSON calls itself for
# each, and a library of ours lifts Python's limit of such calls above what the stack holds.
ANSWER_DEPTH_MAX: Final = 100
# Bytes of one block, by consensus.
BLOCK_BYTES_MAX: Final = 4_000_000
# Seconds for one call; a node verifies a block for some seconds.
CALL_SECONDS: Final = 20.0
# Calls to one node at once; Bitcoin Core works on four and queues 64.
CALLS_MAX: Final = 8
# Blocks that a node may be behind its own headers and still count as synced.
LAG_BLOCKS_MAX: Final = 2
# Blocks that the agreed tip may lie below the lowest of the tips that count.
TIP_SEARCH_BLOCKS: Final = 6
