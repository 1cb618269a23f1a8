"""A customer deposits on chain, trades and withdraws on chain: the demo's part with Bitcoin.

Called by the demo after its flow, when a node is found. It uses what a customer has, the SDK and a
wallet of its own; what it saw is one line of the report, and any difference fails the demo.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from cambist.client.client import Client
from cambist.client.keys import ApiKey
from cambist.client.withdrawals import Wanted
from venue.custody import bitcoin_node
from venue.custody.bitcoin_node import RegtestNode
from venue.custody.bitcoin_plan import bitcoin
from venue.custody.listing import ASSET, BITCOIN, MARKET
from venue.custody.stack import CustodyPorts, CustodyStack
from venue.flow.definitions import FirmPlan
from venue.processes import ProcessFailed
from venue.stack import Stack

SCOPES: Final = ("TRADE", "CANCEL", "READ", "WITHDRAW")
SECONDS: Final = 120.0
BLOCK_SECONDS: Final = 0.5
COIN: Final = 10**ASSET.decimals
IN_ATOMS, SOLD_ATOMS, OUT_ATOMS = COIN // 2, COIN // 10, COIN // 5
PRICE: Final = "90000"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One customer, the node that everybody shares, and the venue."""

    client: Client
    node: RegtestNode
    account_id: int
    buyer_id: int

    async def deposit(self) -> str:
        """Coins to an address of the account, until they may be withdrawn; the transaction."""
        address = await self.client.withdrawals.deposit_address(
            self.account_id, ASSET.asset_id, "bitcoin"
        )
        txid = str(await self.node.call("sendtoaddress", address, whole(IN_ATOMS)))

        async def state() -> str:
            found = [one async for one in self.client.withdrawals.deposits(self.account_id)]
            return found[0].state if found else ""

        await self._mine_until(state, "withdrawable")
        return txid

    async def trade(self) -> None:
        """Sells some to another account at one price."""
        market = await self.client.market(MARKET.symbol)
        accounts = [self.account_id, self.buyer_id]
        async with self.client.session("round trip", account_ids=accounts) as session:
            for side, account_id in (("sell", self.account_id), ("buy", self.buyer_id)):
                await session.new_order(
                    market, side, whole(SOLD_ATOMS), PRICE, account_id=account_id
                )

    async def withdraw(self) -> tuple[str, str]:
        """Coins to an address of our own, until they are final; address and transaction."""
        target = str(await self.node.call("getnewaddress", "", "bech32"))
        wanted = Wanted(self.account_id, ASSET.asset_id, "bitcoin", whole(OUT_ATOMS), target)
        quote = await self.client.withdrawals.quote(wanted)
        await self.client.withdrawals.request(wanted, quote)

        async def state() -> str:
            found = [one async for one in self.client.withdrawals.list(self.account_id)]
            return found[0].state if found else ""

        await self._mine_until(state, "settled")
        (done,) = [one async for one in self.client.withdrawals.list(self.account_id)]
        return target, done.txid

    async def check(self, target: str) -> None:
        """What arrived, and what is left, to the last atom. Raises ProcessFailed."""
        received = await self.node.call("getreceivedbyaddress", target)
        wanted = {
            "arrived": OUT_ATOMS,
            "seller": IN_ATOMS - SOLD_ATOMS - OUT_ATOMS - BITCOIN.withdrawal_fee_atoms,
            "buyer": SOLD_ATOMS,
        }
        found = {
            "arrived": round(received * COIN),
            "seller": await self._balance(self.account_id),
            "buyer": await self._balance(self.buyer_id),
        }
        deadline = time.monotonic() + SECONDS
        # The engine hears of the settlement a moment after custody.
        while found != wanted and time.monotonic() < deadline:
            await asyncio.sleep(BLOCK_SECONDS)
            found["seller"] = await self._balance(self.account_id)
        if found != wanted:
            raise ProcessFailed(f"bitcoin: {found}, not {wanted}")

    async def _balance(self, account_id: int) -> int:
        balances = await self.client.wallet.balances(account_id)
        found = balances.get(ASSET.asset_id)
        return found.total_atoms if found else 0

    async def _mine_until(self, state: Callable[[], Awaitable[str]], wanted: str) -> None:
        """A block now and then. Raises ProcessFailed."""
        seen, deadline = "", time.monotonic() + SECONDS
        while seen != wanted:
            if time.monotonic() > deadline:
                raise ProcessFailed(f"bitcoin: {seen or 'nothing'} after {SECONDS:.0f} s")
            await self.node.mine()
            await asyncio.sleep(BLOCK_SECONDS)
            seen = await state()


def whole(atoms: int) -> str:
    """Whole units as text."""
    return f"{atoms // COIN}.{atoms % COIN:0{ASSET.decimals}d}"


async def show(stack: Stack, ports: CustodyPorts, firm: FirmPlan, program: str) -> str:
    """The round trip; a line for the report. Raises ProcessFailed and the SDK's errors."""
    began = time.monotonic()
    key = ApiKey.generate("round-trip")
    await stack.create_key(firm.firm_id, key.key_id, key.public_hex, SCOPES)
    async with bitcoin_node.started(stack, program) as node:
        await CustodyStack(stack, ports, bitcoin(node.access)).start()
        async with Client.connect(stack.endpoints, key) as client:
            trip = RoundTrip(client, node, *firm.account_ids[:2])
            paid = await trip.deposit()
            await trip.trade()
            target, txid = await trip.withdraw()
            await trip.check(target)
    return (
        f"bitcoin: deposited {whole(IN_ATOMS)} ({short(paid)}), sold {whole(SOLD_ATOMS)}, "
        f"withdrew {whole(OUT_ATOMS)} ({short(txid)}) in {time.monotonic() - began:.0f} s, "
        f"every atom found"
    )


def short(txid: Any) -> str:
    """Enough of an id to tell it from others."""
    return f"{str(txid)[:8]}…"
