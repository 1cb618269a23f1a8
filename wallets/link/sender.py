"""Sends one source's numbered commands to the engine, in order, until the journal answers them.

Run by the worker, one task per source, under a lease. After a stream ended it sends everything that
has no answer again: the engine takes each number once. It never reads an answer from the stream,
only the journal tells what a command did.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import grpc
import grpc.aio

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2
from runtime import logs
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from runtime.rpc_errors import fault_of
from wallets.core import outbox
from wallets.engines import Primary
from wallets.errors import Broken
from wallets.link import lease, limits

Call: TypeAlias = grpc.aio.StreamStreamCall[
    matching_pb2.SubmitCommandsRequest, matching_pb2.SubmitCommandsResponse
]


def envelope_of(command: outbox.Command, received_ns: int) -> bytes:
    """A numbered command as the engine takes it."""
    sent = system_pb2.SystemCommand.FromString(command.command)
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
        count=1,
        received_ns=received_ns,
        correlation=command.correlation,
        system_commands=system_pb2.SystemCommands(commands=[sent]).SerializeToString(),
    ).SerializeToString()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends which source's commands to which shard."""

    source_id: int
    shard: int
    owner: str

    @property
    def lease(self) -> str:
        """Name of the lease."""
        return f"sender/{self.source_id}"


class Sender:
    """One source."""

    def __init__(
        self,
        database: Database,
        identity: Identity,
        primary: Primary,
        clock: Clock,
        next_link_id: Callable[[], int],
    ) -> None:
        self._database = database
        self._identity = identity
        self._primary = primary
        self._clock = clock
        self._next_link_id = next_link_id

    async def run(self) -> None:
        """Sends for ever; raises Broken when the engine cannot read what we send."""
        source_id = self._identity.source_id
        while True:
            try:
                if await self._holds():
                    await self._send_on_one_stream()
            except grpc.aio.AioRpcError as error:
                fault = fault_of(error)
                reason = fault.reason or fault.code.name
                logs.get(__name__).warning("no engine", source=source_id, reason=reason)
            except (Unavailable, Unknown, TimeoutError) as error:
                logs.get(__name__).warning("not sent", source=source_id, reason=str(error))
            self._primary.turn()
            await asyncio.sleep(limits.RECONNECT_SECONDS)

    async def _holds(self) -> bool:
        """Whether the lease is ours."""
        name, owner = self._identity.lease, self._identity.owner
        token = await lease.hold(self._database, name, owner, limits.LEASE_SECONDS)
        return token is not None

    async def _send_on_one_stream(self) -> None:
        call: Call = self._primary.stub().SubmitCommands()
        try:
            async with asyncio.timeout(limits.WELCOME_SECONDS):
                hello = matching_pb2.Hello(
                    link_id=self._next_link_id(), shard=self._identity.shard, name="custody"
                )
                await call.write(matching_pb2.SubmitCommandsRequest(hello=hello))
                await self._read(call)
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self._watch(call))
                await self._send_while_held(call, watch)
                watch.cancel()
        except* (grpc.aio.AioRpcError, Unavailable, Unknown, TimeoutError, Broken) as group:
            raise group.exceptions[0] from None
        finally:
            call.cancel()

    async def _send_while_held(self, call: Call, watch: asyncio.Task[None]) -> None:
        """Each number once per stream; at most a page is without an answer."""
        sent_seq = number = 0
        while not watch.done() and await self._holds():
            async with self._database.transaction() as connection:
                waiting = await outbox.read_unanswered(connection, self._identity.source_id)
            for command in waiting:
                if command.source_seq <= sent_seq:
                    continue
                number += 1
                submit = matching_pb2.Submit(
                    number=number, envelope=envelope_of(command, self._clock.wall_ns())
                )
                await call.write(matching_pb2.SubmitCommandsRequest(submit=submit))
                sent_seq = command.source_seq
            await asyncio.sleep(limits.POLL_SECONDS)

    async def _watch(self, call: Call) -> None:
        """Ends with the stream. Raises Broken when a command was refused before sequencing."""
        while True:
            answer = await self._read(call)
            if answer.WhichOneof("response") == "refused":
                refused = answer.refused
                raise Broken(f"source {self._identity.source_id}: malformed, {refused.reason}")

    async def _read(self, call: Call) -> matching_pb2.SubmitCommandsResponse:
        answer = await call.read()
        if not isinstance(answer, matching_pb2.SubmitCommandsResponse):
            raise Unavailable("the engine ended the stream")
        return answer
