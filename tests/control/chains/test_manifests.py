"""The children of a WalletChain."""

import copy
from typing import Any

import pytest

from control.chains import manifests
from control.cluster.kinds import Kind
from control.settings import WorkerSettings
from wallets.settings import WalletSettings

CHAIN: dict[str, Any] = {
    "metadata": {"name": "btc", "uid": "u-1"},
    "spec": {
        "chain": "bitcoin",
        "network": "regtest",
        "chainFileSecretRef": {"name": "btc-chain", "key": "regtest.json"},
        "nodes": [
            {"name": "a", "ports": [8332]},
            {
                "name": "b",
                "ports": [443],
                "cidrs": ["203.0.113.0/24"],
            },
        ],
        "replicas": 1,
        "scaling": {"mode": "Auto"},
    },
}
SETTINGS = WorkerSettings()


def children(chain: Any = CHAIN, template: Any = None) -> dict[Kind, Any]:
    return dict(manifests.children(chain, SETTINGS, template or {}))


def test_the_deployment_says_nothing_of_replicas_and_all_belong_to_the_chain() -> None:
    found = children()
    assert "replicas" not in found[Kind.DEPLOYMENT]["spec"]
    for child in found.values():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["blockOwnerDeletion"]) == ("u-1", False)


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ({}, "cambist/wallets-bitcoin:dev"),
        ({"tag": "v1"}, "cambist/wallets-bitcoin:v1"),
        ({"digest": "sha256:ab"}, "cambist/wallets-bitcoin@sha256:ab"),
    ],
)
def test_the_image_follows_tag_or_digest(image: dict[str, str], wanted: str) -> None:
    assert manifests.image_of({"chain": "bitcoin", "image": image}, SETTINGS) == wanted


@pytest.mark.parametrize(
    ("suspend", "deposits", "withdrawals"),
    [
        ({}, False, False),
        ({"deposits": False, "withdrawals": False}, False, False),
        ({"deposits": True}, True, False),
        ({"withdrawals": True}, False, True),
    ],
)
def test_workers_are_told_what_is_suspended(
    suspend: dict[str, bool], deposits: bool, withdrawals: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = copy.deepcopy(CHAIN)
    chain["spec"]["suspend"] = suspend
    (container,) = children(chain)[Kind.DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
    for entry in container["env"]:
        monkeypatch.setenv(entry["name"], entry.get("value", "a-pod"))
    told = WalletSettings.load()
    assert (told.deposits_suspended, told.withdrawals_suspended) == (deposits, withdrawals)
    # A chain that was never suspended keeps its pods over an upgrade of the operator.
    assert suspend or "SUSPENDED" not in str(container["env"])


def test_scaling_alone_does_not_roll_the_workers() -> None:
    other = copy.deepcopy(CHAIN)
    other["spec"]["scaling"] = {"mode": "Manual"}
    other["spec"]["replicas"] = 4
    assert children(other) == children()


def test_the_grace_period_is_longer_than_a_drain() -> None:
    pod = children()[Kind.DEPLOYMENT]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > SETTINGS.drain_seconds


def test_a_node_without_addresses_is_reached_anywhere_but_link_local() -> None:
    rules = children()[Kind.NETWORK_POLICY]["spec"]["egress"]
    by_port = {rule["ports"][0]["port"]: rule.get("to", []) for rule in rules if "ports" in rule}
    assert by_port[8332][0]["ipBlock"] == {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}
    assert by_port[443] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]


def test_the_installations_template_is_laid_over_ours_by_name() -> None:
    template = {
        "spec": {
            "nodeSelector": {"zone": "a"},
            "containers": [{"name": "worker", "env": [{"name": "EXTRA", "value": "1"}]}],
            "volumes": [{"name": "tls"}],
        }
    }
    pod = children(template=template)[Kind.DEPLOYMENT]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    names = [entry["name"] for entry in container["env"]]
    assert {"CAMBIST_WALLETS_CHAIN", "EXTRA"} <= set(names)
    assert pod["nodeSelector"] == {"zone": "a"}
    assert [volume["name"] for volume in pod["volumes"]] == ["chain", "scratch", "tls"]


def test_a_worker_accepts_what_the_operator_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = children()[Kind.DEPLOYMENT]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    for entry in container["env"]:
        monkeypatch.setenv(entry["name"], entry.get("value", "wallets-btc-7d9f-x2x4q"))
    settings = WalletSettings.load()
    assert (settings.chain, settings.network) == ("bitcoin", "regtest")
    assert settings.instance == "wallets-btc-7d9f-x2x4q"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings.listen_address == f"0.0.0.0:{ports['worker']}"
    assert settings.health_address == f"0.0.0.0:{ports['health']}"
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "chain"]
    (volume,) = [one for one in pod["volumes"] if one["name"] == "chain"]
    (item,) = volume["secret"]["items"]
    assert settings.chain_file == f"{mount['mountPath']}/{item['path']}"
    assert (volume["secret"]["secretName"], item["key"]) == ("btc-chain", "regtest.json")
