"""`python -m venue.run`: keeps a venue up, with a little flow, and says how to talk to it.

Ctrl-C stops everything that it started. Data stays in the given folder; the chains beside the venue
end with it.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from cambist.client.keys import ApiKey
from runtime.errors import Unavailable
from venue import engines
from venue.custody.chains import missing, open_chains, start_custody
from venue.custody.fund import write_purses
from venue.custody.purse import Beside
from venue.custody.round_trip import SCOPES
from venue.custody.stack import FOLDER as CUSTODY_FOLDER
from venue.custody.stack import choose
from venue.flow.definitions import MARKETS, FirmPlan, firms
from venue.processes import ProcessFailed
from venue.setup import create_keys, create_venue
from venue.stack import Stack, StackPlan
from venue.traders import Traders

LOOK_SECONDS: Final = 1.0
# The last firm is for whoever comes by; the others trade.
FIRMS: Final = 3
COMMANDS_PER_SECOND: Final = 60
BLOCK_SECONDS: Final = 2.0
PURSES: Final = "purses.json"
CHAINS_ARE_GONE: Final = (
    "chains: SKIPPED, those of an earlier run in {directory} ended with it, and the coins on them; "
    "remove the folder, or give another with --directory"
)


def instructions(stack: Stack, firm: FirmPlan, key_file: Path) -> str:
    """How to talk to the venue."""
    endpoint, key = stack.endpoints[0], ApiKey.load(key_file)
    account, market = firm.account_ids[0], MARKETS[0]
    door = f".venv/bin/cambist --endpoint {endpoint} --key {key_file}"
    return f"""
A venue is up. Everything listens on the loopback, in plain text, for development only.

  gateways        {"  ".join(stack.endpoints)}
  administration  {stack.admin_endpoint}
  database        {stack.dsn}
  API key         {key.key_id} of {firm.name}, accounts {account} to {firm.account_ids[-1]}
                  in {key_file}

SDK:
  from cambist.client import Client
  async with Client.connect("{endpoint}", key_file="{key_file}") as client:
      print(await client.markets())

Command line:
  {door} book {market.symbol} --live
  {door} balances --account {account}
  {door} order {market.symbol} buy 1 90000 --account {account}
  .venv/bin/cambist --admin {stack.admin_endpoint} status

grpcurl (the contract is in protos/):
  grpcurl -plaintext -import-path protos -proto cambist/auth/v1/auth.proto \\
    {endpoint} cambist.auth.v1.AuthService/GetChallenge
"""


def coin_instructions(
    stack: Stack, chains: Sequence[Beside], firm: FirmPlan, key_file: Path, purses: Path
) -> str:
    """How to deposit and withdraw."""
    door = f".venv/bin/cambist --endpoint {stack.endpoints[0]} --key {key_file}"
    account = f"--account {firm.account_ids[0]}"
    fund = f".venv/bin/python -m venue.custody.fund {purses}"
    lines = ["Coins on chains of this run, which end with it:", ""]
    for one in chains:
        symbols = ", ".join(held.asset.symbol for held in one.plan.assets)
        lines.append(f"  {one.plan.chain:<15} {symbols}")
    shown = chains[-1].plan
    symbol = shown.assets[0].asset.symbol
    lines += [
        "",
        "Deposit: ask for an address, and see what arrives there come nearer:",
        f"  {door} deposit {symbol} {shown.chain} {account} --follow",
        "Get coins: pay 100 to that address from the purse that this run has on each chain:",
        f"  {fund} {symbol} ADDRESS 100",
        "Withdraw: make an address, and see each state until the last:",
        f"  {fund} {symbol}",
        f"  {door} withdraw 20 {symbol} {shown.chain} ADDRESS {account}",
        "",
    ]
    return "\n".join(lines)


@contextlib.asynccontextmanager
async def mining(chains: Sequence[Beside]) -> AsyncIterator[None]:
    """Blocks now and then, while the block of code runs; a node that ended is seen elsewhere."""

    async def mine() -> None:
        while True:
            for one in chains:
                with contextlib.suppress(Unavailable):
                    await one.purse.make_block()
            await asyncio.sleep(BLOCK_SECONDS)

    task = asyncio.create_task(mine())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def say(console: Console, text: str) -> None:
    """As it is, so that lines can be copied."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def warn(console: Console, text: str) -> None:
    """So that nobody overlooks it."""
    console.print(text, style="bold yellow", highlight=False, markup=False, soft_wrap=True)


async def keep_up(directory: Path, console: Console, *, flow: bool, chains: bool) -> None:
    """Serves until interrupted. Raises ProcessFailed when a process ends by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    plans = firms(FIRMS)
    sizes = engines.sizes()
    ports = choose()
    plan = StackPlan(directory, engine=sizes.engine, gateway_environment=ports.gateway_environment)
    # Chains end with the process: what custody knows of them would be of no use to new ones.
    is_used = (directory / CUSTODY_FOLDER).exists()
    async with Stack(plan) as stack, contextlib.AsyncExitStack() as opened:
        await create_venue(stack, plans)
        keys = await create_keys(stack, plans[:-1], directory / "keys")
        keys |= await create_keys(stack, plans[-1:], directory / "keys", SCOPES)
        traders = Traders(stack, directory / "clients")
        if flow:
            small = replace(sizes, window_commands=200, burst_commands=5)
            traders.start(
                plans[:-1],
                keys,
                small,
                seed=1,
                processes=1,
                commands_per_second=COMMANDS_PER_SECOND,
            )
        guest, key_file = plans[-1], keys[plans[-1].firm_id]
        say(console, instructions(stack, guest, key_file))
        if is_used and chains:
            warn(console, CHAINS_ARE_GONE.format(directory=directory))
        elif chains:
            for line in missing():
                warn(console, line)
            beside = await open_chains(stack, opened)
            await start_custody(stack, ports, beside)
            await opened.enter_async_context(mining(beside))
            write_purses(directory / PURSES, beside)
            say(console, coin_instructions(stack, beside, guest, key_file, directory / PURSES))
        say(console, "Ctrl-C ends it.")
        while not stop.is_set():
            stack.processes.check()
            traders.poll()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        console.print("stopping")


def main() -> int:
    """Keeps a venue up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("data/venue"))
    parser.add_argument("--no-chains", action="store_true", help="no custody, no chains")
    parser.add_argument("--no-flow", action="store_true", help="nobody trades but you")
    given = parser.parse_args()
    console = Console()
    if not engines.has_kernel():
        console.print(engines.reference_notice(), style="bold yellow", soft_wrap=True)
    try:
        uvloop.run(
            keep_up(
                given.directory.resolve(),
                console,
                flow=not given.no_flow,
                chains=not given.no_chains,
            )
        )
    except KeyboardInterrupt:
        return 130
    except ProcessFailed as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
