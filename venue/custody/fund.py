"""`python -m venue.custody.fund FILE SYMBOL [ADDRESS AMOUNT]`: coins of a chain beside `make run`.

With an address it pays there from the purse that the run has on each chain, and prints the
transaction. Without one it prints an address that nobody used before. FILE is the run's
purses.json: it holds keys of play money, so only its owner may read it.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from cambist.client.amounts import to_atoms
from cambist.client.errors import InvalidInput
from runtime.errors import Unavailable
from venue.custody import bitcoin_node, ethereum_node, tron_node
from venue.custody.chain_plan import HeldAsset
from venue.custody.listing import BITCOIN, ETHEREUM, TRON, TRON_TOKEN, ethereum_token
from venue.custody.purse import Beside, Purse
from wallets.errors import Rejected


def write_purses(path: Path, chains: Sequence[Beside]) -> None:
    """What this command opens the purses by."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    content = {one.plan.chain: dict(one.access) for one in chains}
    path.write_text(json.dumps(content), encoding="utf-8")


def assets_of(chain: str, access: Mapping[str, Any]) -> Sequence[HeldAsset]:
    """What there is on a chain."""
    match chain:
        case "bitcoin":
            return (BITCOIN,)
        case "ethereum":
            return (ETHEREUM, ethereum_token(bytes.fromhex(access["token"])))
        case "tron":
            return (TRON, TRON_TOKEN)
    raise InvalidInput("UNKNOWN_CHAIN", f"no purse on {chain}")


async def open_purse(chain: str, access: Mapping[str, Any], opened: AsyncExitStack) -> Purse:
    """By what a run wrote. Raises Unavailable when it has ended."""
    match chain:
        case "bitcoin":
            return await bitcoin_node.open_purse(access, opened)
        case "ethereum":
            return await ethereum_node.open_purse(access, opened)
        case "tron":
            return await tron_node.open_purse(access, opened)
    raise InvalidInput("UNKNOWN_CHAIN", f"no purse on {chain}")


def find(purses: Mapping[str, Mapping[str, Any]], symbol: str) -> tuple[str, HeldAsset]:
    """The chain of an asset, and the asset. Raises InvalidInput."""
    known = [(chain, held) for chain in purses for held in assets_of(chain, purses[chain])]
    for chain, held in known:
        if held.asset.symbol == symbol:
            return chain, held
    symbols = ", ".join(held.asset.symbol for _, held in known)
    raise InvalidInput("UNKNOWN_ASSET", f"no {symbol} on a chain of this run, but {symbols}")


async def fund(
    purses: Mapping[str, Mapping[str, Any]], symbol: str, address: str, amount: str
) -> str:
    """A transaction, or a new address where none is given.

    Raises InvalidInput, Rejected for an address or amount that the node refuses, and Unavailable.
    """
    chain, held = find(purses, symbol)
    atoms = to_atoms(amount, held.asset.decimals) if address else 0
    if address and atoms <= 0:
        raise InvalidInput("INVALID_AMOUNT", f"{amount} is nothing that can be paid")
    async with AsyncExitStack() as opened:
        purse = await open_purse(chain, purses[chain], opened)
        if not address:
            return await purse.new_address()
        return await purse.pay(held, address, atoms)


def main() -> int:
    """Prints one line."""
    parser = argparse.ArgumentParser(prog="venue.custody.fund", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("symbol")
    parser.add_argument("address", nargs="?", default="")
    parser.add_argument("amount", nargs="?", default="")
    given = parser.parse_args()
    if bool(given.address) != bool(given.amount):
        parser.error("an address and an amount, or neither")
    try:
        purses = json.loads(given.file.read_text(encoding="utf-8"))
        print(asyncio.run(fund(purses, given.symbol, given.address, given.amount)))
    except (InvalidInput, Rejected, Unavailable, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
