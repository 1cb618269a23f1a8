"""The processes of a venue on this machine: Postgres, matching and its helpers, gateways.

Everything that differs between here and production is in the environment built below.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from runtime import embedded_postgres
from runtime.embedded_postgres import EmbeddedPostgres
from venue.flow.definitions import SHARD
from venue.ports import choose_ports
from venue.processes import Process, Processes, ProcessFailed

# Matching's three, the history's, one per helper.
FIXED_PORTS: Final = 6
PORTS_PER_GATEWAY: Final = 2
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
CALL_SECONDS: Final = 1.0
HEALTH_METHOD: Final = "/grpc.health.v1.Health/Check"
MATCHING: Final = "matching"
PREFIX: Final = "CAMBIST_MATCHING_"
SNAPSHOTTER: Final = "snapshotter"
PROJECTOR: Final = "projector"


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What to start."""

    directory: Path
    gateway_count: int = 2
    # "kernel" or "reference"; empty = what matching takes by itself.
    engine: str = ""
    helpers: bool = True
    # Further variables for matching and for gateways.
    matching_environment: dict[str, str] = field(default_factory=dict)
    gateway_environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatewayPorts:
    """Where one gateway listens."""

    name: str
    port: int
    health_port: int

    @property
    def endpoint(self) -> str:
        """For clients."""
        return f"127.0.0.1:{self.port}"


class Stack:
    """A running venue; use it with `async with`, which stops all that it started."""

    def __init__(self, plan: StackPlan) -> None:
        self.plan = plan
        self.processes = Processes(plan.directory / "processes")
        ports = iter(choose_ports(FIXED_PORTS + PORTS_PER_GATEWAY * plan.gateway_count))
        self.matching_port, self.admin_port = next(ports), next(ports)
        self.matching_health_port, self.history_port = next(ports), next(ports)
        self.helper_health_ports = {role: next(ports) for role in (SNAPSHOTTER, PROJECTOR)}
        self.gateways = tuple(
            GatewayPorts(f"gateway-{index + 1}", next(ports), next(ports))
            for index in range(plan.gateway_count)
        )
        self._token_secret = secrets.token_urlsafe(32)
        self.postgres: EmbeddedPostgres | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def dsn(self) -> str:
        """Of the venue's database."""
        assert self.postgres is not None, "the stack is started"
        return self.postgres.dsn

    @property
    def admin_endpoint(self) -> str:
        """AdminService of matching."""
        return f"127.0.0.1:{self.admin_port}"

    @property
    def matching_endpoint(self) -> str:
        """MatchingService."""
        return f"127.0.0.1:{self.matching_port}"

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All gateways."""
        return tuple(gateway.endpoint for gateway in self.gateways)

    async def start(self) -> None:
        """Starts everything and waits until it serves. Raises ProcessFailed."""
        self.postgres = await embedded_postgres.ensure_running(self.plan.directory / "postgres")
        self.start_matching()
        await self.wait_serving(MATCHING, self.matching_health_port)
        if self.plan.helpers:
            for role in self.helper_health_ports:
                self.start_helper(role)
        for index in range(len(self.gateways)):
            self.start_gateway(index)
        for gateway in self.gateways:
            await self.wait_serving(gateway.name, gateway.health_port)
        if self.plan.helpers:
            for role, port in self.helper_health_ports.items():
                await self.wait_serving(role, port)

    async def stop(self) -> None:
        """Stops all processes and the database."""
        await self.processes.stop_all()
        if self.postgres is not None:
            await asyncio.to_thread(self.postgres.stop)

    def start_matching(self) -> Process:
        """Starts the primary; also after it was killed."""
        return self.processes.start(
            MATCHING, ["-m", "matching", "serve"], environment=self.matching_environment("serve")
        )

    def start_helper(self, role: str, settings: Mapping[str, str] | None = None) -> Process:
        """Starts snapshotter or projector, with further settings of matching."""
        environment = self.matching_environment(role)
        environment |= {PREFIX + name: value for name, value in (settings or {}).items()}
        return self.processes.start(role, ["-m", "matching", role], environment=environment)

    def start_gateway(self, index: int) -> Process:
        """Starts a gateway; also after it was killed."""
        gateway = self.gateways[index]
        return self.processes.start(
            gateway.name, ["-m", "gateway", "serve"], environment=self.gateway_environment(index)
        )

    def matching_environment(self, role: str) -> dict[str, str]:
        """Settings of one process of matching."""
        settings = {
            "SHARD": str(SHARD),
            "POSTGRES_DSN": self.dsn,
            "DEVELOPMENT_ENABLED": "true",
            "LISTEN_ADDRESS": self.matching_endpoint,
            "ADMIN_ADDRESS": self.admin_endpoint,
            "HEALTH_ADDRESS": f"127.0.0.1:{self.matching_health_port}",
            "HISTORY_ADDRESS": f"127.0.0.1:{self.history_port}",
        }
        if role in self.helper_health_ports:
            settings["HEALTH_ADDRESS"] = f"127.0.0.1:{self.helper_health_ports[role]}"
        if self.plan.engine:
            settings["ENGINE"] = self.plan.engine
        settings |= self.plan.matching_environment
        return {PREFIX + name: value for name, value in settings.items()}

    def gateway_environment(self, index: int) -> dict[str, str]:
        """Settings of one gateway."""
        gateway = self.gateways[index]
        settings = {
            "POSTGRES_DSN": self.dsn,
            "DEVELOPMENT_ENABLED": "true",
            "LISTEN_ADDRESS": gateway.endpoint,
            "HEALTH_ADDRESS": f"127.0.0.1:{gateway.health_port}",
            "MATCHING_ENDPOINTS": f"{SHARD}={self.matching_endpoint}",
            "HISTORY_ENDPOINTS": f"{SHARD}=127.0.0.1:{self.history_port}",
            "INSTANCE": gateway.name,
            "TOKEN_SECRET": self._token_secret,
            "DRAIN_MS": "500",
        }
        settings |= self.plan.gateway_environment
        return {"CAMBIST_GATEWAY_" + name: value for name, value in settings.items()}

    async def wait_serving(self, name: str, health_port: int) -> float:
        """Waits until a process says it serves; seconds it took. Raises ProcessFailed."""
        process = self.processes.running[name]
        started = time.monotonic()
        while not await is_serving(health_port):
            if not process.is_running:
                raise process.fail(f"ended with status {process.popen.returncode}")
            if time.monotonic() - started > READY_SECONDS:
                raise process.fail(f"does not serve after {READY_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - started

    async def create_key(
        self, firm_id: int, key_id: str, public_key: str, scopes: Sequence[str] = ()
    ) -> None:
        """Registers an API key of a firm, as an operator does. Raises ProcessFailed.

        Without scopes it may do all but take money out.
        """
        arguments = ["-m", "gateway", "keys", "create", "--firm", str(firm_id)]
        arguments += ["--public-key", public_key, "--key-id", key_id]
        for scope in scopes:
            arguments += ["--scope", scope]
        name = f"keys-{key_id}"
        process = self.processes.start(
            name, arguments, environment={**os.environ, **self.gateway_environment(0)}
        )
        status = await asyncio.to_thread(process.popen.wait)
        del self.processes.running[name]
        if status:
            raise ProcessFailed(f"keys create: status {status}\n{process.log_tail()}")


async def is_serving(health_port: int) -> bool:
    """Whether the process behind a health port says SERVING."""
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{health_port}", options=[("grpc.enable_http_proxy", 0)]
    ) as channel:
        check: Any = channel.unary_unary(
            HEALTH_METHOD,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
