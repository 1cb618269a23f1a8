"""Runs in a pod: enters orders through the edge until told to stop, then asks for each of them.

    python load.py KEY_FILE        ends after the file /trial/stop appears; prints one JSON line

Beside the chart's own `trade.py`, whose market, firm and way in it uses.
"""

import asyncio
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from cambist.admin.v1 import admin_pb2
from cambist.client import Accepted, Client
from cambist.client.admin import Admin
from cambist.client.channels import Tls
from cambist.client.errors import Unknown

SCRIPTS = Path("/scripts")
sys.path.insert(0, str(SCRIPTS))
# There in the pod alone: tests only read this file.
trade: Any = importlib.import_module("trade") if SCRIPTS.exists() else None

STOP = Path("/trial/stop")
ACCOUNT = 4_000_000_003
ORDERS_MAX = 9_000
ANSWER_SECONDS = 90.0
PAUSE_SECONDS = 0.03


async def prepare() -> None:
    """An account that may have many orders, with money."""
    shard = int(os.environ["SHARD"])
    endpoint = await trade.find_primary(shard)
    tls = Tls(
        "/credentials/authority.pem",
        "/credentials/operator.pem",
        "/credentials/operator.key.pem",
        server_name="matching",
    )
    async with Admin.connect(endpoint, shard=shard, tls=tls) as admin:
        await admin.create_account(
            admin_pb2.Account(
                account_id=ACCOUNT,
                firm_id=trade.FIRM,
                open_orders_max=ORDERS_MAX,
                id_capacity=65_536,
            )
        )
        await admin.adjust(
            (ACCOUNT << 32 | trade.QUOTE).to_bytes(16, "big"),
            from_account_id=trade.EXTERNAL_ACCOUNT,
            to_account_id=ACCOUNT,
            asset_id=trade.QUOTE,
            amount_atoms=trade.DEPOSIT_ATOMS,
            approvers=("helm test one", "helm test two"),
        )


async def load(key_file: str) -> dict[str, float]:
    """How many orders were acknowledged, and how many of those the venue does not know."""
    acknowledged: set[int] = set()
    unknown, longest = 0, 0.0
    tls = Tls("/credentials/authority.pem")
    async with Client.connect(os.environ["EDGE"], key_file=key_file, tls=tls) as client:
        market = await client.market(trade.MARKET)
        async with client.session("load", account_ids=[ACCOUNT]) as session:
            print("loading", flush=True)
            while not STOP.exists() and len(acknowledged) < ORDERS_MAX:
                began = time.monotonic()
                try:
                    accepted = await session.new_order(
                        market, "buy", "0.001", "0.01", timeout_seconds=ANSWER_SECONDS
                    )
                except Unknown:
                    unknown += 1
                else:
                    acknowledged.add(accepted.order_id)
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(PAUSE_SECONDS)
        known = {
            one.order_id
            async for one in client.queries.open_orders(ACCOUNT)
            if isinstance(one, Accepted)
        }
    return {
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - known),
        "unknown": unknown,
        "longest_seconds": round(longest, 1),
    }


async def main() -> None:
    await prepare()
    print(json.dumps(await load(sys.argv[1])), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
