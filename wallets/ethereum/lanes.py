"""What is stored about lanes: the accounts, the nonces they own, and what is under way from them.

Called by the adapter; reads only. The pipeline makes a nonce ours in the transaction that stores
the plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.postgres import Database
from wallets.ethereum import limits
from wallets.ethereum.addresses import text_of
from wallets.ethereum.transactions import parse_anchor


@dataclass(frozen=True, slots=True)
class Lane:
    """A hot account and where its key is."""

    account: bytes
    branch: str
    path_index: int
    is_draining: bool

    @property
    def text(self) -> str:
        """The account with its checksum."""
        return text_of(self.account)


OWN_SQL = """
select exists (select from custody.ethereum_lane l
               where l.network_id = $1 and l.account = asked.key)
    or exists (select from custody.address a where a.network_id = $1 and a.key = asked.key) as own
from unnest($2::bytea[]) with ordinality as asked (key, place) order by place
"""
LANES_SQL = """
select account, branch, path_index, is_draining from custody.ethereum_lane
where network_id = $1 order by branch, path_index limit $2
"""
ATTEMPTS_SQL = """
select a.raw from custody.attempt a join custody.conflict_group g using (conflict_group_id)
where g.network_id = $1 and g.anchor = $2 and a.raw is not null order by a.attempt_id limit $3
"""
# An owned nonce above the mined ones: its money is still on the lane and already spoken for.
UNDER_WAY_SQL = """
select split_part(i.input, ':', 1) as lane, split_part(i.input, ':', 2)::numeric as nonce,
    a.fee_atoms_max, taken.amount_atoms, s.contract
from custody.owned_input i join custody.attempt a using (attempt_id)
    join lateral (
        select p.asset_id, o.amount_atoms
        from custody.attempt_output o join custody.payout p using (withdrawal_id)
        where o.attempt_id = a.attempt_id
        union all select t.asset_id, t.amount_atoms
        from custody.treasury_transfer t where t.attempt_id = a.attempt_id
    ) taken on true
    join custody.asset s on s.network_id = i.network_id and s.asset_id = taken.asset_id
where i.network_id = $1
"""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """One payout, or transfer of our own, that owns a nonce."""

    lane: bytes
    nonce: int
    contract: bytes
    amount_atoms: int
    fee_atoms_max: int


async def read_lanes(database: Database, network_id: int) -> list[Lane]:
    """All lanes, draining ones too."""
    rows = await database.read(LANES_SQL, network_id, limits.LANES_MAX)
    return [
        Lane(row["account"], row["branch"], row["path_index"], row["is_draining"]) for row in rows
    ]


async def read_attempts(database: Database, network_id: int, anchor: str) -> list[bytes]:
    """The signed bytes of everything that was ever signed for a nonce, oldest first."""
    rows = await database.read(ATTEMPTS_SQL, network_id, anchor, limits.SIBLINGS_MAX)
    return [row["raw"] for row in rows]


async def read_under_way(database: Database, network_id: int) -> list[UnderWay]:
    """All that own a nonce."""
    rows = await database.read(UNDER_WAY_SQL, network_id)
    return [
        UnderWay(
            bytes.fromhex(row["lane"].removeprefix("0x")),
            int(row["nonce"]),
            row["contract"],
            int(row["amount_atoms"]),
            int(row["fee_atoms_max"]),
        )
        for row in rows
    ]


async def is_cancelling(database: Database, network_id: int, anchor: str) -> bool:
    """Whether people asked to cancel a nonce, and it is not decided yet."""
    rows = await database.read(
        "select 1 from custody.nonce_cancel where network_id = $1 and anchor = $2 and ending = ''",
        network_id,
        anchor,
    )
    return bool(rows)


async def are_own(database: Database, network_id: int, keys: Sequence[bytes]) -> list[bool]:
    """Whether each account is one of ours, look-ahead included."""
    return [row["own"] for row in await database.read(OWN_SQL, network_id, keys)]


def owned_nonces(owned: frozenset[str], lane: Lane) -> frozenset[int]:
    """The nonces of a lane among owned inputs."""
    pairs = (parse_anchor(anchor) for anchor in owned)
    return frozenset(nonce for account, nonce in pairs if account == lane.account)
