"""Errors of the kernel.

EngineError
├── MalformedEnvelope   an envelope breaks a decoding rule; nothing changed
├── BatchRefused        the batch does not follow the last one; nothing changed
├── EnginePanicked      the engine stopped in the middle of a batch; drop the object
├── BadRow              a row of a backtest says nothing sensible; nothing was played
├── Refused             a backtest's venue refused one of its own commands
└── SnapshotRefused     the bytes are not a snapshot of this build
FeedBroken              a row or a snapshot does not fit the image of the feed
"""


class EngineError(Exception):
    """Any error of the engine."""


class MalformedEnvelope(EngineError):
    """An envelope breaks a decoding rule. Nothing changed.

    `reason` is a number of cambist.internal.matching.v1.MalformedReason, `index` that of the
    command in its envelope, `field` the number of the innermost field, 0 = none.
    """

    def __init__(self, reason: int, index: int, field: int) -> None:
        super().__init__(reason, index, field)
        self.reason = reason
        self.index = index
        self.field = field

    def __str__(self) -> str:
        return f"malformed envelope: reason {self.reason}, command {self.index}, field {self.field}"


class BatchRefused(EngineError):
    """A batch does not follow the last one. Nothing changed.

    `reason` is MALFORMED_BATCH, WRONG_SHARD, WRONG_SEQ, TIME_BACKWARDS, NO_ENVELOPE or TOO_LARGE.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EnginePanicked(EngineError):
    """The engine stopped in the middle of a batch. Its state is undefined: drop the object."""


class SnapshotRefused(EngineError):
    """The bytes are not a canonical snapshot of this build; `reason` says what is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FeedBroken(Exception):
    """A row or a snapshot does not fit the image.

    `reason` is one of WRONG_SEQ, WRONG_SHARD, MARKET_GAP, ACCOUNT_GAP, CRC_DIFFERS, UNKNOWN_ORDER,
    MALFORMED. After WRONG_SEQ, and whatever `load_snapshot` raises, the image is as before; after
    every other one it must be dropped.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadRow(EngineError):
    """A row given to a backtest says nothing sensible. Nothing was played.

    `index` is that of the row, `field` what is wrong: kind, side, time_in_force, post_only,
    account_id (there is no such account), time_ns (before the row ahead, or before the engine's
    time), size (not whole rows, or too many).
    """

    def __init__(self, index: int, field: str) -> None:
        super().__init__(index, field)
        self.index = index
        self.field = field

    def __str__(self) -> str:
        return f"row {self.index}: {self.field}"


class Refused(EngineError):
    """The venue of a backtest refused one of its own commands.

    `reason` is a number of cambist.orders.v1.RejectReason.
    """

    def __init__(self, reason: int) -> None:
        super().__init__(reason)
        self.reason = reason
