"""Where the engines are, as custody's processes are told, and which one of a shard is asked.

Called by their settings and servers. A shard's engines are several processes of which one is the
primary; the others refuse. Whoever is refused, or loses the stream, asks the next one.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import grpc.aio

from cambist.internal.matching.v1 import matching_pb2_grpc
from runtime import rpc_channel
from runtime.errors import ConfigurationError, Unavailable
from runtime.settings import TlsSettings
from wallets import limits

Addresses = Mapping[int, tuple[str, ...]]
Stub: TypeAlias = "matching_pb2_grpc.MatchingServiceAsyncStub"
Told = TypeVar("Told")


@dataclass(slots=True)
class Primary:
    """One shard's engines as one task sees them; two tasks that share it would turn it twice."""

    channels: tuple[grpc.aio.Channel, ...]
    _index: int = 0

    def stub(self) -> Stub:
        """Of the engine that is asked now."""
        return matching_pb2_grpc.MatchingServiceStub(self.channels[self._index])

    def turn(self) -> None:
        """Asks the next one from now on."""
        self._index = (self._index + 1) % len(self.channels)

    async def first(self, shard: int, ask: Callable[[Stub], Awaitable[Told]]) -> Told:
        """What the first one that answers says; each is asked at most once. Raises Unavailable."""
        said = []
        for _ in self.channels:
            try:
                return await ask(self.stub())
            except grpc.aio.AioRpcError as error:
                said.append(error.code().name)
                self.turn()
        raise Unavailable(f"shard {shard}: {said}")


def read_engines(variable: str, text: str) -> Addresses:
    """Addresses by shard of "1=host:port,host:port;2=host:port"; raises ConfigurationError.

    A comma may also stand between shards, where one address each is enough.
    """
    found: dict[int, tuple[str, ...]] = {}
    shard = ""
    for part in filter(None, text.replace(";", ",").split(",")):
        named, separator, address = part.rpartition("=")
        if separator and (not named.isdigit() or int(named) in found):
            raise ConfigurationError(f"{variable} is SHARD=HOST:PORT,HOST:PORT;…")
        shard = named or shard
        if not shard or not address:
            raise ConfigurationError(f"{variable} is SHARD=HOST:PORT,HOST:PORT;…")
        found[int(shard)] = (*found.get(int(shard), ()), address)
    if not 0 < len(found) <= limits.SHARDS_MAX:
        raise ConfigurationError(f"{variable} names no engine, or too many")
    if max(map(len, found.values())) > limits.ENGINES_PER_SHARD_MAX:
        raise ConfigurationError(f"{variable} names too many engines of a shard")
    return found


async def open_engines(
    addresses: Addresses, tls_settings: TlsSettings, stack: AsyncExitStack
) -> dict[int, tuple[grpc.aio.Channel, ...]]:
    """Channels by shard, open until the stack ends; each task makes a `Primary` of its own."""
    channels: dict[int, tuple[grpc.aio.Channel, ...]] = {}
    for shard, those in addresses.items():
        opened = [
            await stack.enter_async_context(
                rpc_channel.open_channel(address, tls_settings=tls_settings)
            )
            for address in those
        ]
        channels[shard] = tuple(opened)
    return channels
