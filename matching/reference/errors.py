"""Errors of the reference engine.

EngineError
├── MalformedEnvelope   an envelope breaks a decoding rule; nothing changed
├── BatchRefused        the batch does not follow the last one; nothing changed
├── EnginePanicked      the engine stopped in the middle of a batch; drop the object
└── SnapshotRefused     the bytes are not a snapshot of this build

Refusal is not one of them: it is how a rule tells the dispatcher that a command is refused, and
never leaves the package.
"""

from cambist.orders.v1 import enums_pb2


class EngineError(Exception):
    """Any error that leaves the engine."""


class MalformedEnvelope(EngineError):
    """An envelope breaks a decoding rule of section 2. Nothing changed."""

    def __init__(self, reason: int, index: int, field: int) -> None:
        super().__init__(reason, index, field)
        self.reason = reason
        self.index = index
        self.field = field

    def __str__(self) -> str:
        return f"malformed envelope: reason {self.reason}, command {self.index}, field {self.field}"


class BatchRefused(EngineError):
    """A batch does not follow the last one. Nothing changed; `reason` is a name of section 3."""

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


class Refusal(Exception):  # a refusal is an answer, not an error
    """A command is refused for a named reason; nothing was changed by it."""

    def __init__(
        self,
        reason: enums_pb2.RejectReason.ValueType,
        phase: enums_pb2.MarketPhase.ValueType = enums_pb2.MARKET_PHASE_UNSPECIFIED,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.phase = phase
