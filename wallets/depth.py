"""How deep brackets of a JSON text nest, before a parser that calls itself for each is let near it.

Called by clients of nodes, whose answers we do not trust. Pure.
"""

import re
from typing import Final

STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
QUOTE: Final = b'"'
ESCAPE: Final = b"\\"
# Everything else is left out at once: a block's receipts are megabytes.
NEITHER: Final = bytes(set(range(256)) - set(b'[]{}"'))
OPENING: Final = b"[{"


def is_deeper(content: bytes, depth_max: int) -> bool:
    """Whether brackets stand within more than so many others; those in strings do not count."""
    depth = 0
    for bracket in brackets_of(content):
        depth += 1 if bracket in OPENING else -1
        if depth > depth_max:
            return True
    return False


def brackets_of(content: bytes) -> bytes:
    """All that stand outside of strings, in their order."""
    if ESCAPE in content:
        # Only then may a string hold a quote.
        return STRINGS.sub(b"", content).translate(None, NEITHER + QUOTE)
    *closed, last = content.translate(None, NEITHER).split(QUOTE)
    # Every other part is a string; one that does not end is none, and what is in it counts.
    return b"".join([*closed[::2], last])
