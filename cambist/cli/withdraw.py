"""`cambist withdraw`: money to an address of a chain, and how far it is."""

import asyncio
import dataclasses
import os
from typing import Any, Final

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json
from cambist.client.amounts import exact
from cambist.client.client import Client
from cambist.client.commands import ID_BYTES
from cambist.client.errors import InvalidInput
from cambist.client.withdrawals import ENDED, Quote, Wanted, Withdrawal

POLL_SECONDS: Final = 1.0


@click.command()
@click.argument("amount")
@click.argument("symbol")
@click.argument("network")
@click.argument("destination")
@account_option
@click.option("--fee-max", default="", help="Refuse a quote above this fee, in whole units.")
@click.option("--quote", "only_quotes", is_flag=True, help="Show the fee and request nothing.")
@click.option("--no-wait", "is_quick", is_flag=True, help="End when the venue holds the money.")
@click.option("--id", "request_id", default="", help="32 hex digits; withdraws once at most.")
@as_json
@pass_doors
def withdraw(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Withdraw AMOUNT of SYMBOL over NETWORK to DESTINATION; shows each state until the last."""
    failures.run(carry_out(doors, wanted, as_json=as_json))


async def carry_out(doors: Doors, given: dict[str, Any], *, as_json: bool) -> None:
    """Quote, request, progress. Raises the SDK's errors."""
    request_id = id_of(given["request_id"]) if given["request_id"] else os.urandom(ID_BYTES)
    async with doors.client() as client:
        assets = {asset.symbol: asset for asset in (await client.assets()).values()}
        if given["symbol"] not in assets:
            raise InvalidInput("UNKNOWN_ASSET", f"no asset {given['symbol']}")
        wanted = Wanted(
            one_account(client, given["account_id"]),
            assets[given["symbol"]].asset_id,
            given["network"],
            given["amount"],
            given["destination"],
        )
        quote = await client.withdrawals.quote(wanted)
        show(dataclasses.asdict(quote), f"fee {quote.fee} {given['symbol']}", as_json=as_json)
        check_fee(quote, given["fee_max"])
        if given["only_quotes"]:
            return
        await client.withdrawals.request(wanted, quote, request_id=request_id)
        show({"withdrawal_id": request_id}, f"requested {request_id.hex()}", as_json=as_json)
        if not given["is_quick"]:
            await follow(client, wanted.account_id, request_id, as_json=as_json)


def check_fee(quote: Quote, fee_max: str) -> None:
    """Raises InvalidInput when the fee is above what was allowed."""
    if fee_max and exact(quote.fee) > exact(fee_max):
        raise InvalidInput("FEE_ABOVE_MAX", f"the fee is {quote.fee}: nothing was requested")


async def follow(client: Client, account_id: int, request_id: bytes, *, as_json: bool) -> None:
    """Shows each change until the withdrawal ends."""
    last: Withdrawal | None = None
    while last is None or last.state not in ENDED:
        async for found in client.withdrawals.list(account_id):
            if found.withdrawal_id == request_id:
                if found != last:
                    show(dataclasses.asdict(found), f"{found.state} {found.txid}", as_json=as_json)
                last = found
                break
        await asyncio.sleep(POLL_SECONDS)


def show(fields: dict[str, Any], line: str, *, as_json: bool) -> None:
    """One line for programs or people."""
    if as_json:
        print_json(fields)
    else:
        console().print(line.strip(), markup=False)
