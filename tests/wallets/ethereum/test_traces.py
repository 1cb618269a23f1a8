"""Ether within calls: undone by any caller's failure."""

from typing import Any

import pytest

from wallets.contract import BlockRef
from wallets.errors import Quarantined
from wallets.ethereum.traces import internal_movements

HASH = "b0" * 32
REF = BlockRef(3, HASH)
KEY = "22" * 20


def trace(*place: int, value: int = 1, kind: str = "call", **more: Any) -> dict[str, Any]:
    action = {"callType": kind, "from": "0x" + "11" * 20, "to": "0x" + KEY, "value": hex(value)}
    return {
        "type": "call",
        "action": action,
        "traceAddress": list(place),
        "transactionHash": "0x" + "aa" * 32,
        "blockHash": "0x" + HASH,
        **more,
    }


@pytest.mark.parametrize(
    ("traces", "found"),
    [
        ([trace()], []),
        ([trace(), trace(0), trace(0, 0, value=2)], [(-2, 1), (-3, 2)]),
        ([trace(), trace(0), trace(0, 0, value=2, error="Reverted")], [(-2, 1)]),
        ([trace(), trace(0, error="Reverted"), trace(0, 0), trace(1, value=3)], [(-4, 3)]),
        ([trace(error="Reverted"), trace(0), trace(0, 0, 0)], []),
        ([trace(), trace(0, kind="delegatecall"), trace(1, kind="staticcall")], []),
        ([trace(), trace(0, value=0)], []),
    ],
    ids=["own", "nested", "fails", "caller fails", "whole fails", "borrowed code", "nothing"],
)
def test_only_calls_without_a_failed_caller_moved_ether(
    traces: list[Any], found: list[tuple[int, int]]
) -> None:
    moves = internal_movements(traces, REF)
    assert [(move.index, move.amount_atoms) for move in moves] == found


def test_the_end_of_a_contract_pays_its_heir() -> None:
    action = {"address": "0x" + "11" * 20, "refundAddress": "0x" + KEY, "balance": "0x9"}
    ended = trace(0) | {"type": "suicide", "action": action}
    assert [move.amount_atoms for move in internal_movements([trace(), ended], REF)] == [9]


@pytest.mark.parametrize(
    "traces", [None, {}, [None], [trace() | {"blockHash": "0x" + "00" * 32}], [{"blockHash": HASH}]]
)
def test_traces_of_nothing_or_of_another_block_are_the_nodes_fault(traces: Any) -> None:
    with pytest.raises(Quarantined):
        internal_movements(traces, REF)
