"""Says in words where two engines differ: the first frame, the event, the commands of the batch.

Used by the duel's callers. Everything is decoded with the protobuf library alone.
"""

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from itertools import islice, zip_longest
from typing import Final

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message

from cambist.feed.errors import FeedBroken
from cambist.feed.row import Frame
from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.duel import Disagreement
from tests.differential.engines import Row
from tests.differential.tape import Apply, Step

LINES_MAX: Final = 60
COMMANDS_SHOWN: Final = 40
CONTAINERS: Final[dict[int, type[Message]]] = {
    frames.FRAME_KIND_SESSION: events.SessionEvents,
    frames.FRAME_KIND_PRIVATE: events.PrivateEvents,
    frames.FRAME_KIND_BALANCE: frames.BalanceUpdates,
    frames.FRAME_KIND_L3: market_data.L3Events,
    frames.FRAME_KIND_TRADES: market_data.Trades,
    frames.FRAME_KIND_L2: market_data.L2Deltas,
    frames.FRAME_KIND_BBO: market_data.BestBidOffers,
    frames.FRAME_KIND_STATUS: market_data.MarketStatuses,
    frames.FRAME_KIND_SYSTEM: frames.SystemEvents,
}
SECTIONS: Final[dict[str, type[Message]]] = {
    "money": snapshots.MoneySection,
    "books": snapshots.BooksSection,
    "triggers": snapshots.TriggersSection,
    "sessions": snapshots.SessionsSection,
    "keys": snapshots.KeysSection,
    "limits": snapshots.LimitsSection,
}


def describe(found: Disagreement, steps: Sequence[Step]) -> str:
    """A report of a disagreement at the last of these steps."""
    lines = [f"step {found.step} of {len(steps)}: {found.aspect} differ"]
    if isinstance(found.kernel, Row) and isinstance(found.reference, Row):
        if found.kernel.row != found.reference.row:
            lines += _rows(found.kernel.row, found.reference.row)
        else:
            lines += [f"kernel     {found.kernel}", f"reference  {found.reference}"]
    elif isinstance(found.kernel, bytes) and isinstance(found.reference, bytes):
        lines += _snapshots(found.kernel, found.reference)
    else:
        lines += [f"kernel     {found.kernel!r}"[:2_000], f"reference  {found.reference!r}"[:2_000]]
    last = steps[found.step - 1] if found.step <= len(steps) else None
    if isinstance(last, Apply):
        lines += ["the batch:", *_batch(last.batch)]
    return "\n".join(lines)


def _rows(kernel: bytes, reference: bytes) -> Iterator[str]:
    """The first frame that differs."""
    try:
        pairs = zip_longest(frames_of(kernel), frames_of(reference))
    except FeedBroken:
        yield f"the layout of a row is broken: kernel {kernel!r} reference {reference!r}"
        return
    for ours, theirs in pairs:
        if ours == theirs:
            continue
        yield f"kernel     frame {_head(ours)}"
        yield f"reference  frame {_head(theirs)}"
        yield from _diff(_payload(ours), _payload(theirs))
        return


def _head(frame: Frame | None) -> str:
    if frame is None:
        return "(none)"
    kind = frames.FrameKind.Name(frame.kind)  # type: ignore[arg-type]
    return (
        f"{kind} key {frame.key}: {frame.events} events, first {frame.first}, last {frame.last}, "
        f"{len(frame.payload)} bytes"
    )


def _payload(frame: Frame | None) -> str:
    if frame is None:
        return ""
    return _text(CONTAINERS[frame.kind], frame.payload)


def _text(message_type: type[Message], data: bytes) -> str:
    try:
        message = message_type.FromString(data)
    except DecodeError:
        return repr(data)
    if message.SerializeToString(deterministic=True) != data:
        return f"(not canonical) {data!r}\n{message}"
    return text_format.MessageToString(message)


def _snapshots(kernel: bytes, reference: bytes) -> Iterator[str]:
    """Every section that differs."""
    ours, theirs = (snapshots.Snapshot.FromString(data) for data in (kernel, reference))
    for name, message_type in SECTIONS.items():
        if getattr(ours, name) != getattr(theirs, name):
            yield f"section {name}:"
            yield from _diff(
                _text(message_type, getattr(ours, name)), _text(message_type, getattr(theirs, name))
            )
        for side in (ours, theirs):
            side.ClearField(name)  # type: ignore[arg-type]
    yield from _diff(str(ours), str(theirs))


def _diff(ours: str, theirs: str) -> Iterator[str]:
    """Lines of the kernel with -, of the reference with +, a little of what is equal."""
    found = unified_diff(
        ours.splitlines(), theirs.splitlines(), "kernel", "reference", n=8, lineterm=""
    )
    yield from islice(found, LINES_MAX)


def _batch(data: bytes) -> Iterator[str]:
    """The commands of a batch, one a line."""
    try:
        batch = batch_pb2.Batch.FromString(data)
    except DecodeError:
        yield f"  {data[:400]!r}"
        return
    yield f"  first_seq {batch.first_seq} time_ns {batch.time_ns} shard {batch.shard}"
    seq, shown = batch.first_seq, 0
    for envelope in batch.envelopes:
        name = enums.CommandClass.Name(envelope.command_class)
        yield (
            f"  {name} session {envelope.session_id} connection {envelope.connection} "
            f"first_seq_no {envelope.first_seq_no} count {envelope.count}"
        )
        for text in _commands(envelope):
            shown += 1
            if shown <= COMMANDS_SHOWN:
                yield f"    {seq}: {text}"
            seq += 1


def _commands(envelope: batch_pb2.Envelope) -> Iterator[str]:
    try:
        for command in commands.Commands.FromString(envelope.commands).commands:
            yield text_format.MessageToString(command, as_one_line=True)
        for order in system.SystemCommands.FromString(envelope.system_commands).commands:
            yield text_format.MessageToString(order, as_one_line=True)
    except DecodeError:
        yield repr(envelope)[:400]
