"""Figures as they are written: medians, spreads, ratios, the JSON and the page."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Case, case_of


def test_a_case_is_the_median_with_its_spread() -> None:
    assert case_of("orders/1x1", "commands/s", [3.0, 9.0, 4.0]) == Case(
        "orders/1x1", 4.0, "commands/s", 3.0, 9.0, None, None
    )


def test_the_ratio_is_that_of_the_rounds_and_not_of_the_medians() -> None:
    case = case_of("orders/1x1", "commands/s", [10.0, 40.0, 30.0], [20.0, 100.0, 30.0])
    assert (case.value, case.ceiling, case.ratio) == (30.0, 30.0, 0.5)


def test_rounds_without_their_ceilings_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        case_of("orders/1x1", "commands/s", [1.0, 2.0], [1.0])


def test_json_and_page_hold_every_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cases = [case_of("latency/p50", "ms", [1.25], [1.0]), case_of("stage/matched", "share", [0.5])]
    saved = json.loads(results.save("venue", cases).read_text())
    assert [set(one) for one in saved] == [
        {"case", "value", "unit", "low", "high", "ceiling", "ratio"}
    ] * 2
    assert saved[0]["ratio"] == 1.25
    assert saved[1]["ceiling"] is None
    page = results.write_page("venue", "The venue", "Words.", cases).read_text()
    assert "| latency/p50 | 1.25 | ms | 1.25 | 1.25 | 1 | 1.25 |" in page
    assert "| stage/matched | 0.5 | share | 0.5 | 0.5 |  |  |" in page


@pytest.mark.parametrize(
    ("value", "text"), [(214_311.7, "214,312"), (100.0, "100"), (1.0452, "1.05"), (0.0, "0")]
)
def test_numbers_show_the_digits_that_mean_something(value: float, text: str) -> None:
    assert results.number(value) == text
