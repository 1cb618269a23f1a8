"""A real process of matching on a database of its own, with the assets BTC and USDT."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from cambist.admin.v1 import admin_pb2
from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from cambist.client.errors import Unavailable
from runtime.embedded_postgres import EmbeddedPostgres
from tests.cluster.conftest import ROOT
from tests.cluster.operator.waiting import free_port, until


@dataclass
class Matching:
    """A real process of matching, by its admin port."""

    endpoint: str

    def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        async def call() -> Any:
            async with Admin.connect(self.endpoint) as admin:
                asked: Coroutine[Any, Any, Any] = getattr(admin, method)(*arguments, **named)
                return await asked

        return asyncio.run(call())

    def is_serving(self) -> bool:
        try:
            return bool(self.ask("status").role == admin_pb2.SHARD_ROLE_PRIMARY)
        except Unavailable:
            return False

    def market(self, market_id: int = 65_537) -> admin_pb2.Market | None:
        found = self.ask("definitions").markets
        return next((market for market in found if market.market_id == market_id), None)

    def phase(self) -> str:
        market = self.market()
        return MarketPhase(market.phase).name if market else ""

    def seq(self) -> int:
        return int(self.ask("definitions").seq)


@contextmanager
def running(postgres_server: EmbeddedPostgres) -> Iterator[Matching]:
    name = f"markets_{os.urandom(6).hex()}"

    async def create() -> None:
        administrator = await asyncpg.connect(postgres_server.dsn)
        await administrator.execute(f"create database {name}")
        await administrator.close()

    asyncio.run(create())
    port = free_port()
    prefix = "CAMBIST_MATCHING_"
    environment = {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        prefix + "POSTGRES_DSN": postgres_server.dsn_for(name),
        prefix + "LISTEN_ADDRESS": "127.0.0.1:0",
        prefix + "ADMIN_ADDRESS": f"127.0.0.1:{port}",
        prefix + "HEALTH_ADDRESS": "127.0.0.1:0",
        prefix + "DEVELOPMENT_ENABLED": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "matching", "serve"], cwd=ROOT, env=environment
    )
    try:
        started = Matching(f"127.0.0.1:{port}")
        until(started.is_serving)
        for asset_id, symbol in ((1, "BTC"), (2, "USDT")):
            asset = admin_pb2.Asset(asset_id=asset_id, symbol=symbol, decimals=8)
            started.ask("create_asset", asset)
        yield started
    finally:
        process.terminate()
        process.wait(20)
