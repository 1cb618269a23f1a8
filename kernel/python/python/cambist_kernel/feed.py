"""The image of the feed: what released event rows say of books, balances and open orders.

Used by gateway and SDK; `cambist.feed` is its plain twin. It never guesses: what does not fit is
FeedBroken.
"""

from cambist_kernel._cambist_kernel import Image
from cambist_kernel.errors import FeedBroken

__all__ = ["FeedBroken", "Image"]
