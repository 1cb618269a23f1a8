"""Makes a tape on which engines differ as short as it can: drops steps, envelopes, commands.

Used when a difference was found. Numbers that depend on what was dropped are counted again:
`first_seq` of batches, `first_seq_no` of sessions' envelopes, `source_seq` of custody. Tries are
bounded by the commands that they apply in all.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from tests.differential.tape import Apply, Step

DEFAULT_WORK_COMMANDS: Final = 1_500_000

# Position of the first step at which a tape's engines differ, or None: they agree.
Body = commands.Command | system.SystemCommand
Trial = Callable[[Sequence[Step]], int | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A command, or a step that is not taken apart. `place` is (step, envelope, command)."""

    place: tuple[int, int, int]
    command: Body | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch that was taken apart, with the commands of each envelope."""

    batch: batch_pb2.Batch
    envelopes: list[list[Body]]


def shrink(
    steps: Sequence[Step], trial: Trial, work_commands: int = DEFAULT_WORK_COMMANDS
) -> list[Step]:
    """The shortest tape found on which `trial` still finds a difference."""
    end = trial(steps)
    if end is None:
        raise ValueError("the engines agree on this tape")
    return _Shrinker(list(steps[:end]), trial, work_commands).shrunk()


class _Shrinker:
    def __init__(self, steps: list[Step], trial: Trial, work_commands: int) -> None:
        self._steps = steps
        self._trial = trial
        self._work = work_commands
        self._taken = [_taken(step) for step in steps]
        self._parts = [part for number in range(len(steps)) for part in self._split(number)]

    def _split(self, number: int) -> list[Part]:
        taken = self._taken[number]
        if taken is None:
            return [Part((number, -1, -1))]
        return [
            Part((number, place, index), command)
            for place, envelope in enumerate(taken.envelopes)
            for index, command in enumerate(envelope)
        ]

    def shrunk(self) -> list[Step]:
        """Drops steps first, then envelopes, then commands, until nothing more can go."""
        kept = self._parts
        for depth in (1, 2, 3, 1, 3):
            kept = self._drop_groups(kept, depth)
        return self._build(kept)

    def _drop_groups(self, kept: list[Part], depth: int) -> list[Part]:
        """Drops runs of groups that share the first `depth` numbers of their place."""
        size = max(1, len({part.place[:depth] for part in kept}) // 2)
        while size:
            groups = self._groups(kept, depth)
            start = len(groups)
            while start > 0 and self._work > 0:
                first = max(0, start - size)
                rest = [part for group in groups[:first] + groups[start:] for part in group]
                shorter = self._still_differs(rest)
                if shorter is not None:
                    kept = shorter
                    groups = self._groups(kept, depth)
                    first = min(first, len(groups))
                start = first
            size //= 2
        return kept

    def _groups(self, kept: list[Part], depth: int) -> list[list[Part]]:
        groups: dict[tuple[int, ...], list[Part]] = {}
        for part in kept:
            groups.setdefault(part.place[:depth], []).append(part)
        return list(groups.values())

    def _still_differs(self, kept: list[Part]) -> list[Part] | None:
        """What is needed of these parts to see a difference; None when there is none."""
        if not kept:
            return None
        self._work -= len(kept)
        steps = self._build(kept)
        end = self._trial(steps)
        if end is None:
            return None
        numbers = sorted({part.place[0] for part in kept})[:end]
        return [part for part in kept if part.place[0] <= numbers[-1]]

    def _build(self, kept: list[Part]) -> list[Step]:
        return _Builder(self._steps, self._taken).build(kept)


class _Builder:
    """Makes steps of the parts that are kept, with new numbers."""

    def __init__(self, steps: list[Step], taken: list[_Taken | None]) -> None:
        self._steps = steps
        self._taken = taken
        self._seq = 1
        # How many numbers were left out so far, by session and class, and what a source gave.
        self._numbers: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        self._sources: dict[int, dict[int, int]] = defaultdict(dict)

    def build(self, kept: list[Part]) -> list[Step]:
        by_step: dict[int, list[Part]] = {}
        for part in kept:
            by_step.setdefault(part.place[0], []).append(part)
        return [self._step(number, parts) for number, parts in by_step.items()]

    def _step(self, number: int, parts: list[Part]) -> Step:
        taken = self._taken[number]
        if taken is None:
            return self._steps[number]
        batch = batch_pb2.Batch(
            shard=taken.batch.shard, first_seq=self._seq, time_ns=taken.batch.time_ns
        )
        by_envelope: dict[int, list[Part]] = {}
        for part in parts:
            by_envelope.setdefault(part.place[1], []).append(part)
        for place, inside in by_envelope.items():
            self._envelope(batch.envelopes.add(), taken.batch.envelopes[place], inside)
        self._seq += sum(envelope.count for envelope in batch.envelopes)
        return Apply(batch.SerializeToString(deterministic=True))

    def _envelope(
        self, made: batch_pb2.Envelope, original: batch_pb2.Envelope, parts: list[Part]
    ) -> None:
        made.CopyFrom(original)
        made.count = len(parts)
        if original.system_commands:
            body = system.SystemCommands()
            for part in parts:
                assert isinstance(part.command, system.SystemCommand)
                body.commands.append(self._sourced(part.command))
            made.system_commands = body.SerializeToString(deterministic=True)
            return
        found = [part.command for part in parts]
        firm = commands.Commands()
        for command in found:
            assert isinstance(command, commands.Command)
            firm.commands.append(command)
        made.commands = firm.SerializeToString(deterministic=True)
        if original.session_id:
            key = (original.session_id, original.command_class)
            first = original.first_seq_no
            for part in reversed(parts):
                made.first_seq_no = _counted(self._numbers[key], first + part.place[2])

    def _sourced(self, command: system.SystemCommand) -> system.SystemCommand:
        member = command.WhichOneof("command")
        assert member is not None
        body = getattr(command, member)
        source_id = getattr(body, "source_id", 0)
        if not source_id:
            return command
        counted = system.SystemCommand()
        counted.CopyFrom(command)
        number = _counted(self._sources[source_id], body.source_seq)
        getattr(counted, member).source_seq = number
        return counted


def _counted(seen: dict[int, int], number: int) -> int:
    """The number that takes the place of `number` when only the numbers seen are given out."""
    if number not in seen:
        below = [counted for old, counted in seen.items() if old < number]
        seen[number] = max(below, default=0) + 1
    return seen[number]


def _bodies(envelope: batch_pb2.Envelope) -> list[Body]:
    if envelope.system_commands:
        return list(system.SystemCommands.FromString(envelope.system_commands).commands)
    return list(commands.Commands.FromString(envelope.commands).commands)


def _taken(step: Step) -> _Taken | None:
    """A batch taken apart; None when it would not be the same put together again."""
    if not isinstance(step, Apply):
        return None
    try:
        batch = batch_pb2.Batch.FromString(step.batch)
        envelopes = [_bodies(envelope) for envelope in batch.envelopes]
    except DecodeError:
        return None
    counts = [envelope.count for envelope in batch.envelopes]
    is_plain = envelopes and [len(bodies) for bodies in envelopes] == counts
    if not is_plain or batch.SerializeToString(deterministic=True) != step.batch:
        return None
    return _Taken(batch, envelopes)
