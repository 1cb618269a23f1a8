"""Opens the adapter of the chain that a worker serves, from a JSON file.

Called by `server`. Libraries of a chain are imported only where that chain is served: an image
without Bitcoin holds no GPL code. A wrong file is named by field, never with its passwords.

    {"nodes": [{"name": "a", "url": "http://…", "user": "…", "password": "…"}], "agreeing": 1,
     "settings": {…}, "stalled_after_seconds": 10800,
     "screening": {"url": "https://…", "token": "…", "timeout_seconds": 5} or "accepts all"}
"""

import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from runtime.errors import ConfigurationError
from runtime.postgres import Connection, Database
from wallets.books import receipts
from wallets.books.holdings import AsksBalances
from wallets.contract import Block, Builds, Destination, Network, ReadsChain
from wallets.deposits.scanner import Hooks
from wallets.screening.http_screen import HttpScreen, ScreeningSettings
from wallets.screening.verdicts import AcceptsAll, Screens
from wallets.treasury.gathering import Gathers
from wallets.worker import limits

T = TypeVar("T")
# What is done with each block that is followed.
Applies: TypeAlias = Callable[[Connection, int, Block], Awaitable[None]]
STALLED: Final = "stalled_after_seconds"
# Said, not assumed: a network that screens is never served without somebody who answers.
ACCEPTS_ALL: Final = "accepts all"


def read_json(path: Path, what: str) -> dict[str, Any]:
    """The object in a file; raises ConfigurationError."""
    try:
        text = path.read_bytes()
        if len(text) > limits.FILE_BYTES_MAX:
            raise ConfigurationError(f"{what}: larger than {limits.FILE_BYTES_MAX} bytes")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{what}: {type(error).__name__}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{what}: not an object")
    return content


def parse(kind: type[T], content: object, what: str) -> T:
    """A typed value; raises ConfigurationError that names the fields at fault."""
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['type']}"
            for one in error.errors(include_input=False, include_context=False)
        ]
        raise ConfigurationError(f"{what}: {'; '.join(faults)}") from None


class Serves(Builds, ReadsChain, Protocol):
    """An adapter as a worker needs it: it pays, and it is followed."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """As in `Adapter`."""


class KeepsShares(Protocol):
    """What several workers of one network have shares of, by lease."""

    async def run(self, owner: str, is_drained: Callable[[], bool]) -> None:
        """Keeps this worker's share until cancelled; none once it is drained."""

    async def hand_over(self, owner: str) -> None:
        """To the others, at the end. Raises Unavailable, Unknown."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An adapter, and what its own tables need of each block."""

    chain: Serves
    hooks: Hooks
    # A head that is older is not believed to be one.
    stalled_after_seconds: int
    # What gathers deposits; None = nothing does.
    gathers: Gathers | None = None
    # What else one worker does for the chain, for ever, by the name of its lease.
    jobs: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    # What of it the workers of a network have shares of; None = nothing.
    shares: KeepsShares | None = None
    # What tells balances, where coins lie at accounts.
    balances: AsksBalances | None = None


async def no_block(connection: Connection, network_id: int, block: Block) -> None:
    """Of a chain without tables of its own."""


async def no_undo(connection: Connection, network_id: int, block_hash: str) -> None:
    """Of a chain without tables of its own."""


def in_turn(*works: Applies) -> Applies:
    """One after the other, in the transaction of the block."""

    async def apply(connection: Connection, network_id: int, block: Block) -> None:
        for work in works:
            await work(connection, network_id, block)

    return apply


async def open_chain(
    network: Network, path: Path, database: Database, stack: AsyncExitStack
) -> Opened:
    """The adapter, its nodes open until the stack ends. Raises ConfigurationError."""
    content = read_json(path, "chain file")
    if missing := {"nodes", "agreeing", "settings"} - content.keys():
        raise ConfigurationError(f"chain file: without {sorted(missing)}")
    try:
        match network.chain:
            case "bitcoin":
                return await _open_bitcoin(network, content, database, stack)
            case "ethereum":
                return await _open_ethereum(network, content, database, stack)
            case "tron":
                return await _open_tron(network, content, database, stack)
    except ValueError as error:
        raise ConfigurationError(f"chain file: {error}") from None
    raise ConfigurationError(f"no worker pays on {network.chain} yet")


async def open_screening(path: Path, stack: AsyncExitStack) -> Screens | None:
    """Who is asked for verdicts, open until the stack ends. Raises ConfigurationError."""
    content = read_json(path, "chain file").get("screening")
    if content is None:
        return None
    if content == ACCEPTS_ALL:
        return AcceptsAll()
    settings = parse(ScreeningSettings, content, "chain file: screening")
    return await stack.enter_async_context(HttpScreen(settings))


async def _open_bitcoin(
    network: Network, content: Mapping[str, Any], database: Database, stack: AsyncExitStack
) -> Opened:
    from wallets.bitcoin import coins, networks
    from wallets.bitcoin.adapter import Bitcoin, BitcoinSettings
    from wallets.bitcoin.node import Node, NodeSettings
    from wallets.bitcoin.node_set import NodeSet

    chains = {one.chain: one for one in networks.NETWORKS}
    if network.network not in chains:
        raise ConfigurationError(f"bitcoin has no network {network.network}")
    chain = chains[network.network]
    settings = parse(BitcoinSettings, content["settings"], "chain file: settings")
    nodes = [
        await stack.enter_async_context(Node(one))
        for one in parse(list[NodeSettings], content["nodes"], "chain file: nodes")
    ]
    node_set = NodeSet(chain, nodes, parse(int, content["agreeing"], "agreeing"), time.monotonic)
    adapter = Bitcoin(network, chain, node_set, database, settings, SystemRandom())
    seconds = parse(int, content.get(STALLED, limits.BITCOIN_STALLED_SECONDS), STALLED)
    return Opened(adapter, Hooks(coins.apply_block, coins.undo_block), seconds)


async def _open_ethereum(
    network: Network, content: Mapping[str, Any], database: Database, stack: AsyncExitStack
) -> Opened:
    from wallets.ethereum import suspending
    from wallets.ethereum.adapter import Ethereum, EthereumSettings
    from wallets.ethereum.gathering import EthereumGathering, SweepSettings
    from wallets.ethereum.holdings import EthereumBalances
    from wallets.ethereum.lane_leases import LaneLeases
    from wallets.ethereum.node import Node, NodeSettings
    from wallets.ethereum.node_set import NodeSet
    from wallets.ethereum.reading_processes import ReadingProcesses

    rows = await database.read(
        "select contract from custody.asset where network_id = $1 and contract <> ''",
        network.network_id,
    )
    contracts = frozenset(bytes(row["contract"]) for row in rows)
    settings = parse(
        EthereumSettings, {**content["settings"], "contracts": contracts}, "chain file: settings"
    )
    nodes = [
        await stack.enter_async_context(Node(one))
        for one in parse(list[NodeSettings], content["nodes"], "chain file: nodes")
    ]
    agreeing = parse(int, content["agreeing"], "agreeing")
    node_set = NodeSet(
        settings.chain_id,
        network.genesis_hash,
        nodes,
        agreeing,
        time.monotonic,
        checks_roots=settings.checks_roots,
        processes=await stack.enter_async_context(ReadingProcesses()),
    )
    leases = LaneLeases(database, network.network_id)
    adapter = Ethereum(network, node_set, database, settings, leases)
    stack.push_async_callback(adapter.close)
    seconds = parse(int, content.get(STALLED, limits.ETHEREUM_STALLED_SECONDS), STALLED)
    gathers = None
    if "sweeps" in content:
        sweeps = parse(SweepSettings, content["sweeps"], "chain file: sweeps")
        gathers = EthereumGathering(adapter, database, sweeps)
    return Opened(
        adapter,
        Hooks(in_turn(receipts.apply_block, suspending.apply_block), receipts.undo_block),
        seconds,
        gathers,
        shares=leases,
        balances=EthereumBalances(adapter, node_set),
    )


async def _open_tron(
    network: Network, content: Mapping[str, Any], database: Database, stack: AsyncExitStack
) -> Opened:
    from wallets.tron import scan
    from wallets.tron.adapter import Tron, TronSettings
    from wallets.tron.gathering import SweepSettings, TronGathering
    from wallets.tron.holdings import TronBalances
    from wallets.tron.ledger import Ledger
    from wallets.tron.node import Node, NodeSettings
    from wallets.tron.node_set import NodeSet

    rows = await database.read(
        "select contract from custody.asset where network_id = $1 and contract <> ''",
        network.network_id,
    )
    contracts = frozenset(bytes(row["contract"]) for row in rows)
    settings = parse(
        TronSettings, {**content["settings"], "contracts": contracts}, "chain file: settings"
    )
    nodes = [
        await stack.enter_async_context(Node(one))
        for one in parse(list[NodeSettings], content["nodes"], "chain file: nodes")
    ]
    agreeing = parse(int, content["agreeing"], "agreeing")
    node_set = NodeSet(
        network.genesis_hash,
        nodes,
        agreeing,
        time.monotonic,
        kept_seconds=limits.TRON_KEPT_SECONDS,
    )
    adapter = Tron(network, node_set, database, settings)
    seconds = parse(int, content.get(STALLED, limits.TRON_STALLED_SECONDS), STALLED)
    gathers = None
    if "sweeps" in content:
        sweeps = parse(SweepSettings, content["sweeps"], "chain file: sweeps")
        gathers = TronGathering(network, node_set, database, sweeps)
    jobs = {"tron_costs": Ledger(network.network_id, node_set, database).run}
    return Opened(
        adapter,
        Hooks(scan.apply_block, scan.undo_block),
        seconds,
        gathers,
        jobs,
        balances=TronBalances(adapter, node_set),
    )
