"""Commands of custody: `python -m wallets worker | service | migrate | apply | rescan | …`."""

import asyncio
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from runtime import postgres, process
from runtime.migrations import migrate as bring_up_to_date
from wallets.audit import chain
from wallets.deposits import addresses
from wallets.deposits.addresses_command import addresses as addresses_group
from wallets.deposits.command import deposits
from wallets.deposits.rescan import Rescan
from wallets.operating import Operation, carry_out, load_settings
from wallets.reconciliation.command import reconcile
from wallets.reserves.command import reserves
from wallets.restoring.engine_ahead_command import engine_ahead
from wallets.restoring.verify_command import verify_restore
from wallets.schema import MIGRATIONS
from wallets.screening.command import withdrawals
from wallets.service import server as gateways
from wallets.service.address_book_command import book
from wallets.treasury.command import treasury
from wallets.treasury.costs_command import costs
from wallets.worker import server
from wallets.worker.chains import open_chain
from wallets.worker.registration import apply as register
from wallets.worker.registration import read_registration


@click.group()
def main() -> None:
    """Deposits and withdrawals of one network."""


@main.command()
def worker() -> None:
    """Pay withdrawals of one network until SIGTERM."""
    settings = load_settings()
    # Modules live as long as the process: no collection looks through them while payouts wait.
    gc.freeze()
    sys.exit(
        process.run(lambda stop: server.serve(settings, stop), service="wallets", settings=settings)
    )


@main.command()
def service() -> None:
    """Answer gateways until SIGTERM: quotes, deposits, withdrawals."""
    settings = load_settings()
    sys.exit(
        process.run(
            lambda stop: gateways.serve(settings, stop), service="custody", settings=settings
        )
    )


@main.command()
def migrate() -> None:
    """Bring the schema `custody` up to date."""
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        await bring_up_to_date(settings.postgres, MIGRATIONS)

    sys.exit(process.run(run, service="wallets", settings=settings))


@main.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
def apply(files: Sequence[Path]) -> None:
    """Register networks, their assets, tiers, branches and sources; again changes nothing.

    Each file is one network, registered whole or not at all.
    """
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        wanted = [read_registration(file) for file in files]
        database = await postgres.connect(settings.postgres, application_name="wallets-apply")
        try:
            for one in wanted:
                await register(database, one)
        finally:
            await database.close()

    sys.exit(process.run(run, service="wallets", settings=settings))


@main.command()
@click.option("--from-height", type=click.IntRange(min=0), required=True)
def rescan(from_height: int) -> None:
    """Read blocks again that were applied before some of our addresses were known."""

    async def run(operation: Operation) -> None:
        network, database = operation.network, operation.database
        chain_file = Path(operation.settings.chain_file)
        opened = await open_chain(network, chain_file, database, operation.stack)
        await opened.chain.check()
        await addresses.look_ahead(database, opened.chain, network.network_id)
        again = Rescan(database, opened.chain, opened.hooks, network.network_id)
        click.echo(f"{await again.run(from_height)} blocks read again")

    carry_out("wallets-rescan", run)


@main.command()
@click.option("--head", default="", help="EVENT:HASH of an earlier time, kept elsewhere.")
def verify_audit(head: str) -> None:
    """Read the chain of changes again; show its head, which belongs kept elsewhere."""
    settings = load_settings()
    event_id, _, digest = head.partition(":")
    try:
        kept = chain.Head(int(event_id), bytes.fromhex(digest)) if head else None
    except ValueError:
        raise click.BadParameter("EVENT:HASH", param_hint="--head") from None

    async def run(_stop: asyncio.Event) -> None:
        database = await postgres.connect(settings.postgres, application_name="wallets-audit")
        try:
            found = await chain.verify(database, kept)
        finally:
            await database.close()
        click.echo(f"{found.last_event_id}:{found.hash.hex()}")

    sys.exit(process.run(run, service="wallets", settings=settings))


main.add_command(addresses_group)
main.add_command(book)
main.add_command(costs)
main.add_command(deposits)
main.add_command(engine_ahead)
main.add_command(reconcile)
main.add_command(reserves)
main.add_command(treasury)
main.add_command(verify_restore)
main.add_command(withdrawals)


if __name__ == "__main__":
    main()
