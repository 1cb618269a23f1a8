"""A Merkle sum tree of what accounts own: made, proven in parts, and checked. Pure.

Every node commits to its sum and to those of both children, so that no branch can hide a negative
one. A balance is split into several leaves at random places, each with a salt of its own: a proof
tells nothing about who else is there, and little about how much. Randomness is passed in.

    leaf  SHA-256(0x00 ‖ domain ‖ asset (4) ‖ account (8) ‖ salt (32) ‖ atoms (16))
    node  SHA-256(0x01 ‖ left hash ‖ left atoms (16) ‖ right hash ‖ right atoms (16))
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final

DOMAIN: Final = b"cambist reserves v1"
SALT_BYTES: Final = 32
HASH_BYTES: Final = 32
ATOMS_BYTES: Final = 16
# Sums stay far below what their bytes hold: no addition wraps.
ATOMS_MAX: Final = 2**120
# A balance becomes one to so many leaves.
PARTS_MAX: Final = 4
DEPTH_MAX: Final = 40


class BadProof(ValueError):
    """The proof does not show what it claims; the text says where."""


@dataclass(frozen=True, slots=True)
class Node:
    """A hash and the sum below it."""

    digest: bytes
    atoms: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of one account's balance."""

    account_id: int
    salt: bytes
    atoms: int


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf, its place and the nodes beside its way to the root, lowest first."""

    leaf: Leaf
    place: int
    siblings: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """All levels, leaves first; the last one is the root."""

    asset_id: int
    leaves: tuple[Leaf, ...]
    levels: tuple[tuple[Node, ...], ...]

    @property
    def root(self) -> Node:
        """What is published."""
        return self.levels[-1][0]

    def prove(self, account_id: int) -> list[Part]:
        """All parts of an account; none when it has no leaf."""
        return [
            Part(leaf, place, self._siblings(place))
            for place, leaf in enumerate(self.leaves)
            if leaf.account_id == account_id
        ]

    def _siblings(self, place: int) -> tuple[Node, ...]:
        return tuple(level[place >> depth ^ 1] for depth, level in enumerate(self.levels[:-1]))


def make(asset_id: int, balances: Mapping[int, int], random: Random) -> Tree:
    """A tree of these balances, in atoms by account; what is below zero counts as zero.

    `random` must be the system's for a proof that is published.
    """
    leaves = [
        Leaf(account_id, random.randbytes(SALT_BYTES), atoms)
        for account_id, balance in sorted(balances.items())
        for atoms in split(max(0, balance), random)
    ]
    # Account 0 is nobody's: padding hides how many leaves there are.
    size = 1
    while size < len(leaves):
        size *= 2
    leaves += [Leaf(0, random.randbytes(SALT_BYTES), 0) for _ in range(size - len(leaves))]
    random.shuffle(leaves)
    levels = [tuple(node_of(asset_id, leaf) for leaf in leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(tuple(join(*pair) for pair in zip(below[::2], below[1::2], strict=True)))
    return Tree(asset_id, tuple(leaves), tuple(levels))


def split(atoms: int, random: Random) -> list[int]:
    """Parts of a balance, any of which may be zero."""
    if atoms > ATOMS_MAX:
        raise ValueError(f"a balance of {atoms} atoms")
    cuts = sorted(random.randint(0, atoms) for _ in range(random.randrange(PARTS_MAX)))
    bounds = [0, *cuts, atoms]
    return [after - before for before, after in pairwise(bounds)]


def node_of(asset_id: int, leaf: Leaf) -> Node:
    """The lowest node of a leaf. Raises BadProof for what no tree holds."""
    if not 0 <= leaf.atoms <= ATOMS_MAX or len(leaf.salt) != SALT_BYTES:
        raise BadProof("a leaf with an amount or a salt that none can have")
    if not 0 <= asset_id < 2**32 or not 0 <= leaf.account_id < 2**64:
        raise BadProof("a leaf of an asset or an account that none can be")
    text = DOMAIN + asset_id.to_bytes(4, "big") + leaf.account_id.to_bytes(8, "big")
    text += leaf.salt + leaf.atoms.to_bytes(ATOMS_BYTES, "big")
    return Node(hashlib.sha256(b"\x00" + text).digest(), leaf.atoms)


def join(left: Node, right: Node) -> Node:
    """The node above two. Raises BadProof when one of them could hide a negative sum."""
    for one in (left, right):
        if not 0 <= one.atoms <= ATOMS_MAX or len(one.digest) != HASH_BYTES:
            raise BadProof("a node with a sum or a hash that none can have")
    atoms = left.atoms + right.atoms
    if atoms > ATOMS_MAX:
        raise BadProof("a sum that no venue owes")
    text = b"".join(one.digest + one.atoms.to_bytes(ATOMS_BYTES, "big") for one in (left, right))
    return Node(hashlib.sha256(b"\x01" + text).digest(), atoms)


def check_part(asset_id: int, part: Part, root: Node) -> None:
    """Whether a part is below the root at its place. Raises BadProof."""
    if len(part.siblings) > DEPTH_MAX or not 0 <= part.place < 1 << len(part.siblings):
        raise BadProof("a place that the tree does not have")
    node, place = node_of(asset_id, part.leaf), part.place
    for sibling in part.siblings:
        node = join(sibling, node) if place & 1 else join(node, sibling)
        place >>= 1
    if node != root:
        raise BadProof("the way does not lead to the root")


def check(asset_id: int, account_id: int, atoms: int, parts: Sequence[Part], root: Node) -> None:
    """Whether an account's parts are in the tree and come to its balance. Raises BadProof."""
    for part in parts:
        if part.leaf.account_id != account_id:
            raise BadProof("a part of another account")
        check_part(asset_id, part, root)
    if len({part.place for part in parts}) != len(parts):
        raise BadProof("one place twice")
    if len({len(part.siblings) for part in parts}) > 1:
        raise BadProof("ways of different lengths")
    total = sum(part.leaf.atoms for part in parts)
    if total != max(0, atoms):
        raise BadProof(f"the parts come to {total}, not {atoms}")
