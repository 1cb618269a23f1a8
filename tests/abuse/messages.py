"""Makes hostile protobuf messages from descriptors: edge numbers, wrong lengths, noise.

The RPC fuzzer calls it. It never reads a clock and takes its randomness from the caller, so a seed
gives the same messages again.
"""

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

INTEGER_EDGES: Final = (0, 1, 2, -1, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
LENGTHS: Final = (0, 1, 15, 16, 17, 32, 300)
STRINGS: Final = ("", "a", "BTC-USDT", "é" * 40, "1e400", "NaN", "\u0663", "9" * 300)
DEPTH_MAX: Final = 4
REPEATED_MAX: Final = 3
MUTATIONS_MAX: Final = 4
# Of fields that hold another message, so many get one; the rest get noise.
INNER_SHARE: Final = 0.8
INTEGER_BITS: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


class MessageMaker:
    """Makes messages of any type; known ids make some of them meaningful to a venue.

    `inner`: which message is inside a field of bytes, by the field's full name.
    """

    def __init__(
        self,
        source: random.Random,
        known_numbers: tuple[int, ...] = (),
        inner: Mapping[str, Descriptor] = MappingProxyType({}),
    ) -> None:
        self._random = source
        self._known = known_numbers
        self._inner = inner

    def message(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """A message of the type with some of its fields set to edge values."""
        message = GetMessageClass(descriptor)()
        for field in descriptor.fields:
            if self._random.random() < 0.25:
                continue
            self._set(message, field, depth)
        return message

    def body(self, descriptor: Descriptor) -> bytes:
        """Bytes for a request of the type: its own encoding, a mutation of it, or noise."""
        choice = self._random.random()
        if choice < 0.1:
            return self._random.randbytes(self._random.randrange(64))
        encoded = self.message(descriptor).SerializeToString()
        return self._mutate(encoded) if choice < 0.4 else encoded

    def _set(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None:
            if depth >= DEPTH_MAX:
                return
            if field.is_repeated:
                for _ in range(self._random.randrange(REPEATED_MAX)):
                    inner = self.message(field.message_type, depth + 1)
                    getattr(message, field.name).add().CopyFrom(inner)
            else:
                inner = self.message(field.message_type, depth + 1)
                getattr(message, field.name).CopyFrom(inner)
        elif field.is_repeated:
            values = [self._scalar(field) for _ in range(self._random.randrange(REPEATED_MAX))]
            getattr(message, field.name).extend(values)
        else:
            setattr(message, field.name, self._scalar(field))

    def _scalar(self, field: FieldDescriptor) -> object:
        if field.type in INTEGER_BITS:
            low, high = INTEGER_BITS[field.type]
            candidates = [edge for edge in INTEGER_EDGES + self._known if low <= edge <= high]
            return self._random.choice(candidates)
        if field.enum_type is not None:
            numbers = [value.number for value in field.enum_type.values]
            return self._random.choice([*numbers, 99])
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self._random.random() < 0.5
        if field.type == FieldDescriptor.TYPE_BYTES:
            inner = self._inner.get(field.full_name)
            if inner is not None and self._random.random() < INNER_SHARE:
                return self.body(inner)
            return self._random.randbytes(self._random.choice(LENGTHS))
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._random.choice(STRINGS)
        raise AssertionError(f"the contract has no fields of type {field.type}")

    def _mutate(self, encoded: bytes) -> bytes:
        mutated = bytearray(encoded)
        for _ in range(self._random.randrange(1, MUTATIONS_MAX)):
            place = self._random.randrange(len(mutated) + 1)
            action = self._random.randrange(3)
            if action == 0 or place == len(mutated):
                mutated.insert(place, self._random.randrange(256))
            elif action == 1:
                del mutated[place]
            else:
                mutated[place] ^= 1 << self._random.randrange(8)
        return bytes(mutated)
