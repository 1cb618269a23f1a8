"""The API server fills in defaults and refuses, in clear words, what the resources may not hold."""

import copy
import json
from typing import Any

import pytest

from tests.cluster.conftest import Kubectl

pytestmark = [pytest.mark.cluster]

CHAIN: dict[str, Any] = {
    "apiVersion": "cambist.dev/v1alpha1",
    "kind": "WalletChain",
    "metadata": {"name": "btc"},
    "spec": {
        "chain": "bitcoin",
        "network": "regtest",
        "chainFileSecretRef": {"name": "node", "key": "chain.json"},
        "nodes": [{"name": "a"}],
    },
}
MARKET: dict[str, Any] = {
    "apiVersion": "cambist.dev/v1alpha1",
    "kind": "Market",
    "metadata": {"name": "btc-usdt"},
    "spec": {
        "marketId": 65_537,
        "base": "BTC",
        "quote": "USDT",
        "lotSizeAtoms": "10000",
        "tickSizeAtoms": "100000",
    },
}


def with_spec(document: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["spec"].update(change)
    return changed


@pytest.mark.parametrize(
    ("document", "change", "words"),
    [
        (CHAIN, {"chain": "dogecoin"}, "supported values"),
        (CHAIN, {"network": "Main Net"}, "spec.network"),
        (CHAIN, {"nodes": []}, "spec.nodes"),
        (CHAIN, {"nodeQuorum": 2}, "nodeQuorum is larger than the number of nodes"),
        (CHAIN, {"scaling": {"minReplicas": 9}}, "scaling.minReplicas is above"),
        (CHAIN, {"scaling": {"minReplicas": 0}}, "greater than or equal to 1"),
        (CHAIN, {"hotWallet": {"floor": "5.5", "ceiling": "1"}}, "hotWallet.floor is above"),
        (CHAIN, {"hotWallet": {"floor": "1e400"}}, "spec.hotWallet.floor"),
        (CHAIN, {"image": {"tag": "a", "digest": "sha256:" + "0" * 64}}, "a tag or a digest"),
        (MARKET, {"quote": "BTC"}, "base and quote are the same asset"),
        (MARKET, {"marketId": 65_536}, "greater than or equal to 65537"),
        (MARKET, {"marketId": 131_073}, "marketId is shard"),
        (MARKET, {"lotSizeAtoms": "0"}, "spec.lotSizeAtoms"),
        (MARKET, {"fees": {"makerPpm": 500}}, "fees.makerPpm is not within"),
        (MARKET, {"limits": {"minimumQuantityLots": 2, "maximumQuantityLots": 1}}, "is above"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_by_name(
    kubectl: Kubectl, document: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    said = kubectl.refused("apply", "--filename", "-", document=with_spec(document, change))
    assert words in said


@pytest.mark.parametrize(
    ("document", "kind", "change"),
    [
        (CHAIN, "walletchain", {"chain": "tron"}),
        (CHAIN, "walletchain", {"network": "signet"}),
        (MARKET, "market", {"base": "ETH"}),
        (MARKET, "market", {"marketId": 65_538}),
        (MARKET, "market", {"tickSizeAtoms": "1"}),
    ],
)
def test_what_is_fixed_at_creation_cannot_change(
    kubectl: Kubectl, document: dict[str, Any], kind: str, change: dict[str, Any]
) -> None:
    kubectl.apply(document)
    patch = json.dumps({"spec": change})
    name = document["metadata"]["name"]
    assert "cannot change" in kubectl.refused("patch", kind, name, "--type", "merge", "-p", patch)


def test_a_short_chain_gets_its_defaults(kubectl: Kubectl) -> None:
    kubectl.apply(CHAIN)
    spec = kubectl.get("wc", "btc")["spec"]
    assert spec["replicas"] == 1
    assert spec["suspend"] == {"deposits": False, "withdrawals": False}
    assert spec["scaling"]["mode"] == "Auto"
    assert spec["scaling"]["stabilizationSeconds"] == {"up": 0, "down": 300}


def test_kubectl_scale_writes_replicas(kubectl: Kubectl) -> None:
    kubectl.apply(CHAIN)
    kubectl.run("scale", "wc", "btc", "--replicas=3")
    assert kubectl.get("wc", "btc")["spec"]["replicas"] == 3


@pytest.mark.parametrize("path", ["wc.spec", "wc.spec.scaling", "mkt.spec", "mkt.status"])
def test_every_field_is_explained(kubectl: Kubectl, path: str) -> None:
    said = kubectl.run("explain", path)
    assert "<no description>" not in said
