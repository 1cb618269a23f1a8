"""StreamEvents of matching, with messages as bytes: protobuf would copy each row twice more.

Called by the link for live rows and by `journal` for older ones.
"""

from collections.abc import AsyncIterator
from typing import TypeAlias, cast

import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from gateway.shard.rows import Row, read_rows

METHOD = "/cambist.internal.matching.v1.MatchingService/StreamEvents"
RowStream: TypeAlias = grpc.aio.UnaryStreamMultiCallable[matching_pb2.StreamEventsRequest, bytes]


def open_row_stream(channel: grpc.aio.Channel) -> RowStream:
    """The method on a channel."""
    serialise = matching_pb2.StreamEventsRequest.SerializeToString
    # Without a deserialiser the bytes are handed on.
    return cast(RowStream, channel.unary_stream(METHOD, request_serializer=serialise))


async def rows_of(
    stream: RowStream, request: matching_pb2.StreamEventsRequest
) -> AsyncIterator[list[Row]]:
    """The rows of each message. Raises AioRpcError, BrokenRow."""
    async for response in stream(request):
        yield read_rows(response)
