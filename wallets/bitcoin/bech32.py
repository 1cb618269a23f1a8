"""Text of a witness program (BIP173 and BIP350), two characters at a time. Pure.

Called by `addresses` for every witness script that needs a text. bitcoinlib makes the same text a
character at a time, for a third of the cost of a deposit address; it still reads and checks texts,
so that each of the two is held against the other.
"""

from functools import cache
from itertools import product
from typing import Final

CHARACTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PAIRS: Final = tuple(map("".join, product(CHARACTERS, repeat=2)))
PAIR_BITS: Final = 10
PAIR_MASK: Final = 0x3FF
CHECKSUM_BITS: Final = 30
# What is left of the sum's 30 bits when a pair is put behind it.
KEPT_MASK: Final = 0xFFFFF
GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# What the sum of a whole text is: of witness version 0, and of all others.
BECH32_SUM: Final = 1
BECH32M_SUM: Final = 0x2BC830A3
PROGRAM_BYTES: Final = (20, 32)


def encode(prefix: str, version: int, program: bytes) -> str:
    """The address in small letters. `version` is 0 to 16; programs have 20 or 32 bytes.

    Raises ValueError for others: 20 and 32 bytes come to whole pairs of characters.
    """
    if len(program) not in PROGRAM_BYTES or not 0 <= version <= 16:
        raise ValueError(f"no address of version {version} and {len(program)} bytes")
    bits = 8 * len(program)
    padding = -bits % PAIR_BITS
    number = int.from_bytes(program, "big") << padding
    total, folded = start_of(prefix, version), FOLDED
    text = [prefix, "1", CHARACTERS[version]]
    for shift in range(bits + padding - PAIR_BITS, -1, -PAIR_BITS):
        pair = number >> shift & PAIR_MASK
        total = (total & KEPT_MASK) << PAIR_BITS ^ pair ^ folded[total >> 20]
        text.append(PAIRS[pair])
    for _ in range(CHECKSUM_BITS // PAIR_BITS):
        total = (total & KEPT_MASK) << PAIR_BITS ^ folded[total >> 20]
    total ^= BECH32M_SUM if version else BECH32_SUM
    text += [PAIRS[total >> shift & PAIR_MASK] for shift in (20, 10, 0)]
    return "".join(text)


def folded_twice(top: int) -> int:
    """What ten bits that leave the sum on its left put back into it, after two characters."""
    total = top << 20
    for _ in range(2):
        total = following(total, 0)
    return total


def following(total: int, value: int) -> int:
    """The sum after one more character."""
    top, total = total >> 25, (total & 0x1FFFFFF) << 5 ^ value
    for bit, generator in enumerate(GENERATORS):
        if top >> bit & 1:
            total ^= generator
    return total


FOLDED: Final = tuple(map(folded_twice, range(1 << PAIR_BITS)))


@cache
def start_of(prefix: str, version: int) -> int:
    """The sum before the program; prefixes are the few of our networks."""
    values = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    total = 1
    for value in (*values, version):
        total = following(total, value)
    return total
