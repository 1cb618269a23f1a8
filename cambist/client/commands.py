"""Commands as a session takes them: the message, its id and where the answer will be found.

Pure: ids and times are passed in. Units are ticks, lots and atoms; `Session` has the decimals.
"""

from dataclasses import dataclass, replace
from typing import Final

from cambist.client.amounts import AMOUNT_BYTES, atoms_to_bytes
from cambist.client.enums import CommandClass, OrderType, SelfTradePrevention, Side, TimeInForce
from cambist.client.errors import InvalidInput
from cambist.orders.v1 import commands_pb2, enums_pb2

ID_BYTES: Final = 16
# Members of class CANCEL that name the highest order number sent before them.
AFTER_ORDER: Final = frozenset({"cancel", "mass_cancel"})


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One command, ready to be submitted; submitting it again is safe."""

    kind: str
    id: bytes
    account_id: int
    sent_time_ns: int
    command_class: CommandClass
    message: commands_pb2.Command


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What an order says, in ticks and lots."""

    account_id: int
    market_id: int
    side: Side
    quantity_lots: int = 0
    price_ticks: int = 0
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    quote_budget_atoms: int = 0
    post_only: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.UNSPECIFIED
    tag: int = 0
    expires_after_ms: int = 0
    expire_time_ns: int = 0
    # Of orders that wait for a price: the trigger, or the distance of a trailing stop.
    trigger_price_ticks: int = 0
    trailing_offset_ticks: int = 0
    trailing_offset_ppm: int = 0
    # How much of an iceberg is shown at a time; 0 = all.
    display_lots: int = 0
    # What must trade on entry; 0 = nothing.
    minimum_lots: int = 0


def new_order(order: NewOrder, cl_ord_id: bytes, sent_time_ns: int) -> Request:
    """A NewOrder. Raises InvalidInput for what the message cannot hold."""
    command = commands_pb2.Command(new_order=_order_message(order, cl_ord_id, sent_time_ns))
    return Request(
        "new_order", cl_ord_id, order.account_id, sent_time_ns, CommandClass.ORDER, command
    )


def replacement(
    orig_cl_ord_id: bytes, new_order: Request, *, allow_missing: bool = False
) -> Request:
    """A Replace with an order of `new_order`: the old one goes and it comes, or nothing happens.

    With `allow_missing` it comes even when the old one is gone.
    """
    message = commands_pb2.Replace(
        orig_cl_ord_id=check_id(orig_cl_ord_id),
        new_order=new_order.message.new_order,
        allow_missing=allow_missing,
    )
    command = commands_pb2.Command(replace=message)
    return replace(new_order, kind="replace", message=command)


def _order_message(order: NewOrder, cl_ord_id: bytes, sent_time_ns: int) -> commands_pb2.NewOrder:
    try:
        return commands_pb2.NewOrder(
            cl_ord_id=check_id(cl_ord_id),
            account_id=order.account_id,
            market_id=order.market_id,
            side=enums_pb2.Side.ValueType(order.side),
            order_type=enums_pb2.OrderType.ValueType(order.order_type),
            time_in_force=enums_pb2.TimeInForce.ValueType(order.time_in_force),
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            quote_budget_atoms=atoms_to_bytes(order.quote_budget_atoms),
            sent_time_ns=sent_time_ns,
            expires_after_ms=order.expires_after_ms,
            expire_time_ns=order.expire_time_ns,
            post_only=order.post_only,
            self_trade_prevention=enums_pb2.SelfTradePrevention.ValueType(
                order.self_trade_prevention
            ),
            tag=order.tag,
            trigger_price_ticks=order.trigger_price_ticks,
            trailing_offset_ticks=order.trailing_offset_ticks,
            trailing_offset_ppm=order.trailing_offset_ppm,
            display_lots=order.display_lots,
            minimum_lots=order.minimum_lots,
        )
    except (ValueError, OverflowError) as error:
        raise InvalidInput("OUT_OF_RANGE", str(error)) from error


@dataclass(frozen=True, slots=True)
class Target:
    """An order by exactly one of its two ids."""

    account_id: int
    cl_ord_id: bytes = b""
    order_id: int = 0

    def __post_init__(self) -> None:
        if bool(self.cl_ord_id) == bool(self.order_id):
            raise InvalidInput("INVALID_COMBINATION", "name an order by exactly one id")
        if self.cl_ord_id:
            check_id(self.cl_ord_id)


def cancel(
    target: Target, request_id: bytes, sent_time_ns: int, expires_after_ms: int = 0
) -> Request:
    """A Cancel."""
    message = commands_pb2.Cancel(
        request_id=check_id(request_id),
        account_id=target.account_id,
        orig_cl_ord_id=target.cl_ord_id,
        order_id=target.order_id,
        sent_time_ns=sent_time_ns,
        expires_after_ms=expires_after_ms,
    )
    command = commands_pb2.Command(cancel=message)
    return Request(
        "cancel", request_id, target.account_id, sent_time_ns, CommandClass.CANCEL, command
    )


def amend(
    target: Target,
    request_id: bytes,
    sent_time_ns: int,
    *,
    price_ticks: int = 0,
    quantity_lots: int = 0,
    display_lots: int = 0,
    expires_after_ms: int = 0,
) -> Request:
    """An Amend; zero keeps price, quantity or what an iceberg shows."""
    try:
        message = commands_pb2.Amend(
            request_id=check_id(request_id),
            account_id=target.account_id,
            orig_cl_ord_id=target.cl_ord_id,
            order_id=target.order_id,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
            display_lots=display_lots,
            sent_time_ns=sent_time_ns,
            expires_after_ms=expires_after_ms,
        )
    except (ValueError, OverflowError) as error:
        raise InvalidInput("OUT_OF_RANGE", str(error)) from error
    command = commands_pb2.Command(amend=message)
    return Request(
        "amend", request_id, target.account_id, sent_time_ns, CommandClass.ORDER, command
    )


def mass_cancel(
    account_id: int,
    request_id: bytes,
    sent_time_ns: int,
    *,
    market_id: int = 0,
    side: Side = Side.UNSPECIFIED,
    tag: int = 0,
    this_session_only: bool = False,
) -> Request:
    """A MassCancel of all that matches every given filter."""
    message = commands_pb2.MassCancel(
        request_id=check_id(request_id),
        account_id=account_id,
        market_id=market_id,
        side=enums_pb2.Side.ValueType(side),
        this_session_only=this_session_only,
        tag=tag,
        sent_time_ns=sent_time_ns,
    )
    command = commands_pb2.Command(mass_cancel=message)
    return Request(
        "mass_cancel", request_id, account_id, sent_time_ns, CommandClass.CANCEL, command
    )


def cancel_all_after(
    account_id: int, timeout_ms: int, request_id: bytes, sent_time_ns: int
) -> Request:
    """A CancelAllAfter: arms or renews the dead man's timer, or with 0 disarms it."""
    try:
        message = commands_pb2.CancelAllAfter(
            request_id=check_id(request_id),
            account_id=account_id,
            timeout_ms=timeout_ms,
            sent_time_ns=sent_time_ns,
        )
    except (ValueError, OverflowError) as error:
        raise InvalidInput("OUT_OF_RANGE", str(error)) from error
    command = commands_pb2.Command(cancel_all_after=message)
    return Request(
        "cancel_all_after", request_id, account_id, sent_time_ns, CommandClass.CANCEL, command
    )


def resolve(account_id: int, id: bytes, sent_time_ns: int) -> Request:  # noqa: A002
    """A Resolve of the command with this id, with the sent_time of that command."""
    message = commands_pb2.Resolve(
        account_id=account_id, id=check_id(id), sent_time_ns=sent_time_ns
    )
    command = commands_pb2.Command(resolve=message)
    return Request("resolve", id, account_id, sent_time_ns, CommandClass.CANCEL, command)


def transfer(
    account_id: int,
    to_account_id: int,
    asset_id: int,
    amount_atoms: int,
    request_id: bytes,
    sent_time_ns: int,
) -> Request:
    """A Transfer between accounts of one firm."""
    if not 0 < amount_atoms < 1 << (8 * AMOUNT_BYTES - 1):
        raise InvalidInput("INVALID_AMOUNT", f"{amount_atoms} atoms")
    message = commands_pb2.Transfer(
        request_id=check_id(request_id),
        account_id=account_id,
        to_account_id=to_account_id,
        asset_id=asset_id,
        amount_atoms=atoms_to_bytes(amount_atoms),
        sent_time_ns=sent_time_ns,
    )
    command = commands_pb2.Command(transfer=message)
    return Request("transfer", request_id, account_id, sent_time_ns, CommandClass.ORDER, command)


def set_after_order(request: Request, order_seq_no: int) -> None:
    """Tells a cancel the highest order-class number given out before it."""
    if request.kind == "cancel":
        request.message.cancel.after_order_seq_no = order_seq_no
    elif request.kind == "mass_cancel":
        request.message.mass_cancel.after_order_seq_no = order_seq_no


def encode(requests: list[Request]) -> bytes:
    """The body of a batch."""
    body = commands_pb2.Commands(commands=[request.message for request in requests])
    return body.SerializeToString()


def check_id(id: bytes) -> bytes:  # noqa: A002
    """The id; raises InvalidInput unless it is 16 bytes."""
    if len(id) != ID_BYTES:
        raise InvalidInput("BAD_LENGTH", "an id is 16 bytes")
    return id
