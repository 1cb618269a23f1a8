"""A development node of Ethereum as a pod beside the venue, from an image `cambist-test-node`."""

import json
from typing import Any, Final

from tests.cluster.venue import TAG, Venue

LABELS: Final = {"test": "node"}
# The image has a shell and no program for HTTP.
ASK: Final = (
    "exec 3<>/dev/tcp/127.0.0.1/8545; "
    'printf "POST / HTTP/1.1\\r\\nHost: node\\r\\nConnection: close\\r\\n'
    'Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s" '
    '"${#0}" "$0" >&3; cat <&3'
)


def documents() -> list[dict[str, Any]]:
    """The pod and its Service `node`."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    container = {
        "name": "node",
        "image": f"cambist-test-node:{TAG}",
        "imagePullPolicy": "Never",
        "args": ["--block-time", "1"],
        "readinessProbe": {"tcpSocket": {"port": 8545}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": security,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "node", "labels": LABELS},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "node"},
        "spec": {"selector": LABELS, "ports": [{"port": 8545}]},
    }
    return [pod, service]


def call(venue: Venue, method: str, *params: object) -> Any:
    """What the running node answers."""
    asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    told = venue.kubectl("exec", "node", "--", "bash", "-c", ASK, asked).partition("\n\n")[2]
    answer = json.loads(told)
    assert "error" not in answer, answer
    return answer["result"]


def genesis_hash(venue: Venue) -> str:
    """Of the running node."""
    return str(call(venue, "eth_getBlockByNumber", "0x0", False)["hash"]).removeprefix("0x")


def balance(venue: Venue, account: str) -> int:
    """Atoms at the newest block."""
    return int(call(venue, "eth_getBalance", account, "latest"), 16)
