"""A small venue on one engine: sends commands and looks at the state after each.

One lot is 100 base atoms and a tick of it 5 quote atoms, so that units cannot be mixed up without
being seen. Whatever is applied, the state must hold what every state holds (`state.faults`): money
adds up to zero, holds are those of the orders, books and ids are whole.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.engines import Engine, Kind
from tests.differential.flow import messages
from tests.differential.flow.messages import Envelope, amount, atoms
from tests.differential.state import State, faults
from tests.reference.told import Told

SHARD: Final = 3
START_NS: Final = 1_000_000_000_000_000
SECOND_NS: Final = 1_000_000_000
BASE, QUOTE = 1, 2
MARKET, OTHER_MARKET = SHARD << 16 | 1, SHARD << 16 | 2
FIRM, OTHER_FIRM = 1, 2
# The first two of one firm, the third of the other; the last two of one self-trade group.
FIRST, SECOND, STRANGER = 4_096, 4_097, 5_000
GROUPED, GROUPED_STRANGER = 4_098, 5_001
ACCOUNTS: Final = {FIRST: FIRM, SECOND: FIRM, GROUPED: FIRM} | {
    STRANGER: OTHER_FIRM,
    GROUPED_STRANGER: OTHER_FIRM,
}
GROUP: Final = 77
LOT_ATOMS, TICK_VALUE = 100, 5
MAKER_PPM, TAKER_PPM = 1_000, 2_000
WEALTH: Final = 10**12
SESSION, OTHER_SESSION = 1, 2
SOURCE: Final = 9
BUY, SELL = enums.SIDE_BUY, enums.SIDE_SELL
ORDER, CANCEL = enums.COMMAND_CLASS_ORDER, enums.COMMAND_CLASS_CANCEL


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was sent, and what was told."""

    sent: commands.NewOrder
    order_id: int
    told: Told

    @property
    def id(self) -> bytes:
        """Its client order id."""
        return self.sent.cl_ord_id


class Venue:
    """An engine, its clock, and the numbers of who sends."""

    def __init__(self, kind: Kind, engine: Engine) -> None:
        self.kind = kind
        self.engine = engine
        self.now = START_NS
        self.checks = True
        self._ids = 0
        self._source_seq = 0
        self._numbers: dict[tuple[int, int], int] = defaultdict(int)
        self._connections: dict[int, int] = defaultdict(int)

    @classmethod
    def founded(cls, kind: Kind) -> "Venue":
        """Assets, markets in the continuous phase, rich accounts, a session of each firm."""
        venue = cls(kind, kind.make(SHARD))
        venue.operate(
            system.CreateAsset(asset_id=BASE, symbol="BASE", decimals=2),
            system.CreateAsset(asset_id=QUOTE, symbol="QUOTE", decimals=0),
            system.CreateFirm(firm_id=FIRM, name="firm"),
            system.CreateFirm(firm_id=OTHER_FIRM, name="other firm"),
            market(MARKET, "BASE-QUOTE"),
            market(OTHER_MARKET, "BASE-QUOTE-2"),
            system.SetPhase(market_id=MARKET, phase=enums.MARKET_PHASE_CONTINUOUS),
            system.SetPhase(market_id=OTHER_MARKET, phase=enums.MARKET_PHASE_CONTINUOUS),
        )
        for account, firm in ACCOUNTS.items():
            group = GROUP if account in (GROUPED, GROUPED_STRANGER) else 0
            venue.operate(
                system.CreateAccount(account_id=account, firm_id=firm, self_trade_group_id=group)
            )
            for asset in (BASE, QUOTE):
                venue.credit(account, asset, WEALTH)
        venue.establish(SESSION, FIRM, (FIRST, SECOND, GROUPED))
        venue.establish(OTHER_SESSION, OTHER_FIRM, (STRANGER, GROUPED_STRANGER))
        return venue

    # --- applying

    def apply(self, *envelopes: Envelope) -> Told:
        """One batch; the state is looked at afterwards."""
        self.now += 1_000
        row = self.engine.apply(
            messages.batch(SHARD, self.engine.last_seq + 1, self.now, envelopes)
        )
        if self.checks:
            assert faults(self.engine.snapshot()) == []
        return Told(row)

    def operate(self, *body: Message, correlation: int = 7) -> Told:
        """Commands of the venue."""
        return self.apply(
            messages.system_envelope(body, received_ns=self.now, correlation=correlation)
        )

    def send(self, message: Message, correlation: int = 8) -> Told:
        """A command of a firm by a unary call."""
        return self.apply(self.unary(message, correlation))

    def unary(self, message: Message, correlation: int = 8) -> Envelope:
        """The envelope of a unary call."""
        return messages.firm_envelope(
            enums.COMMAND_CLASS_UNARY,
            [messages.command(message)],
            received_ns=self.now,
            correlation=correlation,
        )

    def in_session(self, *body: Message, session_id: int = SESSION, first: int = 0) -> Told:
        """Commands of one class in a session, with its next numbers or from `first` on."""
        return self.apply(self.envelope(*body, session_id=session_id, first=first))

    def envelope(
        self, *body: Message, session_id: int = SESSION, first: int = 0, connection: int = 0
    ) -> Envelope:
        """The envelope of commands of one class in a session."""
        wrapped = [messages.command(message) for message in body]
        command_class = messages.class_of(wrapped[0])
        place = session_id, command_class
        first = first or self._numbers[place] + 1
        self._numbers[place] = max(self._numbers[place], first + len(body) - 1)
        return messages.firm_envelope(
            command_class,
            wrapped,
            session_id=session_id,
            connection=connection or self._connections[session_id],
            first_seq_no=first,
            received_ns=self.now,
        )

    def restore(self) -> None:
        """Goes on with an engine that was restored from a snapshot."""
        self.engine = self.kind.restore(self.engine.snapshot())

    def wait(self, nanoseconds: int) -> None:
        """Time goes by."""
        self.now += nanoseconds

    # --- commands

    def new_id(self) -> bytes:
        """An id that was not used before; they ascend in byte order."""
        self._ids += 1
        return self._ids.to_bytes(16, "big")

    def order(
        self, account: int, side: enums.Side.ValueType, price: int, lots: int, **fields: Any
    ) -> commands.NewOrder:
        """A limit order that may rest; `fields` replace what differs."""
        values: dict[str, Any] = {
            "cl_ord_id": self.new_id(),
            "account_id": account,
            "market_id": MARKET,
            "side": side,
            "order_type": enums.ORDER_TYPE_LIMIT,
            "time_in_force": enums.TIME_IN_FORCE_GTC,
            "price_ticks": price,
            "quantity_lots": lots,
            "sent_time_ns": self.now,
        }
        return commands.NewOrder(**(values | fields))

    def place(
        self, account: int, side: enums.Side.ValueType, price: int, lots: int, **fields: Any
    ) -> Placed:
        """Sends an order that is accepted."""
        sent = self.order(account, side, price, lots, **fields)
        told = self.send(sent)
        first = told.reports(account)[0]
        assert first.exec_type == enums.EXEC_TYPE_NEW, told.lines(account)
        return Placed(sent, first.order_id, told)

    def market_order(
        self, account: int, side: enums.Side.ValueType, lots: int, **fields: Any
    ) -> commands.NewOrder:
        """A market order, immediate or cancel."""
        values: dict[str, Any] = {
            "order_type": enums.ORDER_TYPE_MARKET,
            "time_in_force": enums.TIME_IN_FORCE_IOC,
        }
        return self.order(account, side, 0, lots, **(values | fields))

    def cancel(self, account: int, order: bytes | int, **fields: Any) -> commands.Cancel:
        """A cancel by client order id or by order id."""
        return commands.Cancel(**(self._request(account) | self._target(order) | fields))

    def amend(
        self, account: int, order: bytes | int, price: int = 0, lots: int = 0, **fields: Any
    ) -> commands.Amend:
        """An amendment; 0 keeps."""
        values = {"price_ticks": price, "quantity_lots": lots}
        return commands.Amend(**(self._request(account) | self._target(order) | values | fields))

    def mass_cancel(self, account: int, **fields: Any) -> commands.MassCancel:
        """A mass cancel of everything, unless `fields` filter."""
        return commands.MassCancel(**(self._request(account) | fields))

    def resolve(
        self, account: int, id_: bytes, sent_time_ns: int | None = None
    ) -> commands.Resolve:
        """Asks what became of an id."""
        sent = self.now if sent_time_ns is None else sent_time_ns
        return commands.Resolve(account_id=account, id=id_, sent_time_ns=sent)

    def transfer(
        self, account: int, receiver: int, asset: int, quantity: int, **fields: Any
    ) -> commands.Transfer:
        """A transfer."""
        values = {
            "to_account_id": receiver,
            "asset_id": asset,
            "amount_atoms": amount(quantity),
        }
        return commands.Transfer(**(self._request(account) | values | fields))

    def withdrawal(
        self, account: int, asset: int, quantity: int, fee: int = 0, **fields: Any
    ) -> commands.RequestWithdrawal:
        """A withdrawal is asked for."""
        values = {
            "asset_id": asset,
            "network_id": 4,
            "amount_atoms": amount(quantity),
            "fee_atoms": amount(fee),
            "destination": "address",
        }
        return commands.RequestWithdrawal(**(self._request(account) | values | fields))

    def _request(self, account: int) -> dict[str, Any]:
        return {
            "request_id": self.new_id(),
            "account_id": account,
            "sent_time_ns": self.now,
        }

    @staticmethod
    def _target(order: bytes | int) -> dict[str, Any]:
        return {"order_id": order} if isinstance(order, int) else {"orig_cl_ord_id": order}

    # --- the venue's own commands

    def numbered(self, message: Any) -> Any:
        """A command of custody with the next number of its source."""
        self._source_seq += 1
        message.source_id, message.source_seq = SOURCE, self._source_seq
        return message

    def custody(self, message: Message) -> Told:
        """A command of custody is carried out, with the next number of its source."""
        return self.operate(self.numbered(message))

    def credit(self, account: int, asset: int, quantity: int, deposit_id: bytes = b"") -> Told:
        """A deposit is credited."""
        message = system.Credit(
            deposit_id=deposit_id or self.new_id(),
            account_id=account,
            asset_id=asset,
            amount_atoms=amount(quantity),
        )
        return self.custody(message)

    def establish(
        self, session_id: int, firm: int, accounts: tuple[int, ...], **fields: Any
    ) -> Told:
        """A connection opens a session."""
        values: dict[str, Any] = {"may_trade": True, "link_id": firm}
        self._connections[session_id] += 1
        return self.operate(
            system.SessionEstablished(
                session_id=session_id, firm_id=firm, account_ids=accounts, **(values | fields)
            )
        )

    def update_market(self, market_id: int = MARKET, **parameters: Any) -> Told:
        """Other parameters; fees stay unless they are named."""
        fees = {"maker_fee_ppm": MAKER_PPM, "taker_fee_ppm": TAKER_PPM}
        changed = system.MarketParameters(**(fees | parameters))
        return self.operate(system.UpdateMarket(market_id=market_id, parameters=changed))

    def set_phase(self, phase: enums.MarketPhase.ValueType, market_id: int = MARKET) -> Told:
        """Another phase."""
        return self.operate(system.SetPhase(market_id=market_id, phase=phase))

    def freeze(self, account: int, *, frozen: bool = True) -> Told:
        """Freezes an account."""
        return self.operate(system.SetAccountLimits(account_id=account, frozen=frozen))

    def kill_account(self, account: int, *, active: bool = True) -> Told:
        """Kills an account."""
        return self.operate(
            system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=account, active=active)
        )

    def kill_market(self, market_id: int = MARKET, *, active: bool = True) -> Told:
        """Kills a market."""
        return self.operate(
            system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=market_id, active=active)
        )

    # --- the state

    @property
    def state(self) -> State:
        """The state, parsed from a snapshot."""
        return State.of(self.engine.snapshot())

    def balance(self, account: int, asset: int) -> tuple[int, int, int]:
        """Available, held, in flight."""
        for row in self.state.money.balances:
            if (row.account_id, row.asset_id) == (account, asset):
                return (
                    atoms(row.available_atoms),
                    atoms(row.held_atoms),
                    atoms(row.in_flight_atoms),
                )
        return 0, 0, 0

    def available(self, account: int, asset: int) -> int:
        """What an account has free."""
        return self.balance(account, asset)[0]

    def set_available(self, account: int, asset: int, quantity: int) -> None:
        """Moves money from or to the venue's own account, until an account has this much free."""
        change = quantity - self.available(account, asset)
        insurance = 2
        payer, receiver = (insurance, account) if change > 0 else (account, insurance)
        if change:
            message = system.Adjust(
                adjustment_id=self.new_id(),
                from_account_id=payer,
                to_account_id=receiver,
                asset_id=asset,
                amount_atoms=amount(abs(change)),
                first_approver="first",
                second_approver="second",
            )
            self.custody(message)
        assert self.available(account, asset) == quantity

    def book(self, market_id: int = MARKET) -> tuple[list[str], list[str]]:
        """Bids and asks, best first, as lots@price of account."""
        for book in self.state.books.books:
            if book.market.market_id == market_id:
                bids, asks = (
                    [f"{o.leaves_lots}@{o.price_ticks} of {o.account_id}" for o in orders]
                    for orders in (book.bids, book.asks)
                )
                return bids, asks
        raise AssertionError("no such market")


def market(market_id: int, symbol: str, **fields: Any) -> system.CreateMarket:
    """A market with the venue's lot, tick and fees."""
    values: dict[str, Any] = {
        "base_asset_id": BASE,
        "quote_asset_id": QUOTE,
        "lot_size_atoms": amount(LOT_ATOMS),
        "tick_size_atoms": amount(TICK_VALUE),
        "parameters": system.MarketParameters(maker_fee_ppm=MAKER_PPM, taker_fee_ppm=TAKER_PPM),
    }
    return system.CreateMarket(market_id=market_id, symbol=symbol, **(values | fields))
