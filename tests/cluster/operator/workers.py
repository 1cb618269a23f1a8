"""Real gRPC servers that speak WalletWorkerService, at loopback addresses given to pods."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from cambist.internal.wallets.v1 import wallets_pb2, wallets_pb2_grpc

REPORT_SECONDS = 0.5


class Worker(wallets_pb2_grpc.WalletWorkerServiceServicer):
    """Reports what the test says, and counts what the operator asks."""

    def __init__(self, address: str, port: int) -> None:
        self.report = wallets_pb2.StreamSignalsResponse()
        # Transitions of the Lease that each Drain carried.
        self.drains: list[str] = []
        self.undrains = 0
        # Drain answers when it is set.
        self.is_empty = threading.Event()
        self.is_empty.set()
        self._ended = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        wallets_pb2_grpc.add_WalletWorkerServiceServicer_to_server(self, self._server)
        assert self._server.add_insecure_port(f"{address}:{port}")
        self._server.start()

    def stop(self) -> None:
        self._ended.set()
        self.is_empty.set()
        self._server.stop(0).wait()

    def StreamSignals(  # noqa: N802 - named by the contract
        self, _request: Any, context: Any
    ) -> Iterator[wallets_pb2.StreamSignalsResponse]:
        while not self._ended.is_set() and context.is_active():
            yield self.report
            self._ended.wait(REPORT_SECONDS)

    def Drain(self, request: Any, context: Any) -> wallets_pb2.DrainResponse:  # noqa: N802
        metadata = dict(context.invocation_metadata())
        self.drains.append(str(metadata["cambist-lease-transitions"]))
        self.is_empty.wait(request.timeout_ms / 1_000)
        return wallets_pb2.DrainResponse(in_flight_count=0 if self.is_empty.is_set() else 1)

    def Undrain(self, _request: Any, _context: Any) -> wallets_pb2.UndrainResponse:  # noqa: N802
        self.undrains += 1
        return wallets_pb2.UndrainResponse()

    def Act(self, _request: Any, context: Any) -> wallets_pb2.ActResponse:  # noqa: N802
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "an operator never acts on payouts")
        raise AssertionError
