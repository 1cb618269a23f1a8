"""The closed lists of the contract as Python enums. A test holds them against the generated code.

A number that a newer venue sends and this build does not know becomes UNSPECIFIED.
"""

from enum import IntEnum
from typing import Self


class ContractEnum(IntEnum):
    """Base: unknown numbers become the member 0."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls(0) if isinstance(value, int) and value else None


class Side(ContractEnum):
    """Side of an order."""

    UNSPECIFIED = 0
    BUY = 1
    SELL = 2


class OrderType(ContractEnum):
    """How an order is priced."""

    UNSPECIFIED = 0
    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_LIMIT = 6
    TRAILING_STOP = 7
    PEGGED = 8


class ExecType(ContractEnum):
    """What an execution report tells."""

    UNSPECIFIED = 0
    NEW = 1
    TRADE = 2
    CANCELED = 3
    REPLACED = 4
    REJECTED = 5
    EXPIRED = 6
    RESTATED = 7
    TRIGGERED = 8


class TimeInForce(ContractEnum):
    """How long an order lives."""

    UNSPECIFIED = 0
    GTC = 1
    IOC = 2
    FOK = 3
    GTD = 4
    DAY = 5
    AT_THE_OPEN = 6
    AT_THE_CLOSE = 7


class SelfTradePrevention(ContractEnum):
    """What happens when an order meets one of its own self-trade group; the taker's mode rules."""

    UNSPECIFIED = 0
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3
    DECREMENT = 4
    NONE = 5


class CommandClass(ContractEnum):
    """The number spaces of a session."""

    UNSPECIFIED = 0
    ORDER = 1
    CANCEL = 2
    UNARY = 3
    SYSTEM = 4


class MarketPhase(ContractEnum):
    """Phase of a market."""

    UNSPECIFIED = 0
    CLOSED = 1
    PRE_OPEN = 2
    OPENING_AUCTION = 3
    CONTINUOUS = 4
    VOLATILITY_PAUSE = 5
    CLOSING_AUCTION = 6
    POST_ONLY = 7
    CANCEL_ONLY = 8
    HALTED = 9
    DELISTED = 10


class Liquidity(ContractEnum):
    """Which side of a trade the order was."""

    UNSPECIFIED = 0
    MAKER = 1
    TAKER = 2


class CancelReason(ContractEnum):
    """Why the rest of an order was cancelled."""

    UNSPECIFIED = 0
    REQUESTED = 1
    MASS_CANCEL = 2
    IOC = 3
    NO_LIQUIDITY = 4
    INSUFFICIENT_FUNDS = 5
    SELF_TRADE = 6
    WORK_LIMIT = 7
    KILLED = 8
    MARKET_CLEARED = 9
    DISCONNECT = 10
    TIMER = 11
    LIST = 12
    PROTECTION = 13
    MARKET_PROTECTION = 14


class RejectReason(ContractEnum):
    """Why a command was refused; a refused command changes nothing."""

    UNSPECIFIED = 0
    UNKNOWN_ACCOUNT = 1
    ACCOUNT_NOT_PERMITTED = 2
    UNKNOWN_MARKET = 3
    MARKET_NOT_PERMITTED = 4
    WRONG_SHARD = 5
    ID_REUSED = 6
    STALE = 7
    SENT_TIME_AHEAD = 8
    EXPIRED = 9
    BURNT = 10
    CANCELLED_BEFORE_ENTRY = 11
    INVALID_PRICE = 12
    OFF_TICK = 13
    INVALID_QUANTITY = 14
    OFF_LOT = 15
    QUANTITY_BELOW_MINIMUM = 16
    QUANTITY_ABOVE_MAXIMUM = 17
    NOTIONAL_BELOW_MINIMUM = 18
    NOTIONAL_ABOVE_MAXIMUM = 19
    NOTIONAL_OVERFLOW = 20
    INVALID_COMBINATION = 21
    INVALID_EXPIRE_TIME = 22
    INSUFFICIENT_FUNDS = 23
    PHASE = 24
    POST_ONLY_WOULD_CROSS = 25
    FOK_NOT_FILLABLE = 26
    OPEN_ORDERS_LIMIT = 27
    UNKNOWN_ORDER = 28
    ORDER_CLOSED = 29
    QUANTITY_BELOW_FILLED = 30
    ACCOUNT_FROZEN = 31
    KILLED = 32
    UNSUPPORTED = 33
    BOOK_FULL = 34
    BALANCE_OVERFLOW = 35
    TOO_MANY_PENDING = 36
    NOTHING_TO_AMEND = 37
    POISONED = 38
    UNKNOWN_ASSET = 40
    UNKNOWN_FIRM = 41
    INVALID_AMOUNT = 42
    INVALID_PARAMETER = 43
    DUPLICATE_ID = 44
    CAPACITY = 45
    TICK_VALUE_NOT_INTEGER = 46
    SOURCE_GAP = 47
    SOURCE_REPEAT = 48
    UNKNOWN_DEPOSIT = 49
    DEPOSIT_STATE = 50
    UNKNOWN_WITHDRAWAL = 51
    WITHDRAWAL_STATE = 52
    FOREIGN_ACCOUNT = 53
    UNKNOWN_SESSION = 54
    OLD_CONNECTION = 55
    UNKNOWN_RULES_VERSION = 56
    ORDER_QUANTITY_LIMIT = 57
    ORDER_NOTIONAL_LIMIT = 58
    OPEN_QUANTITY_LIMIT = 59
    OPEN_NOTIONAL_LIMIT = 60
    POSITION_LIMIT = 61
    OUTSIDE_PRICE_BAND = 62


class ResolveState(ContractEnum):
    """What became of an id."""

    UNSPECIFIED = 0
    OPEN = 1
    APPLIED = 2
    REJECTED = 3
    NEVER_APPLIED = 4
    FORGOTTEN = 5


class CancelOnDisconnect(ContractEnum):
    """When a lost or ended session takes its orders with it."""

    UNSPECIFIED = 0
    NEVER = 1
    ON_DISCONNECT = 2
    ON_LOGOUT = 3
    BOTH = 4


class MoneyKind(ContractEnum):
    """What moved money."""

    UNSPECIFIED = 0
    CREDIT = 1
    CREDIT_REVERSED = 2
    WITHDRAWAL_REQUESTED = 3
    WITHDRAWAL_STARTED = 4
    WITHDRAWAL_SETTLED = 5
    WITHDRAWAL_RELEASED = 6
    WITHDRAWAL_REOPENED = 7
    TRANSFER_OUT = 8
    TRANSFER_IN = 9
    ADJUSTED = 10
    SHARD_OUT = 11
    SHARD_IN = 12


class TerminateReason(ContractEnum):
    """Why a connection ended."""

    UNSPECIFIED = 0
    FINISHED = 1
    SESSION_OVER = 2
    TAKEN_OVER = 3
    KEEP_ALIVE_LAPSED = 4
    SLOW_CONSUMER = 5
    PROTOCOL_ERROR = 6
    UNKNOWN_SESSION = 7
    KEY_REVOKED = 8
    FAILOVER = 9
    REFUSED = 10
    DRAINING = 11


class Channel(ContractEnum):
    """What a market data subscription carries."""

    UNSPECIFIED = 0
    L1 = 1
    L2 = 2
    L3 = 3
    TRADES = 4
    STATUS = 5
    CANDLES = 6
