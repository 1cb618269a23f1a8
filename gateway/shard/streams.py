"""The two streams of matching, with messages as bytes: protobuf would copy each envelope and each
row twice more.

Called by the link, and by `journal` for older rows.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeAlias

import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from gateway import wire
from gateway.shard.rows import Row, read_rows

SERVICE: Final = "/cambist.internal.matching.v1.MatchingService/"
SUBMIT_FIELD: Final = matching_pb2.SubmitCommandsRequest.SUBMIT_FIELD_NUMBER
RowStream: TypeAlias = grpc.aio.UnaryStreamMultiCallable[matching_pb2.StreamEventsRequest, bytes]
SubmitCall: TypeAlias = grpc.aio.StreamStreamCall[bytes, matching_pb2.SubmitCommandsResponse]


def open_row_stream(channel: grpc.aio.Channel) -> RowStream:
    """StreamEvents on a channel."""
    serialise = matching_pb2.StreamEventsRequest.SerializeToString
    # Without a deserialiser the bytes are handed on.
    make: Callable[..., RowStream] = channel.unary_stream
    return make(SERVICE + "StreamEvents", request_serializer=serialise)


async def rows_of(
    stream: RowStream, request: matching_pb2.StreamEventsRequest
) -> AsyncIterator[list[Row]]:
    """The rows of each message. Raises AioRpcError, BrokenRow."""
    async for response in stream(request):
        yield read_rows(response)


def open_submit_call(channel: grpc.aio.Channel) -> SubmitCall:
    """A new SubmitCommands stream on a channel."""
    deserialise = matching_pb2.SubmitCommandsResponse.FromString
    make: Callable[..., Callable[[], SubmitCall]] = channel.stream_stream
    return make(SERVICE + "SubmitCommands", response_deserializer=deserialise)()


def hello(link_id: int, shard: int, name: str) -> bytes:
    """The first message of a link."""
    said = matching_pb2.Hello(link_id=link_id, shard=shard, name=name)
    return matching_pb2.SubmitCommandsRequest(hello=said).SerializeToString()


def submit(number: int, envelopes: Sequence[bytes]) -> bytes:
    """One envelope or more, the first of them with this number."""
    chunks = [wire.number(1, number)]
    for field, envelope in enumerate(envelopes, start=2):
        chunks += (wire.header(min(field, 3), len(envelope)), envelope)
    return b"".join((wire.header(SUBMIT_FIELD, sum(map(len, chunks))), *chunks))
