"""`cambist ledger`: what changed an account's balances, newest first."""

import dataclasses

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.client.instruments import Asset
from cambist.client.ledger import LedgerEntry

COLUMNS = ("kind", "asset", "amount", "seq")


@click.command()
@account_option
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@as_json
@pass_doors
def ledger(doors: Doors, *, account_id: int | None, limit: int, as_json: bool) -> None:
    """List what changed an account's balances: fills, fees, deposits, withdrawals, transfers."""
    found, assets = failures.run(read(doors, account_id, limit))
    if as_json:
        for entry in found:
            print_json(dataclasses.asdict(entry))
    else:
        console().print(table(COLUMNS, [row_of(entry, assets) for entry in found], left=2))


async def read(
    doors: Doors, account_id: int | None, limit: int
) -> tuple[list[LedgerEntry], dict[int, Asset]]:
    """At most `limit` of them, newest first, and all assets. Raises the SDK's errors."""
    async with doors.client() as client:
        account = one_account(client, account_id)
        found: list[LedgerEntry] = []
        async for entry in client.ledger.list(account, shard=doors.shard):
            found.append(entry)
            if len(found) == limit:
                break
        assets = {asset.asset_id: asset for asset in (await client.assets()).values()}
        return found, assets


def row_of(entry: LedgerEntry, assets: dict[int, Asset]) -> list[object]:
    """Whole units; atoms of an asset that was created since."""
    asset = assets.get(entry.asset_id) or Asset(entry.asset_id, f"#{entry.asset_id}", 0)
    return [entry.kind, asset.symbol, asset.units(entry.amount_atoms), str(entry.seq)]
