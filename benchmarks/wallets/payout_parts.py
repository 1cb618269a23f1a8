"""Engine and approver that say yes at once, and what counts calls while payouts are measured.

Used by `benchmarks.wallets.payouts`. They keep the contracts of the real ones, with no decisions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.signer.v1 import intent_pb2
from runtime.postgres import Database
from venue.flow.definitions import SHARD
from wallets.contract import Approval, Death, WithdrawalId
from wallets.core import inbox, outbox
from wallets.core.inbox import Answered, JournalRow, Requested
from wallets.http_posts import Answer
from wallets.signer.approvals import APPROVAL_PREFIX
from wallets.tron.node import Node, NodeSettings

ACCOUNT_ID: Final = 4096
APPROVER_KEY_ID: Final = "bench"
NEVER_NS: Final = 2**62


@dataclass(slots=True)
class AnswersAll:
    """An engine that does each numbered command."""

    database: Database
    source_id: int
    last_seq: int = 0

    async def tell(self, *events: Requested | Answered) -> None:
        """One row of its journal."""
        first = self.last_seq + 1
        self.last_seq += max(1, len(events))
        await inbox.take(self.database, JournalRow(SHARD, first, self.last_seq, events))

    async def answer(self) -> bool:
        """All commands that wait, in one row; False when there was none."""
        async with self.database.connection() as connection:
            waiting = await outbox.read_unanswered(connection, self.source_id)
        if waiting:
            await self.tell(*(Answered(one.source_id, one.source_seq, 0) for one in waiting))
        return bool(waiting)


@dataclass(frozen=True, slots=True)
class ApprovesAll:
    """An approver that the signer knows; it looks only at what is asked for."""

    key: Ed25519PrivateKey
    network_id: int
    requests: Mapping[bytes, Requested]

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        """Its word. Nothing dies in a benchmark."""
        assert not dead, "every first attempt is mined"
        asked = self.requests[withdrawal_id]
        content = intent_pb2.Approval(
            kind=intent_pb2.APPROVAL_KIND_PAYOUT,
            withdrawal_id=withdrawal_id,
            network_id=self.network_id,
            destination=asked.destination,
            amount_atoms=str(asked.amount_atoms),
            highest_fee_atoms=str(fee_atoms_max),
            expires_ns=NEVER_NS,
            key_id=APPROVER_KEY_ID,
        ).SerializeToString()
        return Approval(content, self.key.sign(APPROVAL_PREFIX + content))


class CountedNode(Node):
    """A client that counts what it asks."""

    def __init__(self, settings: NodeSettings) -> None:
        super().__init__(settings)
        self.posts = 0

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        self.posts += 1
        return await super()._post(path, body)
