"""Answers to broadcasts."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from wallets.contract import BroadcastOutcome, TransactionId
from wallets.tron.answers import OUTCOMES, classify, words_of

TXID = TransactionId("ab" * 32)
RECORDED = {
    "07-broadcast-signature": {"SIGERROR", "NODE_ERROR", ""},
    "08-broadcast-expiration": {"TRANSACTION_EXPIRATION_ERROR", ""},
    "09-broadcast-tapos": {"TAPOS_ERROR", ""},
    "10-broadcast-duplicate": {"DUP_TRANSACTION_ERROR", ""},
    "11-broadcast-balance-race": {"CONTRACT_VALIDATE_ERROR", ""},
    "12-bandwidth": {"BANDWITH_ERROR", ""},
    "24-broadcasthex": {"DUP_TRANSACTION_ERROR", "CONTRACT_VALIDATE_ERROR", "NODE_ERROR", ""},
}


@pytest.mark.parametrize("scenario", sorted(RECORDED))
def test_every_answer_of_a_real_node_has_a_meaning(
    scenario: str, recording: Callable[[str], list[dict[str, Any]]]
) -> None:
    reasons: Counter[str] = Counter()
    for call in recording(scenario):
        if "broadcast" not in call["path"]:
            continue
        answer = call["response"]
        found = classify(call["status"], answer, TransactionId(answer.get("txid", "")), "a")
        reasons[found.reason] += 1
        assert (found.outcome is BroadcastOutcome.ACCEPTED) is (answer.get("result") is True)
        if "code" in answer and found.outcome is not BroadcastOutcome.ACCEPTED:
            assert words_of(answer) != ""
    assert set(reasons) == RECORDED[scenario]


@pytest.mark.parametrize(
    ("status", "answer", "outcome", "reason"),
    [
        (200, {"result": True, "txid": TXID}, BroadcastOutcome.ACCEPTED, ""),
        (200, {"result": True, "txid": "cd" * 32}, BroadcastOutcome.UNKNOWN, "NODE_LIES_ABOUT_ID"),
        (
            200,
            {"code": "DUP_TRANSACTION_ERROR", "txid": TXID},
            BroadcastOutcome.KNOWN,
            "DUP_TRANSACTION_ERROR",
        ),
        (200, {"code": "SERVER_BUSY"}, BroadcastOutcome.UNKNOWN, "SERVER_BUSY"),
        (200, {"code": "SOMETHING_NEW"}, BroadcastOutcome.UNKNOWN, "UNKNOWN_CODE"),
        (200, {"code": ["x"]}, BroadcastOutcome.UNKNOWN, "UNKNOWN_CODE"),
        (200, {}, BroadcastOutcome.UNKNOWN, "UNKNOWN_CODE"),
        (200, [], BroadcastOutcome.UNKNOWN, "HTTP_200"),
        (429, None, BroadcastOutcome.UNKNOWN, "HTTP_429"),
        (504, "<html>", BroadcastOutcome.UNKNOWN, "HTTP_504"),
    ],
)
def test_only_a_clear_yes_or_no_is_one(
    status: int, answer: object, outcome: BroadcastOutcome, reason: str
) -> None:
    found = classify(status, answer, TXID, "a")
    assert (found.outcome, found.reason, found.node) == (outcome, reason, "a")


def test_no_code_of_a_node_is_a_success() -> None:
    assert BroadcastOutcome.ACCEPTED not in OUTCOMES.values()
    assert words_of({"message": "plain words"}) == "plain words"
    assert len(words_of({"message": b"x".hex() * 1_000})) == 200
