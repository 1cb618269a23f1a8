"""Plans moves between lanes, where the chain file has bounds of an asset.

Used by `gathering`, whose lease each plan names: at most one move of each asset per round. It pays
no place but lanes of ours, which the signer derives itself, and stores nothing. The gas station is
filled up with ether too, and gives none. Lanes that are emptied otherwise are left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Database
from wallets.books.accounts import Account
from wallets.errors import Condition, Stuck
from wallets.ethereum import lane_bounds
from wallets.ethereum.adapter import PLAIN_GAS, Ethereum
from wallets.ethereum.lane_bounds import Share, Shift
from wallets.ethereum.planning import Move, Stock
from wallets.treasury.bounds import Bounds
from wallets.treasury.store import Draft

KIND: Final = "rebalance"
ASSET: Final = "select asset_id from custody.asset where network_id = $1 and contract = $2"


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """Of one network."""

    adapter: Ethereum
    database: Database
    gas_station: str
    # By contract; of others nothing is moved.
    bounds: Mapping[bytes, Bounds]
    token_gas: int
    make_id: Callable[[], bytes]

    async def next_round(self, fee_per_gas_atoms: int, owned: frozenset[str]) -> list[Draft]:
        """A move of each asset that has a lane out of its bounds. Raises Stuck, Unavailable."""
        drafts: list[Draft] = []
        for contract, bounds in self.bounds.items():
            gas_limit = self.token_gas if contract else PLAIN_GAS
            fee_atoms_max = gas_limit * fee_per_gas_atoms
            stocks = await self.adapter.stocks(contract, owned)
            shift = lane_bounds.choose(self._shares(stocks, contract, fee_atoms_max), bounds)
            if shift is not None:
                drafts.append(await self._plan(shift, contract, gas_limit, fee_atoms_max, owned))
                owned |= frozenset(drafts[-1].inputs)
        return drafts

    def _shares(self, stocks: list[Stock], contract: bytes, fee_atoms_max: int) -> list[Share]:
        """Of lanes that pay; and the gas station, which needs ether."""
        found = []
        for stock in stocks:
            lane = stock.lane
            if lane.is_draining and (contract or lane.text != self.gas_station):
                continue
            can_pay = stock.nonce is not None and stock.native_atoms >= fee_atoms_max
            gives = can_pay and not lane.is_draining
            # Ether pays for its own way.
            cost = fee_atoms_max if gives and not contract else 0
            found.append(Share(lane, stock.token_atoms - cost, can_give=gives))
        return found

    async def _plan(
        self,
        shift: Shift,
        contract: bytes,
        gas_limit: int,
        fee_atoms_max: int,
        owned: frozenset[str],
    ) -> Draft:
        row = await self.database.read_row(ASSET, self.adapter.network.network_id, contract)
        if row is None:
            raise Stuck(Condition.ASSET_SUSPENDED, f"no asset has contract {contract.hex()}")
        plan = await self.adapter.build_internal(
            self.make_id(),
            shift.source,
            Move(shift.to, contract, shift.amount_atoms),
            gas_limit,
            fee_atoms_max=fee_atoms_max,
            owned=owned,
        )
        return Draft(
            int(row["asset_id"]),
            Account.HOT,
            Account.HOT,
            shift.amount_atoms,
            plan.fee_atoms_max,
            plan.inputs,
            plan,
            kind=KIND,
        )
