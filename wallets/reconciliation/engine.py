"""What the engine's accounts own in all, as its journal says, at the sequence custody has taken.

Called by `job`. The account of the world outside holds minus all that came in: one balance per
asset and shard, read from a snapshot once and then from the journal's rows. It sends no commands.
"""

from dataclasses import dataclass, field
from typing import Final

import grpc
import grpc.aio

from cambist.feed.errors import FeedBroken
from cambist.feed.row import frames
from cambist.internal.journal.v1 import frames_pb2, snapshot_pb2
from cambist.internal.matching.v1 import matching_pb2
from runtime.errors import Unavailable
from wallets.engines import Primary, Stub
from wallets.errors import Broken
from wallets.reconciliation import limits
from wallets.reconciliation.cut import Externals

EXTERNAL: Final = 4
BALANCE: Final = int(frames_pb2.FRAME_KIND_BALANCE)


@dataclass(slots=True)
class Engine:
    """One shard; keeps where it is between two looks."""

    shard: int
    primary: Primary
    _seq: int = -1
    _atoms: dict[int, int] = field(default_factory=dict)

    async def read(self, up_to_seq: int) -> Externals | None:
        """At exactly this sequence; None when the engine's snapshot is newer than that.

        Each of the shard's processes is asked at most once. Raises Unavailable, Broken.
        """
        await self.primary.first(self.shard, lambda stub: self._come_to(stub, up_to_seq))
        if self._seq != up_to_seq:
            return None
        return Externals(self.shard, self._seq, dict(self._atoms))

    async def _come_to(self, stub: Stub, up_to_seq: int) -> None:
        try:
            if self._seq < 0:
                await self._start(stub)
            if self._seq < up_to_seq:
                await self._follow(stub, up_to_seq)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                # The rows are gone by now: a snapshot has what they did.
                self._seq = -1
            raise

    async def _start(self, stub: Stub) -> None:
        self._seq, self._atoms = owned_of(await read_snapshot(stub, self.shard))

    async def _follow(self, stub: Stub, up_to_seq: int) -> None:
        status = await stub.GetStatus(
            matching_pb2.GetStatusRequest(), timeout=limits.STATUS_SECONDS
        )
        if status.released_seq < up_to_seq:
            raise Unavailable(
                f"shard {self.shard} is at {status.released_seq}, not {up_to_seq} yet"
            )
        request = matching_pb2.StreamEventsRequest(
            shard=self.shard,
            from_seq=self._seq + 1,
            until_seq=up_to_seq,
            account_ids=[EXTERNAL],
        )
        # Rows without the account are left out by the engine, so that holes are no fault.
        atoms = dict(self._atoms)
        async for answer in stub.StreamEvents(request, timeout=limits.FOLLOW_SECONDS):
            for row in answer.rows:
                atoms |= changed(row.events)
        self._seq, self._atoms = up_to_seq, atoms


async def read_snapshot(stub: Stub, shard: int) -> bytes:
    """The newest snapshot of a shard; empty when there is none yet. Raises AioRpcError, Broken."""
    chunks: list[bytes] = []
    size = 0
    try:
        request = matching_pb2.GetSnapshotRequest(shard=shard)
        async for answer in stub.GetSnapshot(request):
            size += len(answer.chunk)
            if answer.index != len(chunks) or size > limits.SNAPSHOT_BYTES_MAX:
                raise Broken(f"chunk {answer.index} of a snapshot, {size} bytes")
            chunks.append(answer.chunk)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    return b"".join(chunks)


def owned_of(snapshot: bytes) -> tuple[int, dict[int, int]]:
    """Sequence and atoms by asset of a snapshot's bytes; none = before the first command."""
    if not snapshot:
        return 0, {}
    whole = snapshot_pb2.Snapshot.FromString(snapshot)
    money = snapshot_pb2.MoneySection.FromString(whole.money)
    return whole.last_seq, {
        one.asset_id: -total(one) for one in money.balances if one.account_id == EXTERNAL
    }


def changed(row: bytes) -> dict[int, int]:
    """Atoms by asset where a row changed the account. Raises Broken when its bytes are none."""
    try:
        found = [frame for frame in frames(row) if (frame.kind, frame.key) == (BALANCE, EXTERNAL)]
    except FeedBroken as error:
        raise Broken(f"a row of {len(row)} bytes that is none") from error
    return {
        one.asset_id: -total(one)
        for frame in found
        for one in frames_pb2.BalanceUpdates.FromString(frame.payload).updates
    }


def total(balance: snapshot_pb2.BalanceState | frames_pb2.BalanceUpdate) -> int:
    """Of all three parts; they are signed."""
    parts = (balance.available_atoms, balance.held_atoms, balance.in_flight_atoms)
    return sum(int.from_bytes(part, "little", signed=True) for part in parts)
