"""A process that gathers deposits on a real node and is killed at a crash point.

`test_deaths_of_dearer_sweeps.py` starts one per life. It shares nothing with the next one but the
database, the signer's log and the chain: whoever dies here leaves a transaction open, a reply
unread or a nonce half used, as a worker and a signer do that a machine takes with it.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from eth_utils.crypto import keccak

from runtime.clock import ManualClock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import connect
from runtime.settings import PostgresSettings
from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.custody import FEES, GWEI, Custody, network_of, policy_of, settings_of
from tests.chains.ethereum.development_node import CHAIN_ID
from tests.chains.ethereum.test_gathering import gathering_of
from tests.chains.real_signer import NETWORK_ID, SEEDS, RealSigner
from tests.wallets.crash_points import Countdown, Died, Sites
from wallets.errors import Condition, Stuck
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.ethereum.node_set import NodeSet
from wallets.link import lease
from wallets.signer import log
from wallets.signer.service import Signer
from wallets.treasury import following, gathering
from wallets.treasury.gathering import Gathering, lease_of

SITES: Final = Sites(gathering, following)
STEPS_MAX: Final = 40
OPEN: Final = """
select a.state, a.raw, a.txid, a.conflict_group_id, t.condition,
    a.changed_at > clock_timestamp() - interval '30 minutes' as is_fresh
from custody.attempt a join custody.treasury_transfer t using (attempt_id)
where a.kind in ('sweep', 'top_up') and a.state in ('planned', 'signed', 'broadcast', 'mined')
order by a.attempt_id
"""
UNGATHERED: Final = "select from custody.deposit where not is_gathered"
# What nobody mines is unmined for longer than the schedule has it.
PASS_PATIENCE: Final = """
update custody.attempt set changed_at = changed_at - interval '1 hour'
"""


@dataclass(frozen=True)
class Life:
    """What a process is told; without a point it lives until nothing is left to gather."""

    postgres: PostgresSettings
    url: str
    token: bytes
    lane: bytes
    # No two lives have the same: the lease's token tells them apart.
    owner: str
    # How miners and the token behave; see `be_a_chain`.
    world: str
    # Whose tokens; an issuer may ban it.
    key: bytes
    # The newest attempt before it was deposited to.
    after: int
    point: str = ""
    times: int = 0


class FoundAnvil(Anvil):
    """One that another process started, and will end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rich = self.begin()


class KillsItself(Countdown):
    """The process is gone at the point, and nothing in it runs after that."""

    def pass_point(self, when: str, name: str) -> None:
        try:
            super().pass_point(when, name)
        except Died:
            os.kill(os.getpid(), signal.SIGKILL)


def run(life: Life, passed: Connection) -> None:
    """The process; it tells the points that it passed if it comes to its end."""
    countdown = KillsItself(SITES, life.point, life.times)
    asyncio.run(live(life, countdown))
    passed.send(countdown.names)


@asynccontextmanager
async def opened(life: Life) -> AsyncIterator[Custody]:
    """Connections of this process alone, and a signer that takes the epoch from the last one."""
    node = FoundAnvil(life.url)
    async with AsyncExitStack() as stack:
        database = await connect(life.postgres, application_name="mortal")
        stack.push_async_callback(database.close)
        asked = await stack.enter_async_context(node.node())
        network = network_of(node)
        nodes = NodeSet(CHAIN_ID, network.genesis_hash, [asked], 1, time.monotonic)
        await nodes.check()
        adapter = Ethereum(network, nodes, database, settings_of(life.token))
        epoch = await log.take_epoch(database)
        signer = Signer(database, policy_of(life.token), SEEDS, epoch, ManualClock())
        yield Custody(node, adapter, database, RealSigner(signer), life.token, life.lane)


async def live(life: Life, countdown: Countdown) -> None:
    """Gathers until all deposits are gathered and nothing is open."""
    async with opened(life) as custody:
        job = gathering_of(custody)
        mortal = Gathering(
            countdown.before(custody.database),
            countdown.before(custody.adapter),
            countdown.before(job.gathers),
            countdown.before(custody.signer),
        )
        token = await lease.hold(custody.database, lease_of(NETWORK_ID), life.owner, 60)
        assert token is not None
        for _ in range(STEPS_MAX):
            with contextlib.suppress(Unavailable, Unknown, Stuck):
                await mortal.step(token)
            rows = await custody.database.read(OPEN)
            if not rows and not await custody.database.read(UNGATHERED):
                return
            await be_a_chain(custody, life, rows)
        raise AssertionError(f"{STEPS_MAX} steps were too few")


async def be_a_chain(custody: Custody, life: Life, rows: Sequence[Any]) -> None:
    """Mines nothing until a dearer one is out, and then what the world says."""
    states = [row["state"] for row in rows]
    if states == ["broadcast"] and await is_alone(custody, rows[0]["conflict_group_id"]):
        if life.world == "at the ceiling":
            be_dear(custody, rows[0])
        await custody.database.write(PASS_PATIENCE)
    elif states == ["broadcast", "broadcast"] and life.world == "older mined":
        older, newer = rows
        # The pool may have either of them.
        custody.anvil.call("anvil_dropTransaction", "0x" + older["txid"])
        custody.node.mine_instead(older["raw"], newer["txid"])
    elif states == ["broadcast", "broadcast"]:
        if life.world == "failing" and not await has_failed(custody, life):
            ban(custody, life.key, banned=True)
        custody.node.mine()
    elif "mined" in states or (states and set(states) == {"broadcast"}):
        custody.node.mine()
    elif not states and life.world == "failing" and await has_failed(custody, life):
        ban(custody, life.key, banned=False)


def be_dear(custody: Custody, row: Any) -> None:
    """Gas costs too much until the transfer says so; the pool drops what offers less."""
    if row["is_fresh"]:
        custody.node.raise_base_fee(2 * FEES.ceiling_per_gas_atoms)
    elif row["condition"] == Condition.AT_CEILING:
        custody.node.raise_base_fee(GWEI)


def ban(custody: Custody, key: bytes, *, banned: bool) -> None:
    """At once, whatever comes first in the pool: the second mapping of the contract says it."""
    slot = keccak(key.rjust(32, b"\0") + (1).to_bytes(32)).hex()
    word = "0x" + int(banned).to_bytes(32).hex()
    custody.anvil.call("anvil_setStorageAt", text_of(custody.token), "0x" + slot, word)


async def is_alone(custody: Custody, group: int) -> bool:
    """Whether no dearer one was ever planned in its place."""
    row = await custody.database.read_row(
        "select count(*) from custody.attempt where conflict_group_id = $1", group
    )
    return row is not None and row[0] == 1


async def has_failed(custody: Custody, life: Life) -> bool:
    """Whether the deposit's sweep is in a block, or was, and moved nothing."""
    return bool(
        await custody.database.read(
            "select from custody.attempt where state in ('mined', 'failed') and attempt_id > $1",
            life.after,
        )
    )
