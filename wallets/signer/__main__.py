"""Commands of the signer: `python -m wallets.signer serve | migrate | stop | resume`."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from runtime import postgres, process
from runtime.migrations import migrate as bring_up_to_date
from runtime.postgres import Database
from wallets.signer import limits, log, server
from wallets.signer.keys.encrypted_file import SEED_BYTES, write_seed
from wallets.signer.settings import SignerSettings


@click.group()
def main() -> None:
    """The only process with private keys."""


def with_database(change: Callable[[Database], Awaitable[None]]) -> None:
    """Runs one change of the log's database and ends the process."""
    settings = SignerSettings.load()

    async def run(_stop: asyncio.Event) -> None:
        database = await postgres.connect(settings.postgres, application_name="signer-command")
        try:
            await change(database)
        finally:
            await database.close()

    sys.exit(process.run(run, service="signer", settings=settings))


@main.command()
def serve() -> None:
    """Sign until SIGTERM."""
    settings = SignerSettings.load()
    sys.exit(
        process.run(lambda stop: server.serve(settings, stop), service="signer", settings=settings)
    )


@main.command()
def migrate() -> None:
    """Bring the schema `signer` up to date."""
    settings = SignerSettings.load()

    async def run(_stop: asyncio.Event) -> None:
        await bring_up_to_date(settings.postgres, log.MIGRATIONS)

    sys.exit(process.run(run, service="signer", settings=settings))


@main.command()
def create_seed() -> None:
    """Make a new seed and write it, encrypted, to CAMBIST_SIGNER_SEED_FILE; never shown."""
    settings = SignerSettings.load()
    passphrase = settings.passphrase.get_secret_value().encode()
    if len(passphrase) < limits.PASSPHRASE_BYTES_MIN:
        raise click.ClickException("CAMBIST_SIGNER_PASSPHRASE is too short")
    write_seed(Path(settings.seed_file), os.urandom(SEED_BYTES), passphrase)


@main.command()
@click.option("--reason", required=True)
def stop(reason: str) -> None:
    """Stop all signing at once; durable when the command ends."""
    with_database(lambda database: log.stop(database, reason))


@main.command()
@click.option("--person", "persons", multiple=True, required=True)
def resume(persons: tuple[str, ...]) -> None:
    """Permit signing again: two different --person; then restart the signer."""
    with_database(lambda database: log.resume(database, frozenset(persons)))


if __name__ == "__main__":
    main()
