"""The event row: frames by kind and key, with their directory. Section 2, "Event row"."""

import struct
from typing import Any

from google.protobuf.message import Message

from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import events_pb2
from matching.reference import limits

HEAD = struct.Struct("<II")
RECORD = struct.Struct("<B3xIQQQII")
SESSION, PRIVATE, BALANCE, L3, TRADES, L2, BBO, STATUS, SYSTEM = range(1, 10)
CONTAINERS: dict[int, tuple[type[Message], str]] = {
    SESSION: (events_pb2.SessionEvents, "events"),
    PRIVATE: (events_pb2.PrivateEvents, "events"),
    BALANCE: (frames_pb2.BalanceUpdates, "updates"),
    L3: (market_events.L3Events, "events"),
    TRADES: (market_events.Trades, "trades"),
    L2: (market_events.L2Deltas, "deltas"),
    BBO: (market_events.BestBidOffers, "quotes"),
    STATUS: (market_events.MarketStatuses, "statuses"),
    SYSTEM: (frames_pb2.SystemEvents, "events"),
}
# The field whose first and last values stand in the directory.
NUMBERED_BY = {
    PRIVATE: "account_seq",
    BALANCE: "seq",
    L3: "market_seq",
    TRADES: "market_seq",
    BBO: "market_seq",
    STATUS: "market_seq",
    SYSTEM: "seq",
}


class Frames:
    """Events of a batch, gathered in the order they are told."""

    def __init__(self) -> None:
        self._events: dict[tuple[int, int], list[Any]] = {}

    def tell(self, kind: int, key: int, event: Message) -> None:
        """Adds an event behind the others of its frame."""
        self._events.setdefault((kind, key), []).append(event)

    def row(self, session_numbers: dict[int, tuple[int, int]]) -> bytes:
        """The row. `session_numbers`: last numbers of the sessions that exist."""
        records, payloads, offset = [], [], 0
        for (kind, key), events in sorted(self._events.items()):
            container, name = CONTAINERS[kind]
            payload = container(**{name: events}).SerializeToString(deterministic=True)
            first, last = _range(kind, key, events, session_numbers)
            records.append(RECORD.pack(kind, len(events), key, first, last, offset, len(payload)))
            payloads.append(payload)
            offset += len(payload)
        head = HEAD.pack(limits.LAYOUT_VERSION, len(records))
        return b"".join([head, *records, *payloads])


def _range(
    kind: int, key: int, events: list[Any], session_numbers: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    if kind == SESSION:
        return session_numbers.get(key, (0, 0))
    if kind == L2:
        return events[0].first_market_seq, events[-1].last_market_seq
    name = NUMBERED_BY[kind]
    return getattr(events[0], name), getattr(events[-1], name)
