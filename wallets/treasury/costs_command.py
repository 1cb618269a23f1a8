"""`python -m wallets costs deposits | withdrawals`: what each cost, a JSON object for each line.

Run by operators; it reads the database alone. Costs are atoms of the network's native asset.
"""

import json
from typing import Final

import click

from wallets import operating
from wallets.operating import Operation
from wallets.treasury import costs as costs_of

ROWS_MAX: Final = 1_000


@click.command()
@click.argument("what", type=click.Choice(["deposits", "withdrawals"]))
@click.option("--of", "one", metavar="ID", help="Of one alone, by its id in hex.")
def costs(what: str, one: str | None) -> None:
    """Show what deposits or withdrawals of one network cost, the newest first."""
    try:
        asked = None if one is None else bytes.fromhex(one)
    except ValueError:
        raise click.BadParameter("not hex", param_hint="--of") from None
    read = costs_of.of_deposits if what == "deposits" else costs_of.of_withdrawals

    async def run(operation: Operation) -> None:
        for row in await read(operation.database, operation.network.network_id, asked, ROWS_MAX):
            click.echo(json.dumps(row))

    operating.carry_out("wallets-costs", run)
