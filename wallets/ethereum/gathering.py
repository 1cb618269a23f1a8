"""Plans rounds of sweeps and top-ups out of what lies on deposit addresses, and evens out lanes.

Made by the worker for networks whose chain file has `sweeps`; it reads the database and asks nodes.
It stores nothing but that an address is empty. Top-ups leave from the gas station, a lane that
takes no payouts: one that is stuck holds up no customer. A page of addresses is looked at per
round, then the next, round about.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from runtime import logs
from runtime.postgres import Database
from wallets.books.accounts import Account
from wallets.errors import Condition, Stuck
from wallets.ethereum import lanes, paid_in, sweeping
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.lanes import Lane
from wallets.ethereum.paid_in import START
from wallets.ethereum.rebalancing import Rebalancing
from wallets.ethereum.sweeping import Holding, Sweep, SweepPolicy
from wallets.treasury import costs, store
from wallets.treasury.bounds import Bounds
from wallets.treasury.store import Draft, Serves

# An address with less than the minimum by so many times is empty; with more, gas took a bit of it.
EMPTY_PARTS: Final = 10
T = TypeVar("T")


def by_contract(named: Mapping[str, T]) -> dict[bytes, T]:
    """By a contract's bytes what the chain file has by its text. Raises ValueError."""
    return {bytes.fromhex(text.removeprefix("0x")): value for text, value in named.items()}


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """As the chain file has it; `minimum_atoms` by contract as text, ether's under ""."""

    gas_station: str
    calm_per_gas_atoms: int
    minimum_atoms: Mapping[str, int]
    cost_percent_max: int = 5
    steps_max: int = 16
    top_up_atoms_max: int = 10**17
    # How much of an asset each lane should hold, by contract as `minimum_atoms`.
    lane_bounds: Mapping[str, Bounds] = field(default_factory=dict)

    def policy(self) -> SweepPolicy:
        """Raises ValueError for what is no contract."""
        return SweepPolicy(
            self.calm_per_gas_atoms,
            by_contract(self.minimum_atoms),
            self.cost_percent_max,
            self.steps_max,
            self.top_up_atoms_max,
        )


class EthereumGathering:
    """Of one network."""

    def __init__(
        self,
        adapter: Ethereum,
        database: Database,
        settings: SweepSettings,
        make_id: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self._adapter = adapter
        self._database = database
        self._settings = settings
        self._policy = settings.policy()
        self._make_id = make_id
        self._rebalancing = Rebalancing(
            adapter,
            database,
            settings.gas_station,
            by_contract(settings.lane_bounds),
            self._policy.token_gas,
            make_id,
        )
        self._place = START

    async def next_round(self, owned: frozenset[str]) -> list[Draft]:
        """The next page's sweeps and top-ups, and what lanes give. Raises Stuck, Unavailable."""
        hot, station = await self._lanes()
        fee_per_gas_atoms = await self._adapter.sweep_fee(self._policy.calm_per_gas_atoms)
        holdings, asset_ids = await self._page(hot)
        drafts: list[Draft] = []
        for step in sweeping.choose(holdings, fee_per_gas_atoms, self._policy):
            is_sweep = isinstance(step, Sweep)
            gas = step.gas_limit if isinstance(step, Sweep) else self._policy.native_gas
            plan = await self._adapter.build_move(
                self._make_id(),
                step,
                hot if is_sweep else station,
                fee_atoms_max=gas * fee_per_gas_atoms,
                owned=owned,
            )
            owned |= frozenset(plan.inputs)
            drafts.append(
                Draft(
                    asset_id=asset_ids[step.holding.contract if is_sweep else b""],
                    source=Account.HOT,
                    target=Account.HOT,
                    amount_atoms=step.amount_atoms,
                    fee_atoms=plan.fee_atoms_max,
                    inputs=plan.inputs,
                    plan=plan,
                    kind=store.SWEEP if is_sweep else "top_up",
                    serves=Serves(
                        step.holding.lane.account, step.holding.contract, step.holding.height
                    ),
                )
            )
        return drafts + await self._rebalancing.next_round(fee_per_gas_atoms, owned)

    async def _lanes(self) -> tuple[Lane, Lane]:
        """Where sweeps go, and where gas comes from. Raises Stuck."""
        found = await lanes.read_lanes(self._database, self._adapter.network.network_id)
        hot = [lane for lane in found if not lane.is_draining]
        station = [lane for lane in found if lane.text == self._settings.gas_station]
        if not hot:
            raise Stuck(Condition.HOT_WALLET_UNFUNDED, "no lane to gather deposits on")
        if not station or not station[0].is_draining:
            raise Stuck(Condition.PINNED, "the gas station is no lane of ours without payouts")
        return hot[0], station[0]

    async def _page(self, hot: Lane) -> tuple[list[Holding], dict[bytes, int]]:
        network_id = self._adapter.network.network_id
        native = await store.native_asset(self._database, network_id)
        if native is None:
            raise Stuck(Condition.ASSET_SUSPENDED, "ether is not registered")
        page = await paid_in.read_page(
            self._database, network_id, self._policy.minimum_atoms, self._place
        )
        self._place = page.next_place
        holdings = []
        for one in page.worth:
            holding = await self._movable(one.lane, one.contract, hot)
            if holding is None:
                continue
            minimum_atoms = self._policy.minimum_atoms[one.contract]
            if holding.amount_atoms * EMPTY_PARTS < minimum_atoms:
                # Gone by another way; looked at again when more is paid in.
                await costs.mark_emptied(
                    self._database, network_id, one.lane.account, one.contract, holding.height
                )
                logs.get(__name__).warning("deposits are gone", address=one.lane.text)
                continue
            holdings.append(holding)
        return holdings, {b"": native, **{one.contract: one.asset_id for one in page.worth}}

    async def _movable(self, lane: Lane, contract: bytes, hot: Lane) -> Holding | None:
        """What lies there; None of a token that would refuse or answers oddly. Raises Stuck."""
        try:
            holding = await self._adapter.holding(lane, contract)
            # Banned or paused, it would cost gas round after round and move nothing.
            if not contract or await self._adapter.would_move(holding, hot):
                return holding
        except Stuck as error:
            # One token's fault is not the others'.
            if error.condition is not Condition.ASSET_SUSPENDED:
                raise
        logs.get(__name__).warning("a deposit stays where it is", address=lane.text)
        return None
