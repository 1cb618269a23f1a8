"""What a snapshot says, and what must hold in every state. Used by the property tests.

It reads snapshots with the protobuf library alone and knows the rules of holds from the page.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import atoms

PPM = 1_000_000
Holder = tuple[int, int]  # account, asset


@dataclass(frozen=True, slots=True)
class State:
    """A snapshot, parsed."""

    head: snapshots.Snapshot
    money: snapshots.MoneySection
    books: snapshots.BooksSection
    triggers: snapshots.TriggersSection
    keys: snapshots.KeysSection
    limits: snapshots.LimitsSection

    @classmethod
    def of(cls, snapshot: bytes) -> "State":
        """Reads a snapshot."""
        head = snapshots.Snapshot.FromString(snapshot)
        return cls(
            head,
            snapshots.MoneySection.FromString(head.money),
            snapshots.BooksSection.FromString(head.books),
            snapshots.TriggersSection.FromString(head.triggers),
            snapshots.KeysSection.FromString(head.keys),
            snapshots.LimitsSection.FromString(head.limits),
        )

    def sums(self) -> dict[int, int]:
        """Per asset the sum of all balances: zero each."""
        sums: dict[int, int] = defaultdict(int)
        for row in self.money.balances:
            sums[row.asset_id] += (
                atoms(row.available_atoms) + atoms(row.held_atoms) + atoms(row.in_flight_atoms)
            )
        return dict(sums)

    def held(self) -> dict[Holder, int]:
        """What is held, where it is not zero."""
        rows = {
            (row.account_id, row.asset_id): atoms(row.held_atoms) for row in self.money.balances
        }
        return {holder: held for holder, held in rows.items() if held}

    def in_flight(self) -> dict[Holder, int]:
        """What is in flight, where it is not zero."""
        return {
            (row.account_id, row.asset_id): atoms(row.in_flight_atoms)
            for row in self.money.balances
            if row.in_flight_atoms
        }

    def needed_holds(self) -> dict[Holder, int]:
        """What resting and waiting orders and requested withdrawals must hold."""
        needed: dict[Holder, int] = defaultdict(int)
        decimals = {asset.asset_id: asset.decimals for asset in self.money.assets}
        for book in self.books.books:
            market = book.market
            lot_size = atoms(market.lot_size_atoms)
            scale = 10 ** decimals[market.base_asset_id]
            tick_value = atoms(market.tick_size_atoms) * lot_size // scale
            waiting = self.waiting(market.market_id)
            for row in waiting:
                budget = atoms(row.quote_budget_atoms)
                needed[row.order.account_id, market.quote_asset_id] += budget
            buys = [row.order for row in waiting if row.side == enums.SIDE_BUY]
            sells = [row.order for row in waiting if row.side == enums.SIDE_SELL]
            for order in (*book.bids, *buys):
                notional = order.price_ticks * order.leaves_lots * tick_value
                fee = -(-notional * order.taker_fee_ppm // PPM)
                needed[order.account_id, market.quote_asset_id] += notional + fee
            for order in (*book.asks, *sells):
                needed[order.account_id, market.base_asset_id] += order.leaves_lots * lot_size
        return self._with_withdrawals(needed, snapshots.WITHDRAWAL_PHASE_REQUESTED)

    def waiting(self, market_id: int) -> list[snapshots.WaitingOrder]:
        """Orders of a market that wait for a price."""
        return [
            row
            for rows in self.triggers.markets
            if rows.market_id == market_id
            for row in rows.waiting
        ]

    def needed_in_flight(self) -> dict[Holder, int]:
        """What started withdrawals must have in flight."""
        return self._with_withdrawals(defaultdict(int), snapshots.WITHDRAWAL_PHASE_STARTED)

    def _with_withdrawals(
        self, needed: dict[Holder, int], phase: snapshots.WithdrawalPhase.ValueType
    ) -> dict[Holder, int]:
        for withdrawal in self.money.withdrawals:
            if withdrawal.phase == phase:
                total = atoms(withdrawal.amount_atoms) + atoms(withdrawal.fee_atoms)
                needed[withdrawal.account_id, withdrawal.asset_id] += total
        return {holder: held for holder, held in needed.items() if held}

    def crossed_markets(self) -> list[int]:
        """Markets whose best bid would trade with their best ask: none."""
        return [
            book.market.market_id
            for book in self.books.books
            if book.bids and book.asks and book.bids[0].price_ticks >= book.asks[0].price_ticks
        ]

    def faults_of_books(self) -> list[str]:
        """Orders that lie in the wrong place or cannot be: none."""
        faults = []
        for book in self.books.books:
            for sign, orders in ((-1, book.bids), (1, book.asks)):
                faults += [
                    f"order {order.order_id}: quantities do not add up"
                    for order in orders
                    if order.leaves_lots < 1
                    or order.leaves_lots + order.cum_lots != order.quantity_lots
                ]
                faults += [
                    f"order {order.order_id}: shows {order.shown_lots}"
                    for order in orders
                    if not _shows_rightly(order)
                ]
                places = [(sign * order.price_ticks, order.public_order_id) for order in orders]
                faults += [f"not in order: {a}, {b}" for a, b in pairwise(places) if a >= b]
        return faults

    def faults_of_keys(self) -> list[str]:
        """Open orders without their open key, and open keys without their order: none."""
        resting = {
            (order.account_id, order.cl_ord_id, order.order_id)
            for book in self.books.books
            for order in (*book.bids, *book.asks)
        } | {
            (row.order.account_id, row.order.cl_ord_id, row.order.order_id)
            for rows in self.triggers.markets
            for row in rows.waiting
        }
        opened = {
            (account.account_id, key.id, key.order_id)
            for account in self.keys.accounts
            for key in account.keys
            if key.open
        }
        return [f"{account}: {order}" for account, _, order in resting ^ opened]

    def faults_of_limits(self) -> list[str]:
        """Accounts that keep more ids or orders than they may: none."""
        limits = {state.account.account_id: state.account.limits for state in self.limits.accounts}
        faults = []
        for account in self.keys.accounts:
            closed = sum(not key.open for key in account.keys)
            if closed > limits[account.account_id].id_capacity:
                faults.append(f"account {account.account_id} keeps {closed} ids")
        return faults


def _shows_rightly(order: snapshots.OrderState) -> bool:
    """Whether an iceberg shows a part of what is open, and nothing else shows a part."""
    if not order.display_lots:
        return not order.shown_lots
    return 1 <= order.shown_lots <= min(order.display_lots, order.leaves_lots)


def faults(snapshot: bytes) -> list[str]:
    """Everything that must hold in every state and does not."""
    state = State.of(snapshot)
    found = [f"asset {asset}: sum {total}" for asset, total in state.sums().items() if total]
    for name, ours, needed in (
        ("held", state.held(), state.needed_holds()),
        ("in flight", state.in_flight(), state.needed_in_flight()),
    ):
        found += [
            f"{name} {holder}: {ours.get(holder, 0)} instead of {needed.get(holder, 0)}"
            for holder in sorted(ours.keys() | needed.keys())
            if ours.get(holder, 0) != needed.get(holder, 0)
        ]
    found += [f"market {market} is crossed" for market in state.crossed_markets()]
    return [*found, *state.faults_of_books(), *state.faults_of_keys(), *state.faults_of_limits()]
