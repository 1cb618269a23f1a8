"""`python -m venue.replay`: the reference engine carries out a part of the journal again.

From the beginning; every event row and every state hash must be the same bytes. The DSN is
read from CAMBIST_CHECKER_DSN.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from matching.reference import Engine
from venue.checker.journal import read_rows


@dataclass(slots=True)
class Replayed:
    """How far it came."""

    rows: int = 0
    commands: int = 0
    last_seq: int = 0
    difference: str = ""


async def replay(dsn: str, shard: int, commands_max: int, seconds_max: float) -> Replayed:
    """Replays until a limit is reached, the journal ends, or something differs."""
    engine, done = Engine(shard), Replayed()
    deadline = time.monotonic() + seconds_max
    async for row in read_rows(dsn, shard):
        events = engine.apply(row.commands)
        if events != row.events or engine.state_hash != row.state_hash:
            done.difference = (
                f"row {row.first_seq} to {row.last_seq}: {first_difference(events, row.events)}"
            )
            break
        done.rows += 1
        done.commands += row.last_seq - row.first_seq + 1
        done.last_seq = row.last_seq
        if done.commands >= commands_max or time.monotonic() > deadline:
            break
    return done


def first_difference(ours: bytes, theirs: bytes) -> str:
    """Where two byte strings part."""
    for index, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        if a != b:
            return f"byte {index} of {len(ours)} and {len(theirs)}"
    return f"lengths {len(ours)} and {len(theirs)}, or the state hash"


def main() -> int:
    """Replays and prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    dsn = os.environ["CAMBIST_CHECKER_DSN"]
    done = uvloop.run(replay(dsn, given.shard, given.commands, given.seconds))
    plain = {
        "ok": not done.difference and done.commands > 0,
        "rows": done.rows,
        "commands": done.commands,
        "difference": done.difference,
    }
    if given.out:
        given.out.write_text(json.dumps(plain))
    print(json.dumps(plain))
    return 0 if plain["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
