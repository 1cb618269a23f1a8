"""What `benchmarks.venue` measures by default, in CI, and as told."""

import pytest

from benchmarks.venue_load import VenueOutcome
from benchmarks.venue_sizes import (
    FULL,
    KINDS,
    REFERENCE,
    SMALL,
    WINDOW_COMMANDS_SESSION,
    Sizes,
    read_options,
)


def test_the_full_size_has_every_batch_and_session_that_is_promised() -> None:
    options = read_options([], has_kernel=True)
    assert options.sizes == FULL
    assert options.sizes.batches == (1, 10, 100, 256)
    assert (min(options.sizes.sessions), max(options.sizes.sessions)) == (1, 64)
    assert options.sizes.recovery_commands == options.sizes.resting_orders == 1_000_000
    assert options.kinds == frozenset(KINDS)


def test_ci_takes_the_small_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_options(["--small"], has_kernel=True).sizes == SMALL
    monkeypatch.setenv("CAMBIST_BENCH_SMALL", "1")
    assert read_options([], has_kernel=True).sizes == SMALL


def test_without_a_kernel_the_smallest_size_is_taken() -> None:
    assert read_options([], has_kernel=False).sizes == REFERENCE


def test_parameters_replace_single_sizes() -> None:
    told = ["--batches", "7", "9", "--sessions", "2", "--rounds", "5", "--only", "orders"]
    options = read_options(told, has_kernel=True)
    assert options.sizes.batches == (7, 9)
    assert (options.sizes.sessions, options.sizes.rounds) == ((2,), 5)
    assert options.kinds == {"orders"}


@pytest.mark.parametrize("sizes", [FULL, SMALL, REFERENCE])
def test_every_case_goes_on_long_after_its_windows_are_full(sizes: Sizes) -> None:
    for batch in sizes.batches:
        for sessions in sizes.sessions:
            window = sizes.window_of(batch, sessions)
            assert 2 * batch <= window <= WINDOW_COMMANDS_SESSION
            # The warm share is over before the windows are full for the second time.
            assert sizes.commands_of(batch) >= 2 * window * sessions


def outcome_of(**stages: list[int]) -> VenueOutcome:
    outcome = VenueOutcome()
    for name, values in stages.items():
        outcome.stages[name] += values
    return outcome


def test_shares_of_stages_add_up_to_one() -> None:
    outcome = outcome_of(sequenced=[10, 30], matched=[5, 5], durable=[60, 60], delivered=[15, 15])
    assert outcome.stage_shares() == {
        "sequenced": 0.2,
        "matched": 0.05,
        "durable": 0.6,
        "delivered": 0.15,
    }


def test_a_clock_that_is_behind_moves_time_between_two_stages_only() -> None:
    outcome = outcome_of(sequenced=[-20, 0], matched=[70, 50], durable=[30, 30], delivered=[20, 20])
    assert outcome.stage_shares() == {
        "sequenced": 0.1,
        "matched": 0.4,
        "durable": 0.3,
        "delivered": 0.2,
    }


def test_without_samples_there_are_no_shares() -> None:
    assert set(VenueOutcome().stage_shares().values()) == {0.0}
