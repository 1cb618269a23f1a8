"""The processes of matching: `python -m matching serve | snapshotter | projector | migrate | …`."""

import asyncio
import getpass
import sys

import click

from matching import engines, server
from matching.projector import process as projections
from matching.recovery import skips
from matching.recovery.verification import NoSnapshots, verify
from matching.settings import MatchingSettings
from matching.snapshots import process as snapshots
from matching.snapshots.store import SnapshotStore
from runtime import postgres, process
from runtime.errors import ConfigurationError


def load_settings() -> MatchingSettings:
    """Settings from the environment; ends the process with status 78 when they are wrong."""
    try:
        return MatchingSettings.load()
    except ConfigurationError as error:
        click.echo(f"configuration: {error}", err=True)
        sys.exit(process.ExitStatus.CONFIGURATION)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """The engine of one shard. Without a command: the role in CAMBIST_MATCHING_ROLE."""
    if context.invoked_subcommand is None:
        role = load_settings().role
        context.invoke(main.commands[role])


@main.command()
def serve() -> None:
    """Serve a shard until SIGTERM: as primary, or as standby until the primary is gone."""
    settings = load_settings()
    sys.exit(
        process.run(
            lambda stop: server.serve(settings, stop), service="matching", settings=settings
        )
    )


@main.command()
def snapshotter() -> None:
    """Follow the journal and store snapshots until SIGTERM."""
    settings = load_settings()
    sys.exit(
        process.run(
            lambda stop: snapshots.run(settings, stop), service="snapshotter", settings=settings
        )
    )


@main.command()
def projector() -> None:
    """Follow the journal, write the history and answer questions about it, until SIGTERM."""
    settings = load_settings()
    sys.exit(
        process.run(
            lambda stop: projections.run(settings, stop), service="projector", settings=settings
        )
    )


@main.command()
def migrate() -> None:
    """Bring the schema `journal` up to date and prepare all configured shards."""
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        chosen = await server.database_settings(settings)
        applied = await server.migrate(chosen, settings.all_shards(), settings.instance)
        click.echo(f"applied: {', '.join(applied) or 'nothing'}")

    sys.exit(process.run(run, service="matching", settings=settings))


@main.command("verify-restore")
@click.option("--whole", is_flag=True, help="From the first row on, without snapshots.")
def verify_restore(*, whole: bool) -> None:
    """Replay the journals of all configured shards and show where they end; writes nothing.

    Fails at the first row that is not what the engine makes of it.
    """
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        kind = engines.load(settings.engine)
        chosen = await server.database_settings(settings)
        database = await postgres.connect(chosen, application_name="cambist-verify-restore")
        try:
            for shard in settings.all_shards():
                source = NoSnapshots() if whole else SnapshotStore(database, shard)
                click.echo((await verify(database, shard, kind, source)).describe())
        finally:
            await database.close()

    sys.exit(process.run(run, service="matching", settings=settings))


@main.command("skip-poison")
@click.option("--seq", type=click.IntRange(min=1), required=True, help="Journal sequence.")
@click.option("--by", default=getpass.getuser, help="Who asks for it; kept as the audit.")
def skip_poison(seq: int, by: str) -> None:
    """Let the next start put a journaled command aside if the engine stops at it."""
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        chosen = await server.database_settings(settings)
        database = await postgres.connect(chosen, application_name="cambist-skip-poison")
        try:
            await skips.ask(database, settings.shard, seq, by)
        finally:
            await database.close()
        click.echo(f"shard {settings.shard}: seq {seq} may be put aside, asked by {by}")

    sys.exit(process.run(run, service="matching", settings=settings))


if __name__ == "__main__":
    main()
