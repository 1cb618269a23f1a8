"""The image of the feed: the kernel's when it is built, else its plain twin, which is slow."""

import importlib
import importlib.util
from types import ModuleType
from typing import Final, Protocol

import cambist.feed

KERNEL = "cambist_kernel.feed"


def find_feed() -> ModuleType:
    """The kernel's decoder, or its plain twin, which gives the same bytes."""
    if importlib.util.find_spec(KERNEL.partition(".")[0]) is None:
        return cambist.feed
    return importlib.import_module(KERNEL)


FEED: Final = find_feed()
ENGINE: Final = "plain" if FEED is cambist.feed else "kernel"
FeedBroken: Final[type[Exception]] = FEED.FeedBroken

__all__ = ["ENGINE", "FeedBroken", "FeedImage", "make_image"]


class FeedImage(Protocol):
    """Books, balances and open orders after a row; bytes out. docs/semantics.md §10."""

    @property
    def last_seq(self) -> int:
        """Last sequence applied."""
        ...

    @property
    def markets(self) -> list[int]:
        """All markets, ascending."""
        ...

    def load_snapshot(self, snapshot: bytes) -> None:
        """Starts anew from a snapshot."""
        ...

    def apply(self, first_seq: int, last_seq: int, event_row: bytes) -> None:
        """The next row."""
        ...

    def bbo(self, market_id: int) -> bytes:
        """BestBidOffers."""
        ...

    def status(self, market_id: int) -> bytes:
        """MarketStatuses."""
        ...

    def l2(self, market_id: int, depth: int) -> bytes:
        """L2Deltas with one delta."""
        ...

    def l3(self, market_id: int) -> bytes:
        """L3Events, one ADD per order."""
        ...

    def market_seq(self, market_id: int) -> int:
        """Last market_seq."""
        ...

    def balances(self, account_id: int) -> bytes:
        """BalanceUpdates."""
        ...

    def open_orders(self, account_id: int, after_order_id: int, limit: int) -> bytes:
        """PrivateEvents, one NEW report per open order."""
        ...

    def order(self, account_id: int, order_id: int) -> bytes:
        """PrivateEvents with at most one report."""
        ...


def make_image(shard: int) -> FeedImage:
    """An empty image."""
    image: FeedImage = FEED.Image(shard)
    return image
