"""How much `benchmarks.venue` measures: full on a quiet machine, small in CI, by parameters."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

# Commands of one session, and messages of all sessions together, without an answer.
WINDOW_COMMANDS_SESSION: Final = 16_000
WINDOW_MESSAGES_ALL: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    batches: tuple[int, ...]
    sessions: tuple[int, ...]
    # Commands of a case at most, and per command of its messages: small messages take longer.
    commands_max: int
    commands_per_batch: int
    # Commands without an answer, of all sessions together.
    window_commands: int
    latency_commands: int
    rounds: int
    ceiling_seconds: float
    # Commands in the journal when recovery is measured.
    recovery_commands: int
    # Orders at rest while snapshots are taken, and orders timed with and without.
    resting_orders: int
    snapshot_probes: int

    def commands_of(self, batch: int) -> int:
        """Commands of a throughput case."""
        return min(self.commands_max, self.commands_per_batch * batch)

    def window_of(self, batch: int, sessions: int) -> int:
        """Commands of one session without an answer."""
        commands = min(self.window_commands, WINDOW_MESSAGES_ALL * batch) // sessions
        return max(2 * batch, min(WINDOW_COMMANDS_SESSION, commands))


# About four times what matching's inbox holds is on its way: one batch is applied, one committed,
# one delivered and answered, while one waits.
FULL: Final = Sizes(
    batches=(1, 10, 100, 256),
    sessions=(1, 8, 64),
    commands_max=400_000,
    commands_per_batch=12_000,
    window_commands=40_000,
    latency_commands=3_000,
    rounds=5,
    ceiling_seconds=3.0,
    recovery_commands=1_000_000,
    resting_orders=1_000_000,
    snapshot_probes=3_000,
)
SMALL: Final = Sizes(
    batches=(1, 256),
    sessions=(1, 8),
    commands_max=40_000,
    commands_per_batch=8_000,
    window_commands=20_000,
    latency_commands=300,
    rounds=1,
    ceiling_seconds=1.0,
    recovery_commands=50_000,
    resting_orders=20_000,
    snapshot_probes=300,
)
# The reference engine carries out a few thousand commands per second.
REFERENCE: Final = replace(
    SMALL,
    batches=(1, 100),
    commands_max=6_000,
    commands_per_batch=4_000,
    window_commands=2_000,
    recovery_commands=8_000,
    resting_orders=2_000,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    sizes: Sizes
    # Kinds of cases.
    kinds: frozenset[str]
    writes_page: bool


KINDS: Final = ("latency", "orders", "recovery", "snapshot")


def read_options(arguments: Sequence[str], *, has_kernel: bool) -> Options:
    """From the command line; CAMBIST_BENCH_SMALL=1 is the same as --small."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.venue")
    parser.add_argument("--small", action="store_true", help="sizes for CI")
    parser.add_argument("--docs", action="store_true", help="writes docs/benchmarks/venue.md")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--batches", type=int, nargs="+", default=[])
    parser.add_argument("--sessions", type=int, nargs="+", default=[])
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS)
    given = parser.parse_args(arguments)
    is_small = given.small or os.environ.get("CAMBIST_BENCH_SMALL") == "1"
    sizes = SMALL if is_small else FULL
    if not has_kernel:
        sizes = REFERENCE
    if given.rounds:
        sizes = replace(sizes, rounds=given.rounds)
    if given.batches:
        sizes = replace(sizes, batches=tuple(given.batches))
    if given.sessions:
        sizes = replace(sizes, sessions=tuple(given.sessions))
    return Options(sizes, frozenset(given.only), given.docs)
