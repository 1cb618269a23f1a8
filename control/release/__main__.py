"""What the chart's Jobs run: `python -m control.release apply | drain | credentials`."""

import asyncio
import datetime
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import click

from control.cluster import client
from control.cluster.client import Cluster
from control.errors import ControlError
from control.release import resources, rollout, uninstall
from control.release.credentials import Leaf, renew
from control.settings import ControlSettings
from runtime import process
from runtime.errors import ConfigurationError

FIELD_MANAGER: Final = "cambist-chart"
release_option = click.option("--release", required=True, help="Name of the release.")


@click.group()
@click.pass_context
def main(ctx: click.Context) -> None:
    """Do before or after a release what templates cannot."""
    try:
        ctx.obj = ControlSettings.load()
    except ConfigurationError as error:
        click.echo(f"configuration: {error}", err=True)
        sys.exit(process.ExitStatus.CONFIGURATION)


def run(settings: ControlSettings, action: Callable[[Cluster], Awaitable[bool]]) -> None:
    """Runs to the end; the exit status says whether it came to a good one."""

    async def connected() -> bool:
        cluster = await client.connect(settings.namespace, FIELD_MANAGER)
        try:
            return await action(cluster)
        finally:
            await cluster.close()

    try:
        is_done = asyncio.run(connected())
    except ControlError as error:
        raise click.ClickException(str(error)) from None
    if not is_done:
        sys.exit(process.ExitStatus.FAULT)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait-seconds", type=click.FloatRange(0, 3600), default=0.0, help="For workers.")
@release_option
@click.pass_obj
def apply(settings: ControlSettings, file: Path, release: str, wait_seconds: float) -> None:
    """Apply the Markets and WalletChains of FILE, and wait for workers; 0 = do not wait."""

    async def action(cluster: Cluster) -> bool:
        wanted = resources.read(file.read_text("utf-8"), release)
        await resources.wait_operator(cluster, settings.lease_name)
        await resources.apply(cluster, wanted, release)
        if not wait_seconds:
            return True
        return await rollout.wait_workers(cluster, settings.worker, wait_seconds)

    run(settings, action)


@main.command()
@click.option("--kept", multiple=True, help="A line about what stays.")
@release_option
@click.pass_obj
def drain(settings: ControlSettings, release: str, kept: tuple[str, ...]) -> None:
    """Drain all workers before the release goes, and say what remains; always ends well."""

    async def action(cluster: Cluster) -> bool:
        await uninstall.stop(cluster, release, kept)
        return True

    run(settings, action)


@main.command()
@click.option("--leaf", "leaves", multiple=True, help="NAME=HOST,HOST of a certificate.")
@release_option
@click.pass_obj
def credentials(settings: ControlSettings, release: str, leaves: tuple[str, ...]) -> None:
    """Make what is missing in the Secret of credentials; renew what is due."""
    named = [
        Leaf(name, tuple(hosts.split(",")))
        for name, _, hosts in (leaf.partition("=") for leaf in leaves)
    ]

    async def action(cluster: Cluster) -> bool:
        now = datetime.datetime.now(datetime.UTC)
        await renew(cluster, release, named, now, secrets.token_urlsafe(36))
        return True

    run(settings, action)


if __name__ == "__main__":
    main()
