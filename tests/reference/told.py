"""What an event row tells, by whom it is told to. Used by every test of a rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from cambist.feed.row import Frame, frames
from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import events_pb2 as events
from tests.reference import lines as line

CONTAINERS: dict[int, tuple[Any, str]] = {
    frames_pb2.FRAME_KIND_SESSION: (events.SessionEvents, "events"),
    frames_pb2.FRAME_KIND_PRIVATE: (events.PrivateEvents, "events"),
    frames_pb2.FRAME_KIND_BALANCE: (frames_pb2.BalanceUpdates, "updates"),
    frames_pb2.FRAME_KIND_L3: (market_events.L3Events, "events"),
    frames_pb2.FRAME_KIND_TRADES: (market_events.Trades, "trades"),
    frames_pb2.FRAME_KIND_L2: (market_events.L2Deltas, "deltas"),
    frames_pb2.FRAME_KIND_BBO: (market_events.BestBidOffers, "quotes"),
    frames_pb2.FRAME_KIND_STATUS: (market_events.MarketStatuses, "statuses"),
    frames_pb2.FRAME_KIND_SYSTEM: (frames_pb2.SystemEvents, "events"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """An event row."""

    row: bytes

    @property
    def frames(self) -> list[Frame]:
        """Its frames, in order."""
        return frames(self.row)

    def of_kind(self, kind: int, key: int | None = None) -> list[Any]:
        """The events of a kind; of all keys, or of one."""
        container, field = CONTAINERS[kind]
        return [
            event
            for frame in self.frames
            if frame.kind == kind and key in (None, frame.key)
            for event in getattr(container.FromString(frame.payload), field)
        ]

    def private(self, account: int | None = None) -> list[events.PrivateEvent]:
        """Private events."""
        return self.of_kind(frames_pb2.FRAME_KIND_PRIVATE, account)

    def reports(self, account: int | None = None) -> list[events.ExecutionReport]:
        """Execution reports."""
        return [
            event.execution_report
            for event in self.private(account)
            if event.WhichOneof("event") == "execution_report"
        ]

    def money_reports(self, account: int | None = None) -> list[events.MoneyReport]:
        """Money reports."""
        return [
            event.money_report
            for event in self.private(account)
            if event.WhichOneof("event") == "money_report"
        ]

    def lines(self, account: int) -> list[str]:
        """What an account is told, line by line."""
        return [line.private(event) for event in self.private(account)]

    def l3(self, market: int) -> list[str]:
        """What the feed of a book tells, line by line."""
        return [line.l3(event) for event in self.of_kind(frames_pb2.FRAME_KIND_L3, market)]

    def trades(self, market: int) -> list[market_events.Trade]:
        """Trades of a market."""
        return cast("list[market_events.Trade]", self.of_kind(frames_pb2.FRAME_KIND_TRADES, market))

    def system(self) -> list[str]:
        """What the venue is told, line by line."""
        return [line.system(event) for event in self.system_events()]

    def system_events(self) -> list[frames_pb2.SystemEvent]:
        """Events of the venue."""
        return cast("list[frames_pb2.SystemEvent]", self.of_kind(frames_pb2.FRAME_KIND_SYSTEM))

    def session(self, session_id: int) -> list[str]:
        """What a session is told, line by line."""
        return [
            line.session(event) for event in self.of_kind(frames_pb2.FRAME_KIND_SESSION, session_id)
        ]

    def reasons(self) -> list[str]:
        """Names of all refusals, wherever they are told."""
        numbers = [
            *(_reason_of_private(event) for event in self.private()),
            *(
                event.refused.reason or event.not_applied.reason
                for event in self.of_kind(frames_pb2.FRAME_KIND_SESSION)
            ),
            *(event.answer.reason for event in self.system_events()),
        ]
        return [name for name in map(line.reason_name, numbers) if name]


def _reason_of_private(event: events.PrivateEvent) -> int:
    told = getattr(event, event.WhichOneof("event") or "")
    reason: int = getattr(told, "reject_reason", 0)
    return reason


def all_lines(tolds: Iterable[Told], account: int) -> list[str]:
    """What an account is told over several rows."""
    return [line for told in tolds for line in told.lines(account)]
