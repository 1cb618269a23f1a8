"""`python -m venue.demo`: a whole venue on this machine, with crashes, checked at the end.

Last line: `demo ok orders=… trades=… acknowledged_lost=0 duplicated=0 conservation=ok`; exit
status 0. With `--plant NAME` one thing is made wrong on purpose and the demo must fail.
"""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import uvloop
from rich.console import Console

from cambist.client.client import Client
from cambist.client.keys import ApiKey
from venue import chaos, engines
from venue.custody.chains import missing, open_chains, start_custody
from venue.custody.round_trip import SCOPES, show_all
from venue.custody.stack import CHAINS_MAX, CustodyPorts, choose
from venue.engines import Sizes
from venue.flow.definitions import MARKETS, FirmPlan, firms
from venue.judgement import Judgement, judge, print_judgement
from venue.live_view import LiveView, stage_table
from venue.plants import Plant
from venue.processes import ProcessFailed
from venue.setup import create_keys, create_venue
from venue.stack import MATCHING, Stack, StackPlan
from venue.traders import Moment, Traders

FIRMS: Final = 6
TICK_SECONDS: Final = 0.1
# Unanswered commands that must be there when matching is killed.
UNANSWERED_WANTED: Final = 1_000
# Shares of the wanted trades at which matching and a gateway are killed.
KILL_MATCHING_AT: Final = 0.35
KILL_GATEWAY_AT: Final = 0.7
ANSWER_SECONDS: Final = 60.0
BOOK_CONFLATION_MS: Final = 250


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    plant: Plant | None
    seed: int
    sizes: Sizes
    directory: Path
    # Whether the evidence stays whatever comes out.
    is_kept: bool


@dataclass(slots=True)
class Demo:
    """One run."""

    options: Options
    stack: Stack
    traders: Traders
    view: LiveView
    random: Random
    started: float

    async def flow(self) -> None:
        """Trades until enough is traded, with one crash of matching and one of a gateway."""
        wanted = self.options.sizes.trades
        deadline = time.monotonic() + self.options.sizes.flow_seconds
        await self.until(lambda moment: moment.fills >= 2 * wanted * KILL_MATCHING_AT, deadline)
        await self.crash_matching()
        await self.until(lambda moment: moment.fills >= 2 * wanted * KILL_GATEWAY_AT, deadline)
        await self.crash_gateway()
        await self.until(lambda moment: moment.fills >= 2 * wanted, deadline)
        self.view.note(f"{self.clock()} clients stop and wait for their last answers")
        moment = await self.traders.stop()
        self.view.show(moment, self.traders.recent)

    async def until(self, is_reached: Callable[[Moment], bool], deadline: float) -> Moment:
        """Shows until a condition holds or the time is over."""
        while True:
            moment = self.tick()
            if is_reached(moment) or time.monotonic() > deadline:
                return moment
            await asyncio.sleep(TICK_SECONDS)

    def tick(self) -> Moment:
        """Polls, shows; raises ProcessFailed when a process has ended by itself."""
        moment = self.traders.poll()
        self.stack.processes.check()
        self.view.show(moment, self.traders.recent)
        return moment

    async def crash_matching(self) -> None:
        """SIGKILL at a stage that the seed chose, with commands unanswered; then a new start."""
        stage = self.random.choice(list(chaos.Stage))
        moment = await self.until(
            lambda now: now.unanswered >= UNANSWERED_WANTED, time.monotonic() + ANSWER_SECONDS
        )
        is_seen = await chaos.wait_for_stage(self.stack.dsn, stage, self.random)
        pid = self.stack.processes.kill(MATCHING)
        killed, moment = time.monotonic(), self.traders.poll()
        where = stage.value if is_seen else f"{stage.value} (not seen in time: at any moment)"
        self.view.note(
            f"{self.clock()} SIGKILL matching (pid {pid}) {where}, "
            f"{moment.unanswered:,} commands unanswered"
        )
        if moment.unanswered < UNANSWERED_WANTED:
            raise ProcessFailed(f"only {moment.unanswered} commands were unanswered at the kill")
        self.stack.start_matching()
        await self.answered_again(killed, "matching")

    async def crash_gateway(self) -> None:
        """SIGKILL of the first gateway; clients go on over the other one, and it comes back."""
        name = self.stack.gateways[0].name
        pid = self.stack.processes.kill(name)
        killed = time.monotonic()
        self.traders.poll()
        self.view.note(f"{self.clock()} SIGKILL {name} (pid {pid})")
        await self.answered_again(killed, name)
        self.stack.start_gateway(0)

    async def answered_again(self, killed: float, what: str) -> None:
        """Waits until each client has as many answers as it had sent when the process died."""
        sent = self.traders.sent()
        await self.until(
            lambda _moment: self.traders.has_answered(sent), time.monotonic() + ANSWER_SECONDS
        )
        if not self.traders.has_answered(sent):
            raise ProcessFailed(f"after the end of {what} answers did not come back")
        seconds = time.monotonic() - killed
        self.view.note(f"{self.clock()} all that was unanswered is answered after {seconds:.1f} s")

    def clock(self) -> str:
        """Seconds since the start."""
        return f"[{time.monotonic() - self.started:5.1f} s]"


@contextlib.asynccontextmanager
async def followed_book(view: LiveView, stack: Stack, key_file: Path) -> AsyncIterator[None]:
    """Keeps the view's book over the SDK while the block runs; a lost feed is no fault here."""

    async def follow() -> None:
        async with (
            Client.connect(stack.endpoints[::-1], ApiKey.load(key_file)) as client,
            client.market_data() as feed,
        ):
            async for book in feed.books(MARKETS[0].market_id, conflation_ms=BOOK_CONFLATION_MS):
                view.book = book

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def show_coins(
    stack: Stack, ports: CustodyPorts, customer: FirmPlan, console: Console
) -> None:
    """A deposit, a trade and a withdrawal on each chain, or a loud word that it is not there."""
    for line in missing():
        console.print(line, style="bold yellow", soft_wrap=True)

    def show(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    key = ApiKey.generate("round-trip")
    await stack.create_key(customer.firm_id, key.key_id, key.public_hex, SCOPES)
    async with contextlib.AsyncExitStack() as opened:
        chains = await open_chains(stack, opened)
        await start_custody(stack, ports, chains)
        names = ", ".join(one.plan.chain for one in chains)
        show(f"customers come with coins of {names}")
        client = await opened.enter_async_context(Client.connect(stack.endpoints, key))
        await show_all(client, chains, customer.account_ids, show)


async def run(options: Options, console: Console) -> Judgement:
    """The whole demo. Raises ProcessFailed and the SDK's errors."""
    started = time.monotonic()
    # The checker knows from the logs of the traders what they did; the customer keeps none.
    *traded, last = firms(FIRMS + 1)
    plans: tuple[FirmPlan, ...] = tuple(traded)
    customer = replace(last, account_ids=last.account_ids[: 2 * CHAINS_MAX])
    accounts = sum(len(firm.account_ids) for firm in plans)
    sizes = options.sizes
    settings = {"SNAPSHOT_EVERY_COMMANDS": str(sizes.snapshot_every_commands)}
    custody_ports = choose()
    plan = StackPlan(
        options.directory,
        engine=sizes.engine,
        matching_environment=settings,
        gateway_environment=custody_ports.gateway_environment,
    )
    async with Stack(plan) as stack:
        console.print(f"venue is up after {time.monotonic() - started:.1f} s", highlight=False)
        await create_venue(stack, (*plans, customer))
        keys = await create_keys(stack, plans, options.directory / "keys")
        console.print(
            f"{len(MARKETS)} markets, {len(plans)} firms, {accounts} accounts after "
            f"{time.monotonic() - started:.1f} s",
            highlight=False,
        )
        traders = Traders(stack, options.directory / "clients")
        traders.start(plans, keys, sizes, seed=options.seed)
        with LiveView(console, MARKETS[0].symbol) as view:
            demo = Demo(options, stack, traders, view, Random(options.seed), started)
            async with followed_book(view, stack, keys[plans[0].firm_id]):
                await demo.flow()
        console.print(stage_table(traders.total))
        # A run that must fail needs no coins for it.
        if options.plant is None:
            await show_coins(stack, custody_ports, customer, console)
        console.print("checking the journal and the clients' logs", highlight=False)
        judgement = await judge(stack, traders.log_directory, options.plant, sizes)
        print_judgement(console, judgement)
    console.print(f"took {time.monotonic() - started:.0f} s", highlight=False)
    return judgement


def read_options(arguments: list[str]) -> Options:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plant", type=Plant, choices=list(Plant), default=None)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--trades", type=int, default=0, help="0 = as the engine allows")
    parser.add_argument("--directory", type=Path, default=None, help="kept; default: a new one")
    given = parser.parse_args(arguments)
    sizes = engines.sizes()
    if given.trades:
        sizes = replace(sizes, trades=given.trades)
    directory = given.directory or Path(tempfile.mkdtemp(prefix="cambist-demo-"))
    is_kept = given.directory is not None
    return Options(given.plant, given.seed, sizes, directory, is_kept)


def main() -> int:
    """Runs the demo and prints its last line."""
    options = read_options(sys.argv[1:])
    console = Console()
    if options.sizes.engine == engines.REFERENCE:
        console.print(engines.reference_notice(), style="bold yellow", soft_wrap=True)
    console.print(f"seed {options.seed}, evidence in {options.directory}", highlight=False)
    if options.plant is not None:
        console.print(f"PLANT {options.plant}: this run must fail", style="bold yellow")
    try:
        judgement = uvloop.run(run(options, console))
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    except ProcessFailed as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        print(Judgement({}, {}, "failed").last_line())
        return 1
    if options.plant is not None and judgement.check and not judgement.ok:
        console.print(f"PLANT {options.plant}: found, see above", style="bold yellow")
    if not options.is_kept and (judgement.ok or options.plant is not None):
        shutil.rmtree(options.directory, ignore_errors=True)
    print(judgement.last_line())
    return 0 if judgement.ok else 1


if __name__ == "__main__":
    sys.exit(main())
