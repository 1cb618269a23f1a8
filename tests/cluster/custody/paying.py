"""What tests of payments do to a venue with custody, and the sums that must be right at the end."""

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cluster.custody import customer, keys_and_policies, node
from tests.cluster.custody.installed import FUNDED_ATOMS, Custody
from tests.cluster.operator.waiting import until
from tests.cluster.venue import READY_SECONDS
from wallets.ethereum.addresses import text_of

DESTINATIONS: Final = tuple(
    text_of(bytes([0xA0]) + number.to_bytes(19)) for number in range(1, 401)
)
# Of the chain in one of the engine.
SCALE: Final = 10**10
# A payout that a dead worker had claimed is taken by the next one after a minute.
SETTLED_SECONDS: Final = 240.0
BOOK: Final = """
select coalesce(json_object_agg(account, atoms), '{{}}') from (
    select account, sum(amount_atoms)::text as atoms from custody.posting
    where network_id = {network} group by account) one
"""


class Customer:
    """A pod of the venue's clients, that can also reach the node."""

    def __init__(self, venue: Custody) -> None:
        self.venue = venue
        venue.apply(*documents(venue))
        venue.kubectl("wait", "pod/customer", "--for=condition=Ready", "--timeout=120s")
        self.address = str(self.run("open"))

    def run(self, *arguments: str) -> Any:
        """What a command of `customer.py` comes to."""
        return json.loads(self.venue.kubectl(*self._command(*arguments)).splitlines()[-1])

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """The same without waiting for its end."""
        command = ["kubectl", "--namespace", self.venue.namespace, *self._command(*arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def stop_load(self) -> None:
        self.venue.kubectl(
            "exec", "customer", "--container", "customer", "--", "touch", "/trial/stop"
        )

    def sees(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run("see")
        return found

    def states(self, kind: str) -> set[str]:
        """Of all deposits, or of all withdrawals."""
        return {one[-1] for one in self.sees()[kind]}

    def _command(self, *arguments: str) -> list[str]:
        inside = ["python", "/customer/customer.py", *arguments]
        return ["exec", "customer", "--container", "customer", "--", *inside]


def documents(venue: Custody) -> list[dict[str, Any]]:
    """A pod like that of `helm test`, with a key that may withdraw, and its way to the node."""
    hooks = yaml.safe_load_all(venue.helm("get", "hooks", "venue"))
    test = next(one for one in hooks if one["kind"] == "Pod")
    spec, metadata = test["spec"], {"name": "customer"}
    (register,) = (one for one in spec["initContainers"] if one["name"] == "register")
    scopes = "--label helm-test --scope READ --scope WITHDRAW"
    register["args"] = [register["args"][0].replace("--label helm-test", scopes)]
    (container,) = spec["containers"]
    container |= {"name": "customer", "command": ["sleep", "infinity"]}
    container["volumeMounts"] = [
        *container["volumeMounts"],
        {"name": "customer", "mountPath": "/customer"},
    ]
    spec["volumes"] = [*spec["volumes"], {"name": "customer", "configMap": metadata}]
    content = {
        "customer.py": Path(customer.__file__).read_text("utf-8"),
        "destinations.json": json.dumps(DESTINATIONS),
    }
    labels = test["metadata"]["labels"]
    way = {
        "podSelector": {"matchLabels": {"app.kubernetes.io/component": "test"}},
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"podSelector": {"matchLabels": node.LABELS}}]}],
    }
    network = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": content},
        {**network, "metadata": metadata, "spec": way},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**metadata, "labels": labels},
            "spec": spec,
        },
    ]


def wait_settled(customer: Customer) -> None:
    """Every withdrawal is paid, every deposit is the customer's to withdraw."""
    until(lambda: customer.states("withdrawals") <= {"settled"}, SETTLED_SECONDS)
    until(lambda: customer.states("deposits") <= {"withdrawable"}, SETTLED_SECONDS)


def check_books(customer: Customer) -> None:
    """Paid and credited once each, by chain, engine and custody's book, to the last atom."""
    venue, sees = customer.venue, customer.sees()
    paid_in = sum(atoms_of(amount) for _, amount, _ in sees["deposits"])
    assert node.balance(venue, customer.address) == paid_in
    wanted: dict[str, int] = {}
    for _, destination, amount, _ in sees["withdrawals"]:
        wanted[destination] = wanted.get(destination, 0) + atoms_of(amount)
    assert customer.run("paid") == wanted
    paid_out, fees = (
        sum(wanted.values()),
        len(sees["withdrawals"]) * keys_and_policies.FEE_ENGINE_ATOMS * SCALE,
    )
    left = paid_in - paid_out - fees
    assert [atoms * SCALE for atoms in sees["balance"]] == [left, 0, 0]
    asked = BOOK.format(network=keys_and_policies.NETWORK_ID)
    book = {account: int(atoms) for account, atoms in json.loads(venue.sql(asked)).items()}
    cost = book.pop("network_cost")
    # What the first look of reconciliation found at the hot wallet is nobody's.
    strange = -book.pop("unclaimed", 0)
    assert strange in (0, FUNDED_ATOMS)
    hot_atoms = strange + paid_in - paid_out - cost
    assert book == {"hot": hot_atoms, "customers": -left, "fees_charged": -fees}
    hot = text_of(keys_and_policies.hot_account())
    assert node.balance(venue, hot) == FUNDED_ATOMS - paid_out - cost
    assert venue.sql("select withdrawals_stopped from custody.chain") == "f"
    worker = venue.workers()[0]["metadata"]["name"]
    found = venue.kubectl("exec", worker, "--", "python", "-m", "wallets", "reconcile")
    assert "nothing differs" in found


def atoms_of(amount: str) -> int:
    """Of the chain."""
    return int(Decimal(amount) * 10**18)


def evict(venue: Custody, pod: str) -> None:
    """As an administrator or a scaler of nodes asks for it."""
    metadata = {"name": pod, "namespace": venue.namespace}
    content = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{venue.namespace}/pods/{pod}/eviction"
    venue.kubectl("create", "--raw", path, "--filename", "-", text=json.dumps(content))


def kill(venue: Custody, selector: str) -> None:
    """At once, without a word to what runs in them; returns when others are ready."""
    gone = {one["metadata"]["uid"] for one in venue.pods(selector)}
    venue.kubectl("delete", "pods", "--selector", selector, "--grace-period=0", "--force")
    wait_others(venue, selector, gone)


def wait_others(venue: Custody, selector: str, gone: set[str]) -> None:
    """Other pods than these are ready."""

    def are_ready() -> bool:
        pods = venue.pods(selector)
        return len(pods) >= len(gone) and all(
            one["metadata"]["uid"] not in gone and is_ready(one) for one in pods
        )

    until(are_ready, READY_SECONDS)


def is_ready(pod: dict[str, Any]) -> bool:
    found = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in found)


def hang(pod: dict[str, Any]) -> None:
    """Stops the pod's process, which then neither works nor ends. The node is this machine."""
    (status,) = pod["status"]["containerStatuses"]
    container = status["containerID"].rpartition("//")[2]
    found = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cgroup")
        if container in read(path)
    ]
    assert found, "the cluster's node is not on this machine"
    for process in found:
        os.kill(process, signal.SIGSTOP)


def read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        # It ended meanwhile.
        return ""
