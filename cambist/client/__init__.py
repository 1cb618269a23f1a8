"""The SDK of Cambist: an async client with types.

    from cambist.client import ApiKey, Client, Filled, Rejected, Tls

    key = ApiKey.load("maker.key")
    async with Client.connect("venue:8443", key, tls=Tls(authority="ca.pem")) as client:
        market = await client.market("BTC-USDT")
        async with client.session("maker", account_ids=[4096]) as session:
            order = await session.new_order(market, "buy", "0.25", price="64000.5")
            async for event in session.events():
                if isinstance(event, Filled) and event.order_id == order.order_id:
                    print(market.price(event.last_price_ticks), market.quantity(event.last_lots))
            await session.cancel(order)

A session reconnects, resumes, resends and resolves by itself and never duplicates: `await` an
answer as if the connection never broke. Prices and quantities are Decimal, str or int, exact or
refused (OFF_TICK, OFF_LOT); floats are not taken. Errors: `cambist.client.errors`.
"""

from cambist.client.admin import Admin
from cambist.client.book import Book, Level
from cambist.client.channels import Tls
from cambist.client.client import Client, connect_all
from cambist.client.commands import NewOrder, Request
from cambist.client.drop_copy import DropCopy, DropCopyRow
from cambist.client.enums import (
    CancelOnDisconnect,
    CancelReason,
    Channel,
    CommandClass,
    Liquidity,
    MarketPhase,
    MoneyKind,
    OrderType,
    RejectReason,
    ResolveState,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from cambist.client.errors import (
    BookBroken,
    CambistError,
    InvalidInput,
    Rejected,
    SessionEnded,
    Unavailable,
    Unknown,
)
from cambist.client.events import (
    Accepted,
    AccountStatus,
    Answer,
    Canceled,
    Event,
    EventsMissed,
    Expired,
    Filled,
    MassCanceled,
    MatchPrevented,
    MoneyMoved,
    Refused,
    Replaced,
    Resolved,
    Restated,
    Triggered,
)
from cambist.client.instruments import Asset, Market
from cambist.client.keys import ApiKey
from cambist.client.market_data import MarketData, Subscription, Update
from cambist.client.raw import RawBatch, RawSession
from cambist.client.session import Session
from cambist.client.triggers import Trigger
from cambist.client.wallet import Balance, BalanceChange

__all__ = [
    "Accepted",
    "AccountStatus",
    "Admin",
    "Answer",
    "ApiKey",
    "Asset",
    "Balance",
    "BalanceChange",
    "Book",
    "BookBroken",
    "CambistError",
    "CancelOnDisconnect",
    "CancelReason",
    "Canceled",
    "Channel",
    "Client",
    "CommandClass",
    "DropCopy",
    "DropCopyRow",
    "Event",
    "EventsMissed",
    "Expired",
    "Filled",
    "InvalidInput",
    "Level",
    "Liquidity",
    "Market",
    "MarketData",
    "MarketPhase",
    "MassCanceled",
    "MatchPrevented",
    "MoneyKind",
    "MoneyMoved",
    "NewOrder",
    "OrderType",
    "RawBatch",
    "RawSession",
    "Refused",
    "RejectReason",
    "Rejected",
    "Replaced",
    "Request",
    "ResolveState",
    "Resolved",
    "Restated",
    "SelfTradePrevention",
    "Session",
    "SessionEnded",
    "Side",
    "Subscription",
    "TimeInForce",
    "Tls",
    "Trigger",
    "Triggered",
    "Unavailable",
    "Unknown",
    "Update",
    "connect_all",
]
