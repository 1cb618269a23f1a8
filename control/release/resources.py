"""Markets and WalletChains of the chart's values, applied when the operator answers.

Called by the Job `apply` after an install or an upgrade. What carries the release's label and is
no longer among the values is deleted; what others made is never touched. A Market that is deleted
changes nothing in the engine; a WalletChain takes its workers along, and loses no payment.
"""

import json
from collections.abc import Sequence
from typing import Final

import click

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, name_of
from control.errors import NotFound, Rejected
from control.release.waiting import until

# Value: the release's name.
APPLIED_BY_LABEL: Final = "cambist.dev/applied-by"
KINDS: Final = {kind.title: kind for kind in (Kind.MARKET, Kind.WALLET_CHAIN)}


def read(text: str, release: str) -> list[tuple[Kind, Object]]:
    """The objects of the chart's file, a list of {kind, name, spec}. Raises Rejected. Pure."""
    try:
        return [
            (
                KINDS[one["kind"]],
                {
                    "metadata": {"name": one["name"], "labels": {APPLIED_BY_LABEL: release}},
                    "spec": one["spec"],
                },
            )
            for one in json.loads(text)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected("RESOURCES_UNREADABLE", f"{type(error).__name__} {error}") from None


async def wait_operator(cluster: Cluster, lease_name: str) -> None:
    """Waits until a Lease is renewed before our eyes: clocks of two machines are not compared."""
    seen = ""

    async def is_renewed() -> bool:
        nonlocal seen
        try:
            version = (await cluster.get(Kind.LEASE, lease_name))["metadata"]["resourceVersion"]
        except NotFound:
            return False
        before, seen = seen, version
        return bool(before) and before != version

    if not await until(is_renewed, limits.OPERATOR_SECONDS):
        text = f"nobody renewed the Lease {lease_name} in {limits.OPERATOR_SECONDS:g} s"
        raise Rejected("OPERATOR_AWAY", text)


async def apply(cluster: Cluster, wanted: Sequence[tuple[Kind, Object]], release: str) -> None:
    """Applies all and prunes. Raises Rejected with what the API server has against one."""
    for kind, document in wanted:
        await cluster.apply(kind, document)
        click.echo(f"{kind.title} {name_of(document)} is applied")
    await prune(cluster, release, {(kind, name_of(document)) for kind, document in wanted})


async def prune(cluster: Cluster, release: str, kept: set[tuple[Kind, str]]) -> None:
    """Deletes what this release applied and that is not to be kept."""
    for kind in KINDS.values():
        for found in await cluster.list(kind, f"{APPLIED_BY_LABEL}={release}"):
            if (kind, name_of(found)) not in kept:
                await cluster.delete(kind, name_of(found))
                click.echo(f"{kind.title} {name_of(found)} is deleted")
