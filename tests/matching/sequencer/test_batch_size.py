"""The size of batches follows the size of event rows."""

from hypothesis import given
from hypothesis import strategies as st

from matching import limits
from matching.sequencer.batch_size import BatchSize

LARGE = limits.EVENT_ROW_BYTES_TARGET


def test_rows_of_customary_size_leave_the_limit_alone() -> None:
    size = BatchSize(4_000)
    size.learn(4_000, 4_000 * 200)
    assert size.commands == 4_000


def test_a_row_that_is_too_large_lowers_the_limit_at_once() -> None:
    size = BatchSize(4_000)
    size.learn(4_000, LARGE * 8)
    assert size.commands == 500


def test_it_never_falls_below_the_floor() -> None:
    size = BatchSize(4_000)
    size.learn(1, LARGE * 100)
    assert size.commands == limits.BATCH_COMMANDS_FLOOR


def test_it_rises_again_by_doubling_when_full_batches_are_small() -> None:
    size = BatchSize(4_000)
    size.learn(4_000, LARGE * 8)
    seen = []
    for _ in range(5):
        size.learn(size.commands, size.commands * 100)
        seen.append(size.commands)
    assert seen == [1_000, 2_000, 4_000, 4_000, 4_000]


def test_a_small_batch_says_nothing_about_large_ones() -> None:
    size = BatchSize(4_000)
    size.learn(4_000, LARGE * 8)
    size.learn(1, 100)
    assert size.commands == 500


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 1 << 30))))
def test_it_stays_within_its_bounds(rows: list[tuple[int, int]]) -> None:
    size = BatchSize(4_000)
    for commands, row_bytes in rows:
        size.learn(commands, row_bytes)
        assert limits.BATCH_COMMANDS_FLOOR <= size.commands <= 4_000
