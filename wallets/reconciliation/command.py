"""`python -m wallets reconcile`: one look at journal, book and chain, shown and stored.

Run by an operator, at any time beside the workers. A deficit that it finds stops payouts, as the
workers' own looks do; a stop is ended in the names of two people, when nothing is left of it.
"""

import asyncio
import sys
from datetime import UTC
from typing import Final

import click
import grpc.aio

from runtime.postgres import Database
from wallets import operating
from wallets.engines import open_engines, read_engines
from wallets.operating import Operation
from wallets.reconciliation import cut, limits
from wallets.reconciliation.job import Look
from wallets.reconciliation.networks import open_reconciliation

RUNS: Final = """
select r.*, jsonb_array_length(r.findings) as differences from custody.reconciliation_run r
where network_id = $1 order by run_id desc limit $2
"""
PEOPLE_TO_RESUME: Final = 2
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
    if people and len({name.strip() for name in people} - {""}) != PEOPLE_TO_RESUME:
        raise click.BadParameter("two different names", param_hint="--resume")
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
            database, network_id, channels, engine_stops=settings.engine_deficit_stops
        )
        look = await job.look()
        show(look)
        if look.findings:
            differs.set()
        if people and not look.stopping:
            ended = await cut.resume(database, network_id, people)
            click.echo("payouts go on" if ended else "no stop of this kind to end")

    operating.carry_out("reconcile", run)
    if differs.is_set():
        sys.exit(DIFFERS)


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
        click.echo(f"{finding}{' (payouts stop)' if finding in look.stopping else ''}")
    if not look.findings:
        click.echo("nothing differs")


async def show_runs(database: Database, network_id: int) -> None:
    """The last looks, newest first."""
    for row in await database.read(RUNS, network_id, limits.RUNS_SHOWN):
        time = row["created_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        result = row["reason"] or f"{row['differences']} differences"
        click.echo(f"{time} block {row['height']}: {result}")
