"""Opens many withdrawals on a venue's chain, and drains them while processes die.

Used by the tests beside it. What was killed, or ended because another one did, is started again at
once, as Kubernetes does. Blocks are made all the time. When a process dies is told by what the node
has taken: payments settle many at a time, with the block that makes them final.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import asyncpg
import psutil

from cambist.client import Client
from cambist.client.errors import Rejected
from cambist.client.withdrawals import Quote, Wanted
from runtime import embedded_postgres
from venue.custody.stack import APPROVER, SERVICE, SIGNER, CustodyStack, worker_of
from venue.flow.definitions import AssetPlan
from venue.processes import Process
from venue.stack import MATCHING, Stack
from wallets.service.limits import QUOTES_MAX

# Withdrawals; ten thousand where somebody has the time.
COUNT = int(os.environ.get("CAMBIST_TEST_WITHDRAWALS", "40"))
# Customers: one may have a hundred quotes, which end in a minute.
ACCOUNTS = -(-COUNT // QUOTES_MAX)
# Requests on their way at once.
ASKED_AT_ONCE = 8
LOOK_SECONDS = 0.5
# A node takes some thirty payments a second.
LOOKS_A_BLOCK = 10
POSTGRES_STARTS = 20
NONE = (0, 0, 0)


class World(Protocol):
    """A whole venue with custody of one chain."""

    @property
    def stack(self) -> Stack:
        """Its processes."""

    @property
    def custody(self) -> CustodyStack:
        """Those of custody."""

    @property
    def client(self) -> Client:
        """Of the customer."""

    @property
    def account_id(self) -> int:
        """The customer's."""


@dataclass(frozen=True)
class Paying:
    """What is withdrawn, to whom, and the chain in the test's hands."""

    chain: str
    asset: AssetPlan
    # Of the least withdrawal.
    unit_atoms: int
    # Addresses that are paid in turn.
    targets: tuple[str, ...]
    make_block: Callable[[], Awaitable[None]]
    # Payments that the node has taken so far, in a block or not.
    count_taken: Callable[[], Awaitable[int]]

    def target_of(self, number: int) -> str:
        """Whom a withdrawal pays."""
        return self.targets[number % len(self.targets)]

    def amount_of(self, number: int) -> int:
        """In atoms; none is that of another, so that each payment tells whose it is."""
        return self.unit_atoms + number

    def owed(self, at: int, count: int) -> int:
        """What the target of this place gets of so many withdrawals."""
        return sum(self.amount_of(number) for number in range(at, count, len(self.targets)))

    def spent(self, at: int, count: int, fee_atoms: int) -> int:
        """What the customer of this place pays for so many withdrawals of all."""
        numbers = range(at, count, ACCOUNTS)
        return sum(self.amount_of(number) + fee_atoms for number in numbers)


@dataclass
class Draining:
    """A venue, and how many of its withdrawals came to an end."""

    world: World
    paying: Paying
    count: int
    killed: list[str] = field(default_factory=list)

    async def open_all(self) -> None:
        """Requests all of them; nothing is paid while no worker runs."""
        self.world.stack.processes.kill(self.worker)
        numbers = iter(range(self.count))

        async def ask() -> None:
            client, paying, asset = self.world.client.withdrawals, self.paying, self.paying.asset
            for number in numbers:
                account_id = self.accounts[number % len(self.accounts)]
                amount = f"{Decimal(paying.amount_of(number)).scaleb(-asset.decimals):f}"
                to = paying.target_of(number)
                wanted = Wanted(account_id, asset.asset_id, paying.chain, amount, to)
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
    def accounts(self) -> range:
        """The customers, whose numbers follow one another."""
        return range(self.world.account_id, self.world.account_id + ACCOUNTS)

    async def are_there(self, each: int = 1) -> bool:
        """Whether all that they deposited may be withdrawn: so many deposits of each."""
        query = "select count(*) from custody.deposit where state = 'withdrawable'"
        return int(await self.ask(query)) == ACCOUNTS * each

    async def are_spent(self, left_atoms: int) -> bool:
        """Whether the engine has settled all: so much is left to the first, nothing to others."""
        for at, account_id in enumerate(self.accounts):
            balances = await self.world.client.wallet.balances(account_id)
            found = balances.get(self.paying.asset.asset_id)
            left = (
                (found.available_atoms, found.held_atoms, found.in_flight_atoms) if found else NONE
            )
            if left != ((0 if at else left_atoms), 0, 0):
                return False
        return True

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
        before = await self.paying.count_taken()
        due = [before + self.count * (at + 1) // (len(kills) + 1) for at in range(len(kills))]
        while await self.count_settled() < self.count:
            for _ in range(LOOKS_A_BLOCK):
                if due and await self.paying.count_taken() >= due[0]:
                    due.pop(0)
                    await kills.pop(0)()
                await asyncio.sleep(LOOK_SECONDS / LOOKS_A_BLOCK)
            await self.paying.make_block()
            self.start_what_ended()

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
        directory, binaries = postgres.directory, embedded_postgres.find_binaries()
        for _ in range(POSTGRES_STARTS):
            if os.geteuid() == 0:
                # Another run of pytest takes the way to its folder from the server's user.
                embedded_postgres.hand_over(directory, binaries)
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
