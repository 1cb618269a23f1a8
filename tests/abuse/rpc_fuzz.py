"""Fuzzes every RPC of a running venue with hostile bytes.

Passes when the venue answers every call with a named status that is not of its own fault (INTERNAL,
UNKNOWN, DATA_LOSS), when a refused call (INVALID_ARGUMENT) leaves the journal where it was, and
when the venue is healthy afterwards. Call it on a venue of its own: it enters real orders.
"""

import asyncio
import collections
import importlib
import pkgutil
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

import cambist
from tests.abuse.messages import MessageMaker

CALL_TIMEOUT_SECONDS: Final = 2.0
STREAM_MESSAGES: Final = 4
ANSWERS_READ_MAX: Final = 20
OUR_FAULT: Final = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}
)
AppliedSequence: TypeAlias = Callable[[], Awaitable[int]]


@dataclass(slots=True)
class Findings:
    """What the fuzzer saw: calls by method and status, and everything that breaks the promise."""

    calls: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    faults: list[str] = field(default_factory=list)


def services(prefix: str) -> list[ServiceDescriptor]:
    """Every service of the generated contract whose package starts with the prefix."""
    found: dict[str, ServiceDescriptor] = {}
    for module in pkgutil.walk_packages(cambist.__path__, "cambist."):
        if not module.name.endswith("_pb2") or not module.name.startswith(prefix):
            continue
        descriptor = importlib.import_module(module.name).DESCRIPTOR
        found.update({s.full_name: s for s in descriptor.services_by_name.values()})
    return [found[name] for name in sorted(found)]


class RpcFuzzer:
    """Calls the methods of some services on one channel until its time is up."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        metadata: Iterable[tuple[str, str]],
        maker: MessageMaker,
        applied_sequence: AppliedSequence,
    ) -> None:
        self._channel = channel
        self._metadata = tuple(metadata)
        self._maker = maker
        self._applied_sequence = applied_sequence
        self.findings = Findings()

    async def run(
        self, targets: list[ServiceDescriptor], seconds: float, source: random.Random
    ) -> None:
        """Picks methods at random for so many seconds; every method at least once."""
        methods = [method for service in targets for method in service.methods]
        ends = time.monotonic() + seconds
        for method in methods:
            await self._call(method)
        while time.monotonic() < ends:
            await self._call(source.choice(methods))

    async def _call(self, method: MethodDescriptor) -> None:
        before = await self._applied_sequence()
        code, details = await self._status(method)
        self.findings.calls[method.full_name, code.name] += 1
        if code in OUR_FAULT:
            self.findings.faults.append(f"{method.full_name} answered {code.name}: {details}")
        if code is grpc.StatusCode.INVALID_ARGUMENT and await self._applied_sequence() != before:
            self.findings.faults.append(f"{method.full_name} refused a call and moved the journal")

    async def _status(self, method: MethodDescriptor) -> tuple[grpc.StatusCode, str]:
        channel: Any = self._channel  # The stubs type bytes handlers as Never.
        path = f"/{method.containing_service.full_name}/{method.name}"
        options = {"metadata": self._metadata, "timeout": CALL_TIMEOUT_SECONDS}
        try:
            if method.client_streaming:
                await self._read_some(
                    channel.stream_stream(path)(self._requests(method), **options)
                )
            elif method.server_streaming:
                body = self._maker.body(method.input_type)
                await self._read_some(channel.unary_stream(path)(body, **options))
            else:
                await channel.unary_unary(path)(self._maker.body(method.input_type), **options)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""

    async def _requests(self, method: MethodDescriptor) -> AsyncIterator[bytes]:
        for _ in range(STREAM_MESSAGES):
            yield self._maker.body(method.input_type)

    @staticmethod
    async def _read_some(call: AsyncIterable[bytes]) -> None:
        count = 0
        async for _ in call:
            count += 1
            if count == ANSWERS_READ_MAX:
                break
        await asyncio.sleep(0)
