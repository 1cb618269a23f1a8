"""`python -m wallets deposits …`: held deposits, and the decisions of two persons about them.

Run by operators, beside the workers. It asks no node and moves no coin.
"""

from collections.abc import Awaitable, Callable

import click

from runtime.postgres import Database
from wallets import operating
from wallets.deposits import held
from wallets.deposits.held import ReturnAccount
from wallets.operating import BY, Operation, id_of
from wallets.screening import switch
from wallets.screening.verdicts import Subject

Work = Callable[[Database, int], Awaitable[None]]


@click.group()
def deposits() -> None:
    """Deposits that wait for people."""


@deposits.command("held")
def show_held() -> None:
    """Those that are held, with the reason, longest first."""

    async def run(database: Database, network_id: int) -> None:
        for one in await held.read_held(database, network_id):
            click.echo(
                f"{one.deposit_id.hex()} {one.amount_atoms} atoms of asset {one.asset_id} for "
                f"account {one.account_id}, {one.txid}:{one.index}: {one.reason} {one.reference}"
            )

    carry_out(run)


@deposits.command()
@click.argument("deposit")
@BY
def release(deposit: str, people: tuple[str, ...]) -> None:
    """Let DEPOSIT go on to its credit."""
    deposit_id = id_of(deposit, "DEPOSIT")

    async def run(database: Database, network_id: int) -> None:
        await held.release(database, network_id, deposit_id, people)
        click.echo("released")

    carry_out(run)


@deposits.command("return")
@click.argument("deposit")
@click.option("--account", type=click.IntRange(min=1), required=True, help="Of the venue.")
@click.option("--shard", type=click.IntRange(min=1), required=True, help="Of that account.")
@BY
def give_back(deposit: str, account: int, shard: int, people: tuple[str, ...]) -> None:
    """Credit DEPOSIT to an account of the venue's, which withdraws it to the payer."""
    deposit_id = id_of(deposit, "DEPOSIT")

    async def run(database: Database, network_id: int) -> None:
        await held.give_back(
            database, network_id, deposit_id, ReturnAccount(account, shard), people
        )
        click.echo(f"goes to account {account}")

    carry_out(run)


@deposits.command()
@click.argument("wanted", type=click.Choice(("on", "off")))
@BY
def screening(wanted: str, people: tuple[str, ...]) -> None:
    """Require a verdict before each credit, or require none any more."""

    async def run(database: Database, network_id: int) -> None:
        await switch.require(database, network_id, Subject.DEPOSIT, people, on=wanted == "on")
        click.echo(f"screening is {wanted}")

    carry_out(run)


def carry_out(work: Work) -> None:
    """Runs it over the network of the settings."""

    async def run(operation: Operation) -> None:
        await work(operation.database, operation.network.network_id)

    operating.carry_out("deposits", run)
