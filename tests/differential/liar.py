"""An engine with a fault that is known, to test what looks for faults.

Used by the tests of the duel and of the shrinker. It answers as the kernel does, but where an order
is restated by self-trade prevention it tells one lot less.
"""

from dataclasses import dataclass, replace
from typing import Final, cast

from cambist.feed.row import HEAD, RECORD
from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.engines import Engine, Kind

LAYOUT: Final = 1


def _told_wrong(row: bytes) -> bytes:
    """The row with smaller decrements."""
    records, payloads = b"", b""
    found = frames_of(row)
    for frame in found:
        payload = frame.payload
        if frame.kind == frames.FRAME_KIND_PRIVATE:
            container = events.PrivateEvents.FromString(payload)
            for event in container.events:
                if event.execution_report.exec_type == enums.EXEC_TYPE_RESTATED:
                    event.execution_report.last_lots -= 1
            payload = container.SerializeToString(deterministic=True)
        records += RECORD.pack(
            frame.kind,
            bytes(3),
            frame.events,
            frame.key,
            frame.first,
            frame.last,
            len(payloads),
            len(payload),
        )
        payloads += payload
    return HEAD.pack(LAYOUT, len(found)) + records + payloads


@dataclass(slots=True)
class Liar:
    """An honest engine whose rows are told wrong."""

    honest: Engine

    @property
    def last_seq(self) -> int:
        return self.honest.last_seq

    @property
    def time_ns(self) -> int:
        return self.honest.time_ns

    @property
    def next_timer_ns(self) -> int:
        return self.honest.next_timer_ns

    @property
    def open_cursors(self) -> int:
        return self.honest.open_cursors

    @property
    def state_hash(self) -> bytes:
        return self.honest.state_hash

    def apply(self, batch: bytes) -> bytes:
        return _told_wrong(self.honest.apply(batch))

    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        return self.apply(batch) == row

    def snapshot(self) -> bytes:
        return self.honest.snapshot()

    def state_parts(self) -> dict[str, bytes]:
        return self.honest.state_parts()


def lying(kind: Kind) -> Kind:
    """An implementation that lies."""
    return replace(
        kind,
        name="liar",
        make=lambda shard: cast("Engine", Liar(kind.make(shard))),
        restore=lambda snapshot: cast("Engine", Liar(kind.restore(snapshot))),
    )
