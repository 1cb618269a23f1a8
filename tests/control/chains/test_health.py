"""What a WalletChain's conditions say of its nodes."""

import pytest

from cambist.internal.wallets.v1 import wallets_pb2
from control.chains import health
from control.conditions import Condition, Truth
from control.signals.board import Board, Heard


def synced(**told: object) -> Condition:
    report = wallets_pb2.StreamSignalsResponse(scanning=True, **told)  # type: ignore[arg-type]
    return health.synced(Heard(0.0, "pod", report), is_fresh=True)


@pytest.mark.parametrize(
    ("told", "reason", "says"),
    [
        ({"scan_condition": "NodeUnreachable", "scan_detail": "0 of 1"}, "NodeUnreachable", "0 of"),
        ({"scan_condition": "ChainMismatch", "scan_detail": "{'a': …}"}, "ChainMismatch", "'a'"),
        ({"scan_condition": "ChainStalled"}, "ChainStalled", "look at the nodes"),
        ({"scan_lag_blocks": 21}, "ChainStalled", "21 blocks"),
        # Words of another release are no reason to write what the API server refuses.
        ({"scan_condition": "not a word"}, "ScanWaits", "log"),
    ],
)
def test_what_keeps_a_worker_from_its_chain_is_a_reason_with_what_to_do(
    told: dict[str, object], reason: str, says: str
) -> None:
    found = synced(**told)
    assert (found.type, found.status, found.reason) == ("NodesSynced", Truth.FALSE, reason)
    assert says in found.message


def test_a_worker_near_the_tip_follows() -> None:
    assert synced(scan_lag_blocks=20).status is Truth.TRUE


def test_without_a_fresh_word_of_the_one_who_follows_nothing_is_known() -> None:
    report = wallets_pb2.StreamSignalsResponse(scanning=True)
    assert health.synced(None, is_fresh=False).status is Truth.UNKNOWN
    assert health.synced(Heard(0.0, "p", report), is_fresh=False).status is Truth.UNKNOWN


def test_workers_that_do_not_follow_the_blocks_say_nothing_of_the_nodes() -> None:
    board = Board()
    broken = wallets_pb2.StreamSignalsResponse(scanning=True, scan_condition="NodeUnreachable")
    board.report("btc", "one", broken, 1.0)
    board.report("btc", "two", wallets_pb2.StreamSignalsResponse(claimable_count=3), 2.0)
    newest, scanning = board.newest("btc"), board.scanning("btc")
    assert newest is not None
    assert scanning is not None
    assert (newest.pod, scanning.report.scan_condition) == ("two", "NodeUnreachable")
    board.forget_chain("btc")
    assert board.scanning("btc") is None
