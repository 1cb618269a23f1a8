"""Every call of the recordings is served by the simulated node, or left out by name."""

from typing import Any

import pytest

from wallets.tron.simulator.building import ROUTES
from wallets.tron.simulator.reads import READS

# Nothing here runs code, so nothing is deployed and no bytes of a contract are told.
NO_CODE = frozenset({"deploycontract", "getcontract"})
# No node has it.
UNKNOWN = frozenset({"nosuchthing"})
LEFT_OUT = (NO_CODE, UNKNOWN)
SERVED = frozenset(
    {*READS, *ROUTES, "broadcasttransaction", "broadcasthex", "jsonrpc", "triggersmartcontract"}
)


@pytest.fixture
def recorded_names(recorded_calls: list[dict[str, Any]]) -> set[str]:
    return {call["path"].rsplit("/", 1)[1] for call in recorded_calls}


def test_every_recorded_call_is_served_or_left_out_for_a_named_reason(
    recorded_names: set[str],
) -> None:
    assert recorded_names == recorded_names & SERVED.union(*LEFT_OUT)


def test_no_call_is_left_out_that_is_served_or_was_never_recorded(
    recorded_names: set[str],
) -> None:
    left_out = frozenset().union(*LEFT_OUT)
    assert sum(map(len, LEFT_OUT)) == len(left_out)
    assert not left_out & SERVED
    assert left_out <= recorded_names
