"""The process and its tools: `python -m gateway serve | migrate | keys … | methods`."""

import asyncio
import gc
import os
import sys
from collections.abc import Coroutine
from typing import Any

import click

from gateway import server, sockets
from gateway.door.permissions import PERMISSIONS
from gateway.identity.commands import keys
from gateway.identity.store import MIGRATIONS
from gateway.settings import GatewaySettings
from runtime import migrations, process
from runtime.errors import ConfigurationError


def load_settings() -> GatewaySettings:
    """Settings from the environment; ends the process with status 78 when they are wrong."""
    try:
        return GatewaySettings.load()
    except ConfigurationError as error:
        click.echo(f"configuration: {error}", err=True)
        sys.exit(process.ExitStatus.CONFIGURATION)


def freeze_start(_ports: server.Ports) -> None:
    """What exists when serving starts lives as long as the process: no need to look at it again."""
    gc.collect()
    gc.freeze()


@click.group()
def main() -> None:
    """The edge of the venue."""


@main.command()
def serve() -> None:
    """Serve until SIGTERM."""
    sockets.read_in_completing_thread(os.environ)
    settings = load_settings()

    def main_task(stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        return server.serve(settings, stop, freeze_start)

    sys.exit(process.run(main_task, service="gateway", settings=settings))


@main.command()
def migrate() -> None:
    """Bring the schema `identity` up to date."""
    settings = load_settings()

    async def run(_stop: asyncio.Event) -> None:
        chosen = await server.database_settings(settings)
        applied = await migrations.migrate(chosen, MIGRATIONS)
        click.echo(f"applied: {', '.join(applied) or 'nothing'}")

    sys.exit(process.run(run, service="gateway", settings=settings))


@main.command("methods")
@click.option("--unbuilt", is_flag=True, help="Only those that answer UNIMPLEMENTED.")
def list_methods(*, unbuilt: bool) -> None:
    """List all methods of the public port with what a caller needs, as a Markdown table."""
    click.echo("| method | needs | built |\n|---|---|---|")
    for name, permission in sorted(PERMISSIONS.items()):
        if not (unbuilt and permission.built):
            built = "yes" if permission.built else "no: UNIMPLEMENTED"
            click.echo(f"| `{name}` | {permission.describe()} | {built} |")


main.add_command(keys)

if __name__ == "__main__":
    main()
