"""A node, the signer's process and custody's tables, with money to pay from; here TRON's.

Used by `benchmarks.wallets.payouts`. Files, keys and certificates are those of a venue for
development; the signer is asked over gRPC with mutual TLS as in production.
"""

import asyncio
import datetime
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from benchmarks.ceiling_servers import wait_port
from benchmarks.wallets.payout_parts import (
    ACCOUNT_ID,
    APPROVER_KEY_ID,
    AnswersAll,
    ApprovesAll,
    CountedNode,
)
from runtime import embedded_postgres, rpc_channel
from runtime.development_certificates import make_authority
from runtime.migrations import migrate
from runtime.postgres import Database, connect
from runtime.settings import PostgresSettings, TlsSettings
from venue.custody import files
from venue.custody.chain_plan import ChainPlan
from venue.custody.listing import TRX
from venue.custody.purse import new_key
from venue.custody.tron_node import BEGINS_WITH_ATOMS, SOLID_LAG_BLOCKS, TronPurse, tron_account
from venue.custody.tron_plan import tron
from venue.flow.definitions import AssetPlan
from venue.ports import choose_ports
from venue.processes import Processes
from wallets.contract import Builds, Network, WithdrawalId
from wallets.core.inbox import Requested
from wallets.schema import MIGRATIONS
from wallets.service.deriving import derives
from wallets.signer import log
from wallets.signer.client import SignerClient
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.addresses import address_of
from wallets.tron.node import NodeSettings
from wallets.tron.node_set import NodeSet
from wallets.worker import limits, registration

READY_SECONDS: Final = 60.0
UNIT: Final = 10**6
TARGET: Final = b"\x41" + b"\x33" * 20


class CountsPosts(Protocol):
    """A client of a node."""

    posts: int


@dataclass(slots=True)
class World:
    """All that a payout needs."""

    network_id: int
    # What is paid out, and to whom.
    asset: AssetPlan
    unit_atoms: int
    destination: str
    database: Database
    chain: Builds
    node: CountsPosts
    signer: SignerClient
    engine: AnswersAll
    approver: ApprovesAll
    requests: dict[bytes, Requested] = field(default_factory=dict)

    def request(self, count: int) -> list[Requested]:
        """So many more withdrawals of a unit and a little, known to the approver."""
        made = []
        for _ in range(count):
            withdrawal_id = WithdrawalId(len(self.requests).to_bytes(16, "big"))
            amount = self.unit_atoms + len(self.requests)
            asset_id = self.asset.asset_id
            one = Requested(
                withdrawal_id, ACCOUNT_ID, asset_id, self.network_id, amount, 1, self.destination
            )
            self.requests[withdrawal_id] = one
            made.append(one)
        return made


@dataclass(frozen=True, slots=True)
class Parts:
    """What a world is made in and of."""

    directory: Path
    dsn: str
    processes: Processes
    stack: AsyncExitStack


Opens = Callable[[Parts], Awaitable[World]]


@asynccontextmanager
async def opened(open_world: Opens, directory: Path) -> AsyncIterator[World]:
    """A world with a server of its own, until the end. Raises ProcessFailed, TimeoutError."""
    server = embedded_postgres.start(directory / "postgres")
    processes = Processes(directory / "processes")
    try:
        async with AsyncExitStack() as stack:
            yield await open_world(Parts(directory, server.dsn, processes, stack))
    finally:
        await processes.stop_all()
        server.stop()


async def open_tron(parts: Parts) -> World:
    """Node, files, tables, signer, in this order."""
    (node_port,) = choose_ports(1)
    key = new_key()
    mine = address_of(tron_account(key))
    parts.processes.start(
        "tron-simulator",
        [
            *("-m", "wallets.tron.simulator", f"--port={node_port}", "--block-seconds=1"),
            *(f"--solid-lag-blocks={SOLID_LAG_BLOCKS}", f"--fund={mine}={BEGINS_WITH_ATOMS}"),
        ],
    )
    url = f"http://127.0.0.1:{node_port}"
    node = CountedNode(NodeSettings("bench", SecretStr(url)))
    await parts.stack.enter_async_context(node)
    await wait_port(parts.processes, node_port)
    purse = await TronPurse.open(url, key, parts.stack)
    plan = tron(url, purse.genesis_hash)
    custody = await open_custody(parts, plan)
    for address in (*custody.hot, address_of(TARGET)):
        await purse.pay(plan.assets[0], address, BEGINS_WITH_ATOMS // 10)
    # As a worker opens them.
    kept_seconds = limits.TRON_KEPT_SECONDS
    nodes = NodeSet(plan.genesis_hash, [node], 1, time.monotonic, kept_seconds=kept_seconds)
    chain = Tron(network_of(plan), nodes, custody.database, TronSettings(frozenset()))
    return custody.world(chain, node, TRX, UNIT, address_of(TARGET))


def network_of(plan: ChainPlan) -> Network:
    """As custody names it."""
    return Network(plan.chain, plan.network, plan.network_id, plan.genesis_hash)


@dataclass(frozen=True, slots=True)
class Custody:
    """Tables, signer and the keys' addresses, before there is a chain."""

    plan: ChainPlan
    database: Database
    signer: SignerClient
    approver_key: Ed25519PrivateKey
    # The accounts that pay.
    hot: list[str]

    def world(
        self, chain: Builds, node: CountsPosts, asset: AssetPlan, unit_atoms: int, destination: str
    ) -> World:
        """With a chain, the whole."""
        requests: dict[bytes, Requested] = {}
        network_id = self.plan.network_id
        return World(
            network_id,
            asset,
            unit_atoms,
            destination,
            self.database,
            chain,
            node,
            self.signer,
            AnswersAll(self.database, network_id),
            ApprovesAll(self.approver_key, network_id, requests),
            requests,
        )


async def open_custody(parts: Parts, plan: ChainPlan) -> Custody:
    """Files, tables and the signer's process for one chain."""
    folder = parts.directory / "custody"
    await asyncio.to_thread(files.write, folder, [plan])
    approver_key = Ed25519PrivateKey.generate()
    policy = files.signer_policy([plan], approver_key.public_key().public_bytes_raw().hex())
    policy["approver_keys"] = {APPROVER_KEY_ID: policy["approver_keys"][files.KEY_ID]}
    (folder / "signing.json").write_text(json.dumps(policy), encoding="utf-8")
    settings = PostgresSettings.model_validate({"dsn": parts.dsn})
    for migrations in (MIGRATIONS, log.MIGRATIONS):
        await migrate(settings, migrations)
    database = await connect(settings, application_name="pipeline")
    parts.stack.push_async_callback(database.close)
    wanted = registration.read_registration(files.registration_file(folder, plan))
    await registration.apply(database, wanted)
    keys = {one.branch: one.extended_public_key for one in wanted.branches}
    branches = derives(plan.chain, plan.network)
    hot = [branches.create_wallet(keys[name], index).text for name, index in plan.hot_accounts]
    (port,) = choose_ports(1)
    signer = await open_signer(folder, parts.dsn, parts.processes, port, parts.stack)
    return Custody(plan, database, signer, approver_key, hot)


async def open_signer(
    folder: Path, dsn: str, processes: Processes, port: int, stack: AsyncExitStack
) -> SignerClient:
    """The process, and a client that it lets in."""
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(folder / "tls", now)
    tls: dict[str, TlsSettings] = {
        name: authority.issue(name, now).model_copy(
            update={"authority_file": authority.authority_file}
        )
        for name in ("signer", files.CALLER)
    }
    own = {
        "POSTGRES_DSN": dsn,
        "LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "POLICY_FILE": str(folder / "signing.json"),
        "SEED_DIRECTORY": str(folder / "seeds"),
        "PASSPHRASE_FILE": str(folder / "passphrase"),
        "TLS_CERTIFICATE_FILE": tls["signer"].certificate_file,
        "TLS_PRIVATE_KEY_FILE": tls["signer"].private_key_file,
        "TLS_AUTHORITY_FILE": tls["signer"].authority_file,
    }
    environment = {**os.environ, **{f"CAMBIST_SIGNER_{name}": text for name, text in own.items()}}
    processes.start("signer", ["-m", "wallets.signer", "serve"], environment=environment)
    await wait_port(processes, port, READY_SECONDS)
    channel = rpc_channel.open_channel(f"localhost:{port}", tls_settings=tls[files.CALLER])
    await stack.enter_async_context(channel)
    await rpc_channel.wait_ready(channel, "the signer", READY_SECONDS)
    return SignerClient(channel)
