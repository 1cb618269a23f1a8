"""`python -m wallets verify-restore`: after a restore or a failover, before anything is paid.

Run by an operator beside workers, which scan and pay nothing meanwhile. Every difference is named.
While there is one the network is stopped, and this command is the only thing that ends that stop.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from runtime import rpc_channel
from wallets import operating
from wallets.engines import open_engines, read_engines
from wallets.errors import Rejected
from wallets.operating import Operation
from wallets.people import check_people
from wallets.reconciliation.networks import open_reconciliation
from wallets.restoring import ending, limits
from wallets.restoring.check import Check
from wallets.restoring.differences import Difference
from wallets.signer.client import SignerClient
from wallets.worker.chains import open_chain

# As `reconcile` ends when something differs.
DIFFERS: Final = 3


@click.command("verify-restore")
@click.option("--resume", "people", multiple=True, metavar="NAME", help="End the stop; twice.")
def verify_restore(people: tuple[str, ...]) -> None:
    """Compare custody with the signer's log, the journals, the chain and the books.

    Status 3 and a stop of the network's payouts when anything differs. With two names of people,
    and only when nothing differs, the stop is ended in their names.
    """
    try:
        names = check_people(people) if people else []
    except Rejected as error:
        raise click.BadParameter(error.message, param_hint="--resume") from None
    differs = asyncio.Event()

    async def run(operation: Operation) -> None:
        database, network_id = operation.database, operation.network.network_id
        found = await (await open_check(operation)).look()
        show(found)
        if found:
            differs.set()
            await ending.stop(database, network_id, f"{len(found)} differences, first {found[0]}")
            click.echo("payouts of this network are stopped")
        elif names:
            remaining = await ending.end(database, network_id, names)
            click.echo(f"still stopped: {remaining}" if remaining else "payouts go on")

    operating.carry_out("verify-restore", run)
    if differs.is_set():
        sys.exit(DIFFERS)


async def open_check(operation: Operation) -> Check:
    """Everybody who is asked, open until the operation ends. Raises ConfigurationError."""
    settings, network = operation.settings, operation.network
    engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
    channels = await open_engines(engines, settings.engine_tls, operation.stack)
    opened = await open_chain(
        network, Path(settings.chain_file), operation.database, operation.stack
    )
    signer = await operation.stack.enter_async_context(
        rpc_channel.open_channel(settings.signer_address, tls_settings=settings.peer_tls)
    )
    books = await open_reconciliation(
        operation.database,
        network.network_id,
        channels,
        engine_stops=settings.engine_deficit_stops,
        balances=opened.balances,
    )
    return Check(
        operation.database,
        network.network_id,
        opened.chain,
        SignerClient(signer),
        channels,
        books,
    )


def show(found: Sequence[Difference]) -> None:
    """Every difference up to a bound of each kind, and how many there are."""
    told: Counter[str] = Counter()
    for one in found:
        told[one.kind] += 1
        if told[one.kind] <= limits.TOLD_MAX:
            click.echo(str(one))
    for kind, count in told.items():
        if count > limits.TOLD_MAX:
            click.echo(f"{kind}: {count - limits.TOLD_MAX} more")
    if not found:
        click.echo("custody, signer, journal and chain agree")
