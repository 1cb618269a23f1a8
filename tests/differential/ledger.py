"""Counts quantities from commands and events: what was submitted, filled, cancelled, refused.

Used by the property of volume. It believes events alone.
"""

from collections import defaultdict

from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events

ENDING = frozenset({enums.EXEC_TYPE_CANCELED, enums.EXEC_TYPE_EXPIRED})


class Ledger:
    """Quantities in lots, in all and by order."""

    def __init__(self) -> None:
        self.traded_lots = 0
        # A budget has no quantity: what it bought counts as submitted.
        self.submitted_lots = 0
        self.filled_lots = 0
        self.cancelled_lots = 0
        self._filled: dict[int, int] = defaultdict(int)
        self._total: dict[int, int] = {}

    def take(self, row: bytes) -> None:
        """Takes in an event row."""
        for frame in frames_of(row):
            if frame.kind == frames.FRAME_KIND_PRIVATE:
                for event in events.PrivateEvents.FromString(frame.payload).events:
                    if event.HasField("execution_report") and not event.execution_report.repeat:
                        self._report(event.execution_report)
            elif frame.kind == frames.FRAME_KIND_TRADES:
                for trade in market_data.Trades.FromString(frame.payload).trades:
                    self.traded_lots += trade.quantity_lots

    def _report(self, report: events.ExecutionReport) -> None:
        order = report.order_id
        if report.exec_type == enums.EXEC_TYPE_NEW:
            self._total[order] = report.quantity_lots
            self.submitted_lots += report.quantity_lots
        elif report.exec_type == enums.EXEC_TYPE_TRADE:
            self._filled[order] += report.last_lots
            self.filled_lots += report.last_lots
            if not self._total[order]:
                self.submitted_lots += report.last_lots
        elif report.exec_type == enums.EXEC_TYPE_REPLACED:
            self.submitted_lots += report.quantity_lots - self._total[order]
            self._total[order] = report.quantity_lots
        elif report.exec_type == enums.EXEC_TYPE_RESTATED:
            self.cancelled_lots += report.last_lots
            self._total[order] -= report.last_lots
        elif report.exec_type in ENDING and self._total[order]:
            self.cancelled_lots += self._total[order] - self._filled[order]
