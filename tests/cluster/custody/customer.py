"""Runs in a pod: a customer of the venue, who is also somebody with ether on the chain.

    python customer.py open                      an account in the engine; prints a deposit address
    python customer.py withdraw FIRST COUNT      asks for withdrawals, one to each destination
    python customer.py load ADDRESS              pays in and withdraws until /trial/stop appears
    python customer.py see                       what the venue shows of the account
    python customer.py paid                      what lies at the destinations on the chain

Everything but the node is reached as any customer does, through the edge. Each prints one line of
JSON at its end. Beside the chart's own `trade.py`, whose firm and way in it uses.
"""

import asyncio
import importlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from cambist.admin.v1 import admin_pb2
from cambist.client import Client
from cambist.client.admin import Admin
from cambist.client.channels import Tls
from cambist.client.errors import Unavailable, Unknown
from cambist.client.withdrawals import Wanted

T = TypeVar("T")
SCRIPTS: Final = Path("/scripts")
sys.path.insert(0, str(SCRIPTS))
# There in the pod alone: tests only read this file.
trade: Any = importlib.import_module("trade") if SCRIPTS.exists() else None

KEY_FILE: Final = "/trial/key.json"
STOP: Final = Path("/trial/stop")
DESTINATIONS: Final = Path("/customer/destinations.json")
NODE: Final = "http://node:8545"
NETWORK: Final = "ethereum"
ACCOUNT: Final = 4_000_000_003
ASSET: Final = 1
DECIMALS: Final = 8
AMOUNT: Final = "0.01"
PAID_IN_ATOMS: Final = 10**17
PAUSE_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.5
# Longer than a signer, a database or a gateway may be away in these tests.
PATIENCE_SECONDS: Final = 180.0


async def open_account() -> None:
    """Firm, asset and account; may be done again."""
    shard = int(os.environ["SHARD"])
    endpoint = await trade.find_primary(shard)
    tls = Tls(
        "/credentials/authority.pem",
        "/credentials/operator.pem",
        "/credentials/operator.key.pem",
        server_name="matching",
    )
    async with Admin.connect(endpoint, shard=shard, tls=tls) as admin:
        asset = admin_pb2.Asset(asset_id=ASSET, symbol="ETH", decimals=DECIMALS)
        await admin.create_asset(asset)
        await admin.create_account(
            admin_pb2.Account(
                account_id=ACCOUNT, firm_id=trade.FIRM, open_orders_max=1, id_capacity=65_536
            )
        )


def pay(address: str) -> None:
    """Ether to an address, by an account that the node itself signs for."""
    fields = {"from": ask("eth_accounts")[0], "to": address, "value": hex(PAID_IN_ATOMS)}
    ask("eth_sendTransaction", fields)


def ask(method: str, *params: object) -> Any:
    """What the node answers."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(NODE, body.encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["result"]


async def patiently(what: Callable[[], Awaitable[T]]) -> T:
    """Again while the venue is away. Raises the last Unavailable or Unknown."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await what()
        except (Unavailable, Unknown):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(AGAIN_SECONDS)


async def withdraw(client: Client, number: int) -> str:
    """One withdrawal to the destination of that number; its id, under which it is asked again."""
    destination = json.loads(DESTINATIONS.read_text("ascii"))[number]
    wanted = Wanted(ACCOUNT, ASSET, NETWORK, AMOUNT, destination)
    quote = await patiently(lambda: client.withdrawals.quote(wanted))
    withdrawal_id, sent_time_ns = os.urandom(16), time.time_ns()
    await patiently(
        lambda: client.withdrawals.request(
            wanted, quote, request_id=withdrawal_id, sent_time_ns=sent_time_ns
        )
    )
    return withdrawal_id.hex()


async def load(client: Client, address: str) -> dict[str, Any]:
    """Pays in and withdraws, one after the other, until told to stop."""
    paid_in = 0
    ids: list[str] = []
    count = len(json.loads(DESTINATIONS.read_text("ascii")))
    print("loading", flush=True)
    while not STOP.exists() and len(ids) < count:
        await asyncio.to_thread(pay, address)
        paid_in += 1
        ids.append(await withdraw(client, len(ids)))
        await asyncio.sleep(PAUSE_SECONDS)
    return {"paid_in": paid_in, "withdrawals": ids}


def paid() -> dict[str, int]:
    """Atoms by destination, where there are any."""
    destinations = json.loads(DESTINATIONS.read_text("ascii"))
    found = {one: int(ask("eth_getBalance", one, "latest"), 16) for one in destinations}
    return {one: atoms for one, atoms in found.items() if atoms}


async def see(client: Client) -> dict[str, Any]:
    """Deposits, withdrawals and the balance."""
    balance = (await client.wallet.balances(ACCOUNT)).get(ASSET)
    deposits = [one async for one in client.withdrawals.deposits(ACCOUNT)]
    withdrawals = [one async for one in client.withdrawals.list(ACCOUNT)]
    return {
        "balance": [balance.available_atoms, balance.held_atoms, balance.in_flight_atoms]
        if balance
        else [0, 0, 0],
        "deposits": [[one.txid, one.amount, one.state] for one in deposits],
        "withdrawals": [
            [one.withdrawal_id.hex(), one.destination, one.amount, one.state] for one in withdrawals
        ],
    }


async def main(command: str, *arguments: str) -> object:
    """What a command comes to."""
    if command == "paid":
        return paid()
    if command == "open":
        await open_account()
    tls = Tls("/credentials/authority.pem")
    async with Client.connect(os.environ["EDGE"], key_file=KEY_FILE, tls=tls) as client:
        if command == "open":
            return await patiently(
                lambda: client.withdrawals.deposit_address(ACCOUNT, ASSET, NETWORK)
            )
        if command == "withdraw":
            first, count = map(int, arguments)
            return [await withdraw(client, number) for number in range(first, first + count)]
        if command == "load":
            return await load(client, *arguments)
        return await patiently(lambda: see(client))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))), flush=True)
