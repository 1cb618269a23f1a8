"""Operations on the small venue, as data: they name accounts, orders and commands by small numbers.

Used by the small tapes, which make commands of them, and by the strategies that draw them.
"""

from dataclasses import dataclass

from cambist.orders.v1 import enums_pb2 as enums


@dataclass(frozen=True, slots=True)
class New:
    """A new order."""

    account: int
    market: int
    side: enums.Side.ValueType
    kind: str
    price: int
    lots: int
    mode: enums.SelfTradePrevention.ValueType
    tag: int
    # Of later kinds: what is shown, the minimum, the distance of a trigger.
    part: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """One of the orders sent so far, by its client id or by an order id that may be its own."""

    number: int
    by_order_id: bool
    is_of_stranger: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancel; `overtakes` orders that the session has not sent yet."""

    target: Target
    overtakes: int = 0


@dataclass(frozen=True, slots=True)
class Amend:
    """An amendment; 0 keeps."""

    target: Target
    price: int
    lots: int
    display: int = 0


@dataclass(frozen=True, slots=True)
class Replace:
    """An order in place of another."""

    target: Target
    new: New
    allow_missing: bool


@dataclass(frozen=True, slots=True)
class CancelAllAfter:
    """The dead man's timer of an account."""

    account: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class MassCancel:
    """A mass cancel."""

    account: int
    market: int
    side: enums.Side.ValueType
    tag: int
    overtakes: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """An earlier command of a firm, sent again."""

    number: int


@dataclass(frozen=True, slots=True)
class Resolve:
    """Asks for the id of an earlier command, or of one that was never sent."""

    number: int
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer."""

    account: int
    receiver: int
    asset: int
    atoms: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A withdrawal is requested."""

    account: int
    asset: int
    atoms: int
    fee: int


@dataclass(frozen=True, slots=True)
class Custody:
    """A step of custody with the withdrawal of an earlier command, or a deposit."""

    step: str
    number: int
    account: int
    atoms: int


@dataclass(frozen=True, slots=True)
class Venue:
    """An act of the operator."""

    act: str
    market: int
    account: int
    number: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Time goes by before the next batch."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class RestoreNow:
    """Engines are restored from their snapshots."""


Money = Transfer | Withdraw | Custody
Later = Replace | CancelAllAfter
Operation = (
    New | Cancel | Amend | MassCancel | Again | Resolve | Money | Later | Venue | Wait | RestoreNow
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation and how it is sent: in its account's session, in the batch before it."""

    operation: Operation
    in_session: bool = False
    is_joined: bool = False
