"""What commands of operators share: settings, the registered network, refusals as click tells them.

Called by `python -m wallets …`; the worker reads its network here too.
"""

import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import click

from runtime import postgres, process
from runtime.errors import ConfigurationError
from runtime.postgres import Database
from wallets.contract import Network
from wallets.errors import Rejected, Stuck
from wallets.settings import WalletSettings

BY: Final = click.option("--by", "people", multiple=True, metavar="NAME", help="Twice.")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a command works with; `stack` closes what it opens."""

    settings: WalletSettings
    database: Database
    network: Network
    stack: AsyncExitStack


def load_settings() -> WalletSettings:
    """From the environment; ends the process with the reason when they are wrong."""
    try:
        return WalletSettings.load()
    except ConfigurationError as error:
        click.echo(f"configuration: {error}", err=True)
        sys.exit(process.ExitStatus.CONFIGURATION)


def id_of(text: str, name: str) -> bytes:
    """Sixteen bytes in hex; `name` is the argument's. Raises click's error."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter("not hex", param_hint=name) from None


async def read_network(database: Database, settings: WalletSettings) -> Network:
    """The network as it was registered; raises ConfigurationError."""
    row = await database.read_row(
        "select network_id, genesis_hash from custody.chain where chain = $1 and network = $2",
        settings.chain,
        settings.network,
    )
    if row is None:
        named = f"{settings.chain or '?'}/{settings.network or '?'}"
        raise ConfigurationError(f"network {named} is not registered: python -m wallets apply FILE")
    return Network(settings.chain, settings.network, row["network_id"], row["genesis_hash"])


def carry_out(name: str, work: Callable[[Operation], Awaitable[None]]) -> None:
    """Runs it over the network of the settings; `name` is told to the database.

    Ends the process with its status unless all went well. Raises ClickException for a refusal.
    """
    settings = load_settings()
    refused: list[str] = []

    async def run(_stop: object) -> None:
        async with AsyncExitStack() as stack:
            database = await postgres.connect(settings.postgres, application_name=name)
            stack.push_async_callback(database.close)
            network = await read_network(database, settings)
            try:
                await work(Operation(settings, database, network, stack))
            except (Rejected, Stuck) as error:
                refused.append(str(error))

    status = process.run(run, service="wallets", settings=settings)
    if refused:
        raise click.ClickException(refused[0])
    if status != process.ExitStatus.OK:
        sys.exit(status)
