"""A tape without end: the next step from a seed and from the answers to those before.

Used by whoever runs engines. `next_step` and `observe` take turns. The same seed and the same
answers give the same steps.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import orders, sending
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import FULL_RULES, any_order
from tests.differential.flow.messages import amount, body_of
from tests.differential.flow.model import Model
from tests.differential.flow.plays import DAMAGED, DECK, SECOND_DECK, Play
from tests.differential.flow.plays.markets import parameters, set_phase
from tests.differential.flow.plays.sessions import establish_all
from tests.differential.flow.world import AMOUNT_ATOMS_MAX, World
from tests.differential.tape import Apply, Restore, Step

PLAY_SHARE: Final = 0.18
DAMAGE_SHARE: Final = 0.08
# Restores are frequent while the state is small.
RESTORE_SHARE: Final = 0.01
EARLY_RESTORE_SHARE: Final = 0.04
EARLY_BATCHES: Final = 250
UNFINISHED_MAX: Final = 3
BATCH_COMMANDS_MAX: Final = 900
# Batches after which what is closed, killed or poor is brought back.
MEND_EVERY: Final = 40
# A tape of later rules begins under version 1 and switches after so many batches.
SWITCH_AFTER: Final = 12
DONE: Final = object()


class Stream:
    """Steps of one tape."""

    def __init__(self, seed: int, world: World | None = None, rules_version: int = 1) -> None:
        self._random = Random(seed)
        self.world = world or World()
        self.model = Model(self.world)
        self.flow = Flow(self._random, self.world, self.model, rules_version)
        self._cards = DECK if rules_version < FULL_RULES else SECOND_DECK
        self._is_switched = rules_version < FULL_RULES
        self._unfinished: list[Iterator[None]] = []
        self._deck: list[Play] = []
        self._damage: list[Play] = []
        self._batches = 0
        self._sources_before: dict[int, int] = {}

    def next_step(self) -> Step:
        """The next step of the tape."""
        is_early = self._batches < EARLY_BATCHES
        share = EARLY_RESTORE_SHARE if is_early else RESTORE_SHARE
        if self._batches and self._random.random() < share:
            return Restore()
        flow = self.flow
        flow.start_batch()
        self._sources_before = dict(self.model.sources)
        if self._batches == 0:
            self._found()
        elif self._random.random() < DAMAGE_SHARE:
            self._deal_damage()
        else:
            self._fill()
        self._batches += 1
        return Apply(flow.batch())

    def observe(self, row: bytes | None, last_seq: int, open_cursors: int) -> None:
        """Takes in the answer to a batch: its event row, or None when it was refused."""
        self.model.last_seq, self.model.open_cursors = last_seq, open_cursors
        if row is None:
            self.model.sources = self._sources_before
        else:
            self.model.observe(row)

    def _found(self) -> None:
        """The first batch: assets, markets, firms, accounts, money, sessions."""
        flow, world = self.flow, self.world
        flow.venue(
            *(
                system.CreateAsset(asset_id=a.asset_id, symbol=a.symbol, decimals=a.decimals)
                for a in world.assets
            )
        )
        flow.venue(*(system.CreateFirm(firm_id=f, name=f"Firm {f}") for f in world.firms))
        for plan in world.markets:
            flow.venue(
                system.CreateMarket(
                    market_id=plan.market_id,
                    symbol=plan.symbol,
                    base_asset_id=plan.base_asset_id,
                    quote_asset_id=plan.quote_asset_id,
                    lot_size_atoms=amount(plan.lot_size_atoms),
                    tick_size_atoms=amount(plan.tick_size_atoms),
                    parameters=parameters(plan),
                ),
                set_phase(plan.market_id, enums.MARKET_PHASE_CONTINUOUS),
            )
        for account in world.accounts:
            flow.venue(
                system.CreateAccount(
                    account_id=account.account_id,
                    firm_id=account.firm_id,
                    self_trade_group_id=account.group_id,
                    limits=system.AccountLimits(
                        open_orders_max=account.open_orders_max, id_capacity=account.id_capacity
                    ),
                )
            )
        self._pay(share=1)
        establish_all(flow)

    def _pay(self, share: int) -> None:
        """Credits every rich account with a part of what it starts with."""
        for account in self.world.accounts:
            for asset in self.world.assets:
                if account.is_rich and asset.start_atoms:
                    atoms = min(asset.start_atoms // share, AMOUNT_ATOMS_MAX)
                    credit = self.flow.credit(account.account_id, asset.asset_id, atoms)
                    self.flow.venue(credit)
                    self.flow.venue(system.FinalizeCredit(deposit_id=credit.deposit_id))
                    self.model.deposits.drop(credit.deposit_id)

    def _deal_damage(self) -> None:
        if not self._damage:
            self._damage = self._random.sample(DAMAGED, len(DAMAGED))
        self._damage.pop()(self.flow)

    def _fill(self) -> None:
        """Envelopes of a usual batch."""
        flow, random = self.flow, self._random
        if not self._is_switched and self._batches >= SWITCH_AFTER:
            flow.venue(system.SwitchRules(version=flow.rules_version))
            self._is_switched = True
        if self._batches % MEND_EVERY == 0:
            self._mend()
        for play in self._unfinished[:]:
            if next(play, DONE) is DONE:
                self._unfinished.remove(play)
        self._wander()
        parts = random.choice((1, 1, 2, 3, 5))
        while parts or not flow.envelopes:
            parts = max(0, parts - 1)
            if flow.count > BATCH_COMMANDS_MAX:
                break
            if random.random() < PLAY_SHARE:
                self._play()
            else:
                self._trade()

    def _play(self) -> None:
        """Deals the next play of the deck."""
        if len(self._unfinished) >= UNFINISHED_MAX:
            return
        if not self._deck:
            self._deck = self._random.sample(self._cards, len(self._cards))
        play = self._deck.pop()(self.flow)
        if play is not None and next(play, DONE) is not DONE:
            self._unfinished.append(play)

    def _trade(self) -> None:
        """Orders or cancels of the main flow."""
        flow, random = self.flow, self._random
        session = flow.live_session()
        if session is None:
            establish_all(flow)
            return
        pick = random.random()
        if pick < 0.66:
            sending.send_orders(flow, session)
        elif pick < 0.88:
            sending.send_cancels(flow, session)
        elif pick < 0.92 and self.model.sent:
            flow.firm(body_of(random.choice(self.model.sent).command))
        elif pick < 0.98:
            flow.unary(any_order(flow, flow.account_of().account_id))
        else:
            account_id = random.choice(session.plan.account_ids)
            flow.session(session, [orders.mass_cancel(flow, account_id)])

    def _wander(self) -> None:
        """Moves the middle of a market by a step, now and then by many."""
        random = self._random
        plan = self.flow.market()
        step = plan.price_step_ticks or 1
        change = random.choice((-1, 0, 0, 1)) * step
        if random.random() < 0.01:
            change *= 50
        middle = self.flow.middles[plan.market_id] + change
        lowest, highest = plan.middle_ticks // 2, plan.middle_ticks * 2
        self.flow.middles[plan.market_id] = min(max(lowest, middle), highest)

    def _mend(self) -> None:
        """Opens what plays left closed, and pays for what was spent."""
        flow, model = self.flow, self.model
        for market, seen in model.markets.items():
            if market not in flow.middles:
                continue
            if seen.is_killed:
                flow.venue(system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=market))
            if seen.phase != enums.MARKET_PHASE_CONTINUOUS:
                flow.venue(set_phase(market, enums.MARKET_PHASE_CONTINUOUS))
        for plan in self.world.accounts:
            account = model.accounts[plan.account_id]
            if account.is_killed:
                flow.venue(
                    system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=plan.account_id)
                )
            if account.is_frozen or self._random.random() < 0.02:
                limits = system.AccountLimits(
                    open_orders_max=plan.open_orders_max, id_capacity=plan.id_capacity
                )
                flow.venue(system.SetAccountLimits(account_id=plan.account_id, limits=limits))
        for plan_of_market in self.world.markets:
            if self._random.random() < 0.2:
                flow.venue(
                    system.UpdateMarket(
                        market_id=plan_of_market.market_id, parameters=parameters(plan_of_market)
                    )
                )
        if self._random.random() < 0.05:
            self._pay(share=1_000)
        establish_all(flow)
