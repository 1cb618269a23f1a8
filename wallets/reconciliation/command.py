"""`python -m wallets reconcile`: one look at journal, book and chain, shown and stored.

Run by an operator, at any time beside the workers. A deficit that it finds stops payouts, as the
workers' own looks do; a stop is ended in the names of two people, when nothing is left of it.
"""

import asyncio
import sys
from datetime import UTC
from pathlib import Path
from typing import Final

import click
import grpc.aio

from runtime.postgres import Database
from wallets import operating
from wallets.books.holdings import AsksBalances
from wallets.engines import open_engines, read_engines
from wallets.errors import Rejected
from wallets.operating import Operation
from wallets.people import check_people
from wallets.reconciliation import cut, limits
from wallets.reconciliation.job import Look
from wallets.reconciliation.networks import open_reconciliation
from wallets.worker.chains import open_chain

RUNS: Final = """
select r.*, jsonb_array_length(r.findings) as differences from custody.reconciliation_run r
where network_id = $1 order by run_id desc limit $2
"""
# Coins of other chains are counted by the scan alone.
ASKS_NODES: Final = ("ethereum", "tron")
# Something differs, so that a script notices.
DIFFERS: Final = 3


@click.command()
@click.option("--runs", is_flag=True, help="Show the last looks instead of looking.")
@click.option("--resume", "people", multiple=True, metavar="NAME", help="End a stop; twice.")
def reconcile(runs: bool, people: tuple[str, ...]) -> None:
    """Compare journal, book and chain of one network now; status 3 when they differ.

    With two names of people, and only when nothing that stops payouts is left, a stop that an
    earlier look made is ended in their names.
    """
    try:
        names = check_people(people) if people else []
    except Rejected as error:
        raise click.BadParameter(error.message, param_hint="--resume") from None
    differs = asyncio.Event()

    async def run(operation: Operation) -> None:
        settings, database = operation.settings, operation.database
        network_id = operation.network.network_id
        if runs:
            await show_runs(database, network_id)
            return
        channels: dict[int, tuple[grpc.aio.Channel, ...]] = {}
        if settings.engines:
            engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
            channels = await open_engines(engines, settings.engine_tls, operation.stack)
        job = await open_reconciliation(
            database,
            network_id,
            channels,
            engine_stops=settings.engine_deficit_stops,
            balances=await balances_of(operation),
        )
        look = await job.look()
        show(look)
        if look.findings:
            differs.set()
        if names and not look.stopping:
            ended = await cut.resume(database, network_id, names)
            click.echo("payouts go on" if ended else "no stop of this kind to end")

    operating.carry_out("reconcile", run)
    if differs.is_set():
        sys.exit(DIFFERS)


async def balances_of(operation: Operation) -> AsksBalances | None:
    """The nodes, where coins lie at accounts. Raises ConfigurationError without a chain file."""
    if operation.network.chain not in ASKS_NODES:
        return None
    path, network = Path(operation.settings.chain_file), operation.network
    opened = await open_chain(network, path, operation.database, operation.stack)
    await opened.chain.check()
    return opened.balances


def show(look: Look) -> None:
    """Every line that was compared, and what differs."""
    ref = look.cut.block
    click.echo(f"block {ref.height} {ref.block_hash}" if ref.height >= 0 else "no chain looked at")
    for one in look.cut.held:
        click.echo(
            f"{one.place} of asset {one.asset_id}: chain {one.chain_atoms}, book {one.book_atoms},"
            f" coming {one.coming_atoms}, missing {one.missing_atoms}, leaving {one.leaving_atoms}"
        )
    for owed in look.cut.owed:
        click.echo(
            f"customers of asset {owed.asset_id}: engine {owed.engine_atoms},"
            f" book {owed.book_atoms}, pending {owed.pending_atoms},"
            f" opening {owed.opening_atoms or 0}"
        )
    for finding in look.findings:
        what = " (payouts stop)" if finding in look.stopping else ""
        what = " (payouts of this asset stop)" if finding in look.suspending else what
        click.echo(f"{finding}{what}")
    if not look.findings:
        click.echo("nothing differs")


async def show_runs(database: Database, network_id: int) -> None:
    """The last looks, newest first."""
    for row in await database.read(RUNS, network_id, limits.RUNS_SHOWN):
        time = row["created_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        result = row["reason"] or f"{row['differences']} differences"
        click.echo(f"{time} block {row['height']}: {result}")
