"""`python -m tests.faults.pusher CONFIG`: many sessions push orders as fast as credit allows.

Each session has an account of its own and numbers its orders from 1; answers must come once each,
in order. A line of JSON four times a second says where it stands; "stop" on standard input ends the
pushing, and the last line is told when all is answered.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from cambist.client.client import Client
from cambist.client.enums import CommandClass
from cambist.client.keys import ApiKey
from cambist.client.raw import RawBatch, RawSession
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2
from venue.flow.definitions import MARKETS

BATCH = 100
STATUS_SECONDS = 0.25
DRAIN_SECONDS = 90.0
FINAL = (enums_pb2.EXEC_TYPE_NEW, enums_pb2.EXEC_TYPE_REJECTED)


@dataclass(frozen=True, slots=True)
class PusherConfig:
    """Who pushes where."""

    endpoints: tuple[str, ...]
    # Key file and accounts of each firm; every account gets a session.
    firms: tuple[tuple[str, tuple[int, ...]], ...]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "PusherConfig":
        content: dict[str, Any] = json.loads(path.read_text())
        firms = tuple((key, tuple(accounts)) for key, accounts in content["firms"])
        return cls(tuple(content["endpoints"]), firms)


class Pusher:
    """One session."""

    def __init__(self, session: RawSession, account_id: int) -> None:
        self._session = session
        self._account_id = account_id
        self.sent = 0
        self.answered = 0
        # Answers that came twice, out of order, or not at all.
        self.disordered = 0
        self.refused = 0
        self._told = asyncio.Event()
        session.on_row = self._on_row
        session.on_taken = self._on_taken

    async def push(self, stop: asyncio.Event) -> None:
        """Sends until told to stop, then waits for the last answers."""
        async with self._session:
            while not stop.is_set():
                await self._session.send(self._batch())
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._all_answered(self.sent)

    async def _all_answered(self, count: int) -> None:
        while self.answered < count:
            self._told.clear()
            await self._told.wait()

    def _batch(self) -> RawBatch:
        orders = commands_pb2.Commands()
        now_ns = time.time_ns()
        for _ in range(BATCH):
            self.sent += 1
            order = orders.commands.add().new_order
            order.cl_ord_id = self.sent.to_bytes(16, "big")
            order.account_id = self._account_id
            order.sent_time_ns = now_ns
            order.market_id = MARKETS[0].market_id
            order.side = enums_pb2.SIDE_BUY
            order.order_type = enums_pb2.ORDER_TYPE_LIMIT
            order.time_in_force = enums_pb2.TIME_IN_FORCE_IOC
            order.price_ticks = 1
            order.quantity_lots = 1
        return RawBatch(CommandClass.ORDER, BATCH, orders.SerializeToString())

    def _on_taken(self, batch: RawBatch) -> None:
        if batch.error is not None:
            self.disordered += batch.count

    def _on_row(self, batch: service_pb2.EventBatch) -> None:
        for event in events_pb2.PrivateEvents.FromString(batch.private_events).events:
            report = event.execution_report
            if report.exec_type not in FINAL:
                continue
            self.refused += report.exec_type == enums_pb2.EXEC_TYPE_REJECTED
            self.disordered += int.from_bytes(report.cl_ord_id, "big") != self.answered + 1
            self.answered += 1
        self._told.set()


async def read_stop(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()
    stop.set()


def tell(pushers: list[Pusher], *, done: bool) -> None:
    names = "sent", "answered", "disordered", "refused"
    totals = {name: sum(getattr(pusher, name) for pusher in pushers) for name in names}
    print(json.dumps({**totals, "sessions": len(pushers), "done": done}), flush=True)


async def run(config: PusherConfig) -> None:
    """All sessions until "stop"."""
    stop = asyncio.Event()
    pushers: list[Pusher] = []
    async with AsyncExitStack() as stack:
        for key_file, accounts in config.firms:
            client = await stack.enter_async_context(
                Client.connect(config.endpoints, ApiKey.load(key_file))
            )
            for account in accounts:
                session = client.raw_session(f"push-{account}", account_ids=(account,))
                pushers.append(Pusher(session, account))
        tasks = [asyncio.create_task(pusher.push(stop)) for pusher in pushers]
        reading = asyncio.create_task(read_stop(stop))
        while not all(task.done() for task in tasks):
            tell(pushers, done=False)
            await asyncio.wait(tasks, timeout=STATUS_SECONDS)
        reading.cancel()
        await asyncio.gather(*tasks)
    tell(pushers, done=True)


if __name__ == "__main__":
    uvloop.run(run(PusherConfig.load(Path(sys.argv[1]))))
