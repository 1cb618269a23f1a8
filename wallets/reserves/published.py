"""Reports and trees that were published: put into custody's tables once, then read by part.

Called by the command, and by the service for customers. A proof is read by the keys of its nodes,
a few dozen rows however many accounts there are. Nothing that was published changes any more; the
oldest go when there are more than `limits.REPORTS_KEPT` of an asset.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import asyncpg

from cambist.reserves.files import Proof
from cambist.reserves.tree import Leaf, Node, Part, Tree
from runtime.postgres import Connection, Database
from wallets.errors import Rejected
from wallets.reserves import limits

SCHEMA: Final = "custody"
ADD: Final = """
insert into custody.liability_report (asset_id, root_hash, root_atoms, leaves, report)
values ($1, $2, $3, $4, $5) returning report_id
"""
FORGET: Final = """
delete from custody.liability_report where asset_id = $1 and report_id not in (
    select report_id from custody.liability_report where asset_id = $1
    order by report_id desc limit $2)
"""
FIND: Final = """
select report_id, root_hash, root_atoms::text as root_atoms, leaves, report,
    (extract(epoch from made_at) * 1000000)::bigint * 1000 as made_ns
from custody.liability_report where asset_id = $1 and (root_hash = $2 or $2 = ''::bytea)
order by report_id desc limit 1
"""
# A sibling's place differs in its lowest bit. A tree of one leaf has no node below its root.
PARTS: Final = """
select l.place, l.salt, l.atoms::text as atoms, n.hash, n.atoms::text as node_atoms
from custody.liability_leaf l
    left join generate_series(0, $3::integer - 1) as way (level) on true
    left join custody.liability_node n on n.report_id = l.report_id
        and n.level = way.level and n.place = ((l.place >> way.level) # 1)
where l.report_id = $1 and l.account_id = $2
order by l.place, way.level
"""


async def publish(database: Database, tree: Tree, report: str) -> None:
    """All of it or nothing. Raises Unavailable, Unknown: make another one."""
    async with database.transaction() as connection:
        report_id = await connection.fetchval(
            ADD,
            tree.asset_id,
            tree.root.digest,
            Decimal(tree.root.atoms),
            len(tree.leaves),
            report,
        )
        leaves = (
            (report_id, place, leaf.account_id, leaf.salt, Decimal(leaf.atoms))
            for place, leaf in enumerate(tree.leaves)
        )
        await _copy(connection, "liability_leaf", leaves)
        nodes = (
            (report_id, level, place, node.digest, Decimal(node.atoms))
            for level, row in enumerate(tree.levels[:-1])
            for place, node in enumerate(row)
        )
        await _copy(connection, "liability_node", nodes)
        await connection.execute(FORGET, tree.asset_id, limits.REPORTS_KEPT)


async def _copy(connection: Connection, table: str, rows: Any) -> None:
    await connection.copy_records_to_table(
        table, schema_name=SCHEMA, records=rows, timeout=limits.PUBLISH_SECONDS
    )


async def read_report(database: Database, asset_id: int, root: bytes) -> asyncpg.Record:
    """The report below whose root accounts may ask for proofs; without a root, the newest.

    Raises Rejected, Unavailable.
    """
    row = await database.read_row(FIND, asset_id, root)
    if row is None:
        raise Rejected("NO_REPORT", "nothing of this asset and root is published, or not any more")
    return row


async def read_proof(database: Database, asset_id: int, account_id: int, root: bytes) -> Proof:
    """An account's parts of a report. Raises Rejected, Unavailable."""
    row = await read_report(database, asset_id, root)
    depth = (row["leaves"] - 1).bit_length()
    parts = parts_of(account_id, await database.read(PARTS, row["report_id"], account_id, depth))
    if not parts:
        # Not one that was forgotten meanwhile.
        await read_report(database, asset_id, row["root_hash"])
        raise Rejected("NO_PROOF", "the account owned nothing of this asset at that time")
    atoms = sum(part.leaf.atoms for part in parts)
    return Proof(asset_id, account_id, atoms, Node(row["root_hash"], int(row["root_atoms"])), parts)


def parts_of(account_id: int, rows: Sequence[asyncpg.Record]) -> tuple[Part, ...]:
    """Rows of leaves, each with one sibling of its way, in order."""
    parts = []
    for place, group in groupby(rows, itemgetter("place")):
        way = list(group)
        leaf = Leaf(account_id, way[0]["salt"], int(way[0]["atoms"]))
        siblings = tuple(Node(one["hash"], int(one["node_atoms"])) for one in way if one["hash"])
        parts.append(Part(leaf, place, siblings))
    return tuple(parts)


def content_of(row: asyncpg.Record) -> dict[str, Any]:
    """A report as it was written."""
    content: dict[str, Any] = json.loads(row["report"])
    return content
