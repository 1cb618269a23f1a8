"""Counts what occurs on a tape: refusals, events, kinds of commands, how much trades.

Used by the bulk tests to show that a tape reaches every corner. It reads batches and rows with the
protobuf library alone.
"""

from collections import Counter
from typing import Any

from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.internal.matching.v1 import matching_pb2 as matching
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.engines import Outcome, Refused, Row
from tests.differential.tape import Apply, Restore, Step

ANSWERS = ("cancel_reject", "execution_report", "money_report", "resolve_report")


def _name(values: Any, number: int) -> str:
    """The name of a number in a generated enum."""
    name: str = values.Name(number)
    return name


class Census:
    """Counters of one tape. `trading` counts commands that traded as a taker."""

    def __init__(self) -> None:
        self.commands = 0
        self.trading = 0
        self.batches = 0
        self.kinds: Counter[str] = Counter()
        self.rejects: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.malformed: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def count(self, step: Step, outcome: Outcome | None) -> None:
        """Counts one step with its answer."""
        if isinstance(step, Restore):
            self.events["restored"] += 1
        elif isinstance(outcome, Refused):
            self.refusals[outcome.reason] += 1
            if outcome.malformed is not None:
                self.malformed[_name(matching.MalformedReason, outcome.malformed[0])] += 1
        elif isinstance(outcome, Row):
            self.batches += 1
            self._count_batch(step)
            self._count_row(outcome.row)

    def add(self, other: "Census") -> None:
        """Takes in another tape's counts."""
        self.commands += other.commands
        self.trading += other.trading
        self.batches += other.batches
        for name in ("kinds", "rejects", "refusals", "malformed", "events"):
            getattr(self, name).update(getattr(other, name))

    def _count_batch(self, step: Apply) -> None:
        for envelope in batch_pb2.Batch.FromString(step.batch).envelopes:
            self.commands += envelope.count
            self.kinds[_name(enums.CommandClass, envelope.command_class)] += envelope.count
            if envelope.command_class == enums.COMMAND_CLASS_SYSTEM:
                body = system.SystemCommands.FromString(envelope.system_commands)
                for one in body.commands:
                    self.kinds[f"system {one.WhichOneof('command')}"] += 1
            else:
                for command in commands.Commands.FromString(envelope.commands).commands:
                    self.kinds[command.WhichOneof("command") or ""] += 1

    def _count_row(self, row: bytes) -> None:
        takers = set()
        for frame in frames_of(row):
            match frame.kind:
                case frames.FRAME_KIND_PRIVATE:
                    for event in events.PrivateEvents.FromString(frame.payload).events:
                        if self._private(event):
                            takers.add(event.seq)
                case frames.FRAME_KIND_SESSION:
                    for told in events.SessionEvents.FromString(frame.payload).events:
                        self._session(told)
                case frames.FRAME_KIND_L3:
                    for public in market_data.L3Events.FromString(frame.payload).events:
                        self.events[_name(market_data.L3Action, public.action)] += 1
                case frames.FRAME_KIND_SYSTEM:
                    for happened in frames.SystemEvents.FromString(frame.payload).events:
                        self._system(happened)
        self.trading += len(takers)

    def _private(self, event: events.PrivateEvent) -> bool:
        """Counts one private event; whether it is a taker's trade."""
        kind = event.WhichOneof("event") or ""
        self.events[kind] += 1
        body = getattr(event, kind)
        if kind in ANSWERS and body.reject_reason:
            self.rejects[_name(enums.RejectReason, body.reject_reason)] += 1
        if getattr(body, "repeat", False):
            self.events[f"repeated {kind}"] += 1
        if kind == "execution_report":
            self.events[_name(enums.ExecType, body.exec_type)] += 1
            if body.cancel_reason:
                self.events[_name(enums.CancelReason, body.cancel_reason)] += 1
            return bool(body.liquidity == enums.LIQUIDITY_TAKER)
        if kind == "money_report" and not body.reject_reason:
            self.events[_name(events.MoneyKind, body.kind)] += 1
        elif kind == "resolve_report":
            self.events[_name(enums.ResolveState, body.state)] += 1
        elif kind == "prevented_match":
            self.events[f"prevented {_name(enums.SelfTradePrevention, body.mode)}"] += 1
        return False

    def _session(self, event: events.SessionEvent) -> None:
        kind = event.WhichOneof("event") or ""
        self.events[f"session {kind}"] += 1
        if kind in ("refused", "not_applied"):
            reason = getattr(event, kind).reason
            if reason:
                self.rejects[_name(enums.RejectReason, reason)] += 1
            else:
                self.events["gap in numbers"] += 1

    def _system(self, event: frames.SystemEvent) -> None:
        kind = event.WhichOneof("event") or ""
        self.events[f"system {kind}"] += 1
        if kind == "answer" and event.answer.reason:
            self.rejects[_name(enums.RejectReason, event.answer.reason)] += 1
