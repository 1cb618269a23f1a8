"""The sequencer's clock never goes back and never follows a step of the wall clock."""

from hypothesis import given
from hypothesis import strategies as st

from matching import limits
from matching.sequencer.clock import SequencerClock
from runtime.clock import ManualClock

SECOND = 1_000_000_000
DATABASE_NS = 1_700_000_000 * SECOND


def start(clock: ManualClock, journaled_ns: int = 0) -> SequencerClock:
    return SequencerClock(clock, journaled_ns, DATABASE_NS, clock.monotonic_ns())


def test_it_starts_at_the_databases_time() -> None:
    clock = ManualClock()
    time = start(clock)
    clock.advance(5)
    assert time.now_ns() == DATABASE_NS + 5


def test_it_starts_at_the_last_journaled_time_when_that_is_later() -> None:
    clock = ManualClock()
    time = start(clock, journaled_ns=DATABASE_NS + 7 * SECOND)
    assert time.now_ns() == DATABASE_NS + 7 * SECOND
    assert time.is_skewed
    assert time.offset_ns == 7 * SECOND


def test_time_that_passed_since_the_reading_counts() -> None:
    clock = ManualClock()
    read_ns = clock.monotonic_ns()
    clock.advance(3 * SECOND)
    assert SequencerClock(clock, 0, DATABASE_NS, read_ns).now_ns() == DATABASE_NS + 3 * SECOND


def test_a_step_of_the_wall_clock_changes_nothing() -> None:
    clock = ManualClock()
    time = start(clock)
    clock.step_wall(-3_600 * SECOND)
    assert time.now_ns() == DATABASE_NS


def test_an_observation_pulls_by_a_little_only() -> None:
    clock = ManualClock()
    time = start(clock)
    time.observe(DATABASE_NS + 10 * SECOND, clock.monotonic_ns())
    assert time.offset_ns == -10 * SECOND
    assert time.is_skewed
    assert time.now_ns() == DATABASE_NS + limits.CLOCK_SLEW_NS


@given(
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(-5 * SECOND, 5 * SECOND)), max_size=50)
)
def test_it_never_goes_back_whatever_the_database_says(steps: list[tuple[int, int]]) -> None:
    clock = ManualClock()
    time = start(clock)
    last = time.now_ns()
    for passed_ns, error_ns in steps:
        clock.advance(passed_ns)
        time.observe(DATABASE_NS + clock.monotonic_ns() + error_ns, clock.monotonic_ns())
        assert time.now_ns() >= last
        last = time.now_ns()


def test_a_small_difference_is_pulled_to_nothing() -> None:
    clock = ManualClock()
    time = start(clock)
    ahead_ns = 3 * limits.CLOCK_SLEW_NS
    for _ in range(4):
        clock.advance(SECOND // 4)
        time.observe(DATABASE_NS + clock.monotonic_ns() + ahead_ns, clock.monotonic_ns())
    assert time.now_ns() == DATABASE_NS + clock.monotonic_ns() + ahead_ns
