"""Waits until the workers of all WalletChains run what this release wants them to run.

Called by the Job `apply` when all is applied: without it an upgrade would be called done while
the operator is still replacing workers.
"""

import click

from control.chains.manifests import child_name, image_of
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, name_of
from control.conditions import Truth
from control.errors import NotFound
from control.release.waiting import until
from control.settings import WorkerSettings


def lack(deployment: Object, image: str) -> str:
    """What a Deployment lacks of being rolled out; empty = nothing. Pure."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    (container, *_) = spec["template"]["spec"]["containers"]
    if container["image"] != image:
        return f"has {container['image']}, not {image}"
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return "was just changed"
    wanted = spec.get("replicas", 1)
    for field in ("replicas", "updatedReplicas", "availableReplicas"):
        if status.get(field, 0) != wanted:
            return f"{field} {status.get(field, 0)} of {wanted}"
    return ""


def is_in_conflict(chain: Object) -> bool:
    """Whether an older WalletChain serves its network: it has no workers then. Pure."""
    conditions = (chain.get("status") or {}).get("conditions", [])
    return any(one["type"] == "Conflict" and one["status"] == Truth.TRUE for one in conditions)


async def lacks(cluster: Cluster, settings: WorkerSettings) -> dict[str, str]:
    """By WalletChain, what its workers lack."""
    found = {}
    for chain in await cluster.list(Kind.WALLET_CHAIN):
        if is_in_conflict(chain):
            continue
        try:
            deployment = await cluster.get(Kind.DEPLOYMENT, child_name(chain))
        except NotFound:
            found[name_of(chain)] = "has no Deployment"
            continue
        missing = lack(deployment, image_of(chain["spec"], settings))
        if missing:
            found[name_of(chain)] = missing
    return found


async def wait_workers(cluster: Cluster, settings: WorkerSettings, timeout_seconds: float) -> bool:
    """Whether all workers came up in time; says which did not, and why."""
    left: dict[str, str] = {}

    async def are_up() -> bool:
        nonlocal left
        left = await lacks(cluster, settings)
        return not left

    if await until(are_up, timeout_seconds):
        click.echo("workers of all WalletChains are up")
        return True
    for name, text in left.items():
        click.echo(f"workers of {name} are not up: {text}")
    click.echo("the operator goes on; look with: kubectl cambist status")
    return False
