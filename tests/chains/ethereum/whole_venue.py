"""A venue with custody and a real Ethereum node, and a customer with the node's own account."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from cambist.client import ApiKey, Client
from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode
from venue.custody.ethereum_node import EthereumPurse
from venue.custody.ethereum_plan import HOT, EthereumNode, ethereum
from venue.custody.purse import Purse
from venue.custody.stack import CustodyStack, choose
from venue.flow.definitions import firms
from venue.setup import create_venue
from venue.stack import Stack, StackPlan

# A payout that a dead worker had claimed is taken by the next one after a minute.
SECONDS = 240.0
SCOPES = ("READ", "WITHDRAW")


@dataclass(frozen=True)
class World:
    """All parts of a test; blocks are made when a test says so."""

    node: DevelopmentNode
    purse: Purse
    stack: Stack
    custody: CustodyStack
    client: Client
    account_id: int
    rows: "asyncpg.Connection[asyncpg.Record]"

    async def balance(self, asset_id: int) -> tuple[int, int, int]:
        """Available, held and in flight."""
        found = (await self.client.wallet.balances(self.account_id)).get(asset_id)
        if found is None:
            return 0, 0, 0
        return found.available_atoms, found.held_atoms, found.in_flight_atoms

    async def deposit_states(self) -> list[str]:
        """Of all deposits."""
        return [one.state async for one in self.client.withdrawals.deposits(self.account_id)]

    async def withdrawal_states(self) -> list[str]:
        """Of all withdrawals."""
        return [one.state async for one in self.client.withdrawals.list(self.account_id)]

    async def mine(self, count: int = 1) -> None:
        """Blocks with all that the pool has."""
        await asyncio.to_thread(self.node.mine, count)

    async def mine_until(self, look: Callable[[], Awaitable[bool]]) -> None:
        """A block now and then, until it is so."""
        async with asyncio.timeout(SECONDS):
            while not await look():
                await self.mine()
                await asyncio.sleep(0.5)

    async def book(self, asset_id: int) -> dict[str, int]:
        """Custody's book of an asset, without what is nothing."""
        rows = await self.rows.fetch(
            "select account, sum(amount_atoms) as atoms from custody.posting "
            "where asset_id = $1 group by account",
            asset_id,
        )
        return {row["account"]: int(row["atoms"]) for row in rows if row["atoms"]}

    def kill_worker(self) -> None:
        """As the kernel does when memory is short, at whatever it was doing."""
        self.custody.kill_worker(self.custody.plans[0])


@asynccontextmanager
async def whole_venue(
    node: DevelopmentNode, folder: Path, *, lane_count: int = 1, accounts: int = 1
) -> AsyncIterator[World]:
    """Everything as processes of their own, with one firm and its key."""
    plans, ports = firms(1, accounts), choose()
    plan = StackPlan(
        folder / "venue",
        gateway_count=1,
        helpers=False,
        gateway_environment=ports.gateway_environment,
    )
    async with AsyncExitStack() as opened:
        purse = await EthereumPurse.open(node.url, opened)
        making = asyncio.create_task(purse.make_token())
        while not making.done():
            await asyncio.to_thread(node.mine)
        stack = await opened.enter_async_context(Stack(plan))
        await create_venue(stack, plans)
        key = ApiKey.generate("holder")
        await stack.create_key(plans[0].firm_id, key.key_id, key.public_hex, SCOPES)
        found = EthereumNode(node.url, CHAIN_ID, purse.genesis_hash, making.result())
        branch, first = HOT
        lanes = tuple((branch, first + number) for number in range(lane_count))
        custody = CustodyStack(stack, ports, (replace(ethereum(found), hot_accounts=lanes),))
        await custody.start()
        rows = await asyncpg.connect(stack.dsn)
        opened.push_async_callback(rows.close)
        client = await opened.enter_async_context(Client.connect(stack.endpoints, key))
        yield World(node, purse, stack, custody, client, plans[0].account_ids[0], rows)
        stack.processes.check()
