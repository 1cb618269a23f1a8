"""The process: reads settings, connects, and runs everything until it is told to stop.

Every replica watches, listens to workers and serves health and the webhook; only the leader writes.
Losing the API server, workers or matching is no reason to end.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kopf
import yaml

from control import edge, limits
from control.chains.drain import Drains
from control.chains.reconcile import Chains, Parts, older_twin
from control.cluster import client
from control.cluster.kinds import CHAIN_LABEL, Kind, Object, label_of, name_of
from control.cluster.lease import Lease
from control.cluster.resync import Resync
from control.cluster.store import Store
from control.cluster.watching import Watching
from control.events import Events
from control.markets.engine import Engine
from control.markets.reconcile import Markets
from control.settings import ControlSettings
from control.signals.board import Board
from control.signals.workers import Workers
from control.telemetry import Instruments, observe
from control.work import Key, Work
from runtime import certificate_life, logs, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.process import supervise
from runtime.rpc_health import HealthServer, start_health_server

LOGGER = logs.get(__name__)


class Operator:
    """One replica, wired."""

    def __init__(
        self, settings: ControlSettings, cluster: client.Cluster, measured: telemetry.Telemetry
    ) -> None:
        self.settings = settings
        self.instance = settings.instance or f"{socket.gethostname()}-{secrets.token_hex(4)}"
        clock = SystemClock()
        self.instruments = Instruments.of(measured.meter)
        self.store = Store(self._changed)
        self.board = Board()
        self.lease = Lease(cluster, settings.lease_name, self.instance, clock, on_gain=self._gained)
        self.workers = Workers(
            settings, self.store, self.board, clock, on_change=self._signal_changed
        )
        self.work = Work(self._reconcile, may_act=self._may_act)
        drains = Drains(cluster, self.workers, self.lease, settings.worker.drain_seconds)
        events = Events(cluster, self.instance, clock)
        self.chains = Chains(
            Parts(
                cluster=cluster,
                store=self.store,
                lease=self.lease,
                board=self.board,
                drains=drains,
                events=events,
                instruments=self.instruments,
                tracer=measured.tracer,
                clock=clock,
                settings=settings.worker,
                template=load_template(settings.worker.template_file),
            )
        )
        self.engine = Engine(settings)
        self.markets = Markets(
            cluster=cluster,
            store=self.store,
            lease=self.lease,
            engine=self.engine,
            events=events,
            tracer=measured.tracer,
            clock=clock,
            ladder_step_seconds=settings.engine.ladder_step_seconds,
        )
        self.resync = Resync(cluster, self.store, clock, self.instruments, self._make_watching)
        observe(measured.meter, "watch.age", lambda: self.resync.watch_age_seconds, "s")
        observe(measured.meter, "leading", lambda: float(self.lease.is_leading))
        observe(measured.meter, "queue.due", lambda: float(self.work.depth))

    def _may_act(self) -> bool:
        return self.lease.is_leading and self.store.is_filled

    def _gained(self) -> None:
        self.chains.reset()
        for kind in (Kind.WALLET_CHAIN, Kind.MARKET):
            for found in self.store.all(kind):
                self.work.add(Key(kind, name_of(found)))

    def _changed(self, kind: Kind, found: Object) -> None:
        if kind is Kind.POD:
            self.workers.pods_changed()
        if kind in (Kind.POD, Kind.DEPLOYMENT):
            self.work.add(Key(Kind.WALLET_CHAIN, label_of(found, CHAIN_LABEL)))
        else:
            self.work.add(Key(kind, name_of(found)))

    def _signal_changed(self, chain: str) -> None:
        self.work.add(Key(Kind.WALLET_CHAIN, chain), limits.SIGNAL_INTERVAL_SECONDS)

    async def _reconcile(self, key: Key) -> float | None:
        began = time.perf_counter()
        labels = {"kind": key.kind.title}
        try:
            if key.kind is Kind.WALLET_CHAIN:
                return await self.chains.look(key.name)
            return await self.markets.look(key.name) if self.engine.is_configured else None
        except Exception:
            self.instruments.reconcile_failures.add(1, labels)
            raise
        finally:
            self.instruments.reconcile_seconds.record(time.perf_counter() - began, labels)

    def _make_watching(self, hear: Callable[[Kind, bool, Object], None]) -> Watching:
        given = self.settings
        webhook = None
        if given.webhook.port:
            webhook = kopf.WebhookServer(
                port=given.webhook.port,
                certfile=given.webhook.certificate_file,
                pkeyfile=given.webhook.private_key_file,
            )
        return Watching(given.namespace, given.lease_name, hear, judge=self._judge, webhook=webhook)

    def _judge(self, _kind: Kind, found: Object) -> str:
        """Called in kopf's thread: reads a copy only."""
        other = older_twin(found, self.store.all(Kind.WALLET_CHAIN))
        return f"WalletChain {other} serves this chain and network already" if other else ""

    async def tell_ready(self, health: HealthServer) -> None:
        """Ready once the caches are filled; it stays so when the API server goes away."""
        while not self.store.is_filled:  # noqa: ASYNC110 - filled by lists, looked at seldom
            await asyncio.sleep(limits.DRAIN_INTERVAL_SECONDS)
        await health.set_serving("", serving=True)
        LOGGER.info("ready", instance=self.instance)


def load_template(name: str) -> dict[str, Any]:
    """The installation's parts of the workers' pod template. Raises ConfigurationError."""
    if not name:
        return {}
    try:
        found = yaml.safe_load(Path(name).read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"worker template {name}: {error}") from error
    if not isinstance(found, dict) or not set(found) <= {"metadata", "spec"}:
        raise ConfigurationError(f"worker template {name} holds other than metadata and spec")
    return found


async def serve(settings: ControlSettings, stop: asyncio.Event) -> None:
    """Runs until `stop`; then gives the Lease away first."""
    measured = telemetry.start(settings.telemetry, service="control", instance=settings.instance)
    life = certificate_life.measure(measured.meter, SystemClock(), channels=[settings.client_tls])
    cluster = await client.connect(settings.namespace)
    operator = Operator(settings, cluster, measured)
    health = await start_health_server(settings.health_address)
    try:
        async with supervise(
            stop,
            lease=operator.lease.run(),
            resync=operator.resync.run(),
            workers=operator.workers.run(),
            work=operator.work.run(),
            ready=operator.tell_ready(health),
            edge=edge.watch(settings.edge_address, life),
        ):
            await stop.wait()
            await operator.lease.release()
            await health.drain()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await health.stop()
            await operator.engine.close()
            await cluster.close()
            await asyncio.to_thread(measured.stop)
