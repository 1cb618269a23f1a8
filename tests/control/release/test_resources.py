"""What the chart's Jobs read of its files and of the cluster's objects."""

import json
from typing import Any

import pytest

from control.chains.manifests import image_of
from control.cluster.kinds import Kind
from control.errors import Rejected
from control.release import resources, rollout, uninstall
from control.settings import WorkerSettings

CHAIN: dict[str, Any] = {
    "metadata": {"name": "btc", "generation": 3},
    "spec": {"chain": "bitcoin", "network": "regtest"},
}
SETTINGS = WorkerSettings(image="cambist-wallets", tag="2")
IMAGE = image_of(CHAIN["spec"], SETTINGS)


def test_each_value_becomes_an_object_with_the_releases_label() -> None:
    values = [
        {"kind": "Market", "name": "btc-usdt", "spec": {"marketId": 65_537}},
        {"kind": "WalletChain", "name": "btc", "spec": {"chain": "bitcoin"}},
    ]
    first, second = resources.read(json.dumps(values), "venue")
    labels = {"cambist.dev/applied-by": "venue"}
    metadata = {"name": "btc-usdt", "labels": labels}
    assert first == (Kind.MARKET, {"metadata": metadata, "spec": {"marketId": 65_537}})
    assert second[0] is Kind.WALLET_CHAIN


@pytest.mark.parametrize(
    "text",
    ["", "{}x", "[1]", '[{"kind": "Secret", "name": "a", "spec": {}}]', '[{"kind": "Market"}]'],
)
def test_a_file_that_the_chart_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="RESOURCES_UNREADABLE"):
        resources.read(text, "venue")


def deployment(image: str = IMAGE, observed: int = 4, **status: int) -> dict[str, Any]:
    counts = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, **status}
    container = {"name": "worker", "image": image}
    return {
        "metadata": {"name": "wallets-btc", "generation": 4},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": observed, **counts},
    }


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (deployment(), ""),
        (deployment(image="cambist-wallets:1"), "has cambist-wallets:1, not cambist-wallets:2"),
        (deployment(observed=3), "was just changed"),
        (deployment(updatedReplicas=1), "updatedReplicas 1 of 2"),
        (deployment(availableReplicas=0), "availableReplicas 0 of 2"),
        # One of before is still draining.
        (deployment(replicas=3), "replicas 3 of 2"),
    ],
)
def test_workers_are_up_when_all_of_them_are_of_this_release(
    found: dict[str, Any], text: str
) -> None:
    assert rollout.lack(found, IMAGE) == text


def test_a_deployment_without_a_status_lacks_everything() -> None:
    found = deployment()
    del found["status"]
    assert rollout.lack(found, IMAGE) == "was just changed"


@pytest.mark.parametrize(("status", "expected"), [("True", True), ("False", False)])
def test_nobody_waits_for_workers_of_a_second_chain_of_a_network(
    status: str, expected: bool
) -> None:
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Conflict", "status": status}]
    assert rollout.is_in_conflict({**CHAIN, "status": {"conditions": conditions}}) is expected
    assert not rollout.is_in_conflict(CHAIN)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"observedGeneration": 3, "replicas": 0}, True),
        ({"observedGeneration": 3, "replicas": 1}, False),
        # What it says is of before the request.
        ({"observedGeneration": 2, "replicas": 0}, False),
        ({}, False),
    ],
)
def test_a_chain_is_drained_when_the_operator_has_seen_the_request_and_none_is_left(
    status: dict[str, int], expected: bool
) -> None:
    assert uninstall.is_drained({**CHAIN, "status": status}) is expected


def test_what_remains_is_told_in_words() -> None:
    status = {"replicas": 1, "backlog": 7, "blocked": 2}
    text = uninstall.describe({**CHAIN, "status": status})
    assert text.startswith("WalletChain btc: workers 1, payouts that wait 7, blocked 2")
