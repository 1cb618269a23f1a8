"""Starts and ends the approver's process. Without mutual TLS it does not start."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.approver.v1 import approver_pb2_grpc
from runtime import certificate_life, logs, postgres, process, rpc_server, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.rpc_health import serving
from wallets.approver import limits
from wallets.approver.journal import Follower
from wallets.approver.service import Approver, SigningKey
from wallets.approver.servicer import Servicer
from wallets.approver.settings import ApproverSettings, read_policy
from wallets.callers import Callers
from wallets.engines import Primary, open_engines, read_engines
from wallets.measured_calls import MeasuredCalls
from wallets.sealed_files import file_of, forbid_dumps, read_passphrase, read_seed


def read_key(settings: ApproverSettings) -> SigningKey:
    """The key that signs; raises ConfigurationError."""
    passphrase = read_passphrase(Path(settings.passphrase_file))
    content = read_seed(file_of(Path(settings.key_directory), settings.key_id), passphrase)
    if len(content) != limits.KEY_BYTES:
        raise ConfigurationError("the key file holds no key of an approver")
    return SigningKey(settings.key_id, Ed25519PrivateKey.from_private_bytes(content))


def subjects(method: str, request: Any) -> Sequence[bytes]:
    """The withdrawal that a call is about. Pure."""
    match method:
        case "Approve":
            return (request.intent_id,)
        case "Consent":
            return (request.withdrawal_id,)
        case _:
            return ()


async def serve(settings: ApproverSettings, stop: asyncio.Event) -> None:
    """Approves until `stop`; raises ConfigurationError, Unavailable, Broken."""
    if not (settings.tls.certificate_file and settings.tls.authority_file):
        raise ConfigurationError("the approver needs a certificate and an authority of its callers")
    forbid_dumps()
    policy = read_policy(Path(settings.policy_file))
    engines = read_engines("CAMBIST_APPROVER_ENGINES", settings.engines)
    key = await asyncio.to_thread(read_key, settings)
    async with AsyncExitStack() as stack:
        database = await postgres.connect(settings.postgres, application_name="approver")
        stack.push_async_callback(database.close)
        async with database.connection() as connection:
            await postgres.check_durability(connection)
        followers = {}
        channels = await open_engines(engines, settings.engine_tls, stack)
        for shard, those in channels.items():
            followers[f"shard-{shard}"] = Follower(database, shard, Primary(those)).run()
        measured = telemetry.start(
            settings.telemetry, service="approver", instance=settings.instance
        )
        stack.callback(measured.stop)
        certificate_life.measure(measured.meter, SystemClock(), servers=[settings.tls])
        calls = MeasuredCalls(measured, "approver", SystemClock(), subjects)
        servicer = Servicer(Approver(database, policy, key, SystemClock()), tuple(engines))
        await stack.enter_async_context(process.supervise(stop, **followers))
        server = await rpc_server.start_server(
            settings.listen_address,
            lambda one: approver_pb2_grpc.add_ApproverServiceServicer_to_server(servicer, one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            interceptors=[Callers(policy.callers, calls)],
            concurrent_calls_max=limits.CALLS_MAX,
        )
        async with serving(settings.health_address):
            logs.get(__name__).info("serving", port=server.port, key_id=key.key_id)
            await stop.wait()
        await server.stop(limits.STOP_SECONDS)
