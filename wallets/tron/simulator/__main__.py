"""`python -m wallets.tron.simulator --port 18090 --block-seconds 3 --fund ADDRESS=SUN`."""

import argparse
import asyncio
import time

from aiohttp import web

from wallets.tron.addresses import parse_address
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS, Parameters
from wallets.tron.simulator.server import Node
from wallets.tron.simulator.state import Account, State


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="wallets.tron.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=18090)
    parser.add_argument("--block-seconds", type=float, default=3.0)
    parser.add_argument("--solid-lag-blocks", type=int, default=20)
    parser.add_argument("--fund", action="append", default=[], metavar="ADDRESS=SUN")
    parser.add_argument("--token", action="append", default=[], metavar="CONTRACT:HOLDER=ATOMS")
    return parser.parse_args()


def genesis(asked: argparse.Namespace, parameters: Parameters, genesis_ms: int) -> State:
    """Accounts and tokens of the first block. Raises RefusedAddress, ValueError."""
    state = State(parameters)
    for text in asked.fund:
        address, amount = text.split("=")
        state.accounts[parse_address(address).key] = Account(int(amount), genesis_ms)
    for text in asked.token:
        contract, holding = text.split(":")
        holder, amount = holding.split("=")
        holders = state.tokens.setdefault(parse_address(contract).key, {})
        holders[parse_address(holder).key] = int(amount)
    return state


async def serve(asked: argparse.Namespace) -> None:
    """Serves on loopback and makes blocks until stopped."""
    parameters = Parameters(solid_lag_blocks=asked.solid_lag_blocks)
    genesis_ms = time.time_ns() // 1_000_000 // SLOT_MILLISECONDS * SLOT_MILLISECONDS
    node = Node(Chain(parameters, genesis_ms, genesis(asked, parameters, genesis_ms)))
    runner = web.AppRunner(node.application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", asked.port).start()
        print(f"http://127.0.0.1:{asked.port}", flush=True)
        await node.produce(asked.block_seconds)
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
