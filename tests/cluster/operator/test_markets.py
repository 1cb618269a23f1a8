"""Markets are requests: sent once per generation to a real engine, whose own halt stays."""

import copy
import json
from typing import Any

import pytest

from tests.cluster.operator.conftest import Venue
from tests.cluster.operator.engine import Matching
from tests.cluster.operator.waiting import free_port, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
MARKET: dict[str, Any] = {
    "apiVersion": "cambist.dev/v1alpha1",
    "kind": "Market",
    "metadata": {"name": "btc-usdt"},
    "spec": {
        "marketId": 65_537,
        "base": "BTC",
        "quote": "USDT",
        "lotSizeAtoms": "10000",
        "tickSizeAtoms": "10000",
        "fees": {"makerPpm": -100, "takerPpm": 500},
    },
}


def operator(venue: Venue, matching: Matching) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    venue.start(ENGINE_ENDPOINTS=f"{nowhere},{matching.endpoint}", ENGINE_LADDER_STEP_SECONDS="0.3")


def condition(venue: Venue, kind: str, name: str = "btc-usdt") -> dict[str, Any]:
    status = venue.kubectl.get("market", name).get("status", {})
    found = [it for it in status.get("conditions", []) if it["type"] == kind]
    return found[0] if found else {}


def patch(venue: Venue, spec: dict[str, Any]) -> None:
    change = json.dumps({"spec": spec})
    venue.kubectl.run("patch", "market", "btc-usdt", "--type=merge", "--patch", change)


def test_a_market_is_created_opened_changed_halted_and_resumed_by_the_ladder(
    venue: Venue, matching: Matching
) -> None:
    operator(venue, matching)
    venue.kubectl.apply(MARKET)
    until(lambda: matching.phase() == "CONTINUOUS")
    until(lambda: condition(venue, "Synced").get("status") == "True")
    market = matching.market()
    assert market is not None
    assert (market.symbol, market.limits.maker_fee_ppm) == ("BTC-USDT", -100)

    patch(venue, {"fees": {"takerPpm": 700}})

    def taker() -> int:
        changed = matching.market()
        assert changed is not None
        return int(changed.limits.taker_fee_ppm)

    until(lambda: taker() == 700)
    patch(venue, {"halted": True})
    assert until(lambda: matching.phase() == "HALTED") < 2.0
    seen = []
    patch(venue, {"halted": False})

    def is_open() -> bool:
        seen.append(matching.phase())
        return seen[-1] == "CONTINUOUS"

    until(is_open)
    assert "POST_ONLY" in seen or "CANCEL_ONLY" in seen
    until(lambda: venue.kubectl.get("market", "btc-usdt")["status"].get("phase") == "CONTINUOUS")
    assert condition(venue, "PhaseDiverged")["status"] == "False"


def test_a_halt_of_the_engine_stays_over_reconciles_changes_and_a_new_leader(
    venue: Venue, matching: Matching
) -> None:
    operator(venue, matching)
    venue.kubectl.apply(MARKET)
    until(lambda: condition(venue, "Synced").get("status") == "True")
    matching.ask("halt", 65_537)
    seq = matching.seq()
    venue.kubectl.run("annotate", "market", "btc-usdt", "cambist.dev/reconcile-at=now")
    until(lambda: condition(venue, "PhaseDiverged").get("status") == "True")
    assert "kubectl cambist resume" in condition(venue, "PhaseDiverged")["message"]
    venue.operators[0].kill()
    venue.operators[0].wait()
    operator(venue, matching)
    until(lambda: '"ready"' in venue.log(1) and venue.holder() != "")
    venue.kubectl.run("annotate", "market", "btc-usdt", "--overwrite", "cambist.dev/reconcile-at=b")
    patch(venue, {"fees": {"takerPpm": 900}})
    until(lambda: matching.seq() == seq + 1)
    assert matching.phase() == "HALTED"
    venue.kubectl.run("delete", "market", "btc-usdt")
    assert matching.market() is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"base": "DOGE"}, "AssetUnknown"),
        # One lot at one tick is not a whole number of quote atoms.
        ({"lotSizeAtoms": "1", "tickSizeAtoms": "1"}, "TickValueNotInteger"),
    ],
)
def test_what_the_engine_cannot_take_is_a_condition_with_its_reason(
    venue: Venue, matching: Matching, change: dict[str, Any], reason: str
) -> None:
    operator(venue, matching)
    bad = copy.deepcopy(MARKET)
    bad["spec"].update(change)
    venue.kubectl.apply(bad)
    until(lambda: condition(venue, "Synced").get("reason") == reason)
    assert condition(venue, "Synced")["status"] == "False"
    assert "Refused" in venue.kubectl.run("get", "events")
    assert venue.operators[0].poll() is None
