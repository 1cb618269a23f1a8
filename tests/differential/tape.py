"""Steps of a tape, and files of them.

A tape is what two engines are given: batches, and places where each engine is replaced by one that
was restored from its snapshot. Files are used to hand a difference to whoever mends it.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HEAD = struct.Struct("<BI")
MAGIC = b"cambist tape 1\n"


@dataclass(frozen=True, slots=True)
class Apply:
    """A batch is applied."""

    batch: bytes


@dataclass(frozen=True, slots=True)
class Restore:
    """Both engines are replaced by ones restored from their snapshots."""


Step = Apply | Restore


def write(path: Path, shard: int, steps: Iterable[Step]) -> None:
    """Writes a tape to a file."""
    records = [struct.pack("<I", shard)]
    for step in steps:
        batch = step.batch if isinstance(step, Apply) else b""
        records.append(HEAD.pack(isinstance(step, Restore), len(batch)) + batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MAGIC + zlib.compress(b"".join(records), 9))


def read(path: Path) -> tuple[int, list[Step]]:
    """The shard and the steps of a file. Raises ValueError when it is not a tape."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ValueError(f"{path} is not a tape")
    records = zlib.decompress(data[len(MAGIC) :])
    (shard,) = struct.unpack_from("<I", records)
    steps: list[Step] = []
    place = 4
    while place < len(records):
        is_restore, length = HEAD.unpack_from(records, place)
        place += HEAD.size
        steps.append(Restore() if is_restore else Apply(records[place : place + length]))
        place += length
    return shard, steps
