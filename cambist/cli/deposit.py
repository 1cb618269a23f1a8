"""`cambist deposit`: an address to pay to, and how far what arrives is."""

import asyncio
import dataclasses
from typing import Any, Final

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json
from cambist.cli.withdraw import show
from cambist.client.client import Client
from cambist.client.errors import InvalidInput
from cambist.client.withdrawals import Deposit

POLL_SECONDS: Final = 1.0
# States after which a deposit does not change by itself, but for a reorganisation.
SETTLED: Final = frozenset({"withdrawable", "ignored", "unclaimed", "held", "reversed", "replaced"})


@click.command()
@click.argument("symbol")
@click.argument("network")
@account_option
@click.option("--id", "request_id", default="", help="32 hex digits: an address of its own.")
@click.option("--follow", is_flag=True, help="Show each state until the next deposit is usable.")
@as_json
@pass_doors
def deposit(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Show an address for SYMBOL on NETWORK."""
    failures.run(carry_out(doors, wanted, as_json=as_json))


async def carry_out(doors: Doors, given: dict[str, Any], *, as_json: bool) -> None:
    """Address, then progress. Raises the SDK's errors."""
    request_id = id_of(given["request_id"]) if given["request_id"] else b""
    async with doors.client() as client:
        assets = {asset.symbol: asset for asset in (await client.assets()).values()}
        if given["symbol"] not in assets:
            raise InvalidInput("UNKNOWN_ASSET", f"no asset {given['symbol']}")
        account_id = one_account(client, given["account_id"])
        known = {found.deposit_id async for found in client.withdrawals.deposits(account_id)}
        address = await client.withdrawals.deposit_address(
            account_id, assets[given["symbol"]].asset_id, given["network"], request_id=request_id
        )
        show({"address": address}, address, as_json=as_json)
        if given["follow"]:
            await follow(client, account_id, known, as_json=as_json)


async def follow(client: Client, account_id: int, known: set[bytes], *, as_json: bool) -> None:
    """Shows each change of what was not there before, until one of them is settled."""
    last: dict[bytes, Deposit] = {}
    while not any(found.state in SETTLED for found in last.values()):
        async for found in client.withdrawals.deposits(account_id):
            if found.deposit_id in known:
                break
            if last.get(found.deposit_id) != found:
                line = f"{found.amount} {found.state} {found.confirmations} {found.txid}"
                show(dataclasses.asdict(found), line, as_json=as_json)
            last[found.deposit_id] = found
        await asyncio.sleep(POLL_SECONDS)
