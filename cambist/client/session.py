"""The order session: commands in, answers and events out, over as many connections as it takes.

It reconnects, resumes and resends by itself under the same ids and sent_time, so that nothing is
lost and nothing is carried out twice. Business refusals never end it.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from cambist.client import commands, limits
from cambist.client.amounts import Number
from cambist.client.answers import Answers, unknown
from cambist.client.channels import Channels
from cambist.client.commands import NewOrder, Request, Target
from cambist.client.driver import Driver, Statistics, Terms
from cambist.client.enums import CommandClass, SelfTradePrevention, Side, TimeInForce
from cambist.client.errors import InvalidInput, Rejected, SessionEnded, Unavailable, Unknown
from cambist.client.events import (
    Accepted,
    Answer,
    Canceled,
    Event,
    MassCanceled,
    MoneyMoved,
    Refused,
    Replaced,
    Resolved,
)
from cambist.client.instruments import Market
from cambist.client.listeners import Listeners
from cambist.client.triggers import Trigger

Expected = TypeVar("Expected")
NO_TRIGGER: Final = Trigger()
OrderRef = Accepted | Replaced | Request | bytes
CONNECT_SECONDS: Final = 30.0


class Session:
    """An order session on one shard. Made by `Client.session`; use it with `async with`.

    Three ways to send, all safe to repeat:

    - `await session.new_order(...)`, `cancel`, `amend`, `mass_cancel`, `transfer`, `resolve`:
      waits for the answer; a refusal raises Rejected, a lost outcome Unknown.
    - `make_order(...)`, `make_cancel(...)` … make a Request; `await session.submit(request)` gives
      a future of its answer, which is Refused when the venue says no (nothing is raised).
    - `await session.submit_all(requests)`: many at once, in order.

    What waits goes out together, at most 256 commands per message. `submit` waits while as many
    commands as allowed have no answer.
    """

    def __init__(
        self,
        channels: Channels,
        terms: Terms,
        *,
        on_event: Callable[[Event], None] | None = None,
        batch_commands: int = limits.AUTO_BATCH_COMMANDS,
        unanswered_max: int = limits.UNANSWERED_MAX,
        now_ns: Callable[[], int] = time.time_ns,
        make_id: Callable[[], bytes] = lambda: os.urandom(commands.ID_BYTES),
    ) -> None:
        if not 1 <= batch_commands <= limits.BATCH_COMMANDS_MAX:
            raise InvalidInput("OUT_OF_RANGE", "batch_commands is not 1 to 1,000")
        self._listeners = Listeners(on_event)
        self._answers = Answers(self._listeners.tell, batch_commands=batch_commands)
        self._driver = Driver(
            self._answers,
            terms,
            channels,
            before_read=self._listeners.room,
            on_progress=self._progress,
        )
        self._unanswered_max = unanswered_max
        self._now_ns = now_ns
        self._make_id = make_id
        self._waiters: set[asyncio.Future[None]] = set()
        self._task: asyncio.Task[None] | None = None

    # --- life

    async def open(self, timeout_seconds: float = CONNECT_SECONDS) -> Self:
        """Connects. Raises Unavailable when that takes too long, SessionEnded when refused."""
        if self._task is None:
            self._task = asyncio.create_task(self._driver.run(), name="cambist-session")
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._driver.opened()
        except TimeoutError:
            await self.close()
            last = self._driver.statistics.last_end
            raise Unavailable("NOT_CONNECTED", last or "no gateway answered") from None
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, *, forget: bool = False) -> None:
        """Sends what waits (for at most two seconds), then ends the connection.

        With `forget` the venue forgets the session. Either way the client has taken leave: orders
        of a session with ON_LOGOUT or BOTH are cancelled. Commands without an answer become
        Unknown.
        """
        self._driver.close(is_over=forget)
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=2 * limits.CLOSE_SECONDS)
            if not self._task.done():
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._listeners.close()
        await self._driver.channels.close()

    # --- where it stands

    @property
    def session_id(self) -> int:
        """Number of the session at the venue."""
        return self._driver.session_id

    @property
    def account_ids(self) -> tuple[int, ...]:
        """Accounts of the session, ascending."""
        return self._driver.account_ids

    @property
    def shard(self) -> int:
        """The shard it is bound to."""
        return self._driver.terms.shard

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open now; if not, one is being made."""
        return self._driver.is_connected

    @property
    def ended(self) -> SessionEnded | None:
        """Why it is over; None while it lives."""
        return self._driver.ended

    @property
    def unanswered(self) -> int:
        """Commands without an answer."""
        return len(self._answers.pending)

    @property
    def last_seq(self) -> int:
        """Journal sequence up to which everything was heard."""
        return self._answers.last_seq

    @property
    def statistics(self) -> Statistics:
        """Counters: connections, rows, batches."""
        return self._driver.statistics

    # --- events

    def events(self) -> AsyncIterator[Event]:
        """Everything that happens to the session's accounts from now on, each event once.

        Ends with the session. A listener that does not read holds the whole session up in the
        end: nothing is dropped. `aclose` the iterator when done.
        """
        return self._listeners.listen()

    # --- making commands

    def make_order(  # noqa: PLR0913 - keywords of the public surface
        self,
        market: Market,
        side: Side | str,
        quantity: Number | None = None,
        price: Number | None = None,
        *,
        budget: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        account_id: int = 0,
        tag: int = 0,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.UNSPECIFIED,
        expires_after_ms: int = 0,
        expire_time_ns: int = 0,
        trigger: Trigger = NO_TRIGGER,
        display: Number | None = None,
        minimum: Number | None = None,
        cl_ord_id: bytes = b"",
    ) -> Request:
        """An order. Without a price it is a market order, by quantity or by quote budget.

        With a `trigger` it waits until a trade reaches that, and is a limit order then if it has a
        price, else a market order; one that buys needs a budget, a trailing stop the price that it
        will not pass. `display` makes an iceberg; `minimum` must trade on entry.

        Numbers are Decimal, str or int, and must fit ticks and lots exactly: InvalidInput
        (OFF_TICK, OFF_LOT, INVALID_NUMBER, TOO_PRECISE) otherwise.
        """
        is_limit = price is not None
        if time_in_force is None:
            rests = is_limit or trigger.waits
            time_in_force = TimeInForce.GTC if rests else TimeInForce.IOC
        order = NewOrder(
            account_id=account_id or self._account(),
            market_id=market.market_id,
            side=side_of(side),
            quantity_lots=market.lots(quantity) if quantity is not None else 0,
            price_ticks=market.ticks(price) if price is not None else 0,
            order_type=trigger.order_type(has_price=is_limit),
            time_in_force=time_in_force,
            quote_budget_atoms=market.quote.atoms(budget) if budget is not None else 0,
            post_only=post_only,
            self_trade_prevention=self_trade_prevention,
            tag=tag,
            expires_after_ms=expires_after_ms,
            expire_time_ns=expire_time_ns,
            trigger_price_ticks=trigger.price_ticks(market),
            trailing_offset_ticks=trigger.offset_ticks(market),
            trailing_offset_ppm=trigger.trailing_ppm,
            display_lots=0 if display is None else market.lots(display),
            minimum_lots=0 if minimum is None else market.lots(minimum),
        )
        return self.make_order_in_ticks(order, cl_ord_id)

    def make_order_in_ticks(self, order: NewOrder, cl_ord_id: bytes = b"") -> Request:
        """An order whose numbers are ticks and lots already."""
        return commands.new_order(order, cl_ord_id or self._make_id(), self._now_ns())

    def make_cancel(
        self, order: OrderRef, *, account_id: int = 0, expires_after_ms: int = 0
    ) -> Request:
        """A cancel of an order that was accepted, or is still on its way."""
        target = self._target(order, account_id)
        return commands.cancel(target, self._make_id(), self._now_ns(), expires_after_ms)

    def make_amend(
        self,
        order: OrderRef,
        *,
        price_ticks: int = 0,
        quantity_lots: int = 0,
        display_lots: int = 0,
        account_id: int = 0,
        expires_after_ms: int = 0,
    ) -> Request:
        """A change of price, total quantity (filled part included) or display; 0 keeps it."""
        return commands.amend(
            self._target(order, account_id),
            self._make_id(),
            self._now_ns(),
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
            display_lots=display_lots,
            expires_after_ms=expires_after_ms,
        )

    def make_mass_cancel(
        self,
        *,
        market: Market | None = None,
        side: Side | str | None = None,
        tag: int = 0,
        this_session_only: bool = False,
        account_id: int = 0,
    ) -> Request:
        """A cancel of all open orders of an account that match every given filter."""
        return commands.mass_cancel(
            account_id or self._account(),
            self._make_id(),
            self._now_ns(),
            market_id=0 if market is None else market.market_id,
            side=Side.UNSPECIFIED if side is None else side_of(side),
            tag=tag,
            this_session_only=this_session_only,
        )

    # --- sending

    async def submit(self, request: Request) -> asyncio.Future[Answer]:
        """Queues a command; the future of its answer. Waits while too many have none.

        The future raises Unknown or Unavailable when the session ends first, InvalidInput when
        the message was malformed. Submitting a request again is safe.
        """
        if not self._has_room(request.command_class):
            await self._wait_for_room(request.command_class)
        return self._queue(request)

    async def submit_all(self, requests: Iterable[Request]) -> list[asyncio.Future[Answer]]:
        """Queues commands in order; the futures of their answers."""
        return [await self.submit(request) for request in requests]

    def try_submit(self, request: Request) -> asyncio.Future[Answer] | None:
        """As `submit`, but gives None at once where that would wait."""
        return self._queue(request) if self._has_room(request.command_class) else None

    def _queue(self, request: Request) -> asyncio.Future[Answer]:
        if self._driver.ended is not None:
            raise self._driver.ended
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future = self._answers.submit(request, future)
        self._driver.wake()
        return future

    def _has_room(self, command_class: CommandClass) -> bool:
        extra = limits.UNANSWERED_CANCELS_EXTRA if command_class == CommandClass.CANCEL else 0
        return len(self._answers.pending) < self._unanswered_max + extra

    async def _wait_for_room(self, command_class: CommandClass) -> None:
        while not self._has_room(command_class) and self._driver.ended is None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _progress(self) -> None:
        if self._driver.ended is not None:
            self._listeners.close()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def ask(self, request: Request, timeout_seconds: float | None = None) -> Answer:
        """Submits and waits for the answer. Raises Unknown when the time is over: resolve it."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(await self.submit(request))
        except TimeoutError:
            raise unknown(request, f"no answer in {timeout_seconds} s") from None

    # --- sending and waiting

    async def new_order(
        self,
        market: Market,
        side: Side | str,
        quantity: Number | None = None,
        price: Number | None = None,
        *,
        timeout_seconds: float | None = None,
        **options: Any,
    ) -> Accepted:
        """Enters an order (options: `make_order`). Raises Rejected, Unknown, Unavailable."""
        request = self.make_order(market, side, quantity, price, **options)
        return expect(await self.ask(request, timeout_seconds), Accepted)

    async def cancel(
        self, order: OrderRef, *, account_id: int = 0, timeout_seconds: float | None = None
    ) -> Canceled:
        """Cancels an order. Raises Rejected (ORDER_CLOSED, UNKNOWN_ORDER …), Unknown."""
        request = self.make_cancel(order, account_id=account_id)
        return expect(await self.ask(request, timeout_seconds), Canceled)

    async def amend(
        self,
        market: Market,
        order: OrderRef,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        display: Number | None = None,
        account_id: int = 0,
        timeout_seconds: float | None = None,
    ) -> Replaced | Resolved:
        """Changes price, total quantity or display of an open order. Raises Rejected, Unknown."""
        request = self.make_amend(
            order,
            price_ticks=0 if price is None else market.ticks(price),
            quantity_lots=0 if quantity is None else market.lots(quantity),
            display_lots=0 if display is None else market.lots(display),
            account_id=account_id,
        )
        answer = await self.ask(request, timeout_seconds)
        return answer if isinstance(answer, Resolved) else expect(answer, Replaced)

    async def replace(
        self,
        order: Accepted | Request | bytes,
        new_order: Request,
        *,
        allow_missing: bool = False,
        timeout_seconds: float | None = None,
    ) -> Accepted:
        """Puts an order of `make_order` in place of one, or changes nothing. Raises Rejected.

        With `allow_missing` the new order is entered even when the old one is gone.
        """
        request = commands.replacement(cl_ord_id_of(order), new_order, allow_missing=allow_missing)
        return expect(await self.ask(request, timeout_seconds), Accepted)

    async def cancel_all_after(
        self, timeout_ms: int, *, account_id: int = 0, timeout_seconds: float | None = None
    ) -> MassCanceled | Resolved:
        """Arms or renews the account's dead man's timer; 0 disarms it. Raises Rejected, Unknown."""
        account = account_id or self._account()
        request = commands.cancel_all_after(account, timeout_ms, self._make_id(), self._now_ns())
        answer = await self.ask(request, timeout_seconds)
        return answer if isinstance(answer, Resolved) else expect(answer, MassCanceled)

    async def mass_cancel(
        self, *, timeout_seconds: float | None = None, **filters: Any
    ) -> MassCanceled | Resolved:
        """Cancels all that match (filters: `make_mass_cancel`). Raises Rejected, Unknown."""
        answer = await self.ask(self.make_mass_cancel(**filters), timeout_seconds)
        return answer if isinstance(answer, Resolved) else expect(answer, MassCanceled)

    async def transfer(
        self,
        to_account_id: int,
        asset_id: int,
        amount_atoms: int,
        *,
        account_id: int = 0,
        timeout_seconds: float | None = None,
    ) -> MoneyMoved | Resolved:
        """Moves money to another account of the firm. Raises Rejected, Unknown."""
        request = commands.transfer(
            account_id or self._account(),
            to_account_id,
            asset_id,
            amount_atoms,
            self._make_id(),
            self._now_ns(),
        )
        answer = await self.ask(request, timeout_seconds)
        return answer if isinstance(answer, Resolved) else expect(answer, MoneyMoved)

    async def resolve(
        self, what: Request | Unknown, *, account_id: int = 0, timeout_seconds: float | None = None
    ) -> Resolved:
        """What became of a command; an unknown and recent id is burnt: it never will be applied."""
        account = what.account_id if isinstance(what, Request) else account_id or self._account()
        request = commands.resolve(account, what.id, what.sent_time_ns)
        return expect(await self.ask(request, timeout_seconds), Resolved)

    # --- small things

    def _account(self) -> int:
        if len(self.account_ids) != 1:
            raise InvalidInput("ACCOUNT_NOT_NAMED", "the session has several accounts: name one")
        return self.account_ids[0]

    def _target(self, order: OrderRef, account_id: int) -> Target:
        match order:
            case Accepted() | Replaced():
                return Target(order.account_id, order_id=order.order_id)
            case Request():
                return Target(order.account_id, cl_ord_id=order.id)
            case _:
                return Target(account_id or self._account(), cl_ord_id=order)


def cl_ord_id_of(order: Accepted | Request | bytes) -> bytes:
    """The client order id by which an order is replaced."""
    if isinstance(order, bytes):
        return order
    return order.id if isinstance(order, Request) else order.cl_ord_id


def side_of(side: Side | str) -> Side:
    """A side by member or name ("buy", "sell"). Raises InvalidInput."""
    if isinstance(side, Side):
        return side
    try:
        return {"buy": Side.BUY, "sell": Side.SELL}[side.lower()]
    except (KeyError, AttributeError):
        raise InvalidInput("INVALID_COMBINATION", f"{side!r} is no side") from None


def expect(answer: Answer, kind: type[Expected]) -> Expected:
    """The answer, which must be of this kind. Raises Rejected for a refusal."""
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Refused):
        raise Rejected(answer.reason.name, answer=answer)
    raise Unknown(f"answered by {type(answer).__name__}")


def refusals(answers: Sequence[Answer]) -> list[Refused]:
    """The refusals among answers."""
    return [answer for answer in answers if isinstance(answer, Refused)]
