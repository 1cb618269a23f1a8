"""The door of the SDK: one key at one venue. Makes sessions, streams and queries.

Calls share one connection per endpoint, and so do a number of sessions; every stream has its own.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cambist.client import limits
from cambist.client.addresses import Addresses
from cambist.client.channels import Channels, Tls
from cambist.client.driver import Terms
from cambist.client.drop_copy import DropCopy
from cambist.client.enums import CancelOnDisconnect
from cambist.client.errors import InvalidInput, Rejected
from cambist.client.events import Event
from cambist.client.instruments import Asset, Market
from cambist.client.keys import ApiKey
from cambist.client.ledger import Ledger
from cambist.client.logon import Logon
from cambist.client.market_data import MarketData
from cambist.client.queries import Queries
from cambist.client.raw import RawSession
from cambist.client.reference import Reference
from cambist.client.reserves import Reserves
from cambist.client.risk import Risk
from cambist.client.sandbox import Sandbox
from cambist.client.session import Session
from cambist.client.unary import UnaryOrders
from cambist.client.wallet import Wallet
from cambist.client.withdrawals import Withdrawals


class Client:
    """A firm's connection to a venue. `await Client.connect(...)` or `async with`."""

    def __init__(self, endpoints: Sequence[str], key: ApiKey, tls: Tls | None) -> None:
        self._logon = Logon(key)
        self.channels = Channels.open(tuple(endpoints), tls, self._logon)
        # Reads that change nothing, tried again while the venue is unavailable.
        self.queries = Queries(self.channels)
        # Balances, their stream, transfers.
        self.wallet = Wallet(self.channels)
        # Quotes, requests and lists of withdrawals; lists of deposits.
        self.withdrawals = Withdrawals(self.channels)
        # Where withdrawals may go.
        self.addresses = Addresses(self.channels)
        # What changed balances.
        self.ledger = Ledger(self.channels)
        # Proofs of what the venue owes.
        self.reserves = Reserves(self.channels)
        # All orders of the firm at once.
        self.risk = Risk(self.channels)
        # Play money, on a sandbox venue.
        self.sandbox = Sandbox(self.channels)
        # One order per call: simple, and slower than a session.
        self.orders = UnaryOrders(self.channels)
        self._reference = Reference(self.channels)

    @classmethod
    def connect(
        cls,
        endpoint: str | Sequence[str],
        key: ApiKey | None = None,
        *,
        key_file: str | Path = "",
        tls: Tls | None = None,
    ) -> Self:
        """Use as `await Client.connect(...)` or `async with Client.connect(...) as client`.

        `endpoint`: "host:port", or several of the same venue's gateways. The key itself or the
        file of one. `tls` None is plain text: only for development. Raises InvalidInput,
        Rejected (UNKNOWN_KEY, BAD_SIGNATURE, CLOCK_SKEW …), Unavailable.
        """
        if (key is None) == (not str(key_file)):
            raise InvalidInput("INVALID_KEY", "give a key, or the file of one")
        endpoints = [endpoint] if isinstance(endpoint, str) else endpoint
        return cls(endpoints, key or ApiKey.load(key_file), tls)

    async def open(self) -> Self:
        """Logs on. Every endpoint is tried before Unavailable is raised."""
        await self._reference.server_time_ns()
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the channels of calls; close sessions and streams first."""
        await self.channels.close()

    # --- who we are

    @property
    def firm_id(self) -> int:
        """Firm of the key."""
        return self._logon.firm_id

    @property
    def account_ids(self) -> tuple[int, ...]:
        """Accounts of the key, when it logged on."""
        return self._logon.account_ids

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the key may do."""
        return self._logon.scopes

    # --- what can be traded

    async def assets(self) -> dict[str, Asset]:
        """Assets by symbol."""
        return {asset.symbol: asset for asset in (await self._reference.assets()).values()}

    async def markets(self) -> dict[str, Market]:
        """Markets by symbol."""
        return {market.symbol: market for market in await self._reference.markets()}

    async def market(self, symbol: str) -> Market:
        """One market. Raises Rejected(UNKNOWN_MARKET)."""
        markets = await self.markets()
        if symbol not in markets:
            raise Rejected("UNKNOWN_MARKET", f"{symbol} is none of {', '.join(sorted(markets))}")
        return markets[symbol]

    async def server_time_ns(self) -> int:
        """The venue's clock."""
        return await self._reference.server_time_ns()

    # --- sessions and streams

    def session(  # noqa: PLR0913 - keywords of the public surface
        self,
        name: str,
        *,
        account_ids: Sequence[int] = (),
        shard: int = 1,
        cancel_on_disconnect: CancelOnDisconnect = CancelOnDisconnect.NEVER,
        window_ms: int = limits.WINDOW_MS,
        keep_alive_ms: int = limits.KEEP_ALIVE_MS,
        on_event: Callable[[Event], None] | None = None,
        batch_commands: int = limits.AUTO_BATCH_COMMANDS,
        unanswered_max: int = limits.UNANSWERED_MAX,
        give_up_seconds: float = limits.GIVE_UP_SECONDS,
    ) -> Session:
        """An order session: `async with client.session("maker") as session`.

        `name` (1 to 32 characters) finds the same session again; only one connection holds it at
        a time, a newer one takes it over. `account_ids` empty = all of the key. `on_event` is
        called for every event from the first on and must not block; `session.events()` is the
        other way to hear them. `cancel_on_disconnect` says when open orders that this session
        entered are cancelled: `window_ms` after a loss of the connection that it did not come
        back from, at once after `close`, both, or never. Rules version 2 carries it out.
        """
        terms = Terms(
            name=name,
            shard=shard,
            account_ids=tuple(sorted(account_ids)),
            cancel_on_disconnect=cancel_on_disconnect,
            window_ms=window_ms,
            keep_alive_ms=keep_alive_ms,
            give_up_seconds=give_up_seconds,
        )
        return Session(
            self.channels.for_session(),
            terms,
            on_event=on_event,
            batch_commands=batch_commands,
            unanswered_max=unanswered_max,
        )

    def raw_session(
        self,
        name: str,
        *,
        account_ids: Sequence[int] = (),
        shard: int = 1,
        cancel_on_disconnect: CancelOnDisconnect = CancelOnDisconnect.NEVER,
        is_session_only: bool = False,
    ) -> RawSession:
        """A session for load generators: encoded batches in, encoded events out."""
        terms = Terms(
            name=name,
            shard=shard,
            account_ids=tuple(sorted(account_ids)),
            cancel_on_disconnect=cancel_on_disconnect,
            is_session_only=is_session_only,
        )
        return RawSession(self.channels.for_session(), terms)

    def market_data(self) -> MarketData:
        """A market data stream: `async with client.market_data() as feed`."""
        return MarketData(self.channels.separate())

    def drop_copy(
        self, account_ids: Sequence[int] = (), *, resume_after_seq: int = 0, shard: int = 1
    ) -> DropCopy:
        """All private events of accounts, from a snapshot or a resume point on."""
        return DropCopy(self.channels.separate(), tuple(account_ids), resume_after_seq, shard)


async def connect_all(
    endpoint: str | Sequence[str], keys: Sequence[ApiKey], *, tls: Tls | None = None
) -> list[Client]:
    """Clients of several keys at once."""
    return list(
        await asyncio.gather(*(Client.connect(endpoint, key, tls=tls).open() for key in keys))
    )
