"""Brings what is too much in the hot wallet to the cold place, merges its small coins in cheap
hours, lifts payouts at their ceiling, and follows every transfer to its end.

Run by the worker under a lease, one per network. What people sign comes by the command; from the
signed bytes on both go the same way: stored, sent, looked up by id, booked when final. It sweeps
nothing without bounds that somebody set, and nothing while the network's payouts are stopped.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.books.accounts import Account
from wallets.errors import Rejected, Stuck
from wallets.treasury import bounds, limits, store
from wallets.treasury.following import Following, SignsInternal
from wallets.treasury.lifting import Lifting, Lifts
from wallets.treasury.ports import Follows, HoldsTreasury
from wallets.treasury.store import Draft


class MakesIds(Protocol):
    """Fresh ids of intents."""

    def __call__(self) -> bytes:
        """16 bytes."""


@dataclass(frozen=True, slots=True)
class Treasury:
    """Of one network's native asset."""

    database: Database
    chain: Follows
    holds: HoldsTreasury
    signer: SignsInternal
    make_id: MakesIds

    async def run(self) -> None:
        """For ever. Raises Broken."""
        while True:
            try:
                await self.step()
            except (Unavailable, Unknown) as error:
                logs.get(__name__).warning("treasury waits", reason=str(error))
            await asyncio.sleep(limits.STEP_SECONDS)

    async def step(self) -> None:
        """One look at everything that is open; a sweep when nothing is and too much is there."""
        network_id = self.chain.network.network_id
        following = Following(self.database, self.chain, self.signer)
        transfers = await following.look()
        await self._lift(network_id)
        if not any(one.source is Account.HOT for one in transfers):
            await self._sweep(network_id)

    async def _lift(self, network_id: int) -> None:
        asset_id = await store.native_asset(self.database, network_id)
        if asset_id is not None and isinstance(self.holds, Lifts):
            lifting = Lifting(self.database, network_id, self.holds, self.make_id)
            await lifting.look(asset_id)

    async def _sweep(self, network_id: int) -> None:
        row = await self.database.read_row(
            "select withdrawals_stopped from custody.chain where network_id = $1", network_id
        )
        asset_id = await store.native_asset(self.database, network_id)
        if row is None or row["withdrawals_stopped"] or asset_id is None:
            return
        kept = await store.read_bounds(self.database, network_id, asset_id)
        if kept is None:
            return
        owned = await store.read_owned(self.database, network_id)
        waiting = await store.read_waiting(self.database, network_id, asset_id)
        hot = await self.holds.hot_atoms(owned)
        if short := bounds.missing(hot, waiting, kept):
            logs.get(__name__).warning("the hot wallet needs a refill", atoms=str(short))
        amount = bounds.excess(hot, waiting, kept)
        if not amount:
            await self._merge(network_id, asset_id, owned)
            return
        try:
            plan = await self.holds.plan_to_cold(
                self.make_id(), amount, bounds.fee_atoms_max(amount), owned
            )
        except (Stuck, Rejected) as error:
            logs.get(__name__).warning("no sweep to cold", atoms=str(amount), reason=str(error))
            return
        draft = Draft(
            asset_id, Account.HOT, Account.COLD, amount, plan.fee_atoms_max, plan.inputs, plan
        )
        await store.add(self.database, network_id, draft)
        logs.get(__name__).info("sweep to cold", atoms=str(amount))

    async def _merge(self, network_id: int, asset_id: int, owned: frozenset[str]) -> None:
        found = await self.holds.plan_merge(self.make_id(), owned)
        if found is None:
            return
        plan, amount = found
        draft = Draft(
            asset_id, Account.HOT, Account.HOT, amount, plan.fee_atoms_max, plan.inputs, plan
        )
        await store.add(self.database, network_id, draft)
        logs.get(__name__).info("small coins are merged", coins=len(plan.inputs))

    async def refill(self, amount_atoms: int) -> tuple[int, str]:
        """Plans cold to hot: its number, and what people sign. Raises Stuck, Rejected."""
        network_id = self.chain.network.network_id
        asset_id = await store.native_asset(self.database, network_id)
        if asset_id is None or amount_atoms < 1:
            raise Rejected("INVALID_AMOUNT", f"{amount_atoms} atoms")
        owned = await store.read_owned(self.database, network_id)
        fee_atoms_max = bounds.fee_atoms_max(amount_atoms)
        plan = await self.holds.plan_from_cold(amount_atoms, fee_atoms_max, owned)
        draft = Draft(
            asset_id,
            Account.COLD,
            Account.HOT,
            amount_atoms,
            plan.fee_atoms,
            plan.inputs,
            unsigned=plan.unsigned,
        )
        return await store.add(self.database, network_id, draft), plan.text

    async def take(self, attempt_id: int, text: str) -> tuple[int, int]:
        """A signed file of a refill: keys that have signed, and how many must. Raises Rejected."""
        open_ones = await store.read_open(self.database, self.chain.network.network_id)
        transfer = next((one for one in open_ones if one.attempt_id == attempt_id), None)
        if transfer is None or not transfer.unsigned:
            raise Rejected("UNKNOWN_TRANSFER", f"no refill {attempt_id} waits for signatures")
        texts = (*transfer.texts, text)
        if len(texts) > limits.TEXTS_MAX:
            raise Rejected("TOO_MANY_FILES", f"{limits.TEXTS_MAX} are enough")
        before = await self.holds.add_signatures(transfer.unsigned, transfer.texts)
        found = await self.holds.add_signatures(transfer.unsigned, texts)
        if found.signers <= before.signers and not found.raw:
            raise Rejected("NO_NEW_SIGNATURE", "no key of the cold wallet signed in this file")
        await store.add_texts(self.database, transfer, texts)
        if found.raw:
            txid = self.chain.identify(found.raw)
            await store.write_ahead(self.database, transfer, txid, found.raw)
        return found.signers, found.needed
