"""Opens many withdrawals on a venue's simulated TRON chain, and drains them while processes die.

Used by the test beside it. What was killed, or ended because another one did, is started again at
once, as Kubernetes does. Blocks are made all the time. When a process dies is told by what the node
has taken: payments settle many at a time, with the block that makes them final.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import psutil

from cambist.client.errors import Rejected
from cambist.client.withdrawals import Quote, Wanted
from runtime import embedded_postgres
from tests.chains.tron.custody import TRX as UNIT
from tests.chains.tron.whole_venue import World
from venue.custody.listing import TRX
from venue.custody.stack import APPROVER, SERVICE, SIGNER, worker_of
from venue.processes import Process
from venue.stack import MATCHING
from wallets.tron.addresses import address_of

TARGETS = 8
# Requests on their way at once; one account may have a hundred quotes.
ASKED_AT_ONCE = 8
LOOK_SECONDS = 0.5
# The node takes some thirty payments a second.
LOOKS_A_BLOCK = 10
POSTGRES_STARTS = 20


def target_of(number: int) -> bytes:
    """Whom a withdrawal pays."""
    return b"\x41" + bytes([0xA0 + number % TARGETS]) * 20


def amount_of(number: int) -> int:
    """In sun; none is that of another, so that each payment tells whose it is."""
    return UNIT + number


@dataclass
class Draining:
    """A venue, and how many of its withdrawals came to an end."""

    world: World
    count: int
    killed: list[str] = field(default_factory=list)

    async def open_all(self) -> None:
        """Requests all of them; nothing is paid while no worker runs."""
        self.world.stack.processes.kill(self.worker)
        numbers = iter(range(self.count))

        async def ask() -> None:
            client, account_id = self.world.client.withdrawals, self.world.account_id
            for number in numbers:
                amount = f"{amount_of(number) // UNIT}.{amount_of(number) % UNIT:06}"
                to = address_of(target_of(number))
                wanted = Wanted(account_id, TRX.asset_id, "tron", amount, to)
                await client.request(wanted, await self.quote(wanted))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(ASKED_AT_ONCE):
                tasks.create_task(ask())

    async def quote(self, wanted: Wanted) -> Quote:
        """Of those that an account may have at once, most end before the next is given."""
        while True:
            try:
                return await self.world.client.withdrawals.quote(wanted)
            except Rejected as error:
                if error.reason != "TOO_MANY_QUOTES":
                    raise
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def worker(self) -> str:
        """Its name."""
        return worker_of(self.world.custody.plans[0])

    async def drain(self) -> None:
        """To the last one, with each of the four killed once on the way."""
        self.world.custody.start_process(self.worker)
        kills: list[Callable[[], Awaitable[None]]] = [
            lambda: self.kill(self.worker),
            lambda: self.kill(SIGNER),
            lambda: self.kill(MATCHING),
            self.kill_postgres,
        ]
        before = self.taken
        due = [before + self.count * (at + 1) // (len(kills) + 1) for at in range(len(kills))]
        while await self.count_settled() < self.count:
            for _ in range(LOOKS_A_BLOCK):
                if due and self.taken >= due[0]:
                    due.pop(0)
                    await kills.pop(0)()
                await asyncio.sleep(LOOK_SECONDS / LOOKS_A_BLOCK)
            self.world.chain.make_block()
            self.start_what_ended()

    @property
    def taken(self) -> int:
        """Transactions that the node has taken so far, in a block or not."""
        return len(self.world.chain.heights) + len(self.world.chain.pending)

    async def count_settled(self) -> int:
        """-1 while the database does not answer."""
        try:
            return int(
                await self.ask("select count(*) from custody.payout where state = 'settled'")
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return -1

    async def ask(self, query: str) -> Any:
        """One value, by a connection of its own: the database may have been killed since."""
        connection = await asyncpg.connect(self.world.stack.dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    async def kill(self, name: str) -> None:
        """As the kernel does when memory is short."""
        self.world.stack.processes.kill(name)
        self.start(name)
        self.killed.append(name)

    async def kill_postgres(self) -> None:
        """All of its processes at once; it comes back at the same place with what it had."""
        postgres = self.world.stack.postgres
        assert postgres is not None
        leader = psutil.Process(postgres.postmaster_pid)
        family = [leader, *leader.children(recursive=True)]
        for one in family:
            if one.is_running():
                os.kill(one.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)
        directory = postgres.directory
        for _ in range(POSTGRES_STARTS):
            binaries = embedded_postgres.find_binaries()
            if await asyncio.to_thread(
                embedded_postgres.launch, directory, binaries, postgres.port
            ):
                break
            await asyncio.sleep(LOOK_SECONDS)
        self.world.stack.postgres = await embedded_postgres.ensure_running(directory)
        assert self.world.stack.postgres.dsn == postgres.dsn
        self.killed.append("postgres")

    def start_what_ended(self) -> None:
        """Whoever lost its database, or another process, and gave up."""
        for name, process in list(self.world.stack.processes.running.items()):
            if not process.is_running:
                self.start(name)

    def start(self, name: str) -> Process:
        """Anew."""
        stack, custody = self.world.stack, self.world.custody
        if name == MATCHING:
            return stack.start_matching()
        if name in (SIGNER, APPROVER, SERVICE, self.worker):
            return custody.start_process(name)
        gateways = [gateway.name for gateway in stack.gateways]
        return stack.start_gateway(gateways.index(name))
