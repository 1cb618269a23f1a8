"""Asks the history service of a shard; any of its endpoints may answer."""

from collections.abc import Mapping
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from cambist.internal.history.v1 import history_pb2_grpc
from gateway import limits
from gateway.errors import Rejected, unavailable
from runtime import rpc_channel
from runtime.rpc_errors import fault_of
from runtime.settings import TlsSettings

Answer = TypeVar("Answer", bound=Message)


class HistoryClient:
    """Channels to history services, opened when first used."""

    def __init__(self, endpoints: Mapping[int, tuple[str, ...]], tls: TlsSettings) -> None:
        self._endpoints = endpoints
        self._tls = tls
        self._channels: dict[str, grpc.aio.Channel] = {}

    def has(self, shard: int) -> bool:
        """Whether the shard has a history service."""
        return shard in self._endpoints

    async def ask(self, shard: int, method: str, request: Message, answer: type[Answer]) -> Answer:
        """The answer of the first endpoint that serves. Raises Rejected, Unavailable."""
        for address in self._endpoints.get(shard, ()):
            channel = self._channels.get(address)
            if channel is None:
                channel = rpc_channel.open_channel(address, tls_settings=self._tls)
                self._channels[address] = channel
            stub = history_pb2_grpc.HistoryServiceStub(channel)
            try:
                found = await getattr(stub, method)(request, timeout=limits.HISTORY_SECONDS)
            except grpc.aio.AioRpcError as error:
                if error.code() in {
                    grpc.StatusCode.NOT_FOUND,
                    grpc.StatusCode.INVALID_ARGUMENT,
                }:
                    raise Rejected(fault_of(error)) from error
                continue
            assert isinstance(found, answer)
            return found
        raise unavailable("HISTORY_UNAVAILABLE", "the order history cannot be read now")

    async def close(self) -> None:
        """Closes all channels."""
        for channel in self._channels.values():
            await channel.close()
