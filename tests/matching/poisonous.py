"""An engine that stops at orders with a certain tag, around a real one."""

from dataclasses import replace
from typing import Any

from cambist.internal.journal.v1 import batch_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.engines import Engine, EngineKind
from runtime.varint import varint
from tests.matching.shard import KIND

POISON_TAG = 666
# Stops at CommandPoisoned too: nothing helps.
DEADLY_TAG = 667


class PoisonousEngine:
    """Panics where the engine inside would not."""

    def __init__(self, inside: Engine) -> None:
        self._inside = inside
        self._is_broken = False

    def __getattr__(self, name: str) -> Any:
        assert not self._is_broken, "an engine that panicked is dropped"
        return getattr(self._inside, name)

    def apply(self, batch: bytes) -> bytes:
        assert not self._is_broken, "an engine that panicked is dropped"
        for envelope in batch_pb2.Batch.FromString(batch).envelopes:
            if stops_at(envelope):
                self._is_broken = True
                raise KIND.panicked("planted")
        return self._inside.apply(batch)

    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        return self.apply(batch) == row


def stops_at(envelope: batch_pb2.Envelope) -> bool:
    if envelope.command_class == enums_pb2.COMMAND_CLASS_SYSTEM:
        return varint(DEADLY_TAG) in envelope.system_commands
    tags = {
        command.new_order.tag
        for command in commands_pb2.Commands.FromString(envelope.commands).commands
    }
    return bool(tags & {POISON_TAG, DEADLY_TAG})


def poisonous_kind() -> EngineKind:
    return replace(
        KIND,
        name="poisonous",
        make=lambda shard: PoisonousEngine(KIND.make(shard)),
        restore=lambda snapshot: PoisonousEngine(KIND.restore(snapshot)),
    )
