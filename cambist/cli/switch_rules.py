"""`cambist switch-rules`: the version of the engine's rules, once and for good."""

import click

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors


@click.command("switch-rules")
@click.argument("version", type=click.IntRange(min=1))
@click.confirmation_option(prompt="There is no way back. Do all processes know this version?")
@pass_doors
def switch_rules(doors: Doors, *, version: int) -> None:
    """Switch the shard to VERSION of its rules. There is no way back.

    Every process that follows the shard must know the version: docs/orders.md.
    """
    failures.run(switch(doors, version))
    click.echo(f"shard {doors.shard} follows rules version {version}")


async def switch(doors: Doors, version: int) -> None:
    """Does it; may be done again. Raises the SDK's errors."""
    async with doors.admin() as admin:
        await admin.switch_rules(version)
