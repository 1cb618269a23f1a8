"""`python -m wallets book …`: what operators may do to address books of accounts.

Run beside the workers. Only customers add; what they want out again, two persons take out.
"""

from datetime import UTC, datetime

import click

from wallets import operating
from wallets.operating import BY, Operation
from wallets.service import address_book

ACCOUNT = click.argument("account", type=click.IntRange(min=1))


@click.group()
def book() -> None:
    """Address books of accounts."""


@book.command("list")
@ACCOUNT
def show(account: int) -> None:
    """Addresses of ACCOUNT on all networks, and from when each can be used."""

    async def run(operation: Operation) -> None:
        found = await address_book.listed(operation.database, account)
        for one in found.addresses:
            usable_from = datetime.fromtimestamp(one.usable_from_ns // 1_000_000_000, UTC)
            click.echo(f"{one.network} {one.address} {usable_from.isoformat()} {one.label}")

    operating.carry_out("address-book", run)


@book.command()
@ACCOUNT
@click.argument("address")
@BY
def remove(account: int, address: str, people: tuple[str, ...]) -> None:
    """Take ADDRESS, on the network of the settings, out of ACCOUNT's book.

    Who has no address left is paid anywhere again, unless the venue demands books.
    """

    async def run(operation: Operation) -> None:
        network_id = operation.network.network_id
        await address_book.remove(operation.database, network_id, account, address, people)
        click.echo("removed")

    operating.carry_out("address-book", run)
