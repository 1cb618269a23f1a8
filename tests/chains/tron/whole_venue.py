"""A venue with custody and a simulated TRON node, and a customer with a key of his own."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
from eth_keys.datatypes import PrivateKey

from cambist.client import ApiKey, Client
from tests.chains.tron.custody import GENESIS_MS, TRX
from tests.wallets.tron.served import listen, open_node
from venue.custody.listing import TRON_TOKEN_KEY
from venue.custody.stack import CustodyStack, choose
from venue.custody.tron_plan import tron
from venue.flow.definitions import firms
from venue.setup import create_venue
from venue.stack import Stack, StackPlan
from wallets.contract import BlockRef, BroadcastOutcome
from wallets.tron import transactions
from wallets.tron.addresses import PREFIX
from wallets.tron.contracts import Transfer, token_transfer
from wallets.tron.limits import EXPIRATION_MILLISECONDS
from wallets.tron.node import Node
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.server import Node as SimulatedNode
from wallets.tron.simulator.state import Account, State

# A payout that a dead worker had claimed is taken by the next one after a minute.
SECONDS = 240.0
SCOPES = ("READ", "WITHDRAW")
FEE_LIMIT_SUN = 40 * TRX
KEY = PrivateKey(b"c" * 32)
CUSTOMER = bytes((PREFIX,)) + KEY.public_key.to_canonical_address()


@dataclass(frozen=True)
class World:
    """All parts of a test; blocks are made when a test says so."""

    chain: Chain
    node: Node
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
        return sorted(
            [one.state async for one in self.client.withdrawals.deposits(self.account_id)]
        )

    async def withdrawal_states(self) -> list[str]:
        """Of all withdrawals."""
        return sorted([one.state async for one in self.client.withdrawals.list(self.account_id)])

    async def send(self, to: bytes, amount_atoms: int, *, token: bool) -> None:
        """The customer's own payment."""
        pays = Transfer(CUSTOMER, to, amount_atoms)
        call = token_transfer(CUSTOMER, TRON_TOKEN_KEY, to, amount_atoms)
        block, time_ms = self.chain.blocks[self.chain.solid_height], self.chain.head.time_ms
        ref = BlockRef(block.height, block.block_hash)
        plan = transactions.Plan(
            call if token else pays,
            transactions.reference_of(ref, self.chain.head.height),
            time_ms,
            time_ms + EXPIRATION_MILLISECONDS,
            FEE_LIMIT_SUN if token else 0,
        )
        raw = transactions.build(plan, time_ms)
        signature = KEY.sign_msg_hash(hashlib.sha256(raw).digest()).to_bytes()
        whole = transactions.sign(raw, [signature])
        told = await self.node.broadcast(whole, transactions.transaction_id(raw))
        assert told.outcome is BroadcastOutcome.ACCEPTED

    def give(self, key: bytes, sun: int, tokens: int) -> None:
        """Money out of nothing, before the venue begins."""
        state = self.chain.head.state
        state.accounts[key] = Account(sun, self.chain.head.time_ms)
        state.tokens.setdefault(TRON_TOKEN_KEY, {})[key] = tokens
        self.chain.refill_pool()

    def held(self, key: bytes) -> tuple[int, int]:
        """TRX and tokens at the newest block."""
        state = self.chain.head.state
        account = state.accounts.get(key)
        return account.balance if account else 0, state.tokens[TRON_TOKEN_KEY].get(key, 0)

    async def mine_until(self, look: Callable[[], Awaitable[bool]]) -> None:
        """A block now and then, until it is so."""
        async with asyncio.timeout(SECONDS):
            while not await look():
                self.chain.make_block()
                await asyncio.sleep(0.3)

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
    folder: Path, chain_file: Mapping[str, Any] | None = None, *, accounts: int = 1
) -> AsyncIterator[World]:
    """Everything as processes of their own but the node, which is in the test's hands.

    `chain_file` is what the worker's has beside the usual.
    """
    parameters = Parameters(solid_lag_blocks=2)
    chain = Chain(parameters, GENESIS_MS, State(parameters))
    plans, ports = firms(1, accounts), choose()
    plan = StackPlan(
        folder / "venue",
        gateway_count=1,
        helpers=False,
        gateway_environment=ports.gateway_environment,
    )
    async with AsyncExitStack() as opened:
        url = await listen(SimulatedNode(chain), opened)
        node = await open_node("customer", url, opened)
        stack = await opened.enter_async_context(Stack(plan))
        await create_venue(stack, plans)
        key = ApiKey.generate("holder")
        await stack.create_key(plans[0].firm_id, key.key_id, key.public_hex, SCOPES)
        usual = tron(url, chain.blocks[0].block_hash)
        asked = replace(usual, chain_file={**usual.chain_file, **(chain_file or {})})
        custody = CustodyStack(stack, ports, (asked,))
        await custody.start()
        rows = await asyncpg.connect(stack.dsn)
        opened.push_async_callback(rows.close)
        client = await opened.enter_async_context(Client.connect(stack.endpoints, key))
        account_id = plans[0].account_ids[0]
        yield World(chain, node, stack, custody, client, account_id, rows)
        stack.processes.check()
