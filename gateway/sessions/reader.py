"""What a client says in its session: batches go on unopened, the rest is answered here.

One task per stream runs `read_client`. While matching takes no more it waits, the client is not
read, and HTTP/2 tells it to stop: nothing is dropped.
"""

import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2, service_pb2
from gateway import limits
from gateway.door.calls import StreamCall
from gateway.errors import Unavailable
from gateway.sessions import messages
from gateway.sessions.connection import Connection, Reason
from gateway.sessions.credit import Sent
from gateway.shard.envelopes import session_envelope
from gateway.stages import GatewayStages
from runtime.order_traces import Numbered

ORDER = enums_pb2.COMMAND_CLASS_ORDER
CANCEL = enums_pb2.COMMAND_CLASS_CANCEL
Stream = StreamCall[service_pb2.OrderEntrySessionRequest]


async def read_client(call: Stream, connection: Connection, stages: GatewayStages) -> None:
    """Reads until the client has said its last, or the connection is over."""
    clock = connection.shard.clock
    while not connection.is_over:
        received = await call.read()
        connection.heard_ns = clock.monotonic_ns()
        if received is None or connection.is_over:
            return
        request = received.message
        if request is None:
            connection.put(messages.batch_refused(service_pb2.CommandBatch(), "MALFORMED_REQUEST"))
            continue
        match request.WhichOneof("request"):
            case "batch":
                await take_batch(connection, request.batch, stages)
            case "sequence":
                pass
            case "retransmit":
                await retransmit(connection, request.retransmit)
            case "terminate":
                terminate(connection, request.terminate.reason)
            case _:
                connection.end(Reason.TERMINATE_REASON_PROTOCOL_ERROR, "not a message for now")


async def take_batch(
    connection: Connection, batch: service_pb2.CommandBatch, stages: GatewayStages
) -> None:
    """Meters one batch and sends it on; waits while matching takes no more."""
    received_ns = connection.shard.clock.wall_ns()
    commands = batch.commands
    refusal = check_batch(connection, batch, len(commands))
    if refusal is not None:
        connection.put(messages.batch_refused(batch, *refusal))
        return
    envelope = session_envelope(
        batch, commands, connection.terms.session_id, connection.connection, received_ns
    )
    is_cancel = batch.command_class == CANCEL
    connection.is_blocked = True
    try:
        submitter = connection.shard.submitter
        ticket = await submitter.submit(envelope, connection, urgent=is_cancel)
    except Unavailable:
        # The link broke: the connection is being ended with FAILOVER.
        return
    finally:
        connection.is_blocked = False
        connection.heard_ns = connection.shard.clock.monotonic_ns()
    connection.credit.add(Sent(ticket, batch.command_class, batch.first_seq_no, batch.count))
    numbered = Numbered(
        connection.terms.session_id, batch.command_class, batch.first_seq_no, batch.count
    )
    stages.received(numbered, received_ns)


def check_batch(
    connection: Connection, batch: service_pb2.CommandBatch, byte_count: int
) -> tuple[str, int] | None:
    """Why the gateway refuses a batch, and when to try again; None when it goes on."""
    command_class, count = batch.command_class, batch.count
    if command_class not in (ORDER, CANCEL):
        return "MALFORMED_WRONG_CLASS", 0
    if count > limits.BATCH_COMMANDS_MAX or byte_count > limits.BATCH_BYTES_MAX:
        return "BATCH_TOO_LARGE", 0
    if not count:
        return "MALFORMED_COUNT_MISMATCH", 0
    if connection.credit.in_flight + count > connection.credit.maximum:
        return "CREDIT_EXCEEDED", 1
    caller = connection.caller
    bucket = caller.orders if command_class == ORDER else caller.cancels
    now_ns = connection.shard.clock.monotonic_ns()
    if not bucket.take(count, now_ns):
        return "RATE_LIMITED", bucket.milliseconds_until(count, now_ns)
    return None


def terminate(connection: Connection, reason: int) -> None:
    """The client is done, with the connection or with the session."""
    if reason == Reason.TERMINATE_REASON_SESSION_OVER:
        over = Reason.TERMINATE_REASON_SESSION_OVER
        connection.end(over, is_forgotten=True, by_client=True)
    else:
        connection.end(Reason.TERMINATE_REASON_FINISHED, by_client=True)


async def retransmit(connection: Connection, request: service_pb2.Retransmit) -> None:
    """Answers with private events of the past."""
    answer = service_pb2.Retransmission(
        account_id=request.account_id, from_account_seq=request.from_account_seq
    )
    if request.account_id not in connection.terms.account_ids:
        answer.reason = "INVALID_ACCOUNT"
    elif not 1 <= request.count <= limits.RETRANSMIT_EVENTS_MAX or not request.from_account_seq:
        answer.reason = "INVALID_COUNT"
    else:
        connection.is_blocked = True
        try:
            await read_events(connection, request, answer)
        finally:
            connection.is_blocked = False
            connection.heard_ns = connection.shard.clock.monotonic_ns()
    response = service_pb2.OrderEntrySessionResponse(retransmission=answer)
    connection.put(response.SerializeToString())


async def read_events(
    connection: Connection,
    request: service_pb2.Retransmit,
    answer: service_pb2.Retransmission,
) -> None:
    """Asks matching for the events."""
    question = matching_pb2.ReadAccountEventsRequest(
        shard=connection.shard.number,
        account_id=request.account_id,
        from_account_seq=request.from_account_seq,
        count=request.count,
    )
    try:
        found = await connection.shard.stub().ReadAccountEvents(
            question, timeout=limits.CONNECT_SECONDS
        )
    except (grpc.aio.AioRpcError, Unavailable):
        answer.reason = "UNAVAILABLE"
        return
    answer.private_events = found.events
    if found.oldest_account_seq:
        answer.reason = "OUT_OF_RANGE"
        answer.oldest_account_seq = found.oldest_account_seq
