"""`cambist balances`: money of accounts, once or as it changes."""

from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.table import Table

from cambist.cli import failures
from cambist.cli.accounts import accounts_option
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.cli.screen import Screen
from cambist.client.instruments import Asset
from cambist.client.wallet import Balance

COLUMNS = ("account", "asset", "available", "held", "in flight", "total")
Key = tuple[int, int]


@click.command()
@accounts_option
@click.option("--live", "is_live", is_flag=True, help="Go on showing changes.")
@as_json
@pass_doors
def balances(doors: Doors, *, account_ids: tuple[int, ...], is_live: bool, as_json: bool) -> None:
    """Show balances in whole units, exactly."""
    wanted = watch if is_live else show
    failures.run(wanted(doors, account_ids, as_json=as_json))


async def show(doors: Doors, account_ids: Sequence[int], *, as_json: bool) -> None:
    """Balances once. Raises the SDK's errors."""
    async with doors.client() as client:
        assets = {asset.asset_id: asset for asset in (await client.assets()).values()}
        found: list[Balance] = []
        for account_id in account_ids or client.account_ids:
            by_asset = await client.wallet.balances(account_id, shard=doors.shard)
            found += [by_asset[asset_id] for asset_id in sorted(by_asset)]
    if as_json:
        for balance in found:
            print_json(plain_balance(balance, assets))
    else:
        console().print(table_of(found, assets))


async def watch(doors: Doors, account_ids: Sequence[int], *, as_json: bool) -> None:
    """Balances for ever. Raises the SDK's errors."""
    async with doors.client() as client:
        assets = {asset.asset_id: asset for asset in (await client.assets()).values()}
        known: dict[Key, Balance] = {}
        is_first_page = True
        with Screen(console()) as screen:
            async for change in client.wallet.stream_balances(account_ids, shard=doors.shard):
                if change.is_snapshot and is_first_page:
                    known.clear()
                is_first_page = not (change.is_snapshot and change.more_pages)
                for balance in change.balances:
                    known[balance.account_id, balance.asset_id] = balance
                    if as_json:
                        print_json(plain_balance(balance, assets))
                if not as_json:
                    screen.show(table_of((known[key] for key in sorted(known)), assets))


def table_of(balances: Iterable[Balance], assets: dict[int, Asset]) -> Table:
    """One row per account and asset."""
    rows = []
    for balance in balances:
        plain = plain_balance(balance, assets)
        rows.append([str(plain["account_id"]), plain["asset"], *list(plain.values())[2:]])
    return table(COLUMNS, rows, left=2)


def plain_balance(balance: Balance, assets: dict[int, Asset]) -> dict[str, Any]:
    """Whole units; atoms of an asset that was created since."""
    asset = assets.get(balance.asset_id) or Asset(balance.asset_id, f"#{balance.asset_id}", 0)
    return {
        "account_id": balance.account_id,
        "asset": asset.symbol,
        "available": asset.units(balance.available_atoms),
        "held": asset.units(balance.held_atoms),
        "in_flight": asset.units(balance.in_flight_atoms),
        "total": asset.units(balance.total_atoms),
    }
