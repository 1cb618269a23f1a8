"""How deep brackets of a JSON text nest, before a parser that calls itself for each is let near it.

Called by clients of nodes, whose answers we do not trust. Pure.
"""

import re
from typing import Final

STRINGS_AND_BRACKETS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
OPENING: Final = (b"[", b"{")
CLOSING: Final = (b"]", b"}")


def is_deeper(content: bytes, depth_max: int) -> bool:
    """Whether brackets stand within more than so many others; those in strings do not count."""
    depth = 0
    for token in STRINGS_AND_BRACKETS.finditer(content):
        if token[0] in OPENING:
            depth += 1
        elif token[0] in CLOSING:
            depth -= 1
        if depth > depth_max:
            return True
    return False
