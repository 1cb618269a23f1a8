"""What a block costs the real scanner over real Postgres, by how many addresses are watched.

Called by `benchmarks.wallets`. Blocks come from memory (`recorded`), everything after the socket is
real. `ceiling` of a cost with many addresses is the same block with a thousand; that of blocks per
second is reading the same answers as JSON and committing one row per block, without any look at
them. Tiers are so deep that nothing is credited: the figure is that of finding payments.
"""

import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.processor_time import ProcessorTime
from benchmarks.results import Case, case_of
from benchmarks.wallets import made_blocks
from benchmarks.wallets.made_blocks import ETHEREUM_TOKEN, TRON_TOKEN, Amounts
from benchmarks.wallets.recorded import BitcoinNode, EthereumNode, Recording, TronNode
from benchmarks.wallets.sizes import Sizes
from runtime import embedded_postgres
from runtime.migrations import migrate
from runtime.postgres import Database, connect
from runtime.settings import PostgresSettings
from wallets.bitcoin import coins
from wallets.bitcoin.adapter import Bitcoin, BitcoinSettings
from wallets.bitcoin.fees import FeePolicy as BitcoinFees
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.node_set import NodeSet as BitcoinNodes
from wallets.bitcoin.planning import Place
from wallets.contract import Held, Network
from wallets.deposits.scanner import Hooks, Moved, Scanner
from wallets.ethereum.adapter import Ethereum, EthereumSettings
from wallets.ethereum.fees import FeePolicy as EthereumFees
from wallets.ethereum.node_set import NodeSet as EthereumNodes
from wallets.ethereum.reading_processes import ReadingProcesses
from wallets.schema import MIGRATIONS
from wallets.tron import scan
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.node_set import NodeSet as TronNodes
from wallets.worker.chains import no_block, no_undo

FEW: Final = 1_000
MILLISECONDS: Final = 1_000.0
LEASE: Final = Held("scan", 1)
STALLED_SECONDS: Final = 10**10
ETHER: Final = 10**18
# As `made_blocks.digest_of` does, behind what a key of the chain begins with.
FILL: Final = """
insert into custody.address
    (network_id, key, text, branch, generation, path_index, account_id, request_id)
select $1, $2::bytea || substr(sha256(place::text::bytea), 1, 20), '', 'deposit', 1, place,
    4096 + place, int8send(place)
from generate_series(0, $3::bigint - 1) place
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One chain: how its blocks are made, and what begins a key."""

    chain: str
    add: Callable[[Recording, int, str, Amounts], str]
    amounts: Amounts
    prefix: bytes
    token: bytes
    open: Callable[[Network, Recording, Database], Scanner]


def open_bitcoin(network: Network, recording: Recording, database: Database) -> Scanner:
    """As a worker does."""
    fees = BitcoinFees(1_000, 2_000, 50_000, 5_000, 6)
    settings = BitcoinSettings(fees, Place("hot", 0), 3, 3)
    nodes = BitcoinNodes(REGTEST, [BitcoinNode(recording)], 1, time.monotonic)
    adapter = Bitcoin(network, REGTEST, nodes, database, settings, Random(1))
    hooks = Hooks(coins.apply_block, coins.undo_block)
    return Scanner(database, adapter, hooks, network.network_id, 1, STALLED_SECONDS)


def open_ethereum(network: Network, recording: Recording, database: Database) -> Scanner:
    """As a worker does."""
    nodes = EthereumNodes(
        1,
        network.genesis_hash,
        [EthereumNode(recording)],
        1,
        time.monotonic,
        processes=ReadingProcesses(),
    )
    fees = EthereumFees(ETHER, 1, 1)
    settings = EthereumSettings(1, fees, frozenset({ETHEREUM_TOKEN}), "", 64)
    adapter = Ethereum(network, nodes, database, settings)
    hooks = Hooks(no_block, no_undo)
    return Scanner(database, adapter, hooks, network.network_id, 1, STALLED_SECONDS)


def open_tron(network: Network, recording: Recording, database: Database) -> Scanner:
    """As a worker does."""
    nodes = TronNodes(network.genesis_hash, [TronNode(recording)], 1, time.monotonic)
    adapter = Tron(network, nodes, database, TronSettings(frozenset({TRON_TOKEN})))
    hooks = Hooks(scan.apply_block, scan.undo_block)
    return Scanner(database, adapter, hooks, network.network_id, 1, STALLED_SECONDS)


KINDS: Final = (
    Kind("bitcoin", made_blocks.add_bitcoin, Amounts(4_000, 10), b"\x00\x14", b"", open_bitcoin),
    Kind(
        "ethereum", made_blocks.add_ethereum, Amounts(3_000, 10), b"", ETHEREUM_TOKEN, open_ethereum
    ),
    Kind("tron", made_blocks.add_tron, Amounts(500, 10), b"\x41", TRON_TOKEN, open_tron),
)


@dataclass(slots=True)
class Followed:
    """A network with its scanner, and the blocks that it is shown."""

    scanner: Scanner
    recording: Recording

    async def catch_up(self, count: int, pids: dict[str, int]) -> tuple[float, float]:
        """Milliseconds of one block, by the clock and of all processors."""
        self.recording.tip_height += count
        before, started = ProcessorTime.read(pids), time.perf_counter()
        while await self.scanner.step(LEASE, now_ns=0) is not Moved.NOT:
            pass
        seconds = time.perf_counter() - started
        used = sum(ProcessorTime.read(pids).since(before).values())
        return seconds * MILLISECONDS / count, used * MILLISECONDS / count


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[tuple[Database, dict[str, int]]]:
    """A database of custody's with the lease of scans, and the processes whose time counts."""
    server = embedded_postgres.start(directory)
    try:
        settings = PostgresSettings.model_validate({"dsn": server.dsn})
        await migrate(settings, MIGRATIONS)
        async with AsyncExitStack() as stack:
            database = await connect(settings, application_name="bench")
            stack.push_async_callback(database.close)
            await database.write(
                "insert into custody.lease (name, owner, fencing_token, expires_at) "
                "values ('scan', 'bench', 1, 'infinity')"
            )
            yield database, {"scanner": os.getpid(), "postgres": server.postmaster_pid}
    finally:
        server.stop()


def record(kind: Kind, heights: int) -> Recording:
    """So many blocks, one on the other."""
    recording, parent = Recording(), made_blocks.GENESIS
    for height in range(1, heights + 1):
        recording.begin_block()
        parent = kind.add(recording, height, parent, kind.amounts)
    return recording


async def measure(directory: Path, sizes: Sizes) -> list[Case]:
    """Every chain, few and many addresses in turns."""
    cases: list[Case] = []
    async with opened(directory / "postgres-scan") as (database, pids):
        for number, kind in enumerate(KINDS):
            cases += await measure_kind(database, kind, 2 * number + 1, sizes, pids)
    return cases


async def measure_kind(
    database: Database, kind: Kind, network_id: int, sizes: Sizes, pids: dict[str, int]
) -> list[Case]:
    """One chain's cases."""
    recording = record(kind, sizes.blocks * (sizes.rounds + 1))
    few, many = [
        await follow(database, kind, network_id + at, watched, recording)
        for at, watched in enumerate((FEW, sizes.watched))
    ]
    rounds = []
    for number in range(sizes.rounds + 1):
        one = await few.catch_up(sizes.blocks, pids)
        other = await many.catch_up(sizes.blocks, pids)
        first = number * sizes.blocks
        bare = await read_only(database, recording.blocks[first : first + sizes.blocks])
        rounds.append((one, other, bare))
    measured = rounds[1:]
    name = f"scan/{kind.chain} of {kind.amounts.moved}"
    return [
        case_of(
            f"{name}/{sizes.watched} beside {FEW} watched",
            "ms/block",
            [many[0] for _, many, _ in measured],
            [few[0] for few, _, _ in measured],
        ),
        case_of(
            f"{name}/processor time, Postgres included",
            "ms/block",
            [many[1] for _, many, _ in measured],
            [few[1] for few, _, _ in measured],
        ),
        case_of(
            f"{name}/catching up",
            "blocks/s",
            [MILLISECONDS / many[0] for _, many, _ in measured],
            [bare for _, _, bare in measured],
        ),
    ]


async def follow(
    database: Database, kind: Kind, network_id: int, watched: int, recording: Recording
) -> Followed:
    """A network with so many addresses; the recording is shared, its height is not."""
    genesis = REGTEST.genesis_hash if kind.chain == "bitcoin" else made_blocks.GENESIS
    network = Network(kind.chain, f"{watched} watched", network_id, genesis)
    await database.write(
        "insert into custody.chain values ($1, $2, $3, $4)",
        kind.chain,
        network.network,
        network_id,
        genesis,
    )
    await database.write(
        "insert into custody.asset values ($1, 1, $2, 'BENCH', 6, 6, 0, 0)", network_id, kind.token
    )
    await database.write(
        "insert into custody.confirmation_tier values ($1, 1, 1, 0, 1000000, 1000000)", network_id
    )
    await database.write(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'x', 'x', 0)", network_id
    )
    await database.write(FILL, network_id, kind.prefix, watched, timeout_seconds=600.0)
    await database.write("analyze custody.address")
    own = Recording(0, recording.answers)
    return Followed(kind.open(network, own, database), own)


async def read_only(database: Database, blocks: list[list[bytes]]) -> float:
    """Blocks per second of who only reads and commits."""
    started = time.perf_counter()
    for height, answers in enumerate(blocks):
        for content in answers:
            json.loads(content)
        await database.write("insert into custody.lease (name) values ($1)", f"bare {height}")
    seconds = time.perf_counter() - started
    await database.write("delete from custody.lease where name like 'bare %'")
    return len(blocks) / seconds
