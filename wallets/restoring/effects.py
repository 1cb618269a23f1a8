"""What the engine did under numbers that custody does not know, read from its journal.

Called by settling. The answer to a command names its number; the report of money with the same
sequence says what moved and whose it was. It reads rows and keeps nothing of others.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from cambist.feed.errors import FeedBroken
from cambist.feed.row import Frame, frames
from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from wallets.core.outbox import numbers_of
from wallets.engines import Stub
from wallets.errors import Broken
from wallets.restoring import limits

PRIVATE: Final = int(frames_pb2.FRAME_KIND_PRIVATE)
SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)
# Source and number of a command.
Number: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one command; without an id it moved nobody's money."""

    number: Number
    seq: int
    # Why the engine refused it; 0 = it did not.
    reason: int
    kind: "events_pb2.MoneyKind.ValueType" = events_pb2.MONEY_KIND_UNSPECIFIED
    # Of the deposit or the withdrawal.
    subject_id: bytes = b""
    account_id: int = 0
    asset_id: int = 0
    amount_atoms: int = 0

    def __str__(self) -> str:
        source_id, source_seq = self.number
        text = f"{source_id}/{source_seq} at {self.seq}: "
        if self.reason:
            return f"{text}refused, reason {self.reason}"
        if not self.subject_id:
            return f"{text}nothing moved"
        name = events_pb2.MoneyKind.Name(self.kind).removeprefix("MONEY_KIND_").lower()
        return (
            f"{text}{name} {self.subject_id.hex()}, {self.amount_atoms} atoms of asset "
            f"{self.asset_id}, account {self.account_id}"
        )


async def read(
    stub: Stub, shard: int, first_seq: int, wanted: Collection[Number]
) -> AsyncIterator[Effect]:
    """Effects of these numbers from a sequence to what is released now, in journal order.

    Raises AioRpcError, Broken.
    """
    status = await stub.GetStatus(matching_pb2.GetStatusRequest(), timeout=limits.STATUS_SECONDS)
    if status.released_seq < first_seq:
        return
    request = matching_pb2.StreamEventsRequest(
        shard=shard, from_seq=first_seq, until_seq=status.released_seq
    )
    async for answer in stub.StreamEvents(request, timeout=limits.FOLLOW_SECONDS):
        for row in answer.rows:
            for effect in of_row(row.events, wanted):
                yield effect


def of_row(row: bytes, wanted: Collection[Number]) -> list[Effect]:
    """Effects of these numbers in one row. Raises Broken. Pure."""
    try:
        found = frames(row)
    except FeedBroken as error:
        raise Broken(f"a row of {len(row)} bytes that is none") from error
    answers = {}
    for frame in found:
        if frame.kind == SYSTEM:
            for event in frames_pb2.SystemEvents.FromString(frame.payload).events:
                number = numbers_of(event.answer.correlation)
                is_taken = event.answer.reason != enums_pb2.REJECT_REASON_SOURCE_GAP
                if event.WhichOneof("event") == "answer" and number in wanted and is_taken:
                    answers[event.seq] = Effect(number, event.seq, event.answer.reason)
    if not answers:
        return []
    for frame in found:
        if frame.kind == PRIVATE:
            _add_money(frame, answers)
    return [answers[seq] for seq in sorted(answers)]


def _add_money(frame: Frame, answers: dict[int, Effect]) -> None:
    for event in events_pb2.PrivateEvents.FromString(frame.payload).events:
        answer = answers.get(event.seq)
        if answer is None or event.WhichOneof("event") != "money_report":
            continue
        report = event.money_report
        answers[event.seq] = Effect(
            answer.number,
            event.seq,
            answer.reason,
            report.kind,
            report.id,
            event.account_id,
            report.asset_id,
            int.from_bytes(report.amount_atoms, "little", signed=True),
        )
