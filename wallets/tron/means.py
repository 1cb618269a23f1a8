"""What hot accounts can still pay with: solid balances, less what is under way.

Used by the adapter for each payout. A balance changes with a block and is looked at no more often
than heads are; what this worker plans meanwhile is taken off at once. Other workers' plans of that
moment are not seen: who pays more than is there is refused by the network, and planned again once
that is proven. It stores nothing.
"""

from dataclasses import dataclass

from runtime.postgres import Database
from wallets.contract import Payout
from wallets.errors import Condition, Stuck
from wallets.kept import KeptByKey
from wallets.tron import accounts, resources
from wallets.tron.accounts import HotAccount
from wallets.tron.node_set import NodeSet


@dataclass(slots=True)
class Look:
    """At all accounts, for one token or for TRX; `token_atoms` are of that token."""

    held: list[tuple[HotAccount, int, int]]
    # By open attempts, whichever account pays, and by plans since.
    taken_sun: int
    taken_atoms: int

    def take(self, payout: Payout, fee_sun_max: int) -> tuple[HotAccount, int] | None:
        """The first account that has enough beside what is under way, and its sun."""
        is_native = not payout.token.contract
        sun = fee_sun_max + (payout.amount_atoms if is_native else 0)
        atoms = 0 if is_native else payout.amount_atoms
        for hot, native_sun, token_atoms in self.held:
            if native_sun >= self.taken_sun + sun and token_atoms >= self.taken_atoms + atoms:
                self.taken_sun += sun
                self.taken_atoms += atoms
                return hot, native_sun
        return None


class Means:
    """Of one network."""

    def __init__(self, network_id: int, nodes: NodeSet, database: Database) -> None:
        self._network_id = network_id
        self._nodes = nodes
        self._database = database
        self._looks = KeptByKey[bytes, Look](nodes.now_seconds, nodes.kept_seconds)

    async def take(self, payout: Payout, fee_sun_max: int) -> tuple[HotAccount, int]:
        """The account that pays, and its sun. Raises Stuck, Unavailable."""
        contract = payout.token.contract
        for _ in range(2):
            look = await self._looks.get(contract, lambda: self._look(contract))
            found = look.take(payout, fee_sun_max)
            if found is not None:
                return found
            # What was planned meanwhile may have come to less than it might have.
            self._looks.forget(contract)
        raise Stuck(Condition.HOT_WALLET_UNFUNDED, f"no account of {len(look.held)} holds enough")

    async def _look(self, contract: bytes) -> Look:
        """What is under way comes first: what ends in between is counted twice, not never."""
        found = await accounts.read_accounts(self._database, self._network_id)
        taken = await accounts.read_under_way(self._database, self._network_id, contract)
        held = []
        for hot in found:
            native_sun = await resources.read_balance(self._nodes, hot.account)
            atoms = 0
            if contract:
                atoms = await resources.read_token(self._nodes, contract, hot.account)
            held.append((hot, native_sun, atoms))
        return Look(held, taken.native_sun, taken.token_atoms)
