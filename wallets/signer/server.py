"""Starts and ends the signer's process. Without mutual TLS it does not start."""

import asyncio
from pathlib import Path

from cambist.internal.signer.v1 import signer_pb2_grpc
from runtime import logs, postgres, rpc_server
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from wallets.signer import limits, log
from wallets.signer.keys.encrypted_file import read_seed
from wallets.signer.service import Servicer, Signer
from wallets.signer.settings import SignerSettings, read_policy


async def serve(settings: SignerSettings, stop: asyncio.Event) -> None:
    """Signs until `stop`; raises ConfigurationError, Unavailable."""
    if not (settings.tls.certificate_file and settings.tls.authority_file):
        raise ConfigurationError("the signer needs a certificate and an authority of its callers")
    policy = read_policy(Path(settings.policy_file))
    passphrase = settings.passphrase.get_secret_value().encode()
    seed = await asyncio.to_thread(read_seed, Path(settings.seed_file), passphrase)
    database = await postgres.connect(settings.postgres, application_name="signer")
    try:
        async with database.connection() as connection:
            await postgres.check_durability(connection)
        epoch = await log.take_epoch(database)
        signer = Signer(database, policy, seed, epoch, SystemClock())
        server = await rpc_server.start_server(
            settings.listen_address,
            lambda one: signer_pb2_grpc.add_SignerServiceServicer_to_server(Servicer(signer), one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            concurrent_calls_max=limits.CALLS_MAX,
        )
        logs.get(__name__).info("serving", port=server.port, epoch=epoch)
        await stop.wait()
        await server.stop(limits.SIGN_SECONDS)
    finally:
        await database.close()
