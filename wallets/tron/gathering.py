"""Plans rounds of sweeps on TRON, and of what comes before and after them.

Made by the worker for networks whose chain file has `sweeps`; it reads the database, asks nodes,
and stores nothing but timestamps given out and that an address was found empty. Help comes from the
station: TRX that makes and feeds an address, and energy of its stake, lent for one sweep and taken
back after it. Each round does one thing for an address; its next thing is decided anew from the
solid state of the chain when that one has ended: nothing is done twice because a worker died.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runtime import logs
from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import Network
from wallets.errors import Condition, Stuck
from wallets.treasury import costs
from wallets.treasury.store import Draft
from wallets.tron import paid_in, resources, staking, sweeping
from wallets.tron.drafts import Drafting, sweep_of
from wallets.tron.limits import MOVE_EXPIRATION_MILLISECONDS, ROUND_STEPS_MAX
from wallets.tron.moves import Moves, size_bytes
from wallets.tron.node_set import NodeSet
from wallets.tron.paid_in import PaidIn
from wallets.tron.planner import PERCENT
from wallets.tron.rental import Offer, RentsEnergy
from wallets.tron.staking import StakePolicy
from wallets.tron.station import Place, Scene, read_scene
from wallets.tron.sweeping import Chosen, Holding, Kind, SweepPolicy, spent_of

START: Final = b""
PAYOUT: Final = "payout"


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """As the chain file has it; `minimum_atoms` by contract in hex with its 41, TRX under ""."""

    station: Place
    minimum_atoms: Mapping[str, int]
    # How much of the station's TRX is staked; None = its stake is people's.
    stake: StakePolicy | None = None
    # Whether energy of the station's stake is lent; else it is burned.
    lends: bool = False
    # Most energy of a day that the hot account is lent, ahead of its payouts.
    hot_energy_max: int = 0
    token_cost_sun_max: int = 20_000_000
    cost_percent_max: int = 5
    margin_percent: int = 30
    steps_max: int = 16
    top_up_sun_max: int = 1_000_000_000

    def __post_init__(self) -> None:
        """Refuses what would gather nothing, or more than is followed at once."""
        if not 1 <= self.steps_max <= ROUND_STEPS_MAX or not 0 <= self.margin_percent <= PERCENT:
            raise ValueError(f"steps_max from 1 to {ROUND_STEPS_MAX}, margin_percent to {PERCENT}")
        if min(self.minimum_atoms.values(), default=1) < 1:
            raise ValueError("minimum_atoms from 1")

    def policy(self) -> SweepPolicy:
        """Raises ValueError for what is no contract."""
        return SweepPolicy(
            {bytes.fromhex(text): atoms for text, atoms in self.minimum_atoms.items()},
            self.token_cost_sun_max,
            self.cost_percent_max,
            self.margin_percent,
            self.steps_max,
            self.top_up_sun_max,
        )


class TronGathering:
    """Of one network."""

    def __init__(
        self,
        network: Network,
        nodes: NodeSet,
        database: Database,
        settings: SweepSettings,
        make_id: Callable[[], bytes] = lambda: secrets.token_bytes(16),
        rents: RentsEnergy | None = None,
    ) -> None:
        self._network_id = network.network_id
        self._nodes = nodes
        self._database = database
        self._settings = settings
        self._policy = settings.policy()
        self._moves = Moves(network.network_id, nodes, database)
        self._make_id = make_id
        self._rents = rents
        self._place = START
        self._loans_place = START

    async def next_round(self, owned: frozenset[str]) -> list[Draft]:
        """The next page's steps, loans to be taken back, stake to be changed.

        Raises Stuck, Unavailable.
        """
        del owned
        settings = self._settings
        scene = await read_scene(
            self._database, self._nodes, self._network_id, settings.station, lends=settings.lends
        )
        paid = await self._paid_in()
        found = await self._holdings(list(paid.values()), scene)
        offers = await self._offers(found)
        holdings = [with_offer(one, offers, scene) for one in found]
        chosen = sweeping.choose(holdings, scene.stock, scene.prices, self._policy)
        drafting = Drafting(scene, self._moves, self._policy.margin_percent, self._make_id)
        if holdings and not chosen:
            why = sweeping.why_not(holdings, scene.stock, scene.prices, self._policy)
            logs.get(__name__).warning("nothing is gathered", station=scene.station.text, why=why)
        drafts = []
        for one in chosen:
            account, contract = one.holding.account, one.holding.contract
            place = (account, contract)
            drafts.append(await drafting.of(one, paid[place], offers.get(place)))
        needed = {one.holding.account for one in chosen}
        drafts += await self._reclaims(drafting, needed)
        return drafts + await self._stakes(drafting, chosen)

    async def _paid_in(self) -> dict[tuple[bytes, bytes], PaidIn]:
        """What was helped, and the next page."""
        database, network_id = self._database, self._network_id
        minimum = self._policy.minimum_atoms
        helped = await paid_in.read_helped(database, network_id, minimum)
        page, self._place = await paid_in.read_page(database, network_id, minimum, self._place)
        return {(one.place.account, one.contract): one for one in (*helped, *page)}

    async def _holdings(self, page: list[PaidIn], scene: Scene) -> list[Holding]:
        keys = [one.place.account for one in page]
        trouble = await paid_in.read_trouble(self._database, self._network_id, keys)
        found = []
        for one in page:
            account = one.place.account
            if account in trouble.sweeps:
                logs.get(__name__).warning("sweeps fail, nothing is tried", address=one.place.text)
                continue
            holding = await self._holding(one, scene)
            if holding is not None:
                found.append(replace(holding, may_borrow=account not in trouble.loans))
        return found

    async def _holding(self, paid: PaidIn, scene: Scene) -> Holding | None:
        """What lies there; None of what would not move or is told differently. Raises Stuck."""
        account, contract, energy = paid.place.account, paid.contract, 0
        try:
            native_sun = await resources.agreed_balance(self._nodes, account)
            amount = native_sun
            if contract:
                amount = await resources.agreed_token(self._nodes, contract, account)
            if native_sun is None or not amount:
                if amount == 0:
                    await self._note_empty(paid, scene)
                return None
            if contract:
                # Banned or paused, it would cost energy round after round and move nothing.
                hot = scene.hot.account
                energy = await resources.estimate(self._nodes, account, contract, hot, amount)
        except Stuck as error:
            # One token's fault is not the others'.
            if error.condition is not Condition.ASSET_SUSPENDED:
                raise
            logs.get(__name__).warning("a deposit stays where it is", address=paid.place.text)
            return None
        has = await resources.read_resources(self._nodes, account)
        return Holding(
            account,
            contract,
            amount,
            await resources.exists(self._nodes, account),
            native_sun,
            has.energy,
            has.staked_bandwidth_bytes,
            has.free_bandwidth_bytes,
            energy,
            size_bytes(sweep_of(paid, scene.hot, amount)),
            makes_target=not contract and not scene.hot_exists,
        )

    async def _note_empty(self, paid: PaidIn, scene: Scene) -> None:
        """What was paid up to the round's block is there no more, so it is not looked at again.

        Fees of a token's sweep took it perhaps. One node that still shows some of it is enough to
        look again.
        """
        account, contract = paid.place.account, paid.contract
        if contract:
            left = await resources.read_token(self._nodes, contract, account)
        else:
            left = await resources.read_balance(self._nodes, account)
        if not left:
            height = scene.height
            await costs.mark_emptied(self._database, self._network_id, account, contract, height)

    async def _offers(self, holdings: list[Holding]) -> dict[tuple[bytes, bytes], Offer]:
        """What a rental service asks for each token's sweep, if there is one that answers."""
        offers: dict[tuple[bytes, bytes], Offer] = {}
        if self._rents is None:
            return offers
        for one in holdings:
            if not (one.exists and one.may_borrow and one.contract):
                continue
            energy = sweeping.with_margin(one.energy_needed, self._policy.margin_percent)
            try:
                offer = await self._rents.offer(one.account, energy)
            except Unavailable as error:
                logs.get(__name__).warning("no rent is offered", reason=str(error))
                return offers
            if offer is not None:
                offers[one.account, one.contract] = offer
        return offers

    async def _reclaims(self, drafting: Drafting, needed: set[bytes]) -> list[Draft]:
        """Loans whose sweep is over, or will not be. Raises Stuck, Unavailable."""
        loans, self._loans_place = await paid_in.read_loans(
            self._database, self._network_id, self._loans_place
        )
        scene, drafts = drafting.scene, []
        for loan in loans:
            receiver = loan.place.account
            if receiver not in needed:
                lender, now_ms = scene.station.account, scene.chain_time_ms
                lent = await resources.read_loan(self._nodes, lender, receiver, now_ms)
                if lent is not None and lent.free_sun:
                    drafts.append(await drafting.reclaim(loan, lent.free_sun))
        return drafts

    async def _stakes(self, drafting: Drafting, chosen: Sequence[Chosen]) -> list[Draft]:
        """The change of stake that is due, and of what the hot account may use of it, if any.

        Raises Stuck, Unavailable.
        """
        scene, settings = drafting.scene, self._settings
        lent = sum(one.step.amount for one in chosen if one.step.kind is Kind.DELEGATION)
        lent_sun = scene.shares.need_of(lent)
        for_payouts = min(await self._energy_of_a_day(PAYOUT), settings.hot_energy_max)
        decisions: list[staking.Decision | None] = []
        if settings.stake is not None:
            stake = await resources.read_stake(self._nodes, scene.station.account)
            if stake is None:
                return []
            energy = await self._energy_of_a_day(Kind.SWEEP) + for_payouts
            decided = staking.decide(
                replace(stake, free_sun=max(0, stake.free_sun - lent_sun)),
                settings.stake,
                balance_sun=scene.stock.balance_sun - sum(spent_of(one.step) for one in chosen),
                needed_sun=scene.shares.need_of(energy),
                now_ms=scene.chain_time_ms,
                life_ms=MOVE_EXPIRATION_MILLISECONDS,
            )
            decisions.append(decided)
        # One thing at a time: what is unstaked is not lent as well.
        if settings.lends and scene.hot_exists and decisions in ([], [None]):
            left_sun = max(0, scene.lendable_sun - lent_sun)
            decisions.append(await self._loan(scene, left_sun, scene.shares.need_of(for_payouts)))
        return [await drafting.stake(one) for one in decisions if one is not None]

    async def _loan(
        self, scene: Scene, lendable_sun: int, wanted_sun: int
    ) -> staking.Decision | None:
        """To the hot account, out of what this round lends to nobody else."""
        lent = await resources.read_loan(
            self._nodes, scene.station.account, scene.hot.account, scene.chain_time_ms
        )
        if lent is None:
            return None
        return staking.decide_loan(
            lent_sun=lent.sun,
            free_sun=lent.free_sun,
            wanted_sun=wanted_sun,
            lendable_sun=lendable_sun,
        )

    async def _energy_of_a_day(self, kind: str) -> int:
        return await paid_in.read_energy_of_a_day(self._database, self._network_id, kind)


def with_offer(
    holding: Holding, offers: Mapping[tuple[bytes, bytes], Offer], scene: Scene
) -> Holding:
    """With what renting would cost, the payment's own bytes included."""
    offer = offers.get((holding.account, holding.contract))
    if offer is None:
        return holding
    fee_sun = scene.stock.transfer_bytes * scene.prices.byte_sun
    return replace(holding, rental_sun=offer.amount_sun + fee_sun)
