"""From the command line: plays a tape, or looks for differences.

python -m tests.differential FILE                       plays a tape and reports what differs
python -m tests.differential --seed 5 --commands 9000   looks for a difference, shrinks it
... --rules 2                                            under rules version 2
... --shrink 0                                           without shrinking, prints JSON
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from tests.differential import tape
from tests.differential.census import Census
from tests.differential.contest import Engines, contest, explain, first_difference
from tests.differential.engines import KERNEL
from tests.differential.report import describe
from tests.differential.shrink import DEFAULT_WORK_COMMANDS


def _play(path: Path, rules_version: int) -> int:
    shard, steps = tape.read(path)
    found = first_difference(shard, steps, Engines(snapshot_every=1, rules_version=rules_version))
    if found is None:
        print("the engines agree")
        return 0
    print(describe(found, steps))
    return 1


def _look(seed: int, commands: int, work_commands: int, rules_version: int) -> int:
    census, engines = Census(), Engines(rules_version=rules_version)
    found = contest(seed, commands, census, engines)
    if work_commands == 0:
        at = found.commands if found else None
        aspect = found.disagreement.aspect if found else None
        kernel = importlib.import_module(KERNEL).__file__
        print(json.dumps({"found_after": at, "aspect": aspect, "kernel_file": kernel}))
        return 0
    if found is None:
        share = census.trading / census.commands
        print(f"the engines agree on {census.commands} commands, {share:.1%} of them trading")
        return 0
    print(explain(found, f"seed-{seed}", engines, work_commands))
    return 1


def main() -> int:
    """Runs what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("tape", nargs="?", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--shrink", type=int, default=DEFAULT_WORK_COMMANDS)
    parser.add_argument("--rules", type=int, default=1, help="rules version of the tape")
    given = parser.parse_args()
    if given.tape is not None:
        return _play(given.tape, given.rules)
    return _look(given.seed, given.commands, given.shrink, given.rules)


if __name__ == "__main__":
    sys.exit(main())
