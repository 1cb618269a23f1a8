"""Cancel on disconnect over real processes: a client or its gateway is killed.

Nothing is judged by a clock of ours: a second session of the same account, on the gateway that
lives, hears what the engine did, in the engine's order and with the engine's times.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from cambist.client import (
    Accepted,
    ApiKey,
    Canceled,
    CancelOnDisconnect,
    CancelReason,
    Client,
    Event,
)
from cambist.client.admin import Admin
from cambist.client.session import Session
from venue import engines
from venue.flow.definitions import MARKETS, firms
from venue.setup import create_venue
from venue.stack import Stack, StackPlan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SECONDS: Final = 60.0
SYMBOL: Final = MARKETS[0].symbol
NAME: Final = "victim"
# A process that enters one order in a session, says so, and is killed where it stands.
VICTIM: Final = """
import asyncio, os
from cambist.client import ApiKey, CancelOnDisconnect, Client

async def main():
    key = ApiKey.from_hex("key", os.environ["KEY"])
    async with Client.connect(os.environ["ENDPOINT"], key) as client:
        session = await client.session(
            "victim",
            account_ids=(int(os.environ["ACCOUNT"]),),
            cancel_on_disconnect=CancelOnDisconnect.ON_DISCONNECT,
            window_ms=int(os.environ["WINDOW_MS"]),
        )
        market = await client.market(os.environ["SYMBOL"])
        order = await session.new_order(market, "buy", market.quantity(5), market.price(900_000))
        print(order.order_id, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@dataclass
class Running:
    """Two gateways, a key, and a session that hears of everything on the second one."""

    stack: Stack
    key: ApiKey
    account_id: int
    events: list[Event] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: Event) -> None:
        """Called for every event of the account."""
        self.events.append(event)
        self.heard.set()

    async def until(self, is_wanted: Callable[[Any], bool]) -> Any:
        """The first event of which this is true."""
        async with asyncio.timeout(SECONDS):
            while True:
                self.heard.clear()
                for event in self.events:
                    if is_wanted(event):
                        return event
                await self.heard.wait()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Logged on at the gateway that lives."""
        async with Client.connect(self.stack.endpoints[1], self.key) as client:
            yield client

    @asynccontextmanager
    async def victim(
        self, window_ms: int
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, Accepted]]:
        """A client at the first gateway with one order, as a process; it is killed at the end."""
        private = self.key.private_key.private_bytes_raw().hex()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            VICTIM,
            stdout=asyncio.subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "KEY": private,
                "ENDPOINT": self.stack.endpoints[0],
                "ACCOUNT": str(self.account_id),
                "SYMBOL": SYMBOL,
                "WINDOW_MS": str(window_ms),
            },
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(SECONDS):
                order_id = int(await process.stdout.readline())
            yield process, await self.until(lambda event: is_about(event, Accepted, order_id))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def back(self, client: Client) -> Session:
        """The session of the one that was killed, over another connection."""
        return await client.session(
            NAME,
            account_ids=(self.account_id,),
            cancel_on_disconnect=CancelOnDisconnect.ON_DISCONNECT,
            window_ms=1,
        )


def is_about(event: Any, kind: type[Any], order_id: int) -> bool:
    """Whether an event is of a kind and about an order."""
    return isinstance(event, kind) and event.order_id == order_id


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    (firm,) = firms(1)
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="cambist-lost-"))
        plan = StackPlan(Path(folder), gateway_count=2, engine=engines.sizes().engine)
        stack = await opened.enter_async_context(Stack(plan))
        await create_venue(stack, [firm])
        async with Admin.connect(stack.admin_endpoint) as admin:
            await admin.switch_rules(2)
        key = ApiKey.generate("key")
        public = key.private_key.public_key().public_bytes_raw().hex()
        await stack.create_key(firm.firm_id, key.key_id, public)
        found = Running(stack, key, firm.account_ids[0])
        client = await opened.enter_async_context(found.client())
        watcher = client.session("watcher", account_ids=(found.account_id,), on_event=found.take)
        await opened.enter_async_context(watcher)
        yield found


async def test_orders_of_a_killed_client_go_after_the_window_and_others_stay(
    running: Running,
) -> None:
    async with running.client() as client:
        other = await client.session("other", account_ids=(running.account_id,))
        market = await client.market(SYMBOL)
        kept = await other.new_order(market, "buy", market.quantity(3), market.price(800_000))
        async with running.victim(2_000) as (process, order):
            process.kill()
            gone = await running.until(lambda event: is_about(event, Canceled, order.order_id))
        assert gone.reason == CancelReason.DISCONNECT
        assert (await other.cancel(kept)).reason == CancelReason.REQUESTED
        await other.close()


async def test_a_killed_client_that_is_back_in_time_keeps_its_orders(running: Running) -> None:
    async with running.victim(60_000) as (process, order), running.client() as client:
        process.kill()
        await process.wait()
        session = await running.back(client)
        assert (await session.cancel(order)).reason == CancelReason.REQUESTED
        market = await client.market(SYMBOL)
        second = await session.new_order(market, "buy", market.quantity(2), market.price(800_000))
        # It takes leave: that is no disconnect, however short the window is.
        await session.close()
        again = await running.back(client)
        assert (await again.cancel(second)).reason == CancelReason.REQUESTED
        await again.close()


async def test_orders_go_when_their_gateway_is_killed_and_nobody_comes_back(
    running: Running,
) -> None:
    async with running.victim(0) as (process, order):
        running.stack.processes.kill(running.stack.gateways[0].name)
        gone = await running.until(lambda event: is_about(event, Canceled, order.order_id))
        assert gone.reason == CancelReason.DISCONNECT
        assert process.returncode is None


async def test_a_session_keeps_its_orders_when_matching_is_killed_and_it_comes_back(
    running: Running,
) -> None:
    async with running.victim(0) as (_, order), running.client() as client:
        running.stack.processes.kill("matching")
        running.stack.start_matching()
        # The client that lives is back by itself; an order of ours tells that the venue is.
        market = await client.market(SYMBOL)
        other = await client.session("other", account_ids=(running.account_id,))
        kept = await other.new_order(market, "buy", market.quantity(3), market.price(800_000))
        assert (await other.cancel(kept)).reason == CancelReason.REQUESTED
        assert not any(is_about(event, Canceled, order.order_id) for event in running.events)
        assert (await other.cancel(order)).reason == CancelReason.REQUESTED
        await other.close()
