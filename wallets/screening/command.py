"""`python -m wallets withdrawals …`: held withdrawals, and decisions of two persons about them.

Run by operators, beside the workers. It asks no node and pays nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import click

from runtime.postgres import Database
from wallets import operating
from wallets.operating import BY, Operation, id_of
from wallets.screening import held, switch
from wallets.screening.verdicts import Subject

Work = Callable[[Database, int], Awaitable[None]]
WITHDRAWAL: Final = click.argument("withdrawal", metavar="WITHDRAWAL")


@click.group()
def withdrawals() -> None:
    """Withdrawals that a screening holds."""


@withdrawals.command("held")
def show_held() -> None:
    """Those that are held, with the reason, longest first."""

    async def run(database: Database, network_id: int) -> None:
        for one in await held.read_held(database, network_id):
            click.echo(
                f"{one.withdrawal_id.hex()} {one.amount_atoms} atoms of asset {one.asset_id} of "
                f"account {one.account_id} to {one.destination}: {one.reason} {one.reference}"
            )

    carry_out(run)


@withdrawals.command()
@WITHDRAWAL
@BY
def release(withdrawal: str, people: tuple[str, ...]) -> None:
    """Let WITHDRAWAL go on to its approval."""
    withdrawal_id = id_of(withdrawal, "WITHDRAWAL")

    async def run(database: Database, network_id: int) -> None:
        await held.release(database, network_id, withdrawal_id, people)
        click.echo("released")

    carry_out(run)


@withdrawals.command()
@WITHDRAWAL
@BY
def refuse(withdrawal: str, people: tuple[str, ...]) -> None:
    """Never pay WITHDRAWAL; its money goes back to the account."""
    withdrawal_id = id_of(withdrawal, "WITHDRAWAL")

    async def run(database: Database, network_id: int) -> None:
        await held.refuse(database, network_id, withdrawal_id, people)
        click.echo("refused")

    carry_out(run)


@withdrawals.command()
@click.argument("wanted", type=click.Choice(("on", "off")))
@BY
def screening(wanted: str, people: tuple[str, ...]) -> None:
    """Require a verdict before each approval, or require none any more."""

    async def run(database: Database, network_id: int) -> None:
        await switch.require(database, network_id, Subject.WITHDRAWAL, people, on=wanted == "on")
        click.echo(f"screening is {wanted}")

    carry_out(run)


def carry_out(work: Work) -> None:
    """Runs it over the network of the settings."""

    async def run(operation: Operation) -> None:
        await work(operation.database, operation.network.network_id)

    operating.carry_out("withdrawals", run)
