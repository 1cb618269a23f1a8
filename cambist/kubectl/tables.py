"""Rows of the plugin's tables. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from cambist.kubectl.cluster import Object, condition

CHAIN_COLUMNS: Final = (
    "CHAIN",
    "NETWORK",
    "MODE",
    "READY",
    "WANTED",
    "WHY",
    "KEPT BACK BY",
    "BACKLOG",
    "OLDEST",
    "LAG",
)
MARKET_COLUMNS: Final = ("MARKET", "ID", "ASKED", "PHASE", "SYNCED", "TAKER", "MAKER")
TROUBLE_COLUMNS: Final = ("WHERE", "CONDITION", "REASON", "WHAT TO DO")
DECISION_COLUMNS: Final = ("", "")
# Conditions for which True is the trouble.
BAD_WHEN_TRUE: Final = frozenset({"Conflict", "PhaseDiverged", "ReplicasIgnored"})
# Conditions that report and need nobody.
QUIET: Final = frozenset({"Scaling", "Draining"})


def chain_row(chain: Object) -> Sequence[Any]:
    """One WalletChain."""
    spec, status = chain["spec"], chain.get("status") or {}
    decision = status.get("decision") or {}
    return (
        chain["metadata"]["name"],
        f"{spec['chain']}/{spec['network']}",
        spec["scaling"]["mode"],
        f"{status.get('readyReplicas', 0)}/{status.get('replicas', 0)}",
        decision.get("wanted", "-"),
        decision.get("reason", "-"),
        decision.get("clampedBy") or "-",
        status.get("backlog", "-"),
        f"{status['oldestAgeSeconds']} s" if "oldestAgeSeconds" in status else "-",
        status.get("scanLagBlocks", "-"),
    )


def market_row(market: Object) -> Sequence[Any]:
    """One Market."""
    spec, status = market["spec"], market.get("status") or {}
    synced = condition(market, "Synced")
    return (
        market["metadata"]["name"],
        str(spec["marketId"]),
        "HALTED" if spec["halted"] else "open",
        status.get("phase", "-"),
        synced.get("reason", "-"),
        f"{spec['fees']['takerPpm']} ppm",
        f"{spec['fees']['makerPpm']} ppm",
    )


def troubles(found: Iterable[Object]) -> Iterator[Sequence[Any]]:
    """What a person should look at."""
    for item in found:
        where = f"{item['kind']} {item['metadata']['name']}"
        for known in (item.get("status") or {}).get("conditions", []):
            kind, is_true = known["type"], known["status"] == "True"
            if kind in QUIET and known["reason"] != "DrainRefused":
                continue
            if is_true == (kind in BAD_WHEN_TRUE):
                yield where, kind, known["reason"], known["message"]


def decision_rows(chain: Object) -> Iterator[Sequence[Any]]:
    """The last decision, whole."""
    decision = (chain.get("status") or {}).get("decision") or {}
    yield "time", decision.get("time", "-")
    yield "workers then", decision.get("current", "-")
    yield "wanted", decision.get("wanted", "-")
    yield "because of", decision.get("reason", "-")
    yield "kept back by", decision.get("clampedBy") or "nothing"
    yield "applied", decision.get("applied", "-")
    yield "claimable", decision.get("claimable", "-")
    yield "oldest", f"{decision.get('oldestAgeSeconds', '-')} s"
    yield "signal", "fresh" if decision.get("signalFresh") else "stale or missing: held"
