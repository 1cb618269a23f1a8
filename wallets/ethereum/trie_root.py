"""RLP, and the root of a hexary Merkle Patricia trie: what a header says of a whole list. Pure.

Called by `proofs`, which holds a block's transactions and receipts to its header. It only ever
computes roots: it stores no trie and proves nothing about a part of one.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

# A node shorter than its hash stands in its parent as it is.
HASH_BYTES: Final = 32
# Content of up to this length says its length in its first byte.
SHORT_BYTES_MAX: Final = 55
TEXT_OFFSET: Final = 0x80
LIST_OFFSET: Final = 0xC0
NOTHING: Final = b"\x80"

# A key in half bytes, one hex digit each, and what is stored there.
Pair = tuple[str, bytes]


def encoded(content: bytes) -> bytes:
    """A string of bytes in RLP."""
    if len(content) == 1 and content[0] < TEXT_OFFSET:
        return content
    return length_of(len(content), TEXT_OFFSET) + content


def encoded_number(number: int) -> bytes:
    """A number in RLP: without leading zeros, and zero as nothing."""
    return encoded(number.to_bytes((number.bit_length() + 7) // 8))


def encoded_list(parts: Sequence[bytes]) -> bytes:
    """A list in RLP, of parts that are encoded already."""
    content = b"".join(parts)
    return length_of(len(content), LIST_OFFSET) + content


@lru_cache(maxsize=4_096)
def length_of(size: int, offset: int) -> bytes:
    """What goes before content of a size."""
    if size <= SHORT_BYTES_MAX:
        return bytes([offset + size])
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([offset + SHORT_BYTES_MAX + len(digits)]) + digits


def ordered_root(values: Sequence[bytes]) -> bytes:
    """The root of a list: each value stands under the RLP of its place."""
    return trie_root([(encoded_number(place), value) for place, value in enumerate(values)])


def trie_root(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The root of a trie of values by key. Keys must differ, values must not be empty."""
    if not pairs:
        return keccak(NOTHING)
    return keccak(node_of(sorted((key.hex(), value) for key, value in pairs), 0))


def node_of(pairs: Sequence[Pair], depth: int) -> bytes:
    """The node of sorted pairs that share their first `depth` half bytes, encoded."""
    first, value = pairs[0]
    if len(pairs) == 1:
        return encoded_list([encoded(packed(first[depth:], is_leaf=True)), encoded(value)])
    shared = depth + shared_length(first[depth:], pairs[-1][0][depth:])
    if shared > depth:
        path = packed(first[depth:shared], is_leaf=False)
        return encoded_list([encoded(path), reference(node_of(pairs, shared))])
    return branch(pairs, depth)


def branch(pairs: Sequence[Pair], depth: int) -> bytes:
    """A node that parts by the half byte at `depth`; a key that ends there stands last in it."""
    children: list[list[Pair]] = [[] for _ in range(16)]
    ending = NOTHING
    for key, value in pairs:
        if len(key) == depth:
            ending = encoded(value)
        else:
            children[int(key[depth], 16)].append((key, value))
    parts = [reference(node_of(child, depth + 1)) if child else NOTHING for child in children]
    return encoded_list([*parts, ending])


def reference(node: bytes) -> bytes:
    """How a node stands in its parent."""
    return node if len(node) < HASH_BYTES else encoded(keccak(node))


def packed(path: str, *, is_leaf: bool) -> bytes:
    """A path of half bytes as bytes, with a first half byte for its kind and whether it is odd."""
    flag = 2 * is_leaf + len(path) % 2
    return bytes.fromhex(f"{flag}{path}" if len(path) % 2 else f"{flag}0{path}")


def shared_length(one: str, other: str) -> int:
    """How many half bytes two paths begin alike with."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
