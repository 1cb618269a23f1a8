"""The reference engine: slow, plain Python, from docs/semantics.md alone: the oracle of the kernel.

Same bytes in, same bytes out, same state hash as the kernel. Called by `matching.engines` (when the
kernel is not built), by the differential tests and by the replay checks. It must never read a
clock, a random source or anything outside its arguments, nor be written by looking at the kernel.
"""

from matching.reference.engine import Engine
from matching.reference.envelopes import check_envelope
from matching.reference.errors import (
    BatchRefused,
    EnginePanicked,
    MalformedEnvelope,
    SnapshotRefused,
)

__all__ = [
    "BatchRefused",
    "Engine",
    "EnginePanicked",
    "MalformedEnvelope",
    "SnapshotRefused",
    "check_envelope",
]
