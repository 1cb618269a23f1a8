"""Live API keys in memory, and the watch that notices revoked and changed ones.

A token is checked here without the database; the key behind it is read once and kept until it
changes. Streams register what is to be done when their key dies.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway import limits
from gateway.errors import unauthenticated
from gateway.identity.buckets import TokenBucket
from gateway.identity.keys import Caller, KeyRecord
from gateway.identity.store import KeyStore
from gateway.identity.tokens import Signer
from runtime import logs
from runtime.clock import Clock
from runtime.errors import Unavailable

LOGGER = logs.get(__name__)
# Told when the key of a stream is revoked, expires or changes.
KeyGone = Callable[[str], None]
LOOK_BACK = 64


def rights(record: KeyRecord) -> tuple[object, ...]:
    """What a key may do; a change of its public keys (rotation) changes nothing here."""
    return (
        record.effective_scopes,
        record.account_ids,
        record.market_ids,
        record.networks,
    )


class Callers:
    """The keys that call this gateway."""

    def __init__(
        self, store: KeyStore, signer: Signer, clock: Clock, rates: tuple[int, int]
    ) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        # Orders and cancels per second of a key that has no limit of its own.
        self._rates = rates
        self._known: OrderedDict[str, Caller] = OrderedDict()
        self._watchers: dict[str, list[KeyGone]] = {}
        # Of the newest change that was looked at; None before the first look.
        self._version: int | None = None

    def monotonic_ns(self) -> int:
        """The clock of buckets."""
        return self._clock.monotonic_ns()

    def known(self, text: str) -> Caller | None:
        """The caller of a token, None when its key is not in memory. Raises Rejected."""
        token = self._signer.read_token(text)
        if token is None:
            raise unauthenticated("BAD_TOKEN", "not a token of this venue")
        if self._clock.wall_ns() >= token.expires_ns:
            raise unauthenticated("TOKEN_EXPIRED", "the token is over: log on again")
        caller = self._known.get(token.key_id)
        if caller is not None:
            self._known.move_to_end(token.key_id)
            self.check_live(caller.record)
        return caller

    async def find(self, text: str) -> Caller:
        """The caller of a token, from the database. Raises Rejected."""
        token = self._signer.read_token(text)
        record = None if token is None else await self._store.find(token.key_id)
        if record is None:
            raise unauthenticated("UNKNOWN_KEY", "no such key")
        self.check_live(record)
        return self.keep(record)

    def check_live(self, record: KeyRecord) -> None:
        """Raises Rejected when a key is revoked or over."""
        if record.revoked_ns:
            raise unauthenticated("KEY_REVOKED", "the key was revoked")
        if record.expires_ns and self._clock.wall_ns() >= record.expires_ns:
            raise unauthenticated("KEY_EXPIRED", "the key is over")

    def keep(self, record: KeyRecord) -> Caller:
        """Puts a key into memory, with the buckets it has already."""
        now_ns = self.monotonic_ns()
        before = self._known.get(record.key_id)
        orders = record.orders_per_second or self._rates[0]
        cancels = record.cancels_per_second or self._rates[1]
        if before is not None and before.orders.maximum == orders:
            buckets = before.orders, before.cancels, before.calls
        else:
            buckets = (
                TokenBucket(orders, orders, now_ns),
                TokenBucket(cancels, cancels, now_ns),
                TokenBucket(limits.CALLS_PER_SECOND, limits.CALLS_PER_SECOND, now_ns),
            )
        caller = Caller(record, record.effective_scopes, *buckets)
        self._known[record.key_id] = caller
        self._known.move_to_end(record.key_id)
        self._make_room()
        if before is not None and rights(before.record) != rights(record):
            self._tell(record.key_id, "KEY_CHANGED")
        return caller

    def _make_room(self) -> None:
        """The least recently used key goes, but for those with streams: they must hear its end."""
        while len(self._known) > limits.KEYS_CACHED_MAX:
            unwatched = (key_id for key_id in self._known if key_id not in self._watchers)
            key_id = next(unwatched, None)
            if key_id is None:
                return
            del self._known[key_id]

    @contextmanager
    def watching(self, caller: Caller, gone: KeyGone) -> Iterator[None]:
        """Calls `gone` with a reason when the key dies or changes while the block runs.

        Also at once, when it did so since the caller was let in.
        """
        key_id = caller.key_id
        self._watchers.setdefault(key_id, []).append(gone)
        now = self._known.setdefault(key_id, caller)
        if now.record.revoked_ns:
            gone("KEY_REVOKED")
        elif rights(now.record) != rights(caller.record):
            gone("KEY_CHANGED")
        try:
            yield
        finally:
            self._watchers[key_id].remove(gone)
            if not self._watchers[key_id]:
                del self._watchers[key_id]

    async def watch(self) -> None:
        """Looks for changed keys for ever."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                # Keys that are known go on; nobody new gets in. The next look catches up.
                LOGGER.warning("key watch", error=str(error))
            await asyncio.sleep(limits.KEY_WATCH_SECONDS)

    async def look(self) -> None:
        """Takes changed keys over and ends streams of dead ones."""
        if self._version is None:
            self._version = await self._store.newest_version()
        # Versions may become visible out of order: look a little further back than needed.
        for record in await self._store.changed_since(self._version - LOOK_BACK):
            self._version = max(self._version, record.version)
            before = self._known.get(record.key_id)
            if before is None or before.record.version >= record.version:
                continue
            if record.revoked_ns:
                self._tell(record.key_id, "KEY_REVOKED")
            self.keep(record)
        now_ns = self._clock.wall_ns()
        for key_id in list(self._watchers):
            caller = self._known.get(key_id)
            if caller is not None and 0 < caller.record.expires_ns <= now_ns:
                self._tell(key_id, "KEY_EXPIRED")

    def _tell(self, key_id: str, reason: str) -> None:
        for gone in list(self._watchers.get(key_id, ())):
            gone(reason)
