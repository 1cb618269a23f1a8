"""The feed decoder in plain Python: event rows, books, balances, open orders.

Used by gateway and SDK when `cambist_kernel` is absent; `cambist_kernel.feed` has the same
interface and gives the same bytes. `Image` reads messages that only venue processes have and is
imported when it is first asked for; `book` and `row` need the public contract alone.
"""

from typing import TYPE_CHECKING, Any

from cambist.feed.errors import FeedBroken

if TYPE_CHECKING:
    from cambist.feed.image import Image

__all__ = ["FeedBroken", "Image"]


def __getattr__(name: str) -> Any:
    if name != "Image":
        raise AttributeError(name)
    from cambist.feed.image import Image

    return Image
