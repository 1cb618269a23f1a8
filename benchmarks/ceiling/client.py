"""The first process: sends request bytes as fast as answers make room, and counts orders."""

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from benchmarks.ceiling.wire import OPTIONS, ORDER_METHOD, ORDERS
from venue.latency import Histogram


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: messages of `batch` orders on `sessions` streams for some seconds."""

    batch: int
    sessions: int
    request_bytes: int
    # Orders of one session without an answer.
    window_orders: int
    warm_seconds: float
    seconds: float


@dataclass(slots=True)
class Outcome:
    """What came back within the measured seconds."""

    orders: int
    seconds: float
    latency: Histogram

    @property
    def per_second(self) -> float:
        """Orders per second."""
        return self.orders / self.seconds


class Stream:
    """One session."""

    def __init__(self, load: Load, message: bytes) -> None:
        self._load = load
        self._message = message
        self._sent: deque[tuple[int, int]] = deque()
        self._outstanding = 0
        self._room = asyncio.Event()
        self.answered = 0
        self.latency = Histogram()

    async def run(self, endpoint: str, stop: asyncio.Event) -> None:
        """Sends until `stop` is set."""
        async with grpc.aio.insecure_channel(endpoint, options=OPTIONS) as channel:
            call: Any = channel.stream_stream(ORDER_METHOD)()
            reader = asyncio.create_task(self._read(call))
            while not stop.is_set():
                if self._outstanding + self._load.batch > self._load.window_orders:
                    self._room.clear()
                    await self._room.wait()
                    continue
                self._sent.append((time.perf_counter_ns(), self._load.batch))
                self._outstanding += self._load.batch
                await call.write(self._message)
            reader.cancel()
            call.cancel()

    async def _read(self, call: Any) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            (orders,) = ORDERS.unpack_from(message)
            now_ns = time.perf_counter_ns()
            self.answered += orders
            self._outstanding -= orders
            while orders > 0:
                sent_ns, count = self._sent.popleft()
                orders -= count
                self.latency.add(now_ns - sent_ns, count)
            self._room.set()


async def run(endpoint: str, load: Load) -> Outcome:
    """Runs one load; what happens in the warm seconds does not count."""
    body = ORDERS.pack(load.batch) + os.urandom(load.batch * load.request_bytes)
    streams = [Stream(load, body) for _ in range(load.sessions)]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(stream.run(endpoint, stop)) for stream in streams]
    await asyncio.sleep(load.warm_seconds)
    before, started_ns = sum(stream.answered for stream in streams), time.perf_counter_ns()
    for stream in streams:
        stream.latency = Histogram()
    await asyncio.sleep(load.seconds)
    answered = sum(stream.answered for stream in streams) - before
    seconds = (time.perf_counter_ns() - started_ns) / 1e9
    latency = Histogram()
    for stream in streams:
        latency.merge(stream.latency)
    stop.set()
    await asyncio.wait(tasks, timeout=5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return Outcome(answered, seconds, latency)
