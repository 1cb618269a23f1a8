"""What the operator may ask of a worker: signals, drain, undrain.

Registered by `server`. It moves no money; acting on one payout is not offered yet.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from cambist.internal.wallets.v1 import wallets_pb2, wallets_pb2_grpc
from runtime.errors import Unavailable
from runtime.postgres import Database
from runtime.rpc_errors import Fault, abort
from wallets.faults import fault_for
from wallets.worker import limits, signals
from wallets.worker.scanning import Scanning
from wallets.worker.steps import Steps

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Servicer(wallets_pb2_grpc.WalletWorkerServiceServicer):
    """One worker's calls."""

    database: Database
    network_id: int
    steps: Steps
    # None without anything to scan for.
    scanning: Scanning | None
    # Set at the end of the process: streams end by themselves.
    stop: asyncio.Event
    # False while withdrawals are suspended: what waits to begin is no backlog.
    starts: bool = True

    async def StreamSignals(  # noqa: N802
        self, _: wallets_pb2.StreamSignalsRequest, context: Context
    ) -> AsyncIterator[wallets_pb2.StreamSignalsResponse]:
        """Present signals, then again at least as often as the contract says."""
        while not self.stop.is_set():
            try:
                yield await signals.read_with(
                    self.database, self.network_id, self.steps, self.scanning, starts=self.starts
                )
            except Unavailable as error:
                await abort(context, fault_for(error))
            try:
                await asyncio.wait_for(self.stop.wait(), limits.SIGNALS_SECONDS)
            except TimeoutError:
                continue

    async def Drain(  # noqa: N802
        self, request: wallets_pb2.DrainRequest, context: Context
    ) -> wallets_pb2.DrainResponse:
        """Stops taking work."""
        if not 1 <= request.timeout_ms <= limits.DRAIN_MILLISECONDS_MAX:
            message = f"timeout_ms is 1 to {limits.DRAIN_MILLISECONDS_MAX}"
            await abort(
                context, Fault(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PARAMETER", message)
            )
        left = await self.steps.drain(request.timeout_ms / MILLISECONDS)
        return wallets_pb2.DrainResponse(in_flight_count=left)

    async def Undrain(  # noqa: N802
        self, request: wallets_pb2.UndrainRequest, _: Context
    ) -> wallets_pb2.UndrainResponse:
        """Takes work again."""
        del request
        self.steps.undrain()
        return wallets_pb2.UndrainResponse()

    async def Act(  # noqa: N802
        self, request: wallets_pb2.ActRequest, context: Context
    ) -> wallets_pb2.ActResponse:
        """Not built yet."""
        del request
        message = "acting on one payout is not built yet"
        await abort(context, Fault(grpc.StatusCode.UNIMPLEMENTED, "NOT_BUILT", message))
