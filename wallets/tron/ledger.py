"""What each transaction of ours cost, by what it was taken for: energy, bytes, and the rest.

Run by the worker under a lease, behind everything that pays or gathers: it reads solid receipts of
attempts that have ended, and stores one row for each, once. The book has the same sums; a receipt
that says another fee than its attempt is told and left out. What stake could have earned is not in
it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.contract import TransactionId
from wallets.errors import Quarantined, Stuck
from wallets.tron import limits
from wallets.tron.node_set import NodeSet
from wallets.tron.wire import fields, number

# Oldest first, behind the last one that was looked at: one that cannot be read holds up nobody.
ENDED: Final = """
select a.attempt_id, a.txid, a.fee_atoms from custody.attempt a
where a.network_id = $1 and a.state in ('final', 'failed') and a.attempt_id > $2
    and not exists (select from custody.tron_cost c where c.attempt_id = a.attempt_id)
order by a.attempt_id limit $3
"""
ADD: Final = """
insert into custody.tron_cost (attempt_id, network_id, energy, energy_sun, bandwidth_sun, other_sun)
values ($1, $2, $3, $4, $5, $6) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one transaction; energy is what was used, whoever had it."""

    energy: int
    energy_sun: int
    bandwidth_sun: int
    other_sun: int

    @property
    def total_sun(self) -> int:
        """What the book says too."""
        return self.energy_sun + self.bandwidth_sun + self.other_sun


def cost_of(info: Mapping[str, Any]) -> Cost:
    """Out of a transaction's receipt. Raises Quarantined for sums that do not add up."""
    receipt = fields(info.get("receipt", {}))
    energy_sun, bandwidth_sun = number(receipt.get("energy_fee")), number(receipt.get("net_fee"))
    other_sun = number(info.get("fee")) - energy_sun - bandwidth_sun
    if other_sun < 0:
        raise Quarantined("a receipt whose parts are more than the whole")
    return Cost(number(receipt.get("energy_usage_total")), energy_sun, bandwidth_sun, other_sun)


class Ledger:
    """Of one network."""

    def __init__(self, network_id: int, nodes: NodeSet, database: Database) -> None:
        self._network_id = network_id
        self._nodes = nodes
        self._database = database
        self._after = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, Unknown, Stuck) as error:
                logs.get(__name__).warning("costs wait", reason=str(error))
            await asyncio.sleep(limits.COSTS_SECONDS)

    async def step(self) -> int:
        """How many were stored of the next page. Raises Unavailable, Unknown, Stuck."""
        rows = await self._database.read(
            ENDED, self._network_id, self._after, limits.COSTS_PAGE_MAX
        )
        stored = 0
        for row in rows:
            cost = await self._read(row["txid"], row["fee_atoms"])
            self._after = row["attempt_id"]
            if cost is not None:
                await self._database.write(
                    ADD,
                    row["attempt_id"],
                    self._network_id,
                    cost.energy,
                    cost.energy_sun,
                    cost.bandwidth_sun,
                    cost.other_sun,
                )
                stored += 1
        if len(rows) < limits.COSTS_PAGE_MAX:
            self._after = 0
        return stored

    async def _read(self, txid: str, booked_sun: Decimal | None) -> Cost | None:
        """None of a receipt that is not told yet, or tells something else than its attempt."""
        info = await self._nodes.agreed_info(TransactionId(txid), is_solid=True)
        if info is None:
            return None
        try:
            cost = cost_of(info)
        except Quarantined as error:
            logs.get(__name__).warning("no cost", txid=txid, reason=str(error))
            return None
        # Of a payout's failed attempt the fee is in the book alone.
        if booked_sun is not None and cost.total_sun != booked_sun:
            found = str(cost.total_sun)
            logs.get(__name__).error("another cost than booked", txid=txid, sun=found)
            return None
        return cost
