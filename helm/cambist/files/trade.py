"""`helm test`: deposits, trades and cancels over gRPC, through the edge. Every run may be repeated.

The money comes from the faucet, where the venue is a sandbox (SANDBOX), else from an adjustment.

Usage: trade.py key KEY_FILE | trade.py admin-and-trade KEY_FILE
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path

from cambist.admin.v1 import admin_pb2
from cambist.client import Client, TimeInForce
from cambist.client.admin import Admin
from cambist.client.channels import Tls
from cambist.client.enums import MarketPhase
from cambist.client.errors import CambistError
from cambist.client.keys import ApiKey

# Numbers and names of the test's own: nothing of a real venue is touched.
FIRM, SELLER, BUYER = 4_000_000_001, 4_000_000_001, 4_000_000_002
BASE, QUOTE = 65_001, 65_002
EXTERNAL_ACCOUNT = 4
MARKET = "HELMTEST-UNIT"
DEPOSIT_ATOMS = 10**15
# A thousand whole units, which the values let the faucet give at least.
PAY_IN_ATOMS = 10**11
CREDENTIALS = "/credentials"


def make_key(path: str) -> None:
    """Writes a key pair and, beside it, what the gateway must know."""
    key = ApiKey.generate(f"helm-test-{secrets.token_hex(4)}")
    key.save(path)
    # The end of line is what the shell's `read` wants.
    Path(f"{path}.public").write_text(f"{key.key_id} {key.public_hex}\n", encoding="ascii")


async def find_primary(shard: int) -> str:
    """The admin port that answers as primary. Raises the last refusal when none does."""
    tls = Tls(
        f"{CREDENTIALS}/authority.pem",
        f"{CREDENTIALS}/operator.pem",
        f"{CREDENTIALS}/operator.key.pem",
        server_name="matching",
    )
    asset = admin_pb2.Asset(asset_id=BASE, symbol="HELMTEST", decimals=8)
    for last in (False, True):
        for endpoint in os.environ["ADMIN_ENDPOINTS"].split(","):
            try:
                async with Admin.connect(endpoint, shard=shard, tls=tls) as admin:
                    await admin.create_asset(asset)
                    await prepare(admin, shard)
                    return endpoint
            except CambistError as error:
                print(f"{endpoint}: {error}", flush=True)
                if last and endpoint == os.environ["ADMIN_ENDPOINTS"].split(",")[-1]:
                    raise
    raise AssertionError("unreachable")


async def prepare(admin: Admin, shard: int) -> None:
    """Quote asset, market, firm and two accounts; where there is no faucet, their money."""
    await admin.create_asset(admin_pb2.Asset(asset_id=QUOTE, symbol="UNIT", decimals=8))
    market_id = (shard << 16) + 65_001
    await admin.create_market(
        admin_pb2.Market(
            market_id=market_id,
            symbol=MARKET,
            base_asset_id=BASE,
            quote_asset_id=QUOTE,
            lot_size_atoms=str(10**4),
            tick_size_atoms=str(10**6),
            limits=admin_pb2.MarketLimits(),
        )
    )
    await admin.create_firm(FIRM, "Helm test")
    for account in (SELLER, BUYER):
        await admin.create_account(
            admin_pb2.Account(
                account_id=account, firm_id=FIRM, open_orders_max=100, id_capacity=1_024
            )
        )
        for asset in () if os.environ.get("SANDBOX") else (BASE, QUOTE):
            await admin.adjust(
                (account << 32 | asset).to_bytes(16, "big"),
                from_account_id=EXTERNAL_ACCOUNT,
                to_account_id=account,
                asset_id=asset,
                amount_atoms=DEPOSIT_ATOMS,
                approvers=("helm test one", "helm test two"),
            )
    await admin.set_phase(market_id, MarketPhase.CONTINUOUS)


async def deposit(client: Client) -> None:
    """Both accounts are paid in in both assets. Raises when the money is not there afterwards."""
    for account in (SELLER, BUYER):
        before = await client.wallet.balances(account, shard=int(os.environ["SHARD"]))
        for asset in (BASE, QUOTE):
            paid = await client.sandbox.pay_in(account, asset, PAY_IN_ATOMS)
            after = await client.wallet.balances(
                account, as_of_seq=paid.as_of_seq, shard=int(os.environ["SHARD"])
            )
            had = before[asset].total_atoms if asset in before else 0
            if after[asset].total_atoms != had + PAY_IN_ATOMS:
                raise SystemExit(f"{account} was not paid in: {before} is now {after}")
    print("deposited from the faucet through the edge", flush=True)


async def trade(key_file: str) -> None:
    """A resting order is hit, another is canceled. Raises when an answer is not the right one."""
    tls = Tls(f"{CREDENTIALS}/authority.pem")
    async with Client.connect(os.environ["EDGE"], key_file=key_file, tls=tls) as client:
        if os.environ.get("SANDBOX"):
            await deposit(client)
        market = await client.market(MARKET)
        events: list[object] = []
        async with client.session(
            f"helm-{secrets.token_hex(3)}", account_ids=[SELLER, BUYER], on_event=events.append
        ) as session:
            await session.new_order(market, "sell", "1", "100", account_id=SELLER)
            taken = await session.new_order(
                market, "buy", "1", "100", account_id=BUYER, time_in_force=TimeInForce.IOC
            )
            print(f"traded: {taken}", flush=True)
            resting = session.make_order(market, "sell", "1", "200", account_id=SELLER)
            print(f"resting: {await session.ask(resting)}", flush=True)
            canceled = await session.cancel(resting, account_id=SELLER)
            print(f"canceled: {canceled}", flush=True)
        fills = [event for event in events if type(event).__name__ == "Filled"]
        if len(fills) < 2:
            raise SystemExit(f"{len(fills)} fills, expected one for each side")
    print("deposited, traded and canceled through the edge", flush=True)


async def main() -> None:
    """Both parts, one after the other."""
    await find_primary(int(os.environ["SHARD"]))
    await trade(sys.argv[2])


if __name__ == "__main__":
    if sys.argv[1] == "key":
        make_key(sys.argv[2])
    else:
        asyncio.run(main())
