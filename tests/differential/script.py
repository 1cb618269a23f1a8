"""Writes a tape by hand: batches of envelopes with right numbers, without looking at answers.

Used by the tests of single rules and of large states. Ids are counted; sessions have connection 1
and send orders and cancels with their next numbers.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.messages import amount, class_of
from tests.differential.tape import Apply, Restore, Step

SHARD = 5
START_NS = 5_000_000_000_000
BASE, QUOTE = 1, 2
ENVELOPE_COMMANDS_MAX = 1_000
BATCH_COMMANDS_MAX = 10_000
RICH_ATOMS = 1 << 100


T = TypeVar("T")


def _parts(body: Sequence[T]) -> Iterator[Sequence[T]]:
    """The commands of one envelope after the other."""
    for start in range(0, len(body), ENVELOPE_COMMANDS_MAX):
        yield body[start : start + ENVELOPE_COMMANDS_MAX]


def market_id(number: int) -> int:
    """A market of the script's shard."""
    return SHARD << 16 | number


class Script:
    """A tape that is being written."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.now = START_NS
        self._seq = 0
        self._ids = 0
        self._source_seq = 0
        self._last: dict[tuple[int, int], int] = defaultdict(int)
        self._envelopes: list[messages.Envelope] = []
        self._count = 0

    def new_id(self) -> bytes:
        """An id that was not used before; they ascend in byte order."""
        self._ids += 1
        return self._ids.to_bytes(16, "big")

    def _add(self, envelope: messages.Envelope) -> None:
        if self._count + envelope.count > BATCH_COMMANDS_MAX:
            self.end_batch()
        self._envelopes.append(envelope)
        self._count += envelope.count

    def venue(self, *body: Message) -> None:
        """Commands of the venue, in as many envelopes as they need."""
        for part in _parts(body):
            self._add(messages.system_envelope(part, received_ns=self.now))

    def firm(self, session: int, *body: Message) -> None:
        """Commands of one class in a session, in as many envelopes as they need."""
        for part in _parts(body):
            wrapped = [messages.command(message) for message in part]
            command_class = class_of(wrapped[0])
            first = self._last[session, command_class] + 1
            self._last[session, command_class] += len(wrapped)
            self._add(
                messages.firm_envelope(
                    command_class,
                    wrapped,
                    session_id=session,
                    connection=1,
                    first_seq_no=first,
                    received_ns=self.now,
                )
            )

    def unary(self, *body: Message) -> None:
        """Commands without a session."""
        for message in body:
            self._add(
                messages.firm_envelope(
                    enums.COMMAND_CLASS_UNARY, [messages.command(message)], received_ns=self.now
                )
            )

    def end_batch(self, wait_ns: int = 0) -> None:
        """Ends the batch; the next one is that much later."""
        if self._envelopes:
            data = messages.batch(SHARD, self._seq + 1, self.now, self._envelopes)
            self.steps.append(Apply(data))
            self._seq += self._count
        self._envelopes, self._count = [], 0
        self.now += wait_ns

    def restore(self) -> None:
        """Engines are restored from their snapshots."""
        self.end_batch()
        self.steps.append(Restore())

    def credit(self, account: int, asset: int, atoms: int) -> system.Credit:
        """A deposit from the script's source."""
        self._source_seq += 1
        return system.Credit(
            source_id=1,
            source_seq=self._source_seq,
            deposit_id=self.new_id(),
            account_id=account,
            asset_id=asset,
            amount_atoms=amount(atoms),
        )

    def order(self, account: int, **fields: Any) -> commands.NewOrder:
        """A GTC order to buy one lot at 100 on the first market, with these fields instead."""
        values: dict[str, Any] = {
            "market_id": market_id(1),
            "side": enums.SIDE_BUY,
            "order_type": enums.ORDER_TYPE_LIMIT,
            "time_in_force": enums.TIME_IN_FORCE_GTC,
            "price_ticks": 100,
            "quantity_lots": 1,
            "cl_ord_id": self.new_id(),
            "sent_time_ns": self.now,
        }
        return commands.NewOrder(account_id=account, **(values | fields))

    def found(self, accounts: Sequence[int], markets: Sequence[int], **parameters: Any) -> None:
        """A firm with one session per account and much money, and markets that trade."""
        self.venue(
            system.CreateAsset(asset_id=BASE, symbol="BASE"),
            system.CreateAsset(asset_id=QUOTE, symbol="QUOTE"),
            system.CreateFirm(firm_id=1, name="firm"),
        )
        for number in markets:
            self.venue(
                system.CreateMarket(
                    market_id=market_id(number),
                    symbol=f"MARKET-{number}",
                    base_asset_id=BASE,
                    quote_asset_id=QUOTE,
                    lot_size_atoms=amount(1),
                    tick_size_atoms=amount(1),
                    parameters=system.MarketParameters(**parameters),
                ),
                system.SetPhase(market_id=market_id(number), phase=enums.MARKET_PHASE_CONTINUOUS),
            )
        for account in accounts:
            limits = system.AccountLimits(open_orders_max=10_000, id_capacity=1_024)
            self.venue(
                system.CreateAccount(account_id=account, firm_id=1, limits=limits),
                self.credit(account, BASE, RICH_ATOMS),
                self.credit(account, QUOTE, RICH_ATOMS),
                system.SessionEstablished(
                    session_id=account,
                    firm_id=1,
                    account_ids=[account],
                    may_trade=True,
                    link_id=1,
                ),
            )
        self.end_batch()
