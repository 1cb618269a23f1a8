"""The engine of Cambist: bytes in, bytes out, no I/O.

Used by matching (`Engine`, `check_envelope`), gateway and SDK (`cambist_kernel.feed`). Every call
that works releases the interpreter's lock. The rules are those of docs/semantics.md;
`matching.reference` has the same interface.
"""

from cambist_kernel._cambist_kernel import Engine, check_envelope
from cambist_kernel.errors import (
    BatchRefused,
    EngineError,
    EnginePanicked,
    MalformedEnvelope,
    SnapshotRefused,
)

__all__ = [
    "BatchRefused",
    "Engine",
    "EngineError",
    "EnginePanicked",
    "MalformedEnvelope",
    "SnapshotRefused",
    "check_envelope",
]
