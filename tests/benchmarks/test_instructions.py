"""Reading what callgrind counted."""

import pytest

from benchmarks.instructions import cases_of, total_of
from benchmarks.results import Case

DUMP = "events: Ir\nfn=(1) run\n0 17\n\ntotals: 1234\n"


def test_the_total_of_a_call_is_read() -> None:
    assert total_of(DUMP) == 1234


def test_a_file_without_a_total_is_not_taken_for_zero() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        total_of("events: Ir\n")


def test_what_fills_the_books_is_not_counted() -> None:
    calls = [9_000, 100, 9_000, 200, 9_000, 300, 9_000, 400, 9_000, 500]
    cases = cases_of("book", calls, messages=10)
    assert cases[0] == Case("book/deep", 10, "instructions/message", 10, 10, None, None)
    assert [case.value for case in cases] == [10, 20, 30, 40, 50]


def test_calls_that_do_not_fit_the_cases_are_refused() -> None:
    with pytest.raises(SystemExit, match="9 calls"):
        cases_of("book", [1] * 9, messages=10)
