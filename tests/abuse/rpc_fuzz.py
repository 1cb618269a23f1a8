"""Fuzzes every RPC of a running venue with hostile bytes.

Passes when the venue answers every call with a named status that is not of its own fault (INTERNAL,
UNKNOWN, DATA_LOSS) and when a refused call (INVALID_ARGUMENT) leaves the journal where it was. Call
it on a venue of its own: it enters real orders.
"""

import asyncio
import collections
import importlib
import pkgutil
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

import cambist
from tests.abuse.messages import MessageMaker

UNARY_SECONDS: Final = 2.0
STREAM_SECONDS: Final = 0.3
STREAM_MESSAGES_MAX: Final = 8
ANSWERS_READ_MAX: Final = 20
# A call that is refused and during which the journal moved is made again: something else moved it.
REPEATS: Final = 5
# What grpcio says by itself when we write to a call that has just ended; it hides the true status.
LOCAL_FAULT: Final = "Internal error from Core"
OUR_FAULT: Final = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}
)
AppliedSequence: TypeAlias = Callable[[], Awaitable[int]]
# Credentials of a call, and first messages for streams that only go on after good ones.
Metadata: TypeAlias = Callable[[], Awaitable[tuple[tuple[str, str], ...]]]
Opener: TypeAlias = Callable[[], Awaitable[list[bytes]]]


@dataclass(slots=True)
class Findings:
    """What the fuzzer saw: calls by method and status, and everything that breaks the promise."""

    calls: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Takes over what another fuzzer saw."""
        self.calls += other.calls
        self.faults += other.faults


def services(prefix: str) -> list[ServiceDescriptor]:
    """Every service of the generated contract whose package starts with the prefix."""
    found: dict[str, ServiceDescriptor] = {}
    for module in pkgutil.walk_packages(cambist.__path__, "cambist."):
        if not module.name.endswith("_pb2") or not module.name.startswith(prefix):
            continue
        descriptor = importlib.import_module(module.name).DESCRIPTOR
        found.update({s.full_name: s for s in descriptor.services_by_name.values()})
    return [found[name] for name in sorted(found)]


@dataclass(slots=True)
class RpcFuzzer:
    """Calls methods of some services on one channel until its time is up."""

    channel: grpc.aio.Channel
    methods: list[MethodDescriptor]
    maker: MessageMaker
    source: random.Random
    metadata: Metadata
    # By full name of the method.
    openers: dict[str, Opener] = field(default_factory=dict)
    # Refused calls leave the journal alone. Operators' commands that the engine refuses are in it.
    refusals_are_silent: bool = True
    findings: Findings = field(default_factory=Findings)

    async def one_by_one(self, seconds: float, applied_sequence: AppliedSequence) -> None:
        """Every method at least once, then at random; refused calls must not move the journal."""
        ends = time.monotonic() + seconds
        for method in self.methods:
            await self._judge(method, applied_sequence)
        while time.monotonic() < ends:
            await self._judge(self.source.choice(self.methods), applied_sequence)

    async def all_at_once(self, seconds: float, callers: int) -> None:
        """Methods at random by many callers."""
        ends = time.monotonic() + seconds

        async def call() -> None:
            while time.monotonic() < ends:
                method = self.source.choice(self.methods)
                await self._call(method, await self._messages(method))

        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(call())

    async def _judge(self, method: MethodDescriptor, applied_sequence: AppliedSequence) -> None:
        messages = await self._messages(method)
        for _ in range(REPEATS):
            before = await applied_sequence()
            code = await self._call(method, messages)
            # A stream may do something before it is refused, and its end is journaled.
            is_silent = self.refusals_are_silent and not method.client_streaming
            is_refused = code is grpc.StatusCode.INVALID_ARGUMENT and is_silent
            if not is_refused or await applied_sequence() == before:
                return
        shown = " ".join(message.hex() for message in messages)
        self.findings.faults.append(
            f"{method.full_name} refused a call and moved the journal: {shown}"
        )

    async def _messages(self, method: MethodDescriptor) -> list[bytes]:
        count = self.source.randrange(1, STREAM_MESSAGES_MAX) if method.client_streaming else 1
        messages = [self.maker.body(method.input_type) for _ in range(count)]
        opener = self.openers.get(method.full_name)
        if opener is not None and self.source.random() < 0.8:
            messages = [*await opener(), *messages]
        return messages

    async def _call(self, method: MethodDescriptor, messages: list[bytes]) -> grpc.StatusCode:
        code, details = await self._status(method, messages)
        self.findings.calls[method.full_name, code.name] += 1
        if code in OUR_FAULT:
            shown = " ".join(message.hex() for message in messages)
            self.findings.faults.append(
                f"{method.full_name} answered {code.name} ({details}) to {shown}"
            )
        return code

    async def _status(
        self, method: MethodDescriptor, messages: list[bytes]
    ) -> tuple[grpc.StatusCode, str]:
        channel: Any = self.channel  # The stubs type bytes handlers as Never.
        path = f"/{method.containing_service.full_name}/{method.name}"
        is_stream = method.client_streaming or method.server_streaming
        seconds = STREAM_SECONDS if is_stream else UNARY_SECONDS
        options = {"metadata": await self.metadata(), "timeout": seconds}
        try:
            if method.client_streaming:
                call = channel.stream_stream(path)(**options)
                await write_all(call, messages)
                await read_some(call)
            elif method.server_streaming:
                await read_some(channel.unary_stream(path)(messages[0], **options))
            else:
                await channel.unary_unary(path)(messages[0], **options)
        except grpc.aio.AioRpcError as error:
            if error.details() == LOCAL_FAULT:
                return grpc.StatusCode.CANCELLED, LOCAL_FAULT
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""


async def write_all(call: Any, messages: list[bytes]) -> None:
    """Writes while the other end listens."""
    try:
        for message in messages:
            await call.write(message)
        await call.done_writing()
    except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
        # It has ended already: what it said is read from the call.
        return


async def read_some(call: Any) -> None:
    """Reads some answers and leaves. Raises what the call ended with."""
    for _ in range(ANSWERS_READ_MAX):
        if await call.read() is grpc.aio.EOF:
            return
    call.cancel()
