"""The chains that a venue on this machine has beside it, and custody of all of them.

Called by the demo and by `venue.run`. TRON is simulated and always there; Bitcoin and Ethereum are
there where their programs are, and `missing` says how to get those that are not.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final

from venue.custody import bitcoin_node, ethereum_node, tron_node
from venue.custody.chain_plan import HeldAsset
from venue.custody.purse import Beside
from venue.custody.stack import CustodyPorts, CustodyStack
from venue.side_by_side import side_by_side
from venue.stack import Stack

# What each hot account begins with, in lots of the asset's market.
HOT_LOTS: Final = 50_000


def missing() -> list[str]:
    """A line for each chain without a program."""
    found = {
        "bitcoin": (bitcoin_node.find_program(), bitcoin_node.HOW_TO_GET),
        "ethereum": (ethereum_node.find_program(), ethereum_node.HOW_TO_GET),
    }
    return [
        f"{chain}: SKIPPED, {how_to_get}"
        for chain, (program, how_to_get) in found.items()
        if program is None
    ]


async def open_chains(stack: Stack, opened: AsyncExitStack) -> list[Beside]:
    """Starts all that are there, side by side. Raises ProcessFailed."""
    starts: list[AbstractAsyncContextManager[Beside]] = [tron_node.started(stack)]
    if (program := bitcoin_node.find_program()) is not None:
        starts.append(bitcoin_node.started(stack, program))
    if (kind := ethereum_node.find_program()) is not None:
        starts.append(ethereum_node.started(stack, kind))
    found = await side_by_side(*(opened.enter_async_context(one) for one in starts))
    return sorted(found, key=lambda one: one.plan.network_id)


async def start_custody(
    stack: Stack, ports: CustodyPorts, chains: Sequence[Beside]
) -> CustodyStack:
    """One custody with a worker per chain, whose hot accounts have coins. Raises ProcessFailed."""
    custody = CustodyStack(stack, ports, [one.plan for one in chains])
    await custody.start()
    for one in chains:
        for address in custody.hot_addresses(one.plan):
            for held in one.plan.assets:
                await one.purse.pay(held, address, lots(held, HOT_LOTS))
    return custody


def lots(held: HeldAsset, count: int) -> int:
    """Atoms of so many lots."""
    return count * held.market.lot_size_atoms
