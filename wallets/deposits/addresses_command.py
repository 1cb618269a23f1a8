"""`python -m wallets addresses list | restore`: whose deposit addresses are, kept and read back.

Run by operators. The list belongs kept elsewhere, like every backup; it holds no key.
"""

import json
from pathlib import Path
from typing import Any, Final

import click

from wallets.deposits.restoring import Given, read_given, restore
from wallets.operating import BY, Operation, carry_out
from wallets.service.deriving import derives

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def addresses() -> None:
    """Deposit addresses, by place of their branch."""


@addresses.command("list")
def show_given() -> None:
    """A line of JSON for each address that an account has."""

    async def run(operation: Operation) -> None:
        async for one in read_given(operation.database, operation.network.network_id):
            click.echo(line_of(one))

    carry_out("addresses", run)


@addresses.command("restore")
@click.option("--places", type=click.IntRange(min=0), required=True, help="Derived, none given.")
@click.option("--given", "file", type=FILE, help="What `list` once told.")
@BY
def bring_back(places: int, file: Path | None, people: tuple[str, ...]) -> None:
    """Derive so many PLACES in a database made anew; give those of the list to their accounts.

    Then read blocks again: python -m wallets rescan.
    """
    given = () if file is None else read_lines(file)

    async def run(operation: Operation) -> None:
        network = operation.network
        adapter = derives(network.chain, network.network)
        count = await restore(
            operation.database, adapter, network.network_id, places, given, people
        )
        click.echo(f"{places} places, {count} of them given to their accounts again")

    carry_out("addresses", run)


def line_of(given: Given) -> str:
    """One address as the list has it."""
    return json.dumps(
        {
            "generation": given.generation,
            "place": given.place,
            "account": given.account_id,
            "shard": given.shard,
            "request": given.request_id.hex(),
            "address": given.text,
        }
    )


def read_lines(path: Path) -> tuple[Given, ...]:
    """The list again. Raises click's error."""
    with path.open(encoding="utf-8") as file:
        return tuple(_given_of(number, line) for number, line in enumerate(file, 1))


def _given_of(number: int, line: str) -> Given:
    try:
        told: dict[str, Any] = json.loads(line)
        found = Given(
            int(told["generation"]),
            int(told["place"]),
            int(told["account"]),
            int(told["shard"]),
            bytes.fromhex(told["request"]),
            str(told["address"]),
        )
    except (KeyError, TypeError, ValueError):
        raise click.BadParameter(f"line {number} is no address", param_hint="--given") from None
    if found.place < 0 or found.account_id < 1 or found.shard < 0:
        raise click.BadParameter(f"line {number} is no address", param_hint="--given")
    return found
