"""`python -m wallets.ethereum cancel | resume`: for operators of a network.

It asks no node and sends nothing: what it asks for is a job of the workers.
"""

import click

from wallets import operating
from wallets.ethereum import cancels as cancelling
from wallets.ethereum import suspending
from wallets.operating import Operation


@click.group()
def main() -> None:
    """One network's nonces and tokens."""


@main.command()
@click.argument("nonce", metavar="ADDRESS:NONCE")
@click.option("--by", "people", multiple=True, metavar="NAME", help="Twice.")
def cancel(nonce: str, people: tuple[str, ...]) -> None:
    """Have the workers send nothing from ADDRESS at NONCE, in the names of two persons.

    Whichever transaction is mined decides; a payout that lost its nonce is built anew.
    """

    async def run(operation: Operation) -> None:
        network_id = operation.network.network_id
        stored = await cancelling.ask(operation.database, network_id, nonce, people)
        click.echo(f"{stored} will be cancelled")

    operating.carry_out("ethereum-cancel", run)


@main.command()
@click.argument("contract")
@click.option("--by", "people", multiple=True, metavar="NAME", help="Twice.")
def resume(contract: str, people: tuple[str, ...]) -> None:
    """Pay a token again that kept a fee of what was sent, in the names of two persons."""
    try:
        key = bytes.fromhex(contract.removeprefix("0x"))
    except ValueError:
        raise click.BadParameter("no address", param_hint="CONTRACT") from None

    async def run(operation: Operation) -> None:
        await suspending.resume(operation.database, operation.network.network_id, key, people)
        click.echo("payouts of it go on")

    operating.carry_out("ethereum-resume", run)


if __name__ == "__main__":
    main()
