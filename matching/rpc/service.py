"""MatchingService on the listen port: each method in the process's present role."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from matching import limits
from matching.errors import NoSnapshot, Rejected
from matching.projector.account_index import AccountIndex, Question
from matching.recovery.snapshot_source import SnapshotSource
from matching.rpc import faults
from matching.rpc.faults import Context
from matching.rpc.status import status_of
from matching.rpc.stream_events import RowStream
from matching.rpc.submit import Links
from matching.sandbox.faucet import Faucet
from matching.shard_state import ShardState
from runtime.errors import Unavailable

SERVICE: Final = "cambist.internal.matching.v1.MatchingService"
# account_seq beyond every one that is given; the database takes no larger number.
ACCOUNT_SEQ_MAX: Final = (1 << 63) - 1 - limits.ACCOUNT_EVENTS_MAX
Handlers: TypeAlias = "dict[str, grpc.RpcMethodHandler[Any, Any]]"


class MatchingService:
    """The methods; errors of matching become faults of the call."""

    def __init__(
        self,
        state: ShardState,
        links: Links,
        snapshots: SnapshotSource,
        account_events: AccountIndex,
        faucet: Faucet,
    ) -> None:
        self._state = state
        self._links = links
        self._snapshots = snapshots
        self._account_events = account_events
        self._faucet = faucet
        self._streams = 0
        # Sequences of stored snapshots that could not be read to their end.
        self._broken: set[int] = set()

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb = matching_pb2
        handlers: Handlers = {
            "SubmitCommands": grpc.stream_stream_rpc_method_handler(
                self._submit_commands,
                request_deserializer=pb.SubmitCommandsRequest.FromString,
                response_serializer=pb.SubmitCommandsResponse.SerializeToString,
            ),
            "StreamEvents": grpc.unary_stream_rpc_method_handler(
                told(self._stream_events),
                request_deserializer=pb.StreamEventsRequest.FromString,
            ),
            "GetSnapshot": grpc.unary_stream_rpc_method_handler(
                told(self._get_snapshot),
                request_deserializer=pb.GetSnapshotRequest.FromString,
                response_serializer=pb.GetSnapshotResponse.SerializeToString,
            ),
            "ReadAccountEvents": grpc.unary_unary_rpc_method_handler(
                told(self._read_account_events),
                request_deserializer=pb.ReadAccountEventsRequest.FromString,
                response_serializer=pb.ReadAccountEventsResponse.SerializeToString,
            ),
            "GetStatus": grpc.unary_unary_rpc_method_handler(
                told(self._get_status),
                request_deserializer=pb.GetStatusRequest.FromString,
                response_serializer=pb.GetStatusResponse.SerializeToString,
            ),
            "PayIn": grpc.unary_unary_rpc_method_handler(
                told(self._pay_in),
                request_deserializer=pb.PayInRequest.FromString,
                response_serializer=pb.PayInResponse.SerializeToString,
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def _submit_commands(self, _: object, context: Any) -> None:
        try:
            await self._links.serve(self._state.require_primary(), context)
        except faults.TOLD as error:
            await faults.abort(context, faults.fault_of(error))

    async def _stream_events(
        self, request: matching_pb2.StreamEventsRequest, context: Context
    ) -> None:
        primary = self._state.require_primary()
        self._check_shard(request.shard)
        if self._streams >= limits.STREAMS_MAX:
            code = grpc.StatusCode.RESOURCE_EXHAUSTED
            raise Rejected("TOO_MANY_STREAMS", f"{limits.STREAMS_MAX} are open", code)
        self._streams += 1
        try:
            await RowStream(primary, request, context).run()
        finally:
            self._streams -= 1

    async def _get_snapshot(
        self, request: matching_pb2.GetSnapshotRequest, context: Context
    ) -> None:
        self._state.require_primary()
        self._check_shard(request.shard)
        stored = await self._snapshots.stored()
        self._broken &= {one.seq for one in stored}
        usable = [one for one in stored if one.seq not in self._broken]
        if not usable:
            raise NoSnapshot("there is none yet")
        newest, index = usable[0], 0
        try:
            async for chunk in self._snapshots.chunks(newest):
                await context.write(
                    matching_pb2.GetSnapshotResponse(
                        seq=newest.seq, index=index, count=newest.chunk_count, chunk=chunk
                    )
                )
                index += 1
        except NoSnapshot as error:
            # Told as NOT_FOUND, what came before would be taken for a shard without a snapshot.
            self._broken.add(newest.seq)
            raise Unavailable(f"snapshot {newest.seq} cannot be read: {error}") from error

    async def _read_account_events(
        self, request: matching_pb2.ReadAccountEventsRequest, _: Context
    ) -> matching_pb2.ReadAccountEventsResponse:
        primary = self._state.require_primary()
        self._check_shard(request.shard)
        if not 1 <= request.count <= limits.ACCOUNT_EVENTS_MAX:
            raise Rejected("BAD_COUNT", f"count is 1 to {limits.ACCOUNT_EVENTS_MAX}")
        found = await self._account_events.read(
            Question(
                account_id=request.account_id,
                account_seq=min(max(request.from_account_seq, 1), ACCOUNT_SEQ_MAX),
                count=request.count,
                up_to_seq=primary.released.seq,
            )
        )
        return matching_pb2.ReadAccountEventsResponse(
            events=found.events, oldest_account_seq=found.oldest_account_seq
        )

    async def _get_status(
        self, _: matching_pb2.GetStatusRequest, __: Context
    ) -> matching_pb2.GetStatusResponse:
        replay = self._state.replay
        started_from = replay.snapshot_seq if replay is not None else 0
        return status_of(self._state, max(started_from, self._state.snapshot_seq))

    async def _pay_in(
        self, request: matching_pb2.PayInRequest, _: Context
    ) -> matching_pb2.PayInResponse:
        primary = self._state.require_primary()
        self._check_shard(request.shard)
        is_repeat = await self._faucet.pay_in(primary, request)
        return matching_pb2.PayInResponse(repeat=is_repeat, as_of_seq=primary.released.seq)

    def _check_shard(self, shard: int) -> None:
        if shard != self._state.shard:
            raise Rejected("WRONG_SHARD", f"this is shard {self._state.shard}")


def told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The method with errors of matching told to the caller."""

    async def call(request: Any, context: Context) -> Any:
        try:
            return await method(request, context)
        except faults.TOLD as error:
            await faults.abort(context, faults.fault_of(error))

    return call
