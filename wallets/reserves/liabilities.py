"""What customers own of an asset, as the engines' snapshots say, and the report over it.

Called by the command. Accounts of the venue are left out; free, held and in flight count together,
below zero counts as zero. It reads, and changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.reserves.files import VERSION, node_to_json
from cambist.reserves.tree import Leaf, Tree, join, node_of
from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.books.holdings import Counts
from wallets.engines import Primary
from wallets.errors import Broken
from wallets.reconciliation.cut import one_moment
from wallets.reconciliation.engine import read_snapshot, total

# Money that a refused credit left for somebody is a customer's.
SUSPENSE: Final = 3
FIRST_CUSTOMER: Final = 4_096


@dataclass(frozen=True, slots=True)
class Liabilities:
    """Of one shard, at one sequence of its journal."""

    shard: int
    seq: int
    state_hash: bytes
    balances: Mapping[int, int]


async def read_liabilities(shard: int, primary: Primary, asset_id: int) -> Liabilities:
    """From the newest snapshot of a shard. Raises Unavailable, Broken."""
    content = await primary.first(shard, lambda stub: read_snapshot(stub, shard))
    if not content:
        raise Unavailable(f"shard {shard} has no snapshot yet")
    return liabilities_of(content, asset_id)


def liabilities_of(content: bytes, asset_id: int) -> Liabilities:
    """Customers' balances of an asset in a snapshot."""
    whole = snapshot_pb2.Snapshot.FromString(content)
    money = snapshot_pb2.MoneySection.FromString(whole.money)
    balances = {
        one.account_id: max(0, total(one))
        for one in money.balances
        if one.asset_id == asset_id
        and (one.account_id >= FIRST_CUSTOMER or one.account_id == SUSPENSE)
    }
    return Liabilities(whole.shard, whole.last_seq, whole.state_hash, balances)


def merged(found: Sequence[Liabilities]) -> dict[int, int]:
    """Balances of all shards by account."""
    result: dict[int, int] = {}
    for one in found:
        for account_id, atoms in one.balances.items():
            result[account_id] = result.get(account_id, 0) + atoms
    return result


async def read_reserves(database: Database, network_id: int, counts: Counts) -> dict[str, Any]:
    """The native coins that the venue has, at the height that the scan has reached."""
    async with one_moment(database) as connection:
        held = await counts(connection, network_id)
    piles = {pile.place: str(pile.amount_atoms) for pile in held.piles if not pile.contract}
    block = {"height": held.block.height, "hash": held.block.block_hash}
    return {"network_id": network_id, "block": block, "atoms": piles}


def report(tree: Tree, found: Sequence[Liabilities], reserves: Mapping[str, Any] | None) -> str:
    """What is published: it names no account."""
    whole = {
        "version": VERSION,
        "asset_id": tree.asset_id,
        "liabilities": node_to_json(tree.root),
        "leaves": len(tree.leaves),
        "journal": [
            {"shard": one.shard, "seq": one.seq, "state_hash": one.state_hash.hex()}
            for one in found
        ],
        "reserves": reserves,
    }
    return json.dumps(whole, indent=1) + "\n"


def leaves_to_json(tree: Tree) -> str:
    """What the venue keeps to itself, to give each account its proof."""
    rows = [[leaf.account_id, leaf.salt.hex(), str(leaf.atoms)] for leaf in tree.leaves]
    return json.dumps({"asset_id": tree.asset_id, "leaves": rows}) + "\n"


def read_leaves(text: str) -> Tree:
    """The tree again, from what was kept. Raises Broken."""
    try:
        whole = json.loads(text)
        leaves = tuple(
            Leaf(int(account), bytes.fromhex(salt), int(atoms))
            for account, salt, atoms in whole["leaves"]
        )
        levels = [tuple(node_of(whole["asset_id"], leaf) for leaf in leaves)]
        while len(levels[-1]) > 1:
            below = levels[-1]
            levels.append(tuple(join(*pair) for pair in zip(below[::2], below[1::2], strict=True)))
        return Tree(whole["asset_id"], leaves, tuple(levels))
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"leaves that are none: {type(error).__name__}") from error
