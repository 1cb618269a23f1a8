"""The objects that one WalletChain owns, as server-side apply takes them. Pure.

The Deployment has no `replicas`: only `/scale` writes them. Everything belongs to the WalletChain
by owner references, so deleting it needs no finalizer.
"""

import copy
from typing import Any, Final

from control.cluster.kinds import CHAIN_LABEL, Kind, Object, name_of
from control.settings import WorkerSettings

CONTAINER: Final = "worker"
# A worker that hangs for so long is started anew; its claims are another's after a minute. Long,
# because a first start may derive many addresses before it says that it serves.
LIVENESS: Final = {"periodSeconds": 10, "failureThreshold": 12, "terminationGracePeriodSeconds": 5}
# A worker drains on SIGTERM too: Kubernetes must wait longer than that may take.
GRACE_MARGIN_SECONDS: Final = 15
LINK_LOCAL: Final = ("169.254.0.0/16", "fe80::/10")
VARIABLE_PREFIX: Final = "CAMBIST_WALLETS_"
SIDES: Final = ("deposits", "withdrawals")
CHAIN_FILE_FOLDER: Final = "/etc/cambist/chain"
CHAIN_FILE_NAME: Final = "chain.json"
# A volume of the pod: its root is read-only.
SCRATCH_FOLDER: Final = "/tmp"  # noqa: S108
# The file holds passwords of nodes: for the image's group alone.
CHAIN_FILE_MODE: Final = 0o440
WORKER_GROUP: Final = 10001
POSTGRES_PORT: Final = 5432
DNS_PORT: Final = 53


def child_name(chain: Object) -> str:
    """Name of all children."""
    return f"wallets-{name_of(chain)}"


def labels_of(chain: Object) -> dict[str, str]:
    """Labels of children and pods; the selector of a Deployment cannot change."""
    return {
        "app.kubernetes.io/name": "cambist-wallets",
        "app.kubernetes.io/managed-by": "cambist-control",
        CHAIN_LABEL: name_of(chain),
    }


def metadata(chain: Object) -> Object:
    """Metadata of a child."""
    return {
        "name": child_name(chain),
        "labels": labels_of(chain),
        "ownerReferences": [
            {
                "apiVersion": Kind.WALLET_CHAIN.api_version,
                "kind": Kind.WALLET_CHAIN.title,
                "name": name_of(chain),
                "uid": chain["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def image_of(spec: Object, settings: WorkerSettings) -> str:
    """Image with tag or digest."""
    repository = settings.image.replace("{chain}", spec["chain"])
    image = spec.get("image") or {}
    if image.get("digest"):
        return f"{repository}@{image['digest']}"
    return f"{repository}:{image.get('tag') or settings.tag}"


def environment(spec: Object, settings: WorkerSettings) -> list[Object]:
    """The worker's settings that follow from the resource; see `wallets.settings`.

    What is the installation's (database, engines, signer, approver, TLS) comes by the template.
    """
    told = {
        "CHAIN": spec["chain"],
        "NETWORK": spec["network"],
        "CHAIN_FILE": f"{CHAIN_FILE_FOLDER}/{CHAIN_FILE_NAME}",
        "LISTEN_ADDRESS": f"0.0.0.0:{settings.port}",
        "HEALTH_ADDRESS": f"0.0.0.0:{settings.health_port}",
    }
    # Told only when it is so: workers of chains that were never suspended are not replaced.
    suspend = spec.get("suspend") or {}
    told |= {f"{side.upper()}_SUSPENDED": "true" for side in SIDES if suspend.get(side)}
    found: list[Object] = [
        {"name": f"{VARIABLE_PREFIX}{name}", "value": value} for name, value in told.items()
    ]
    pod_name = {"fieldRef": {"fieldPath": "metadata.name"}}
    found.append({"name": f"{VARIABLE_PREFIX}INSTANCE", "valueFrom": pod_name})
    return found


def volumes(spec: Object) -> list[Object]:
    """The chain file, which only the kubelet reads for the pod, and room for temporary files."""
    file = spec["chainFileSecretRef"]
    secret = {
        "secretName": file["name"],
        "items": [{"key": file["key"], "path": CHAIN_FILE_NAME}],
        "defaultMode": CHAIN_FILE_MODE,
    }
    return [{"name": "chain", "secret": secret}, {"name": "scratch", "emptyDir": {}}]


def container(spec: Object, settings: WorkerSettings) -> Object:
    """The worker's container, under the restricted Pod Security standard."""
    asked = {"grpc": {"port": settings.health_port}, "timeoutSeconds": 3}
    made = {
        "name": CONTAINER,
        "image": image_of(spec, settings),
        "imagePullPolicy": "IfNotPresent",
        "env": environment(spec, settings),
        "ports": [
            {"name": "worker", "containerPort": settings.port, "protocol": "TCP"},
            {"name": "health", "containerPort": settings.health_port, "protocol": "TCP"},
        ],
        "readinessProbe": {**asked, "periodSeconds": 5},
        "livenessProbe": {**asked, **LIVENESS},
        "volumeMounts": [
            {"name": "chain", "mountPath": CHAIN_FILE_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": SCRATCH_FOLDER},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if spec.get("resources"):
        made["resources"] = spec["resources"]
    return made


def deployment(chain: Object, settings: WorkerSettings, template: Object) -> Object:
    """The Deployment; `template` holds the installation's parts of the pod template."""
    labels = labels_of(chain)
    pod: Object = {
        "metadata": {"labels": labels},
        "spec": {
            "serviceAccountName": child_name(chain),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": int(settings.drain_seconds) + GRACE_MARGIN_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "fsGroup": WORKER_GROUP,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container(chain["spec"], settings)],
            "volumes": volumes(chain["spec"]),
        },
    }
    return {
        "metadata": metadata(chain),
        "spec": {
            "selector": {"matchLabels": labels},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": overlaid(pod, template),
        },
    }


def overlaid(base: Any, over: Any) -> Any:
    """`over` laid over `base`: maps by key, lists of named things by name, all else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            merged[key] = overlaid(base[key], value) if key in base else copy.deepcopy(value)
        return merged
    if is_named(base) and is_named(over):
        found = {item["name"]: item for item in base}
        for item in over:
            known = found.get(item["name"])
            found[item["name"]] = overlaid(known, item) if known else copy.deepcopy(item)
        return list(found.values())
    return copy.deepcopy(over)


def is_named(value: Any) -> bool:
    """A list whose items have names."""
    return isinstance(value, list) and all(
        isinstance(item, dict) and "name" in item for item in value
    )


def network_policy(chain: Object, settings: WorkerSettings) -> Object:
    """Out to the nodes' ports and DNS; in to the worker's ports from pods of this namespace."""
    egress: list[Object] = [
        {"ports": [{"port": DNS_PORT, "protocol": protocol} for protocol in ("UDP", "TCP")]},
        {"to": [{"podSelector": {}}]},
        {"ports": [{"port": POSTGRES_PORT, "protocol": "TCP"}]},
    ]
    for node in chain["spec"]["nodes"]:
        blocks = [{"cidr": cidr} for cidr in node.get("cidrs", [])] or [
            {"cidr": "0.0.0.0/0", "except": [LINK_LOCAL[0]]},
            {"cidr": "::/0", "except": [LINK_LOCAL[1]]},
        ]
        ports = [{"port": port, "protocol": "TCP"} for port in node.get("ports", [])]
        egress.append({"to": [{"ipBlock": block} for block in blocks], "ports": ports})
    ingress = [
        {
            "from": [{"podSelector": {}}],
            "ports": [{"port": settings.port, "protocol": "TCP"}],
        },
        {"ports": [{"port": settings.health_port, "protocol": "TCP"}]},
    ]
    return {
        "metadata": metadata(chain),
        "spec": {
            "podSelector": {"matchLabels": labels_of(chain)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def children(
    chain: Object, settings: WorkerSettings, template: Object
) -> list[tuple[Kind, Object]]:
    """All children, in the order they are applied; the Deployment last."""
    selector = {"matchLabels": labels_of(chain)}
    found: list[tuple[Kind, Object]] = [
        (
            Kind.SERVICE_ACCOUNT,
            {"metadata": metadata(chain), "automountServiceAccountToken": False},
        ),
        (
            Kind.DISRUPTION_BUDGET,
            {
                "metadata": metadata(chain),
                "spec": {
                    "maxUnavailable": 1,
                    "selector": selector,
                    "unhealthyPodEvictionPolicy": "AlwaysAllow",
                },
            },
        ),
        (
            Kind.SERVICE,
            {
                "metadata": metadata(chain),
                "spec": {
                    "clusterIP": "None",
                    "publishNotReadyAddresses": True,
                    "selector": labels_of(chain),
                    "ports": [
                        {
                            "name": "worker",
                            "port": settings.port,
                            "targetPort": "worker",
                            "protocol": "TCP",
                        }
                    ],
                },
            },
        ),
    ]
    if settings.network_policy:
        found.append((Kind.NETWORK_POLICY, network_policy(chain, settings)))
    found.append((Kind.DEPLOYMENT, deployment(chain, settings, template)))
    return found
