from typing import final

__all__ = ["Backtest", "Engine", "Image", "check_envelope", "panic_on_tag"]

@final
class Engine:
    """The engine of one shard. One thread at a time is inside; the interpreter's lock is not held while it works."""

    def __new__(cls, shard: int, rules_newest: int = 1) -> Engine:
        """An empty shard; `rules_newest` is the newest rules version that it may switch to."""
    @staticmethod
    def restore(snapshot: bytes, rules_newest: int = 1) -> Engine:
        """An engine in the state of a snapshot. Raises SnapshotRefused."""
    @staticmethod
    def check_envelope(envelope: bytes) -> None:
        """Raises MalformedEnvelope unless the bytes are a well-formed envelope."""
    def apply(self, batch: bytes) -> bytes:
        """Applies a batch and gives its event row.

        Raises BatchRefused or MalformedEnvelope, with nothing changed, or EnginePanicked: then, and from then on, every
        use of the object does.
        """
    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        """Applies a batch and says whether its event row is `row`, without making a copy. Raises what `apply` does."""
    def snapshot(self) -> bytes:
        """The state as canonical bytes."""
    def state_parts(self) -> dict[str, bytes]:
        """BLAKE3 of each section of the snapshot: money, books, triggers, sessions, keys, limits."""
    @property
    def state_hash(self) -> bytes:
        """Chained hash after the last batch, 32 bytes."""
    @property
    def last_seq(self) -> int:
        """Journal sequence of the last command, 0 before the first."""
    @property
    def time_ns(self) -> int:
        """Engine time of the last batch."""
    @property
    def next_timer_ns(self) -> int:
        """When the next timer is due, 0 without one."""
    @property
    def open_cursors(self) -> int:
        """How many markets are being cleared."""

@final
class Backtest:
    """An engine driven by rows of numbers. Layouts: `cambist.backtest.rows`.

    Setting up raises Refused; time is what the rows and `advance` say.
    """

    def __new__(cls, shard: int) -> Backtest: ...
    def create_asset(self, asset_id: int, symbol: str, decimals: int) -> None: ...
    def create_firm(self, firm_id: int, name: str) -> None: ...
    def create_account(
        self,
        account_id: int,
        firm_id: int,
        self_trade_group_id: int,
        open_orders_max: int,
        id_capacity: int,
    ) -> None: ...
    def create_market(
        self,
        market_id: int,
        symbol: str,
        base_asset_id: int,
        quote_asset_id: int,
        lot_size_atoms: int,
        tick_size_atoms: int,
        maker_fee_ppm: int,
        taker_fee_ppm: int,
    ) -> None: ...
    def set_phase(self, market_id: int, phase: int) -> None: ...
    def credit(self, account_id: int, asset_id: int, amount_atoms: int) -> None: ...
    def advance(self, time_ns: int) -> None:
        """What is due until then happens; an earlier time changes nothing."""
    def play(self, rows: bytes, batch_ns: int) -> int:
        """Plays order rows and gives their number. Rows within `batch_ns` are one batch.

        Raises BadRow, with nothing played.
        """
    def replay(self, batch: bytes) -> None:
        """Replays a batch of a journal. Raises what Engine.apply raises."""
    def want(self, reports: bool, trades: bool, quotes: bool) -> None:
        """What is kept from now on."""
    def take(self) -> tuple[bytes, bytes, bytes]:
        """Rows of reports, trades and quotes since the last call."""
    def levels(self, market_id: int, side: int, depth: int) -> list[tuple[int, int, int]]:
        """Price, quantity and orders of the best levels, best first."""
    def queue(self, market_id: int, side: int, count: int) -> list[tuple[int, int, int, int]]:
        """Venue's order id, account, price and open quantity of the first orders to trade."""
    def balance(self, account_id: int, asset_id: int) -> tuple[int, int, int] | None:
        """Available, held and in-flight atoms; None without the account."""
    def state_parts(self) -> dict[str, bytes]:
        """As of Engine."""
    @property
    def time_ns(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def resting_orders(self) -> int: ...

@final
class Image:
    """Books, balances and open orders of one shard after the row with `last_seq`."""

    def __new__(cls, shard: int) -> Image: ...
    def load_snapshot(self, snapshot: bytes) -> None:
        """Forgets everything and starts from a snapshot. Raises FeedBroken, with the image as before."""
    def apply(self, first_seq: int, last_seq: int, event_row: bytes) -> None:
        """Applies the next row. Raises FeedBroken."""
    @property
    def last_seq(self) -> int:
        """The last seq of the last row."""
    @property
    def markets(self) -> list[int]:
        """The markets, ascending."""
    def bbo(self, market_id: int) -> bytes:
        """BestBidOffers with one quote; empty when there is no such market."""
    def status(self, market_id: int) -> bytes:
        """MarketStatuses with one status; empty when there is no such market."""
    def l2(self, market_id: int, depth: int) -> bytes:
        """L2Deltas with one delta of `depth` levels per side, 0 = all; empty without the market."""
    def l3(self, market_id: int) -> bytes:
        """L3Events with an ADD per order; empty when there is no such market."""
    def market_seq(self, market_id: int) -> int:
        """Last market_seq of a market, 0 when there is no such market."""
    def crc(self, market_id: int) -> int:
        """CRC of the best levels, 0 when there is no such market."""
    def balances(self, account_id: int) -> bytes:
        """BalanceUpdates of an account; `seq` in them is `last_seq`."""
    def open_orders(self, account_id: int, after_order_id: int, limit: int) -> bytes:
        """PrivateEvents: a NEW report per open order above an id, ascending, at most `limit`."""
    def order(self, account_id: int, order_id: int) -> bytes:
        """PrivateEvents with the report of one open order, else empty."""

def check_envelope(envelope: bytes) -> None:
    """Raises MalformedEnvelope unless the bytes are a well-formed envelope."""

def panic_on_tag(tag: int) -> None:
    """See cambist_kernel.testing."""
