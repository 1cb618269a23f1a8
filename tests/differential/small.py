"""A small venue and short lists of operations on it, for Hypothesis to explore and to shrink.

Used by the random tests and the property tests. An operation never depends on what an engine
answered: it names accounts, orders and earlier commands by small numbers, so that dropping one
leaves the others meaningful.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.messages import amount, class_of
from tests.differential.operations import (
    Again,
    Amend,
    Cancel,
    CancelAllAfter,
    Custody,
    MassCancel,
    New,
    Operation,
    Placed,
    Replace,
    Resolve,
    RestoreNow,
    Target,
    Transfer,
    Venue,
    Wait,
    Withdraw,
)
from tests.differential.tape import Apply, Restore, Step

SHARD: Final = 3
START_NS: Final = 1_000_000_000_000
BASE, QUOTE = 1, 2
MARKETS: Final = (SHARD << 16 | 1, SHARD << 16 | 2)
# The second and the third are of one group, of different firms.
ACCOUNTS: Final = (4_096, 4_097, 5_000)
FIRMS: Final = (1, 1, 2)
# A session for each firm, and which one an account has.
SESSIONS: Final = (1, 1, 2)
SOURCE: Final = 1
ORDER, CANCEL = enums.COMMAND_CLASS_ORDER, enums.COMMAND_CLASS_CANCEL


PHASES: Final = (
    enums.MARKET_PHASE_CONTINUOUS,
    enums.MARKET_PHASE_POST_ONLY,
    enums.MARKET_PHASE_CANCEL_ONLY,
    enums.MARKET_PHASE_HALTED,
)
ACTS: Final = (
    "phase",
    "kill market",
    "unkill market",
    "kill account",
    "unkill account",
    "fees",
    "freeze",
    "unfreeze",
    "clock",
)
CUSTODY_STEPS: Final = {
    "start": system.StartWithdrawal,
    "settle": system.SettleWithdrawal,
    "release": system.ReleaseWithdrawal,
    "reopen": system.ReopenWithdrawal,
    "finalize": system.FinalizeWithdrawal,
}


def founding() -> list[Message]:
    """The commands that make the small venue."""
    made: list[Message] = [
        system.CreateAsset(asset_id=BASE, symbol="BASE", decimals=2),
        system.CreateAsset(asset_id=QUOTE, symbol="QUOTE", decimals=0),
        system.CreateFirm(firm_id=1, name="one"),
        system.CreateFirm(firm_id=2, name="two"),
    ]
    for market, fees in zip(MARKETS, ((-100_000, 100_000), (333, 777)), strict=True):
        parameters = system.MarketParameters(
            maker_fee_ppm=fees[0], taker_fee_ppm=fees[1], resting_orders_max=6
        )
        if market == MARKETS[1]:
            parameters.quantity_step_lots, parameters.price_step_ticks = 2, 2
        made += [
            system.CreateMarket(
                market_id=market,
                symbol=f"M{market}",
                base_asset_id=BASE,
                quote_asset_id=QUOTE,
                lot_size_atoms=amount(50),
                tick_size_atoms=amount(6),
                parameters=parameters,
            ),
            system.SetPhase(market_id=market, phase=enums.MARKET_PHASE_CONTINUOUS),
        ]
    for account, firm, group in zip(ACCOUNTS, FIRMS, (0, 7, 7), strict=True):
        limits = system.AccountLimits(open_orders_max=4, id_capacity=16)
        made.append(
            system.CreateAccount(
                account_id=account, firm_id=firm, self_trade_group_id=group, limits=limits
            )
        )
    number = 0
    for account in ACCOUNTS:
        for asset, atoms in ((BASE, 900), (QUOTE, 9_000)):
            number += 1
            made.append(
                system.Credit(
                    source_id=SOURCE,
                    source_seq=number,
                    deposit_id=number.to_bytes(16, "big"),
                    account_id=account,
                    asset_id=asset,
                    amount_atoms=amount(atoms),
                )
            )
    made += [
        system.SessionEstablished(
            session_id=firm,
            firm_id=firm,
            account_ids=[a for a, of in zip(ACCOUNTS, FIRMS, strict=True) if of == firm],
            may_trade=True,
            link_id=firm,
        )
        for firm in (1, 2)
    ]
    return made


class SmallTape:
    """Turns operations into steps."""

    def __init__(self, rules_version: int = 1) -> None:
        self._rules_version = rules_version
        self._seq = 0
        self._now = START_NS
        self._sent: list[Message] = []
        self._orders: list[commands.NewOrder] = []
        self._source_seq = 2 * len(ACCOUNTS)
        self._last: dict[tuple[int, int], int] = defaultdict(int)
        self._waiting: list[messages.Envelope] = []

    def steps(self, placed: Iterable[Placed]) -> list[Step]:
        """The founding batch, then the operations."""
        made: list[Step] = [self._batch([messages.system_envelope(founding())])]
        if self._rules_version > 1:
            switch = system.SwitchRules(version=self._rules_version)
            made.append(self._batch([messages.system_envelope([switch])]))
        for one in placed:
            made += self._steps(one)
        return [*made, *self._flushed()]

    def more(self, placed: Placed) -> list[Step]:
        """Steps of one more operation, after those of `steps`."""
        return [*self._steps(placed), *self._flushed()]

    def _steps(self, placed: Placed) -> Iterator[Step]:
        if isinstance(placed.operation, Wait):
            yield from self._flushed()
            self._now += placed.operation.milliseconds * 1_000_000
        elif isinstance(placed.operation, RestoreNow):
            yield from self._flushed()
            yield Restore()
        else:
            envelope = self._envelope(placed)
            if not placed.is_joined:
                yield from self._flushed()
            self._waiting.append(envelope)

    def _flushed(self) -> list[Step]:
        envelopes, self._waiting = self._waiting, []
        return [self._batch(envelopes)] if envelopes else []

    def _batch(self, envelopes: Sequence[messages.Envelope]) -> Step:
        first = self._seq + 1
        self._seq += sum(envelope.count for envelope in envelopes)
        return Apply(messages.batch(SHARD, first, self._now, envelopes))

    def _envelope(self, placed: Placed) -> messages.Envelope:
        operation = placed.operation
        if isinstance(operation, Custody):
            return messages.system_envelope([self._custody(operation)], received_ns=self._now)
        if isinstance(operation, Venue):
            return messages.system_envelope(_act(operation), received_ns=self._now)
        message = self._message(operation)
        self._sent.append(message)
        command = messages.command(message)
        if not placed.in_session:
            return messages.firm_envelope(
                enums.COMMAND_CLASS_UNARY, [command], received_ns=self._now
            )
        session, command_class = self._session(message), class_of(command)
        self._last[session, command_class] += 1
        return messages.firm_envelope(
            command_class,
            [command],
            session_id=session,
            connection=1,
            first_seq_no=self._last[session, command_class],
            received_ns=self._now,
        )

    def _session(self, message: Message) -> int:
        if isinstance(message, commands.Replace):
            message = message.new_order
        account: int = getattr(message, "account_id", ACCOUNTS[0])
        return SESSIONS[ACCOUNTS.index(account)]

    def _ahead(self, message: Message, overtakes: int) -> int:
        """The order number of which a cancel says that it was sent before it."""
        return self._last[self._session(message), ORDER] + overtakes if overtakes else 0

    def _message(self, operation: Operation) -> Message:
        name = (len(self._sent) + 1).to_bytes(16, "little")
        match operation:
            case New():
                return self._new(operation, name)
            case Cancel(target, overtakes):
                request = commands.Cancel(request_id=name, sent_time_ns=self._now)
                self._aim(request, target)
                request.after_order_seq_no = self._ahead(request, overtakes)
                return request
            case Amend(target, price, lots, display):
                amendment = commands.Amend(
                    request_id=name,
                    price_ticks=price,
                    quantity_lots=lots,
                    display_lots=display,
                    sent_time_ns=self._now,
                )
                self._aim(amendment, target)
                return amendment
            case MassCancel(account, market, side, tag, overtakes):
                mass = commands.MassCancel(
                    request_id=name,
                    account_id=ACCOUNTS[account],
                    market_id=(0, *MARKETS)[market],
                    side=side,
                    tag=tag,
                    sent_time_ns=self._now,
                )
                mass.after_order_seq_no = self._ahead(mass, overtakes)
                return mass
            case _:
                return self._other(operation, name)

    def _other(self, operation: Operation, name: bytes) -> Message:
        match operation:
            case Replace(target, new, allow_missing):
                orders = self._orders
                old = orders[target.number % len(orders)].cl_ord_id if orders else b""
                return commands.Replace(
                    orig_cl_ord_id=old,
                    new_order=self._new(new, name),
                    allow_missing=allow_missing,
                )
            case CancelAllAfter(account, timeout_ms):
                return commands.CancelAllAfter(
                    request_id=name,
                    account_id=ACCOUNTS[account],
                    timeout_ms=timeout_ms,
                    sent_time_ns=self._now,
                )
            case Again(number) if self._sent:
                return self._sent[number % len(self._sent)]
            case Resolve(number, is_unknown):
                known = self._sent[number % len(self._sent)] if self._sent else None
                used = getattr(known, "cl_ord_id", b"") or getattr(known, "request_id", b"")
                return commands.Resolve(
                    account_id=getattr(known, "account_id", ACCOUNTS[0]),
                    id=used if used and not is_unknown else name,
                    sent_time_ns=self._now,
                )
            case Transfer(account, receiver, asset, atoms):
                return commands.Transfer(
                    request_id=name,
                    account_id=ACCOUNTS[account],
                    to_account_id=ACCOUNTS[receiver],
                    asset_id=asset,
                    amount_atoms=amount(atoms),
                    sent_time_ns=self._now,
                )
            case Withdraw(account, asset, atoms, fee):
                return commands.RequestWithdrawal(
                    request_id=name,
                    account_id=ACCOUNTS[account],
                    asset_id=asset,
                    amount_atoms=amount(atoms),
                    fee_atoms=amount(fee),
                    destination="there",
                    sent_time_ns=self._now,
                )
        return commands.Resolve(account_id=ACCOUNTS[0], id=name, sent_time_ns=self._now)

    def _new(self, operation: New, name: bytes) -> commands.NewOrder:
        order = commands.NewOrder(
            cl_ord_id=name,
            account_id=ACCOUNTS[operation.account],
            market_id=MARKETS[operation.market],
            side=operation.side,
            order_type=enums.ORDER_TYPE_LIMIT,
            time_in_force=enums.TIME_IN_FORCE_GTC,
            price_ticks=operation.price,
            quantity_lots=operation.lots,
            self_trade_prevention=operation.mode,
            tag=operation.tag,
            sent_time_ns=self._now,
        )
        match operation.kind:
            case "IOC":
                order.time_in_force = enums.TIME_IN_FORCE_IOC
            case "FOK":
                order.time_in_force = enums.TIME_IN_FORCE_FOK
            case "GTD":
                order.time_in_force = enums.TIME_IN_FORCE_GTD
                order.expire_time_ns = self._now + 5_000_000
            case "POST_ONLY":
                order.post_only = True
            case "MARKET" | "MARKET_FOK":
                order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
                order.time_in_force = enums.TIME_IN_FORCE_IOC
                if operation.kind == "MARKET_FOK":
                    order.time_in_force = enums.TIME_IN_FORCE_FOK
            case "BUDGET":
                order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
                order.time_in_force = enums.TIME_IN_FORCE_IOC
                order.quantity_lots, order.quote_budget_atoms = 0, amount(operation.lots * 290)
            case _:
                _make_later(order, operation)
        self._orders.append(order)
        return order

    def _aim(self, request: commands.Cancel | commands.Amend, target: Target) -> None:
        order = self._orders[target.number % len(self._orders)] if self._orders else None
        account = order.account_id if order else ACCOUNTS[0]
        request.account_id = ACCOUNTS[2] if target.is_of_stranger else account
        if target.by_order_id or order is None:
            request.order_id = target.number % (len(self._orders) + 1) + 1
        else:
            request.orig_cl_ord_id = order.cl_ord_id

    def _custody(self, operation: Custody) -> Message:
        self._source_seq += 1
        asked = [m for m in self._sent if isinstance(m, commands.RequestWithdrawal)]
        name = asked[operation.number % len(asked)].request_id if asked else bytes(16)
        deposit = (operation.number + 100).to_bytes(16, "big")
        if operation.step == "credit":
            return system.Credit(
                source_id=SOURCE,
                source_seq=self._source_seq,
                deposit_id=deposit,
                account_id=ACCOUNTS[operation.account],
                asset_id=QUOTE,
                amount_atoms=amount(operation.atoms),
            )
        if operation.step == "reverse":
            return system.ReverseCredit(
                source_id=SOURCE, source_seq=self._source_seq, deposit_id=deposit
            )
        step = CUSTODY_STEPS[operation.step]
        return step(source_id=SOURCE, source_seq=self._source_seq, withdrawal_id=name)


def _make_later(order: commands.NewOrder, operation: New) -> None:
    """Makes an order one of a kind of rules version 2."""
    part = operation.part
    match operation.kind:
        case "ICEBERG":
            order.display_lots = part
        case "MINIMUM":
            order.time_in_force, order.minimum_lots = enums.TIME_IN_FORCE_IOC, part
        case "DAY":
            order.time_in_force = enums.TIME_IN_FORCE_DAY
        case "STOP" | "TAKE_PROFIT" | "STOP_LIMIT" | "TAKE_PROFIT_LIMIT":
            order.order_type = enums.OrderType.Value(f"ORDER_TYPE_{operation.kind}")
            order.trigger_price_ticks = 98 + part
            if operation.side == enums.SIDE_SELL and part % 2 and "LIMIT" not in operation.kind:
                order.price_ticks = 0
        case "TRAILING":
            order.order_type = enums.ORDER_TYPE_TRAILING_STOP
            order.trailing_offset_ticks = part
        case "STOP_BUDGET":
            order.order_type, order.price_ticks = enums.ORDER_TYPE_STOP, 0
            order.trigger_price_ticks = 98 + part
            order.quantity_lots, order.quote_budget_atoms = 0, amount(operation.lots * 290)


def _act(operation: Venue) -> list[Message]:
    market, account = MARKETS[operation.market], ACCOUNTS[operation.account]
    match operation.act:
        case "phase":
            return [system.SetPhase(market_id=market, phase=PHASES[operation.number % 4])]
        case "kill market" | "unkill market":
            scope, target = system.KILL_SCOPE_MARKET, market
        case "kill account" | "unkill account":
            scope, target = system.KILL_SCOPE_ACCOUNT, account
        case "fees":
            fee = operation.number * 111
            return [
                system.UpdateMarket(
                    market_id=market,
                    parameters=system.MarketParameters(maker_fee_ppm=-fee, taker_fee_ppm=fee),
                )
            ]
        case "freeze" | "unfreeze":
            return [
                system.SetAccountLimits(
                    account_id=account,
                    limits=system.AccountLimits(open_orders_max=4, id_capacity=16),
                    frozen=operation.act == "freeze",
                )
            ]
        case _:
            return [system.Clock()]
    is_active = not operation.act.startswith("un")
    return [system.KillSwitch(scope=scope, target_id=target, active=is_active)]
