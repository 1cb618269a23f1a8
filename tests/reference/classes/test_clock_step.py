"""A step of the clock fires every timer."""

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.reference.venue import FIRST, SECOND_NS, SELL, SHARD, Venue

GTD = enums.TIME_IN_FORCE_GTD


def test_a_leap_ends_only_what_is_due(venue: Venue) -> None:
    ends = [venue.now + seconds * SECOND_NS for seconds in (10, 3_600, 86_400)]
    for lots, end in enumerate(ends, 1):
        venue.place(FIRST, SELL, 100, lots, time_in_force=GTD, expire_time_ns=end)
    venue.place(FIRST, SELL, 100, 9)
    assert venue.engine.next_timer_ns == ends[0]
    venue.wait(3_600 * SECOND_NS)
    told = venue.operate(system.Clock())
    assert told.lines(FIRST) == ["EXPIRED 1 cum 0", "EXPIRED 2 cum 0"]
    assert venue.engine.next_timer_ns == ends[2]
    assert venue.book() == ([], ["3@100 of 4096", "9@100 of 4096"])


def test_time_that_goes_back_is_refused_and_fires_nothing(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 1, time_in_force=GTD, expire_time_ns=venue.now + 10 * SECOND_NS)
    before = venue.engine.snapshot()
    batch = messages.batch(
        SHARD,
        venue.engine.last_seq + 1,
        venue.engine.time_ns - 1,
        [messages.system_envelope([system.Clock()])],
    )
    with pytest.raises(venue.kind.refused, match="TIME_BACKWARDS"):
        venue.engine.apply(batch)
    assert venue.engine.snapshot() == before
