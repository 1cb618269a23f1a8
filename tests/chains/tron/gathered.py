"""Deposit addresses, a station that helps them, and the worker's job, step by step."""

from dataclasses import dataclass, field

from tests.chains.real_signer import NETWORK_ID, SEEDS
from tests.chains.tron.custody import TOKEN, TRX, Custody, policy_of
from wallets.contract import Payout
from wallets.link import lease
from wallets.treasury.gathering import Gathering, lease_of
from wallets.tron.addresses import account_at, address_of
from wallets.tron.gathering import SweepSettings, TronGathering
from wallets.tron.node_set import NodeSet
from wallets.tron.rental import RentsEnergy
from wallets.tron.simulator.state import Account
from wallets.tron.station import Place

CUSTOMERS = 3
DEPOSITED = 50 * TRX
STATION = Place("hot", 1)
STATION_SUN = 100_000 * TRX
MINIMUM = {"": 10 * TRX, TOKEN.hex(): 1 * TRX}
SETTINGS = SweepSettings(STATION, MINIMUM)
# From a plan to its transaction in a solid block, and one look more.
ROUND_STEPS = 6


@dataclass
class Gathered:
    """Custody whose customers have addresses, in the order of their places."""

    custody: Custody
    nodes: NodeSet
    station: bytes
    keys: list[bytes]
    number: int = field(default=40)

    def job(
        self, settings: SweepSettings = SETTINGS, rents: RentsEnergy | None = None
    ) -> Gathering:
        """What the worker runs; each is a worker of its own."""
        custody = self.custody
        gathers = TronGathering(
            custody.adapter.network, self.nodes, custody.database, settings, rents=rents
        )
        return Gathering(custody.database, custody.adapter, gathers, custody.signer)

    async def deposit(self, key: bytes, *, token: bool, amount_atoms: int = DEPOSITED) -> None:
        """Paid by a stranger, scanned, and withdrawable."""
        custody = self.custody
        self.number += 1
        paid = custody.payout(self.number, amount_atoms, token=token)
        destination = custody.adapter.parse_address(address_of(key))
        payout = Payout(paid.withdrawal_id, destination, paid.token, amount_atoms)
        attempt = await custody.store(payout, await custody.planned(payout, 40 * TRX))
        await custody.adapter.broadcast(attempt)
        custody.mine(4)
        await self.follow()
        custody.mine()
        await self.follow()

    async def follow(self) -> None:
        """Reads blocks as the worker does; the engine takes every credit."""
        await self.custody.follow()
        await self.custody.database.write(
            "update custody.outbox set answer_reason = 0, answer_seq = 1 "
            "where answer_reason is null"
        )

    async def run(self, job: Gathering, steps: int) -> list[int]:
        """How many transfers were planned at each step that planned any."""
        token = await self.hold()
        planned = []
        for _ in range(steps):
            planned.append(await job.step(token))
            self.custody.mine()
            await self.follow()
        return [count for count in planned if count]

    async def hold(self) -> int:
        """The lease, and its token."""
        token = await lease.hold(self.custody.database, lease_of(NETWORK_ID), "one", 60)
        assert token is not None
        return token

    async def attempts(self) -> list[tuple[str, str]]:
        """Kind and state of all that the job made, in order."""
        rows = await self.custody.database.read(
            "select kind, state from custody.attempt where kind <> 'payout' order by attempt_id"
        )
        return [(row["kind"], row["state"]) for row in rows]

    async def costs_sun(self) -> int:
        """What the book says that the network took."""
        row = await self.custody.database.read_row(
            "select coalesce(sum(amount_atoms), 0)::bigint as paid from custody.posting "
            "where asset_id = 1 and account = 'network_cost'"
        )
        assert row is not None
        return int(row["paid"])


async def gathered_of(custody: Custody, nodes: NodeSet) -> Gathered:
    """Three customers without deposits."""
    network = policy_of().network(NETWORK_ID)
    branch = SEEDS.branch_key(network, "deposit")
    keys = [account_at(branch, index) for index in range(CUSTOMERS)]
    await custody.database.write(
        "insert into custody.key_branch values (1, 'deposit', 1, 'tron', $1, 0)", branch
    )
    for index, key in enumerate(keys):
        await custody.database.write(
            "insert into custody.address (network_id, key, text, branch, generation, path_index, "
            "account_id) values (1, $1, $2, 'deposit', 1, $3, 4096)",
            key,
            address_of(key),
            index,
        )
    station = account_at(SEEDS.branch_key(network, "hot"), STATION.path_index)
    await custody.database.write(
        "insert into custody.tron_account (network_id, account, branch, path_index, is_draining) "
        "values (1, $1, $2, $3, true)",
        station,
        STATION.branch,
        STATION.path_index,
    )
    await custody.database.write("insert into custody.source values (1, 1, 0)")
    await custody.database.write(
        "insert into custody.confirmation_tier values (1, 1, 1, 0, 1, 1), (1, 2, 1, 0, 1, 1)"
    )
    state = custody.chain.head.state
    state.accounts[station] = Account(STATION_SUN, custody.chain.head.time_ms)
    custody.chain.refill_pool()
    custody.mine(3)
    return Gathered(custody, nodes, station, keys)
