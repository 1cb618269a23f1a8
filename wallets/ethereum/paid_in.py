"""What was paid to deposit addresses and not gathered yet, page by page, as the database knows it.

Used by `gathering`; reads only and asks no node. Deposits below the minimum cost no call, gathered
ones not even a row: one look goes over a bounded number of addresses, whatever was ever paid in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Database
from wallets.ethereum import limits
from wallets.ethereum.lanes import Lane

Place = tuple[bytes, bytes]
START: Final[Place] = (b"", b"")
PAID_IN: Final = """
with page as (
    select d.key, d.contract, max(d.asset_id) as asset_id,
        coalesce(sum(d.amount_atoms) filter (where d.state = 'withdrawable'), 0) as atoms
    from custody.deposit d
    where d.network_id = $1 and not d.is_gathered and (d.key, d.contract) > ($2, $3)
    group by d.key, d.contract order by d.key, d.contract limit $4
)
select page.*, a.branch, a.path_index
from page join custody.address a on a.network_id = $1 and a.key = page.key
order by page.key, page.contract
"""


@dataclass(frozen=True, slots=True)
class PaidIn:
    """An asset that was paid to an address, the minimum at least."""

    lane: Lane
    contract: bytes
    asset_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """What is worth a look, and where the next look begins."""

    worth: list[PaidIn]
    next_place: Place


async def read_page(
    database: Database, network_id: int, minimum_atoms: Mapping[bytes, int], after: Place
) -> Page:
    """The next addresses behind a place; round about. An asset without a minimum is never worth it.

    Raises Unavailable.
    """
    rows = await database.read(PAID_IN, network_id, *after, limits.SWEEP_SCAN_MAX)
    worth: list[PaidIn] = []
    for row in rows:
        minimum = minimum_atoms.get(row["contract"])
        if minimum is None or row["atoms"] < minimum:
            continue
        lane = Lane(row["key"], row["branch"], row["path_index"], is_draining=False)
        worth.append(PaidIn(lane, row["contract"], row["asset_id"]))
        if len(worth) == limits.SWEEP_PAGE_MAX:
            return Page(worth, (row["key"], row["contract"]))
    is_last = len(rows) < limits.SWEEP_SCAN_MAX
    return Page(worth, START if is_last else (rows[-1]["key"], rows[-1]["contract"]))
