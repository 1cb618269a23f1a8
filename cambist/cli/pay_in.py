"""`cambist pay-in`: play money from the faucet of a sandbox venue."""

from typing import Any

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json
from cambist.cli.withdraw import show
from cambist.client.errors import InvalidInput


@click.command("pay-in")
@click.argument("amount")
@click.argument("symbol")
@account_option
@click.option("--id", "request_id", default="", help="32 hex digits: the same again pays once.")
@as_json
@pass_doors
def pay_in(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Credit an account of a sandbox with AMOUNT whole units of SYMBOL."""
    failures.run(carry_out(doors, wanted, as_json=as_json))


async def carry_out(doors: Doors, given: dict[str, Any], *, as_json: bool) -> None:
    """What the account has afterwards. Raises the SDK's errors."""
    request_id = id_of(given["request_id"]) if given["request_id"] else b""
    async with doors.client() as client:
        assets = {asset.symbol: asset for asset in (await client.assets()).values()}
        if given["symbol"] not in assets:
            raise InvalidInput("UNKNOWN_ASSET", f"no asset {given['symbol']}")
        asset = assets[given["symbol"]]
        account_id = one_account(client, given["account_id"])
        paid = await client.sandbox.pay_in(
            account_id, asset.asset_id, asset.atoms(given["amount"]), request_id=request_id
        )
        balances = await client.wallet.balances(account_id, as_of_seq=paid.as_of_seq)
        available = f"{asset.units(balances[asset.asset_id].available_atoms):f}"
        told = {"id": paid.id.hex(), "repeat": paid.is_repeat, "available": available}
        what = "was paid in before" if paid.is_repeat else "paid in"
        line = f"{what}; account {account_id} has {available} {asset.symbol} available"
        show(told, line, as_json=as_json)
