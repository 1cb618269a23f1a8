"""All that must agree before a restored custody pays: signer, journals, chain, books.

Called by the command. It changes nothing but for the look of reconciliation, which is stored like
every other and stops payouts by itself when it finds a deficit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import grpc.aio

from runtime.postgres import Database
from wallets.contract import ReadsChain
from wallets.engines import Primary
from wallets.reconciliation.job import Reconciliation
from wallets.restoring import journals, limits, signatures
from wallets.restoring.differences import Difference, Kind
from wallets.restoring.settling import OPEN
from wallets.restoring.signatures import TellsEntries

WATERMARK: Final = """
select height, block_hash from custody.block where network_id = $1 order by height desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Check:
    """Of one network, with everybody who is asked."""

    database: Database
    network_id: int
    chain: ReadsChain
    signer: TellsEntries
    channels: Mapping[int, tuple[grpc.aio.Channel, ...]]
    books: Reconciliation

    async def look(self) -> list[Difference]:
        """All differences. Raises Unavailable, Stuck, Broken: nobody knows then."""
        found = await signatures.compare(self.database, self.network_id, self.signer)
        for shard, those in sorted(self.channels.items()):
            found += await journals.compare(self.database, self.network_id, shard, Primary(those))
        found += await self._not_settled()
        found += await self._not_scanned()
        look = await self.books.look()
        found += [
            Difference(Kind.BOOKS_DIFFER, str(one)) for one in (*look.stopping, *look.suspending)
        ]
        return found

    async def _not_settled(self) -> list[Difference]:
        """Commands that the engine took, this database never gave, and nobody has settled."""
        rows = await self.database.read(OPEN, self.network_id, limits.TOLD_MAX)
        return [
            Difference(
                Kind.ENGINE_AHEAD, f"command {row['source_id']}/{row['source_seq']} is not settled"
            )
            for row in rows
        ]

    async def _not_scanned(self) -> list[Difference]:
        """Whether the scan stands at the chain's tip, on the chain's own block."""
        await self.chain.check()
        tip = await self.chain.tip()
        row = await self.database.read_row(WATERMARK, self.network_id)
        if row is None:
            return [Difference(Kind.NOT_SCANNED, f"nothing is scanned, the tip is {tip.height}")]
        if (row["height"], row["block_hash"]) == (tip.height, tip.block_hash):
            return []
        text = (
            f"the scan stands at {row['height']} {row['block_hash']}, the chain at {tip.height} "
            f"{tip.block_hash}: a worker has to scan first"
        )
        return [Difference(Kind.NOT_SCANNED, text)]
