"""Commands of the signer: `python -m wallets.signer --help` lists them."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import click

from cambist.internal.signer.v1 import intent_pb2
from runtime import postgres, process
from runtime.errors import ConfigurationError, Unavailable
from runtime.migrations import migrate as bring_up_to_date
from runtime.postgres import Database
from wallets.errors import Rejected
from wallets.sealed_files import forbid_dumps, read_passphrase
from wallets.signer import limits, log, server
from wallets.signer.keys import ceremony
from wallets.signer.keys.stores import PassphraseFiles
from wallets.signer.keys.token import make_key
from wallets.signer.settings import SignerSettings, open_keys, open_store, read_policy


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
@click.option("--reason", required=True)
def stop(reason: str) -> None:
    """Stop all signing at once; durable when the command ends."""
    nonce = os.urandom(limits.RESUME_NONCE_BYTES)
    with_database(lambda database: log.stop(database, reason, nonce))


@main.command()
def resume_nonce() -> None:
    """Print what two people sign to end the stop: "cambist resume v1", a zero byte, this."""

    async def show(database: Database) -> None:
        async with database.connection() as connection:
            click.echo((await log.resume_nonce(connection)).hex())

    with_database(show)


@main.command()
@click.option("--consent", "consents", multiple=True, required=True, help="PERSON=SIGNATURE (hex)")
def resume(consents: tuple[str, ...]) -> None:
    """Permit signing again: two people's signatures of the nonce; then restart the signer."""
    policy = read_policy(Path(SignerSettings.load().policy_file))
    signatures = dict(parse_consent(one) for one in consents)

    async def end(database: Database) -> None:
        async with database.transaction() as connection:
            try:
                await log.resume(connection, signatures, policy)
            except Rejected as error:
                raise ConfigurationError(str(error)) from None

    with_database(end)


def parse_consent(text: str) -> tuple[str, bytes]:
    """One --consent; raises click's error."""
    person, separator, signature = text.partition("=")
    try:
        if separator:
            return person, bytes.fromhex(signature)
    except ValueError:
        pass
    raise click.ClickException("--consent is PERSON=SIGNATURE, the signature in hex")


@main.command()
@click.option("--seen", type=int, required=True, help="highest log number that custody stored")
def verify_restore(seen: int) -> None:
    """Fail when the log is older than custody: a restored signer must not be served then."""

    async def check(database: Database) -> None:
        async with database.connection() as connection:
            last = await log.last_number(connection)
        if last < seen:
            raise ConfigurationError(f"the log ends at {last}, custody saw {seen}")
        click.echo(f"the log ends at {last}")

    with_database(check)


@main.group()
def keys() -> None:
    """Key ceremony: docs/wallets/signer.md says who is present and what is written down."""


@keys.command()
@click.option("--branch", required=True)
def new(branch: str) -> None:
    """Make the seed of a branch in the seeds' folder; shows its fingerprint, never the seed."""
    settings = SignerSettings.load()
    show_fingerprints(lambda: {branch: ceremony.new_seed(open_store(settings), branch)})


@keys.command()
@click.option("--branch", required=True)
@click.option("--index", type=int, default=0)
def new_in_token(branch: str, index: int) -> None:
    """Make a static key inside the token; shows its public key."""
    place = intent_pb2.KeyPlace(branch=branch, index=index)
    try:
        token = open_keys(SignerSettings.load(), writes=True)
        click.echo(f"{branch}/{index} {make_key(token, place).hex()}")
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None


@keys.command()
@click.option("--to", "target", type=click.Path(path_type=Path), required=True)
@click.option("--passphrase-file", type=click.Path(path_type=Path), required=True)
def backup(target: Path, passphrase_file: Path) -> None:
    """Write all seeds, encrypted under the backup's own passphrase, and read them back."""
    settings = SignerSettings.load()
    show_fingerprints(
        lambda: ceremony.backup(
            open_store(settings),
            PassphraseFiles(target, read_passphrase(passphrase_file)),
            branches_of(settings),
        )
    )


@keys.command()
@click.option("--from", "source", type=click.Path(path_type=Path), required=True)
@click.option("--passphrase-file", type=click.Path(path_type=Path), required=True)
def restore(source: Path, passphrase_file: Path) -> None:
    """Make the seeds' folder from a backup; replaces nothing."""
    settings = SignerSettings.load()

    def make() -> dict[str, str]:
        Path(settings.seed_directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = PassphraseFiles(source, read_passphrase(passphrase_file))
        return ceremony.restore(kept, open_store(settings), branches_of(settings))

    show_fingerprints(make)


@keys.command()
@click.option("--from", "source", type=click.Path(path_type=Path), required=True)
@click.option("--passphrase-file", type=click.Path(path_type=Path), required=True)
def verify(source: Path, passphrase_file: Path) -> None:
    """The drill: fail unless a backup opens and holds exactly the seeds in use."""
    settings = SignerSettings.load()

    def compare() -> dict[str, str]:
        branches = branches_of(settings)
        live = ceremony.fingerprints(open_store(settings), branches)
        backed = PassphraseFiles(source, read_passphrase(passphrase_file))
        kept = ceremony.fingerprints(backed, branches)
        differing = sorted(one for one in branches if live[one] != kept[one])
        if differing:
            raise ConfigurationError(f"the backup holds other seeds of {differing}")
        return kept

    show_fingerprints(compare)


def branches_of(settings: SignerSettings) -> Collection[str]:
    """Those that have seeds."""
    return read_policy(Path(settings.policy_file)).branches


def show_fingerprints(make: Callable[[], dict[str, str]]) -> None:
    """Prints fingerprints by branch, or the fault."""
    forbid_dumps()
    try:
        found = make()
    except (ConfigurationError, Unavailable) as error:
        raise click.ClickException(str(error)) from None
    for branch, text in found.items():
        click.echo(f"{branch} {text}")


if __name__ == "__main__":
    main()
