"""Before a release is taken away: workers stop claiming payouts, and a person reads what is left.

Called by the Job `drain` while the operator is still there to drain. It never keeps an uninstall
back: what fails is said, and the Job ends well. No payment depends on it, since a worker may die
at any time.
"""

from collections.abc import Sequence
from typing import Any, Final

import click

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, label_of, name_of
from control.release.resources import APPLIED_BY_LABEL, prune
from control.release.waiting import until

# The same as `kubectl cambist drain`.
DRAINED: Final[Any] = {"spec": {"replicas": 0, "scaling": {"mode": "Manual"}}}


def is_drained(chain: Object) -> bool:
    """Whether the operator has seen the request and no worker is left. Pure."""
    status = chain.get("status") or {}
    is_seen = status.get("observedGeneration", 0) >= chain["metadata"]["generation"]
    return bool(is_seen) and int(status.get("replicas", 0)) == 0


def describe(chain: Object) -> str:
    """What a chain has left, as its workers last said. Pure."""
    status = chain.get("status") or {}
    return (
        f"WalletChain {name_of(chain)}: workers {status.get('replicas', 0)}, payouts that wait "
        f"{status.get('backlog', 0)}, blocked {status.get('blocked', 0)}; they stay in the database"
    )


async def drain(cluster: Cluster, timeout_seconds: float) -> list[Object]:
    """Asks for no workers and waits until there are none; the chains as they are then."""
    for chain in await cluster.list(Kind.WALLET_CHAIN):
        await cluster.patch(Kind.WALLET_CHAIN, name_of(chain), DRAINED)
    chains: list[Object] = []

    async def are_drained() -> bool:
        nonlocal chains
        chains = await cluster.list(Kind.WALLET_CHAIN)
        return all(is_drained(chain) for chain in chains)

    if not await until(are_drained, timeout_seconds):
        click.echo(f"not all workers got empty in {timeout_seconds:g} s")
    return chains


async def stop(cluster: Cluster, release: str, kept: Sequence[str]) -> None:
    """Drains, deletes what the chart applied, and says what remains. Raises no error."""
    try:
        for chain in await drain(cluster, limits.UNINSTALL_DRAIN_SECONDS):
            click.echo(describe(chain))
            if label_of(chain, APPLIED_BY_LABEL) != release:
                name = name_of(chain)
                click.echo(
                    f"{name} is not the chart's and stays: kubectl cambist drain {name} --undo"
                )
        await prune(cluster, release, set())
    except Exception as error:  # noqa: BLE001 - a Job that fails would keep the release from going
        click.echo(f"not drained: {type(error).__name__} {error}")
    for line in kept:
        click.echo(f"kept: {line}")
