"""A venue with custody and a real node, driven from outside: the SDK, blocks, and signals."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from cambist.client import ApiKey, Client
from tests.chains.bitcoin.regtest import Regtest
from venue.custody.bitcoin_plan import NodeAccess, bitcoin
from venue.custody.listing import ASSET
from venue.custody.stack import CustodyStack, choose
from venue.flow.definitions import firms
from venue.setup import create_venue
from venue.stack import Stack, StackPlan
from wallets.bitcoin.adapter import BATCHING

# A payout that a dead worker had claimed is taken by the next one after a minute.
SECONDS = 240.0
SCOPES = ("READ", "TRANSFER", "WITHDRAW")
ASSET_ID = ASSET.asset_id
COIN = 10**ASSET.decimals


@dataclass(frozen=True)
class World:
    """All parts of a test."""

    regtest: Regtest
    stack: Stack
    custody: CustodyStack
    client: Client
    account_id: int
    rows: "asyncpg.Connection[asyncpg.Record]"
    key_file: Path

    async def command(self, *arguments: str) -> str:
        """What `cambist ARGUMENTS` prints."""
        door = ["--endpoint", self.stack.endpoints[0], "--key", str(self.key_file)]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cambist.cli", *door, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return str(done.stdout.strip())

    async def balance(self) -> tuple[int, int, int]:
        """Available, held and in flight."""
        found = (await self.client.wallet.balances(self.account_id)).get(ASSET_ID)
        if found is None:
            return 0, 0, 0
        return found.available_atoms, found.held_atoms, found.in_flight_atoms

    async def deposit_state(self) -> str:
        """Of the only deposit; empty = nothing was seen."""
        found = [one async for one in self.client.withdrawals.deposits(self.account_id)]
        assert len(found) <= 1
        return found[0].state if found else ""

    async def withdrawal_state(self) -> str:
        """Of the only withdrawal; empty = custody has not heard of it."""
        found = [one async for one in self.client.withdrawals.list(self.account_id)]
        assert len(found) <= 1
        return found[0].state if found else ""

    async def mine(self, count: int = 1) -> None:
        """Blocks that take all that the pool has."""
        await asyncio.to_thread(self.regtest.mine, count)

    async def mine_until(self, look: Callable[[], Awaitable[str]], state: str) -> None:
        """A block now and then, until it is so."""

        async def mine_and_look() -> bool:
            await self.mine()
            return await look() == state

        await until(mine_and_look, pause_seconds=0.5)

    async def book(self) -> dict[str, int]:
        """Custody's book, without what is nothing."""
        rows = await self.rows.fetch(
            "select account, sum(amount_atoms) as atoms from custody.posting group by account"
        )
        return {row["account"]: int(row["atoms"]) for row in rows if row["atoms"]}

    async def coins_atoms(self) -> int:
        """What the node says lies on addresses of ours, in a database that may have been killed."""
        connection = await asyncpg.connect(self.stack.dsn)
        rows = await connection.fetch("select key from custody.address")
        await connection.close()
        scripts = [f"raw({bytes(row['key']).hex()})" for row in rows]
        found = await asyncio.to_thread(self.regtest.call, "scantxoutset", "start", scripts)
        atoms: int = round(found["total_amount"] * COIN)
        return atoms

    def kill_worker(self) -> None:
        """As the kernel does when memory is short, at whatever it was doing."""
        self.custody.kill_worker(self.custody.plans[0])


async def until(look: Callable[[], Awaitable[bool]], *, pause_seconds: float = 0.1) -> None:
    """Looks again and again until it is so."""
    async with asyncio.timeout(SECONDS):
        while True:
            if await look():
                return
            await asyncio.sleep(pause_seconds)


@asynccontextmanager
async def whole_venue(
    regtest: Regtest, folder: Path, batch_max: int = BATCHING.payouts_max, accounts: int = 1
) -> AsyncIterator[World]:
    """Everything as processes of their own, with one firm, its accounts and its key.

    A transaction pays at most `batch_max` withdrawals.
    """
    plans = firms(1, accounts)
    ports = choose()
    plan = StackPlan(
        folder / "venue",
        gateway_count=1,
        helpers=False,
        gateway_environment=ports.gateway_environment,
    )
    async with Stack(plan) as stack:
        await create_venue(stack, plans)
        key, key_file = ApiKey.generate("holder"), folder / "holder.key.json"
        key.save(key_file)
        await stack.create_key(plans[0].firm_id, key.key_id, key.public_hex, SCOPES)
        usual = bitcoin(NodeAccess(regtest.url, "test", "test"))
        settings = {**usual.chain_file["settings"], "batching": {"payouts_max": batch_max}}
        chain_file = {**usual.chain_file, "settings": settings}
        custody = CustodyStack(stack, ports, (replace(usual, chain_file=chain_file),))
        await custody.start()
        rows = await asyncpg.connect(stack.dsn)
        async with Client.connect(stack.endpoints, key) as client:
            account_id = plans[0].account_ids[0]
            yield World(regtest, stack, custody, client, account_id, rows, key_file)
            stack.processes.check()
        await rows.close()
