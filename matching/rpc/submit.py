"""One link: a stream of envelopes in, refusals and progress out.

The handler reads and queues; while the inbox has no room it does not read, so the sender waits. One
task writes. When the link ends its sessions are lost: that is journaled.
"""

import asyncio
from collections import deque

import grpc

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.matching.v1 import matching_pb2
from matching import limits
from matching.engines import EngineKind, Malformation
from matching.errors import Rejected
from matching.primary import Primary
from matching.rpc.faults import Context
from matching.sequencer.envelopes import SYSTEM, gateway_lost
from matching.sequencer.inbox import Inbox, Item
from runtime import logs
from runtime.clock import Clock

LOGGER = logs.get(__name__)


class Links:
    """The links that are open; their ids are unique."""

    def __init__(self, shard: int, kind: EngineKind, clock: Clock) -> None:
        self._shard = shard
        self._kind = kind
        self._clock = clock
        self._open: set[int] = set()

    async def serve(self, primary: Primary, context: Context) -> None:
        """Serves one link until it ends. Raises Rejected."""
        hello = await read_hello(context)
        if hello.shard != self._shard:
            raise Rejected("WRONG_SHARD", f"this is shard {self._shard}")
        if hello.link_id == 0 or hello.link_id in self._open:
            raise Rejected("BAD_LINK_ID", "a link needs an id of its own, from 1")
        if len(self._open) >= limits.LINKS_MAX:
            code = grpc.StatusCode.RESOURCE_EXHAUSTED
            raise Rejected("TOO_MANY_LINKS", f"{limits.LINKS_MAX} are open", code)
        link = Link(self._kind, primary.inbox, self._clock, hello.link_id)
        self._open.add(hello.link_id)
        LOGGER.info("link up", link_id=hello.link_id, name=hello.name)
        try:
            welcome = matching_pb2.Welcome(
                epoch=primary.committer.epoch, released_seq=primary.released.seq
            )
            await context.write(matching_pb2.SubmitCommandsResponse(welcome=welcome))
            await link.serve(context)
        finally:
            self._open.discard(hello.link_id)
            link.post_lost()
            LOGGER.info("link down", link_id=hello.link_id, envelopes=link.number)


async def read_hello(context: Context) -> matching_pb2.Hello:
    """The first message. Raises Rejected."""
    request = await context.read()
    if not isinstance(request, matching_pb2.SubmitCommandsRequest) or not request.HasField("hello"):
        raise Rejected("NO_HELLO", "the first message of a link is a hello")
    return request.hello


class Link:
    """One open link."""

    def __init__(self, kind: EngineKind, inbox: Inbox, clock: Clock, link_id: int) -> None:
        self._kind = kind
        self._inbox = inbox
        self._clock = clock
        self._link_id = link_id
        self._refusals: deque[matching_pb2.Refused] = deque()
        self._changed = asyncio.Event()
        self._written = asyncio.Event()
        # Number of the last envelope that was queued or refused.
        self.number = 0

    async def serve(self, context: Context) -> None:
        """Reads until the sender ends or breaks. Raises Rejected."""
        writer = asyncio.create_task(self._write(context), name="link-writer")
        try:
            while True:
                request = await context.read()
                if not isinstance(request, matching_pb2.SubmitCommandsRequest):
                    return
                if not request.HasField("submit"):
                    raise Rejected("SECOND_HELLO", "a link says hello once")
                await self._take_all(request.submit)
        finally:
            writer.cancel()
            await asyncio.wait({writer})

    async def _take_all(self, submit: matching_pb2.Submit) -> None:
        """Queues or refuses the envelopes of one message, in order. Raises Rejected."""
        if submit.number != self.number + 1:
            raise Rejected("BAD_NUMBER", f"envelope {submit.number} follows {self.number}")
        if len(submit.more_envelopes) >= limits.MESSAGE_ENVELOPES_MAX:
            raise Rejected(
                "TOO_MANY_ENVELOPES", f"a message has at most {limits.MESSAGE_ENVELOPES_MAX}"
            )
        await self._take(submit.envelope)
        for envelope in submit.more_envelopes:
            await self._take(envelope)

    async def _take(self, envelope: bytes) -> None:
        """Queues or refuses the next envelope; waits while there is no room."""
        number = self.number + 1
        try:
            if len(envelope) < limits.CHECK_THREAD_BYTES:
                self._kind.check_envelope(envelope)
            else:
                await asyncio.to_thread(self._kind.check_envelope, envelope)
        except self._kind.malformed as error:
            await self._refuse(number, Malformation.of(error))
        else:
            await self._inbox.put(self._item(envelope))
        self.number = number
        self._changed.set()

    def _item(self, envelope: bytes) -> Item:
        """An envelope with what the inbox wants to know of it."""
        head = batch_pb2.Envelope.FromString(envelope)
        return Item(
            envelope,
            int(head.command_class),
            head.count,
            head.session_id or -self._link_id,
            self._clock.monotonic_ns(),
            head.first_seq_no or head.correlation,
        )

    async def _refuse(self, number: int, malformation: Malformation) -> None:
        """Queues a refusal; waits when too many wait to be written."""
        while len(self._refusals) >= limits.REFUSALS_WAITING_MAX:
            self._written.clear()
            await self._written.wait()
        self._refusals.append(
            matching_pb2.Refused(
                number=number,
                reason=matching_pb2.MalformedReason.ValueType(malformation.reason),
                index=malformation.index,
                field=malformation.field,
            )
        )
        self._changed.set()

    async def _write(self, context: Context) -> None:
        """The one writer of the link: refusals at once, progress now and then."""
        told = 0
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._refusals:
                refused = self._refusals.popleft()
                await context.write(matching_pb2.SubmitCommandsResponse(refused=refused))
            self._written.set()
            if self.number > told:
                told = self.number
                progress = matching_pb2.Progress(number=told)
                await context.write(matching_pb2.SubmitCommandsResponse(progress=progress))
            await asyncio.sleep(limits.PROGRESS_SECONDS)

    def post_lost(self) -> None:
        """Journals that the link's sessions have no connection any more."""
        envelope = gateway_lost(self._link_id, self._clock.wall_ns())
        now_ns = self._clock.monotonic_ns()
        self._inbox.post(Item(envelope, SYSTEM, 1, -self._link_id, now_ns))
