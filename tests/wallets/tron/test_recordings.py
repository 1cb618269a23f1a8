"""Every call of the recordings is served by the simulated node, or left out by name."""

from typing import Any

import pytest

from wallets.tron.simulator.reads import READS

BROADCASTS = frozenset({"broadcasttransaction", "broadcasthex"})
# Bytes are built here and nowhere else: a node's are never signed, so no node of ours makes any.
BUILT_BY_A_NODE = frozenset(
    {
        "createtransaction",
        "triggersmartcontract",
        "createaccount",
        "deploycontract",
        "freezebalancev2",
        "unfreezebalancev2",
        "delegateresource",
        "undelegateresource",
        "withdrawexpireunfreeze",
        "cancelallunfreezev2",
        "accountpermissionupdate",
    }
)
# The same is read by another call, or nothing here depends on it.
NOT_ASKED = frozenset(
    {
        "getaccountnet",
        "getbandwidthprices",
        "getblock",
        "getblockbylatestnum",
        "getblockbylimitnext",
        "getcontract",
        "getenergyprices",
        "getmemofee",
        "getpendingsize",
        "gettransactioncountbyblocknum",
        "gettransactionfrompending",
        "gettransactionlistfrompending",
        "jsonrpc",
        "nosuchthing",
        "validateaddress",
    }
)
LEFT_OUT = (BUILT_BY_A_NODE, NOT_ASKED)


@pytest.fixture
def recorded_names(recorded_calls: list[dict[str, Any]]) -> set[str]:
    return {call["path"].rsplit("/", 1)[1] for call in recorded_calls}


def test_every_recorded_call_is_served_or_left_out_for_a_named_reason(
    recorded_names: set[str],
) -> None:
    assert recorded_names == recorded_names & (READS.keys() | BROADCASTS).union(*LEFT_OUT)


def test_no_call_is_left_out_that_is_served_or_was_never_recorded(
    recorded_names: set[str],
) -> None:
    left_out = frozenset().union(*LEFT_OUT)
    assert sum(map(len, LEFT_OUT)) == len(left_out)
    assert not left_out & (READS.keys() | BROADCASTS)
    assert left_out <= recorded_names
