"""A customer deposits on a chain, trades and withdraws: the demo's part with coins.

Called by the demo after its flow, for each chain that is there. It uses what a customer has, the
SDK and coins of his own; what it saw is one line of the report, and any difference fails the demo.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cambist.client.amounts import scaled
from cambist.client.client import Client
from cambist.client.withdrawals import Wanted
from venue.custody.chain_plan import HeldAsset
from venue.custody.chains import lots
from venue.custody.listing import QUOTE
from venue.custody.purse import Beside
from venue.processes import ProcessFailed
from venue.side_by_side import side_by_side

SCOPES: Final = ("TRADE", "CANCEL", "READ", "WITHDRAW")
SECONDS: Final = 120.0
BLOCK_SECONDS: Final = 0.5
IN_LOTS, SOLD_LOTS, OUT_LOTS = 5_000, 1_000, 2_000


class Moved(Protocol):
    """A deposit or a withdrawal, as the SDK lists it."""

    @property
    def asset_id(self) -> int:
        """Which asset."""

    @property
    def state(self) -> str:
        """How far it is."""

    @property
    def txid(self) -> str:
        """Its transaction; empty before there is one."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One customer on one chain, with all of its assets at once."""

    client: Client
    chain: Beside
    account_id: int
    buyer_id: int

    async def make(self) -> str:
        """All of it; a line for the report. Raises ProcessFailed and the SDK's errors."""
        began = time.monotonic()
        paid = await self.deposit()
        await self.trade()
        target, withdrawn = await self.withdraw()
        await self.check(target)
        stories = [
            f"deposited {sum_of(held, IN_LOTS)} ({short(paid[held.asset.asset_id])}), "
            f"sold {sum_of(held, SOLD_LOTS)}, "
            f"withdrew {sum_of(held, OUT_LOTS)} ({short(withdrawn[held.asset.asset_id])})"
            for held in self.assets
        ]
        seconds = time.monotonic() - began
        return f"{self.name}: {'; '.join(stories)} in {seconds:.0f} s, every atom found"

    @property
    def name(self) -> str:
        """Of the chain."""
        return self.chain.plan.chain

    @property
    def assets(self) -> tuple[HeldAsset, ...]:
        """Of the chain."""
        return tuple(self.chain.plan.assets)

    async def deposit(self) -> dict[int, str]:
        """Coins to addresses of the account, until they may be withdrawn; transactions by asset."""
        for held in self.assets:
            address = await self.client.withdrawals.deposit_address(
                self.account_id, held.asset.asset_id, self.name
            )
            await self.chain.purse.pay(held, address, lots(held, IN_LOTS))
        return await self._until(
            lambda: self.client.withdrawals.deposits(self.account_id), "withdrawable"
        )

    async def trade(self) -> None:
        """Sells some of each to another account at one price."""
        accounts = [self.account_id, self.buyer_id]
        session_name = f"round trip {self.name}"
        async with self.client.session(session_name, account_ids=accounts) as session:
            for held in self.assets:
                market = await self.client.market(held.market.symbol)
                for side, account_id in (("sell", self.account_id), ("buy", self.buyer_id)):
                    await session.new_order(
                        market,
                        side,
                        held.whole(lots(held, SOLD_LOTS)),
                        price_of(held),
                        account_id=account_id,
                    )

    async def withdraw(self) -> tuple[str, dict[int, str]]:
        """Coins to an address of our own, until they are final; address, transactions by asset."""
        target = await self.chain.purse.new_address()
        for held in self.assets:
            amount = held.whole(lots(held, OUT_LOTS))
            wanted = Wanted(self.account_id, held.asset.asset_id, self.name, amount, target)
            quote = await self.client.withdrawals.quote(wanted)
            await self.client.withdrawals.request(wanted, quote)
        done = await self._until(lambda: self.client.withdrawals.list(self.account_id), "settled")
        return target, done

    async def check(self, target: str) -> None:
        """What arrived, and what is left, to the last atom. Raises ProcessFailed."""
        wanted = {
            held.asset.symbol: (
                lots(held, OUT_LOTS),
                lots(held, IN_LOTS - SOLD_LOTS - OUT_LOTS) - held.withdrawal_fee_atoms,
                lots(held, SOLD_LOTS),
            )
            for held in self.assets
        }
        deadline = time.monotonic() + SECONDS
        # The engine hears of the settlement a moment after custody.
        while (found := await self._found(target)) != wanted:
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"{self.name}: arrived, seller's and buyer's are {found}, not {wanted}"
                )
            await asyncio.sleep(BLOCK_SECONDS)

    async def _found(self, target: str) -> dict[str, tuple[int, int, int]]:
        """Arrived, the seller's and the buyer's atoms, by asset."""
        return {
            held.asset.symbol: (
                await self.chain.purse.received_atoms(held, target),
                await self._balance(self.account_id, held),
                await self._balance(self.buyer_id, held),
            )
            for held in self.assets
        }

    async def _balance(self, account_id: int, held: HeldAsset) -> int:
        balances = await self.client.wallet.balances(account_id)
        found = balances.get(held.asset.asset_id)
        return found.total_atoms if found else 0

    async def _until(self, look: Callable[[], AsyncIterator[Moved]], wanted: str) -> dict[int, str]:
        """Blocks until all of them are so far; transactions by asset. Raises ProcessFailed."""
        ids = {held.asset.asset_id for held in self.assets}
        deadline = time.monotonic() + SECONDS
        while True:
            seen = {one.asset_id: one async for one in look()}
            if seen.keys() == ids and all(one.state == wanted for one in seen.values()):
                return {asset_id: one.txid for asset_id, one in seen.items()}
            if time.monotonic() > deadline:
                states = [one.state for one in seen.values()] or "nothing"
                raise ProcessFailed(f"{self.name}: {states} after {SECONDS:.0f} s, not {wanted}")
            await self.chain.purse.make_block()
            await asyncio.sleep(BLOCK_SECONDS)


def price_of(held: HeldAsset) -> str:
    """The middle of its market, in whole units of the quote asset."""
    atoms = held.market.middle_ticks * held.market.tick_size_atoms
    return f"{scaled(atoms, QUOTE.decimals):f}"


def sum_of(held: HeldAsset, count: int) -> str:
    """Lots as people read them."""
    whole = held.whole(lots(held, count)).rstrip("0").removesuffix(".")
    return f"{whole} {held.asset.symbol}"


def short(txid: str) -> str:
    """Enough of an id to tell it from others."""
    return f"{txid.removeprefix('0x')[:8]}…"


async def show_all(
    client: Client,
    chains: Sequence[Beside],
    account_ids: Sequence[int],
    show: Callable[[str], None],
) -> None:
    """A trip on each chain, side by side, each with two accounts; lines as they end.

    Raises ProcessFailed and the SDK's errors, of the first that fails.
    """

    async def one(number: int, chain: Beside) -> None:
        seller, buyer = account_ids[2 * number : 2 * number + 2]
        show(await RoundTrip(client, chain, seller, buyer).make())

    await side_by_side(*(one(number, chain) for number, chain in enumerate(chains)))
