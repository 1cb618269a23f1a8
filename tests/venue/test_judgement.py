"""The last line of a demo and what makes it fail."""

import pytest

from venue.judgement import Judgement

CHECK = {
    "ok": True,
    "orders": 5,
    "trades": 2,
    "acknowledged_lost": 0,
    "duplicated": 0,
    "conserves": True,
}
REPLAY = {"ok": True, "commands": 9}


def test_a_good_run_says_so() -> None:
    judgement = Judgement(CHECK, REPLAY, "")
    assert judgement.ok
    assert judgement.last_line() == (
        "demo ok orders=5 trades=2 acknowledged_lost=0 duplicated=0 conservation=ok"
    )


@pytest.mark.parametrize(
    ("check", "replay", "trouble"),
    [
        ({**CHECK, "ok": False}, REPLAY, ""),
        (CHECK, {"ok": False}, ""),
        (CHECK, REPLAY, "checker broke"),
        ({}, REPLAY, ""),
        (CHECK, {}, ""),
        ({**CHECK, "conserves": False, "ok": False}, REPLAY, ""),
    ],
)
def test_anything_wrong_or_missing_fails(
    check: dict[str, object], replay: dict[str, object], trouble: str
) -> None:
    judgement = Judgement(check, replay, trouble)
    assert not judgement.ok
    assert judgement.last_line().startswith("demo failed ")


def test_broken_conservation_is_named() -> None:
    judgement = Judgement({**CHECK, "conserves": False, "ok": False}, REPLAY, "")
    assert judgement.last_line().endswith("conservation=broken")


def test_what_was_not_checked_is_unknown() -> None:
    assert Judgement({}, REPLAY, "").last_line() == (
        "demo failed orders=unknown trades=unknown acknowledged_lost=unknown "
        "duplicated=unknown conservation=unknown"
    )
