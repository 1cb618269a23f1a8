"""`cambist addresses`: where an account's withdrawals may go."""

import dataclasses
from datetime import UTC, datetime

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.client.addresses import BookAddress

COLUMNS = ("network", "address", "label", "usable from")
SECOND_NS = 1_000_000_000


@click.group()
def addresses() -> None:
    """The address book of an account.

    From its first address on, an account withdraws to addresses of its book alone.
    """


@addresses.command()
@click.argument("network")
@click.argument("address")
@click.argument("label")
@account_option
@as_json
@pass_doors
def add(
    doors: Doors,
    /,
    network: str,
    address: str,
    label: str,
    *,
    account_id: int | None,
    as_json: bool,
) -> None:
    """Put ADDRESS of NETWORK into the book as LABEL; it can be used after the venue's hold."""

    async def ask() -> BookAddress:
        async with doors.client() as client:
            account = one_account(client, account_id)
            usable_from_ns = await client.addresses.add(account, network, address, label)
            return BookAddress(network, address, label, usable_from_ns)

    added = failures.run(ask())
    if as_json:
        print_json(dataclasses.asdict(added))
    else:
        click.echo(f"usable from {time_of(added.usable_from_ns)}")


@addresses.command("list")
@account_option
@as_json
@pass_doors
def show(doors: Doors, *, account_id: int | None, as_json: bool) -> None:
    """The whole book, oldest first."""

    async def ask() -> list[BookAddress]:
        async with doors.client() as client:
            return await client.addresses.list(one_account(client, account_id))

    found = failures.run(ask())
    if as_json:
        for one in found:
            print_json(dataclasses.asdict(one))
    else:
        rows = [[one.network, one.address, one.label, time_of(one.usable_from_ns)] for one in found]
        console().print(table(COLUMNS, rows, left=4))


def time_of(time_ns: int) -> str:
    """To the second, rounded up: then it can be used."""
    return datetime.fromtimestamp(-(-time_ns // SECOND_NS), UTC).isoformat()
