"""Listens to every worker's signals, and drains single workers.

Every replica listens, so that a new leader knows at once. Workers are found by their pods: address
from the pod's status, port from settings. A stream that is silent or broken is opened anew.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio

from cambist.internal.wallets.v1 import wallets_pb2, wallets_pb2_grpc
from control import limits
from control.cluster.kinds import CHAIN_LABEL, Kind, Object, label_of, name_of
from control.cluster.store import Store
from control.errors import Unavailable
from control.settings import ControlSettings
from control.signals.board import MILLISECONDS_PER_SECOND, Board
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock
from runtime.rpc_channel import open_channel

LOGGER = logs.get(__name__)
# Tells a worker which leader speaks, so that an older leader's late call can be refused.
TRANSITIONS_METADATA: Final = "cambist-lease-transitions"


def address_of(pod: Object) -> str:
    """Address of a pod that may be spoken to; empty when there is none."""
    status = pod.get("status") or {}
    if status.get("phase") != "Running":
        return ""
    return str(status.get("podIP") or "")


class Workers:
    """One stream per worker, kept as pods come and go."""

    def __init__(
        self,
        settings: ControlSettings,
        store: Store,
        board: Board,
        clock: Clock,
        *,
        on_change: Callable[[str], None],
    ) -> None:
        self._settings: Final = settings
        self._store: Final = store
        self._board: Final = board
        self._clock: Final = clock
        self._on_change: Final = on_change
        self._streams: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._wake: Final = asyncio.Event()

    def pods_changed(self) -> None:
        """Looks at the pods again."""
        self._wake.set()

    async def run(self) -> None:
        """Keeps a stream to each worker for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                self._match(group)
                await self._wake.wait()

    def _match(self, group: asyncio.TaskGroup) -> None:
        wanted: dict[tuple[str, str], str] = {}
        for pod in self._store.all(Kind.POD):
            address = address_of(pod)
            if address and len(wanted) < limits.STREAMS_MAX:
                wanted[name_of(pod), address] = label_of(pod, CHAIN_LABEL)
        for key in [key for key in self._streams if key not in wanted]:
            self._streams.pop(key).cancel()
        for key, chain in wanted.items():
            if key not in self._streams:
                listening = self._listen(chain, *key)
                self._streams[key] = group.create_task(listening, name=f"signals of {key[0]}")

    async def _listen(self, chain: str, pod: str, address: str) -> None:
        delay = limits.STREAM_RETRY_FIRST_SECONDS
        try:
            while True:
                try:
                    await self._stream(chain, pod, address)
                    delay = limits.STREAM_RETRY_FIRST_SECONDS
                except (grpc.aio.AioRpcError, TimeoutError) as error:
                    LOGGER.info("no signals", pod=pod, error=brief(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, limits.STREAM_RETRY_MAX_SECONDS)
        finally:
            self._board.forget(chain, pod)

    async def _stream(self, chain: str, pod: str, address: str) -> None:
        async with self._channel(address) as channel:
            stub: Any = wallets_pb2_grpc.WalletWorkerServiceStub(channel)
            call = stub.StreamSignals(wallets_pb2.StreamSignalsRequest())
            reports = aiter(call)
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    async with asyncio.timeout(limits.STREAM_SILENT_SECONDS):
                        report = await anext(reports)
                    now = self._clock.monotonic_ns() / NANOSECONDS_PER_SECOND
                    if self._board.report(chain, pod, report, now):
                        self._on_change(chain)

    def _channel(self, address: str) -> grpc.aio.Channel:
        worker = self._settings.worker
        host = f"[{address}]" if ":" in address else address
        return open_channel(
            f"{host}:{worker.port}",
            tls_settings=self._settings.client_tls,
            server_name=worker.server_name,
        )

    async def drain(self, pod: Object, timeout_seconds: float, transitions: int) -> int:
        """Asks one worker to stop claiming; attempts in flight when it answered.

        Raises Unavailable: the worker may drain or not; asking again is safe.
        """
        request = wallets_pb2.DrainRequest(
            timeout_ms=int(timeout_seconds * MILLISECONDS_PER_SECOND)
        )
        answer = await self._ask(
            pod, "Drain", request, timeout_seconds + limits.UNDRAIN_SECONDS, transitions
        )
        return int(answer.in_flight_count)

    async def undrain(self, pod: Object, transitions: int) -> None:
        """Lets a worker claim again. Raises Unavailable."""
        request = wallets_pb2.UndrainRequest()
        await self._ask(pod, "Undrain", request, limits.UNDRAIN_SECONDS, transitions)

    async def _ask(
        self, pod: Object, method: str, request: Any, timeout_seconds: float, transitions: int
    ) -> Any:
        address = address_of(pod)
        if not address:
            raise Unavailable(f"{name_of(pod)} has no address")
        async with self._channel(address) as channel:
            stub: Any = wallets_pb2_grpc.WalletWorkerServiceStub(channel)
            metadata = ((TRANSITIONS_METADATA, str(transitions)),)
            try:
                return await getattr(stub, method)(
                    request, timeout=timeout_seconds, metadata=metadata
                )
            except grpc.aio.AioRpcError as error:
                raise Unavailable(f"{method} of {name_of(pod)}: {brief(error)}") from None


def brief(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name} {error.details()}"
    return type(error).__name__
