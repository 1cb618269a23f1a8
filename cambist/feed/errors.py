"""Errors of the feed.

FeedBroken   a row or a snapshot does not fit the image
"""


class FeedBroken(Exception):  # the name of section 10
    """A row or a snapshot does not fit the image.

    `reason` is one of WRONG_SEQ, WRONG_SHARD, MARKET_GAP, ACCOUNT_GAP, CRC_DIFFERS, UNKNOWN_ORDER,
    MALFORMED. After WRONG_SEQ, and whatever `load_snapshot` raises, the image is as before; after
    every other one it must be dropped.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
