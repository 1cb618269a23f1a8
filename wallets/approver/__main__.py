"""Commands of the approver: `python -m wallets.approver --help` lists them."""

import asyncio
import os
import sys
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime import postgres, process
from runtime.errors import ConfigurationError
from runtime.migrations import migrate as bring_up_to_date
from wallets.approver import limits, log, server
from wallets.approver.settings import ApproverSettings, read_policy
from wallets.errors import Rejected
from wallets.sealed_files import file_of, forbid_dumps, read_passphrase, write_new
from wallets.signer.approvals import consent_bytes


@click.group()
def main() -> None:
    """Approves payouts from the engine's journal and policy."""


@main.command()
def serve() -> None:
    """Approve until SIGTERM."""
    settings = ApproverSettings.load()
    sys.exit(
        process.run(
            lambda stop: server.serve(settings, stop), service="approver", settings=settings
        )
    )


@main.command()
def migrate() -> None:
    """Bring the schema `approver` up to date."""
    settings = ApproverSettings.load()

    async def run(_stop: asyncio.Event) -> None:
        await bring_up_to_date(settings.postgres, log.MIGRATIONS)

    sys.exit(process.run(run, service="approver", settings=settings))


@main.command()
@click.option("--shard", type=int, required=True)
@click.option("--after", "after_seq", type=int, required=True)
def begin(shard: int, after_seq: int) -> None:
    """Follow a journal from a sequence on, because older rows are gone: once per shard.

    Requests before it are never approved.
    """
    settings = ApproverSettings.load()

    async def run(_stop: asyncio.Event) -> None:
        database = await postgres.connect(settings.postgres, application_name="approver-command")
        try:
            await log.begin(database, shard, after_seq)
        except Rejected as error:
            raise ConfigurationError(str(error)) from None
        finally:
            await database.close()

    sys.exit(process.run(run, service="approver", settings=settings))


@main.command()
def new_key() -> None:
    """Make the key CAMBIST_APPROVER_KEY_ID; shows its public key, for the signer's policy."""
    forbid_dumps()
    settings = ApproverSettings.load()
    private_key = os.urandom(limits.KEY_BYTES)
    try:
        passphrase = read_passphrase(Path(settings.passphrase_file))
        path = file_of(Path(settings.key_directory), settings.key_id)
        write_new(path, private_key, passphrase)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None
    public_key = Ed25519PrivateKey.from_private_bytes(private_key).public_key()
    click.echo(f"{settings.key_id} {public_key.public_bytes_raw().hex()}")


@main.command()
@click.argument("withdrawal")
def consent_message(withdrawal: str) -> None:
    """Print what a person reads and signs of a withdrawal (id in hex): terms, then bytes in hex."""
    settings = ApproverSettings.load()
    policy = read_policy(Path(settings.policy_file))

    async def show(_stop: asyncio.Event) -> None:
        database = await postgres.connect(settings.postgres, application_name="approver-command")
        try:
            async with database.connection() as connection:
                request = await log.request(connection, bytes.fromhex(withdrawal))
        finally:
            await database.close()
        if request is None:
            raise ConfigurationError("no such request in the journal yet")
        terms = policy.terms(request)
        click.echo(terms)
        click.echo(consent_bytes(request.withdrawal_id, terms).hex())

    sys.exit(process.run(show, service="approver", settings=settings))


if __name__ == "__main__":
    main()
