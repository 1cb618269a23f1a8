"""Section 9, and the hashes of section 2: what an engine offers, and what it refuses unchanged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from blake3 import blake3

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.internal.matching.v1 import matching_pb2 as matching
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.engines import Kind
from tests.differential.flow import messages
from tests.reference.venue import BUY, FIRST, SELL, SHARD, Venue

SECTIONS = ("money", "books", "triggers", "sessions", "keys", "limits")
CLOCK = messages.system_envelope([system.Clock()])


def test_an_engine_starts_empty(engine: Kind) -> None:
    made = engine.make(9)
    assert made.state_hash == bytes(32)
    assert (made.last_seq, made.time_ns, made.next_timer_ns, made.open_cursors) == (0, 0, 0, 0)
    head = snapshot_pb2.Snapshot.FromString(made.snapshot())
    assert (head.layout_version, head.shard, head.rules_version) == (1, 9, 1)
    assert (head.last_seq, head.next_order_id, head.state_hash) == (0, 1, bytes(32))


def test_the_state_hash_is_a_chain_over_batches_and_rows(engine: Kind) -> None:
    made = engine.make(SHARD)
    expected = bytes(32)
    for number in range(3):
        batch = messages.batch(SHARD, number + 1, number, [CLOCK])
        row = made.apply(batch)
        expected = blake3(expected + blake3(batch).digest() + blake3(row).digest()).digest()
        assert made.state_hash == expected
        assert (made.last_seq, made.time_ns) == (number + 1, number)


def test_a_row_that_is_expected_is_compared_and_the_batch_applied_all_the_same(
    engine: Kind,
) -> None:
    first, second = engine.make(SHARD), engine.make(SHARD)
    for number in range(3):
        batch = messages.batch(SHARD, number + 1, number, [CLOCK])
        row = first.apply(batch)
        expected = row if number != 1 else row + bytes(1)
        assert second.apply_expecting(batch, expected) == (expected == row)
        assert second.state_hash == first.state_hash
        assert (second.last_seq, second.time_ns) == (number + 1, number)
    with pytest.raises(engine.refused):
        second.apply_expecting(batch, row)
    assert second.state_hash == first.state_hash


def test_parts_are_hashes_of_the_sections_of_the_snapshot(venue: Venue) -> None:
    venue.place(FIRST, BUY, 100, 1)
    head = venue.state.head
    assert venue.engine.state_parts() == {
        name: blake3(getattr(head, name)).digest() for name in SECTIONS
    }
    assert head.state_hash == venue.engine.state_hash


MALFORMED = messages.Envelope(command_class=enums.COMMAND_CLASS_UNARY, count=1, commands=b"\xff")
FULL = messages.system_envelope([system.Clock()] * 1_000)
MANY = (MALFORMED,) * 5_000


@dataclass(frozen=True, slots=True)
class Following:
    """A batch that follows the last one, less what is changed."""

    envelopes: Sequence[messages.Envelope] = (CLOCK,)
    seq_ahead: int = 0
    time_ahead_ns: int = 0
    shard: int = SHARD
    tail: bytes = b""

    def bytes_for(self, venue: Venue) -> bytes:
        """The batch."""
        seq = venue.engine.last_seq + 1 + self.seq_ahead
        now = venue.engine.time_ns + self.time_ahead_ns
        return messages.batch(self.shard, seq, now, self.envelopes) + self.tail


# Each breaks rules behind its own too, so that the order of judgement is seen.
REFUSED = [
    ("MALFORMED_BATCH", Following(tail=b"\x08")),
    ("MALFORMED_BATCH", Following(MANY, 5, -5, 9, tail=b"\x28\x00")),
    ("MALFORMED_BATCH", Following(tail=b"\x08\x03")),
    ("MALFORMED_BATCH", Following(tail=b"\x22\x05\x00")),
    ("WRONG_SHARD", Following(MANY, 5, -5, 9)),
    ("WRONG_SEQ", Following(MANY, 1, -5)),
    ("WRONG_SEQ", Following(seq_ahead=-1)),
    ("TIME_BACKWARDS", Following(MANY, time_ahead_ns=-1)),
    ("TIME_BACKWARDS", Following((), time_ahead_ns=-(10**17))),
    ("NO_ENVELOPE", Following(())),
    ("TOO_LARGE", Following((MALFORMED,) * 4_097)),
    ("TOO_LARGE", Following((*[FULL] * 10, CLOCK, MALFORMED))),
]


@pytest.mark.parametrize(("reason", "batch"), REFUSED)
def test_a_refused_batch_changes_nothing(venue: Venue, reason: str, batch: Following) -> None:
    before = venue.engine.snapshot()
    with pytest.raises(venue.kind.refused) as refused:
        venue.engine.apply(batch.bytes_for(venue))
    error: Any = refused.value
    assert error.reason == reason
    assert venue.engine.snapshot() == before


def test_the_largest_batch_is_taken(venue: Venue) -> None:
    venue.checks = False
    last = venue.engine.last_seq
    venue.apply(*[FULL] * 10)
    assert venue.engine.last_seq == last + 10_000
    venue.apply(*[CLOCK] * 4_096)
    assert venue.engine.last_seq == last + 14_096


def test_a_malformed_envelope_changes_nothing_of_the_batch(venue: Venue) -> None:
    before = venue.engine.snapshot()
    with pytest.raises(venue.kind.malformed) as malformed:
        venue.apply(venue.unary(venue.order(FIRST, BUY, 100, 1)), MALFORMED)
    error: Any = malformed.value
    assert (error.reason, error.index, error.field) == error.args
    assert error.reason == matching.MALFORMED_REASON_TRUNCATED
    assert venue.engine.snapshot() == before
    # An envelope is judged before the sum of those behind it.
    with pytest.raises(venue.kind.malformed):
        venue.apply(MALFORMED, *[FULL] * 11)


def test_two_batches_may_have_one_time(venue: Venue) -> None:
    now = venue.engine.time_ns
    venue.engine.apply(Following().bytes_for(venue))
    assert venue.engine.time_ns == now


def fault(venue: Venue, judge: Callable[[bytes], object], data: bytes) -> tuple[int, ...] | None:
    """Why bytes are malformed; None when they are not."""
    try:
        judge(data)
    except venue.kind.malformed as error:
        numbers: tuple[int, ...] = error.args
        return numbers
    return None


def test_envelopes_are_judged_alike_alone_and_in_a_batch(venue: Venue) -> None:
    whole = venue.unary(venue.order(FIRST, BUY, 100, 1)).SerializeToString()
    engine: Any = venue.engine
    faults = set()
    for place in range(len(whole)):
        for changed in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            alone = fault(venue, engine.check_envelope, changed)
            batch = Following((), tail=b"\x22" + bytes([len(changed)]) + changed)
            assert fault(venue, engine.apply, batch.bytes_for(venue)) == alone
            faults.add(alone)
    assert len(faults) > 10


def test_timers_and_cursors_are_named(venue: Venue) -> None:
    ends = [venue.now + seconds * 10**9 for seconds in (20, 10)]
    life = enums.TIME_IN_FORCE_GTD
    for end in ends:
        venue.place(FIRST, SELL, 100, 1, time_in_force=life, expire_time_ns=end)
    assert venue.engine.next_timer_ns == ends[1]
    assert venue.kind.restore(venue.engine.snapshot()).next_timer_ns == ends[1]
    venue.kill_market()
    assert venue.engine.open_cursors == 1
    assert venue.kind.restore(venue.engine.snapshot()).open_cursors == 1
    venue.operate(system.Clock())
    assert (venue.engine.next_timer_ns, venue.engine.open_cursors) == (0, 0)
