"""`python -m venue.run`: keeps a venue up, with a little flow, and says how to talk to it.

Ctrl-C stops everything that it started. Data stays in the given folder.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from cambist.client.keys import ApiKey
from venue import engines
from venue.flow.definitions import MARKETS, FirmPlan, firms
from venue.processes import ProcessFailed
from venue.setup import create_keys, create_venue
from venue.stack import Stack, StackPlan
from venue.traders import Traders

LOOK_SECONDS: Final = 1.0
# The last firm is for whoever comes by; the others trade.
FIRMS: Final = 3
COMMANDS_PER_SECOND: Final = 60


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

Ctrl-C ends it.
"""


async def keep_up(directory: Path, console: Console, *, flow: bool) -> None:
    """Serves until interrupted. Raises ProcessFailed when a process ends by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    plans = firms(FIRMS)
    sizes = engines.sizes()
    async with Stack(StackPlan(directory, engine=sizes.engine)) as stack:
        await create_venue(stack, plans)
        keys = await create_keys(stack, plans, directory / "keys")
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
        console.print(
            instructions(stack, plans[-1], keys[plans[-1].firm_id]),
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
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
    parser.add_argument("--no-flow", action="store_true", help="nobody trades but you")
    given = parser.parse_args()
    console = Console()
    if not engines.has_kernel():
        console.print(engines.reference_notice(), style="bold yellow", soft_wrap=True)
    try:
        uvloop.run(keep_up(given.directory.resolve(), console, flow=not given.no_flow))
    except KeyboardInterrupt:
        return 130
    except ProcessFailed as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
