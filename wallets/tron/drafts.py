"""Turns a step of gathering into a transfer that can be stored: who signs what, and what it costs.

Used by `gathering`, once per round. It decides nothing and stores nothing but timestamps given out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runtime import logs
from wallets.books.accounts import Account
from wallets.contract import Plan
from wallets.errors import Condition, Stuck
from wallets.treasury.store import Draft, Serves
from wallets.tron import sweeping
from wallets.tron.accounts import HotAccount
from wallets.tron.contracts import (
    Contract,
    Delegate,
    Freeze,
    Resource,
    Transfer,
    Undelegate,
    Unfreeze,
    WithdrawUnfrozen,
    token_transfer,
)
from wallets.tron.limits import FEE_LIMIT_SUN_MAX
from wallets.tron.moves import Moves
from wallets.tron.paid_in import Loan, PaidIn
from wallets.tron.rental import Offer
from wallets.tron.staking import Change, Decision
from wallets.tron.station import Scene
from wallets.tron.sweeping import Chosen, Kind


@dataclass(frozen=True, slots=True)
class Drafting:
    """Of one round."""

    scene: Scene
    moves: Moves
    margin_percent: int
    make_id: Callable[[], bytes]

    async def of(self, chosen: Chosen, paid: PaidIn, offer: Offer | None) -> Draft:
        """The first step of a plan. Raises Stuck, Unavailable."""
        step, place, station = chosen.step, paid.place, self.scene.station
        serves = Serves(place.account, paid.contract, self.scene.height)
        why = chosen.plan.why
        logs.get(__name__).info("gathering", address=place.text, step=step.kind, why=why)
        match step.kind:
            case Kind.SWEEP:
                return await self._sweep(chosen, paid)
            case Kind.TOP_UP:
                given = Transfer(station.account, place.account, step.amount)
                return await self._station(step.kind, given, place, serves)
            case Kind.DELEGATION:
                lent_sun = self.scene.shares.sun_of(step.amount)
                lent = Delegate(station.account, place.account, lent_sun, Resource.ENERGY)
                return await self._station(step.kind, lent, place, serves)
            case Kind.RENTAL if offer is not None:
                rent = Transfer(station.account, offer.pay_to, offer.amount_sun)
                return await self._station(step.kind, rent, None, serves)
            case _:
                raise Stuck(Condition.PINNED, f"{step.kind} is no first step")

    async def reclaim(self, loan: Loan, lent_sun: int) -> Draft:
        """Takes lent energy back. Raises Stuck, Unavailable."""
        place = loan.place
        taken = Undelegate(self.scene.station.account, place.account, lent_sun, Resource.ENERGY)
        serves = Serves(place.account, loan.contract)
        return await self._station(Kind.RECLAIM, taken, place, serves)

    async def stake(self, decision: Decision) -> Draft:
        """Changes the station's own stake, or who uses it. Raises Stuck, Unavailable."""
        scene, amount_sun = self.scene, decision.amount_sun
        owner, source, target = scene.station.account, Account.HOT, Account.HOT
        to: HotAccount | None = None
        match decision.change:
            case Change.STAKE:
                contract: Contract = Freeze(owner, amount_sun, Resource.ENERGY)
                target = Account.STAKED
            case Change.UNSTAKE:
                contract = Unfreeze(owner, amount_sun, Resource.ENERGY)
            case Change.WITHDRAWAL:
                contract = WithdrawUnfrozen(owner)
                source = Account.STAKED
            case Change.LOAN:
                contract = Delegate(owner, scene.hot.account, amount_sun, Resource.ENERGY)
                to = scene.hot
            case Change.RECALL:
                contract = Undelegate(owner, scene.hot.account, amount_sun, Resource.ENERGY)
                to = scene.hot
        logs.get(__name__).info("stake", change=decision.change, why=decision.why)
        fee_sun_max = scene.stock.delegation_bytes * scene.prices.byte_sun
        plan = await self._plan(contract, to, fee_sun_max)
        return Draft(
            asset_id=scene.native_asset_id,
            source=source,
            target=target,
            amount_atoms=amount_sun,
            fee_atoms=fee_sun_max,
            inputs=(),
            plan=plan,
            kind=decision.change,
        )

    async def _station(
        self,
        kind: Kind,
        contract: Transfer | Delegate | Undelegate,
        to: HotAccount | None,
        serves: Serves,
    ) -> Draft:
        """What the station signs; rent is gone, all else stays ours."""
        scene, prices = self.scene, self.scene.prices
        fee_sun_max = scene.stock.delegation_bytes * prices.byte_sun
        if kind is Kind.TOP_UP:
            fee_sun_max += prices.activation_sun + prices.activation_bandwidth_sun
        plan = await self._plan(contract, to, fee_sun_max)
        return Draft(
            asset_id=scene.native_asset_id,
            source=Account.HOT,
            target=Account.NETWORK_COST if kind is Kind.RENTAL else Account.HOT,
            amount_atoms=contract.amount_sun,
            fee_atoms=fee_sun_max,
            inputs=(),
            plan=plan,
            kind=kind,
            serves=serves,
        )

    async def _plan(self, contract: Contract, to: HotAccount | None, fee_sun_max: int) -> Plan:
        """A transaction of the station's."""
        return await self.moves.build(
            self.make_id(),
            self.scene.station,
            contract,
            to,
            fee_limit_sun=0,
            fee_sun_max=fee_sun_max,
            is_deposit=False,
        )

    async def _sweep(self, chosen: Chosen, paid: PaidIn) -> Draft:
        """All of a holding to the hot account."""
        holding, step, prices = chosen.holding, chosen.step, self.scene.prices
        energy = sweeping.with_margin(holding.energy_needed, self.margin_percent)
        fee_limit_sun = min(energy * prices.energy_sun, FEE_LIMIT_SUN_MAX)
        bytes_sun = holding.size_bytes * prices.byte_sun
        plan = await self.moves.build(
            self.make_id(),
            paid.place,
            sweep_of(paid, self.scene.hot, step.amount),
            self.scene.hot,
            fee_limit_sun=fee_limit_sun,
            fee_sun_max=max(step.cost_sun, fee_limit_sun + bytes_sun),
            is_deposit=True,
        )
        return Draft(
            asset_id=paid.asset_id,
            source=Account.HOT,
            target=Account.HOT,
            amount_atoms=step.amount,
            fee_atoms=plan.fee_atoms_max,
            inputs=(),
            plan=plan,
            kind=step.kind,
            serves=Serves(paid.place.account, paid.contract, self.scene.height),
        )


def sweep_of(paid: PaidIn, hot: HotAccount, amount_atoms: int) -> Contract:
    """The transfer to the hot account."""
    account = paid.place.account
    if paid.contract:
        return token_transfer(account, paid.contract, hot.account, amount_atoms)
    return Transfer(account, hot.account, amount_atoms)
