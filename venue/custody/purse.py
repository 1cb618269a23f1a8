"""What a customer has on a chain beside a venue: coins, and a node of his own to ask.

Implemented beside the node of each chain; used by the round trip, by `fund`, and to fill the hot
accounts of a venue that begins. Nothing of the venue is asked here.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from runtime.errors import Unavailable
from venue.custody.chain_plan import ChainPlan, HeldAsset
from venue.processes import Process
from venue.stack import READY_SECONDS
from wallets.json_rpc import NodeRefused

POLL_SECONDS: Final = 0.2


class Purse(Protocol):
    """Coins of one chain."""

    async def pay(self, held: HeldAsset, address: str, amount_atoms: int) -> str:
        """Sends so much to an address; the transaction. Raises NodeRefused, Unavailable."""

    async def new_address(self) -> str:
        """One that nobody used before."""

    async def received_atoms(self, held: HeldAsset, address: str) -> int:
        """What lies at an address. Raises NodeRefused, Unavailable."""

    async def make_block(self) -> None:
        """A block, where they do not come by themselves. Raises NodeRefused, Unavailable."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A chain that runs beside a venue."""

    plan: ChainPlan
    purse: Purse
    # What `open_purse` of its module opens the same purse by, elsewhere; may hold play keys.
    access: Mapping[str, Any]


async def wait_answers(process: Process, ask: Callable[[], Awaitable[object]]) -> None:
    """Waits until a node answers a question. Raises ProcessFailed."""
    deadline = time.monotonic() + READY_SECONDS
    while process.is_running and time.monotonic() < deadline:
        try:
            await ask()
        except (Unavailable, NodeRefused):
            await asyncio.sleep(POLL_SECONDS)
        else:
            return
    raise process.fail("does not answer")


def new_key() -> PrivateKey:
    """Of play money."""
    return PrivateKey(secrets.token_bytes(32))


def account_of(key: PrivateKey) -> bytes:
    """The 20 bytes that Ethereum, and TRON behind a prefix, call an account."""
    return bytes(keccak(key.public_key.format(compressed=False)[1:])[12:])
