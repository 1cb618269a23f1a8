"""What is wrong with a WalletChain stands in its conditions, with what to do about it."""

import copy
import json

import pytest

from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def pod_status(venue: Venue, pod: str, state: dict[str, object]) -> None:
    container = {
        "name": "worker",
        "image": "worker",
        "imageID": "",
        "ready": False,
        "restartCount": 3,
        **state,
    }
    patch = json.dumps({"status": {"phase": "Pending", "containerStatuses": [container]}})
    venue.kubectl.run("patch", "pod", pod, "--subresource=status", "--patch", patch)


def test_the_children_are_those_of_the_resource_and_carry_no_secret(venue: Venue) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: venue.replicas() == 1)
    deployment = venue.kubectl.get("deployment", "wallets-btc")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "cambist/wallets-bitcoin:dev"
    told = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert told["CAMBIST_WALLETS_CHAIN_FILE"] == "/etc/cambist/chain/chain.json"
    (volume,) = [
        one for one in deployment["spec"]["template"]["spec"]["volumes"] if one["name"] == "chain"
    ]
    assert volume["secret"]["secretName"] == "node"
    uid = venue.chain()["metadata"]["uid"]
    kinds = ["deployment", "service", "serviceaccount", "networkpolicy", "pdb"]
    for kind in kinds:
        (owner,) = venue.kubectl.get(kind, "wallets-btc")["metadata"]["ownerReferences"]
        assert owner["uid"] == uid
    assert "finalizers" not in venue.chain()["metadata"]
    venue.kubectl.run("patch", "wc", "btc", "--type=merge", "-p", '{"spec":{"image":{"tag":"v2"}}}')

    def image() -> str:
        found = venue.kubectl.get("deployment", "wallets-btc")["spec"]["template"]["spec"]
        return str(found["containers"][0]["image"])

    until(lambda: image().endswith(":v2"))
    assert venue.chain()["status"]["selector"].startswith("app.kubernetes.io/name=")
    venue.kubectl.run("delete", "wc", "btc")
    until(lambda: venue.replicas() == -1)


def test_what_a_pod_waits_for_is_the_reason_of_ready(venue: Venue) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    (pod,) = venue.pods()
    text = 'secret "node" not found'
    waiting = {"reason": "CreateContainerConfigError", "message": text}
    pod_status(venue, pod, {"state": {"waiting": waiting}})
    until(lambda: venue.condition("Ready").get("reason") == "SecretMissing")
    ready = venue.condition("Ready")
    assert text in ready["message"]
    assert ready["observedGeneration"] == venue.chain()["metadata"]["generation"]
    ended = {"exitCode": 69, "finishedAt": "2026-01-01T00:00:00Z"}
    crashing = {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended},
    }
    pod_status(venue, pod, crashing)
    until(lambda: venue.condition("Ready").get("reason") == "DependencyUnreachable")


def test_the_second_resource_of_a_chain_gets_no_workers_until_the_first_is_gone(
    venue: Venue,
) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: venue.replicas() == 1)
    twin = copy.deepcopy(CHAIN)
    twin["metadata"]["name"] = "twin"
    venue.kubectl.apply(twin)
    until(lambda: venue.condition("Conflict", "twin").get("status") == "True")
    assert "btc" in venue.condition("Ready", "twin")["message"]
    assert "wallets-twin" not in venue.kubectl.run("get", "deployments")
    venue.kubectl.run("delete", "wc", "btc")
    until(lambda: "wallets-twin" in venue.kubectl.run("get", "deployments"))


def test_a_chain_deleted_with_withdrawals_under_way_is_told_loudly(venue: Venue) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    worker.report.confirming_count = 2
    worker.report.scanning = True
    worker.report.scan_lag_blocks = 500
    until(lambda: venue.condition("NodesSynced").get("reason") == "ChainStalled")
    venue.kubectl.run("delete", "wc", "btc")
    until(lambda: "WithdrawalsUnderWay" in venue.kubectl.run("get", "events"))


def test_nodes_that_do_not_answer_or_are_of_another_chain_are_named_until_they_are_well(
    venue: Venue,
) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    worker.report.scanning = True
    worker.report.scan_condition = "NodeUnreachable"
    worker.report.scan_detail = "0 of 1 nodes: {'a': 'refused'}"
    until(lambda: venue.condition("NodesSynced").get("reason") == "NodeUnreachable")
    assert "'a': 'refused'" in venue.condition("NodesSynced")["message"]
    worker.report.scan_condition = "ChainMismatch"
    until(lambda: venue.condition("NodesSynced").get("reason") == "ChainMismatch")
    worker.report.scan_condition = worker.report.scan_detail = ""
    until(lambda: venue.condition("NodesSynced").get("status") == "True")
