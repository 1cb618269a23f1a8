"""Starts and ends the signer's process. Without mutual TLS it does not start."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from cambist.internal.signer.v1 import signer_pb2_grpc
from runtime import certificate_life, logs, postgres, rpc_server, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.rpc_health import serving
from wallets.callers import Callers
from wallets.measured_calls import MeasuredCalls
from wallets.sealed_files import forbid_dumps
from wallets.signer import limits, log
from wallets.signer.keys.branches import BranchKeys
from wallets.signer.keys.places import Keys
from wallets.signer.keys.seeds import read_seeds
from wallets.signer.measures import measure, subjects
from wallets.signer.service import Signer
from wallets.signer.servicer import Servicer
from wallets.signer.settings import SignerSettings, open_keys, open_store, read_policy


async def serve(settings: SignerSettings, stop: asyncio.Event) -> None:
    """Signs until `stop`; raises ConfigurationError, Unavailable."""
    if not (settings.tls.certificate_file and settings.tls.authority_file):
        raise ConfigurationError("the signer needs a certificate and an authority of its callers")
    forbid_dumps()
    policy = read_policy(Path(settings.policy_file))
    keys: Keys = await asyncio.to_thread(read_seeds, open_store(settings), policy.branches)
    if policy.token_branches:
        token = await asyncio.to_thread(open_keys, settings)
        keys = BranchKeys(dict.fromkeys(policy.token_branches, token), keys)
    async with AsyncExitStack() as stack:
        database = await postgres.connect(settings.postgres, application_name="signer")
        stack.push_async_callback(database.close)
        async with database.connection() as connection:
            await postgres.check_durability(connection)
        measured = telemetry.start(settings.telemetry, service="signer", instance=settings.instance)
        stack.callback(measured.stop)
        certificate_life.measure(measured.meter, SystemClock(), servers=[settings.tls])
        epoch = await log.take_epoch(database)
        signer = Signer(database, policy, keys, epoch, SystemClock())
        await signer.status()
        measure(signer, measured.meter)
        calls = MeasuredCalls(measured, "signer", SystemClock(), subjects)
        server = await rpc_server.start_server(
            settings.listen_address,
            lambda one: signer_pb2_grpc.add_SignerServiceServicer_to_server(Servicer(signer), one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            interceptors=[Callers(policy.callers, calls)],
            concurrent_calls_max=limits.CALLS_MAX,
        )
        async with serving(settings.health_address):
            logs.get(__name__).info("serving", port=server.port, epoch=epoch)
            await stop.wait()
        await server.stop(limits.SIGN_SECONDS)
