"""Everything a gateway holds for one shard, run together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from cambist.internal.journal.v1 import system_pb2
from cambist.internal.matching.v1 import matching_pb2_grpc
from gateway.errors import Unavailable, unavailable
from gateway.shard.envelopes import system_envelope
from gateway.shard.feed import EventFeed
from gateway.shard.frames import FrameHub
from gateway.shard.link import Link, LinkSettings
from gateway.shard.streams import RowStream
from gateway.shard.submitter import Submitter
from runtime.clock import Clock

# Correlations are random, so that answers to other gateways are never taken for ours.
CORRELATION_BITS = 63


@dataclass(slots=True)
class ShardParts:
    """What a shard is made of; `Shard` wires it."""

    settings: LinkSettings
    clock: Clock
    random_bits: Callable[[int], int]
    ring_bytes_max: int


class Shard:
    """One shard: submit envelopes, hear rows, ask the image."""

    def __init__(self, parts: ShardParts) -> None:
        self.number = parts.settings.shard
        self.clock = parts.clock
        self._random_bits = parts.random_bits
        self.submitter = Submitter()
        self.feed = EventFeed(self.number, parts.ring_bytes_max)
        self.frames = FrameHub()
        self.feed.listen(self.frames)
        self.ups = Watchers()
        self.downs = Watchers([self.feed.router.forget_openings])
        self.link = Link(
            parts.settings,
            self.submitter,
            self.feed,
            on_up=self.ups.tell,
            on_down=self.downs.tell,
        )

    @property
    def is_up(self) -> bool:
        """Whether envelopes can be sent."""
        return self.submitter.is_open

    async def run(self) -> None:
        """Keeps the link and the image going."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.run_image(), name=f"image-{self.number}")
            group.create_task(self.link.run(), name=f"link-{self.number}")

    def stub(self) -> matching_pb2_grpc.MatchingServiceAsyncStub:
        """The primary, for questions. Raises Unavailable while there is none."""
        if self.link.stub is None:
            raise no_primary()
        return self.link.stub

    def row_stream(self) -> RowStream:
        """Rows of the primary. Raises Unavailable while there is none."""
        if self.link.row_stream is None:
            raise no_primary()
        return self.link.row_stream

    def next_correlation(self) -> int:
        """A number that no other gateway uses."""
        return self._random_bits(CORRELATION_BITS) | 1

    def post_system(self, command: system_pb2.SystemCommand) -> None:
        """Sends a command of our own whose answer nobody waits for."""
        envelope = system_envelope(command, self.next_correlation(), self.clock.wall_ns())
        self.submitter.post(envelope, None)


def no_primary() -> Unavailable:
    """The shard cannot be asked."""
    return unavailable("SHARD_UNAVAILABLE", "the shard has no primary now")


@dataclass(slots=True)
class Watchers:
    """Functions called when something happens."""

    functions: list[Callable[[], None]] = field(default_factory=list)

    def add(self, function: Callable[[], None]) -> None:
        """The function is called from now on."""
        self.functions.append(function)

    def remove(self, function: Callable[[], None]) -> None:
        """The function is called no more."""
        self.functions.remove(function)

    def tell(self) -> None:
        """It happened."""
        for function in list(self.functions):
            function()
