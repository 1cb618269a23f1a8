"""What is stored about hot accounts: where their keys are, their clock, and what is under way.

Called by the adapter. `take_timestamps` alone writes: like a sequence it gives a number once, and
one that is never used is no loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.postgres import Database
from wallets.errors import Condition, Stuck
from wallets.tron import limits
from wallets.tron.addresses import address_of


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key that signs for an account, by the account that is its own, and where it is."""

    account: bytes
    branch: str
    path_index: int


@dataclass(frozen=True, slots=True)
class HotAccount:
    """An account that pays, and where its key is."""

    account: bytes
    branch: str
    path_index: int
    # The permission that its payouts name, and our keys in it; 0 and none: its own key signs.
    permission_id: int = 0
    signers: tuple[SignerKey, ...] = ()

    @property
    def text(self) -> str:
        """In base58."""
        return address_of(self.account)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What open attempts are going to take: of TRX with fees, and of one token."""

    native_sun: int
    token_atoms: int


ACCOUNTS_SQL = """
select account, branch, path_index, permission_id,
    signer_accounts, signer_branches, signer_path_indexes
from custody.tron_account where network_id = $1 and not is_draining
order by branch, path_index limit $2
"""
DRAINING_SQL = """
select account, branch, path_index from custody.tron_account
where network_id = $1 and branch = $2 and path_index = $3 and is_draining
"""
# Solid balances do not show these yet; whose of our accounts pays is not told apart.
UNDER_WAY_SQL = """
select
    coalesce(sum(a.fee_atoms_max), 0)
    + coalesce(sum(o.amount_atoms) filter (where s.contract = ''), 0) as native,
    coalesce(sum(o.amount_atoms) filter (where s.contract = $2 and s.contract <> ''), 0) as token
from custody.attempt a join custody.attempt_output o using (attempt_id)
    join custody.payout p using (withdrawal_id)
    join custody.asset s on s.network_id = p.network_id and s.asset_id = p.asset_id
where a.network_id = $1 and a.state in ('planned', 'signed', 'broadcast', 'mined')
"""
TIMESTAMP_SQL = """
update custody.tron_account
set last_timestamp_ms = greatest($3::bigint, last_timestamp_ms + 1) + $5::bigint - 1
where network_id = $1 and account = $2 and last_timestamp_ms < $3::bigint + $4::bigint
returning last_timestamp_ms - $5::bigint + 1 as first
"""
OWN_SQL = """
select exists (select from custody.tron_account where network_id = $1 and account = asked.key)
    or exists (select from custody.address a where a.network_id = $1 and a.key = asked.key) as own
from unnest($2::bytea[]) with ordinality as asked (key, place) order by place
"""


async def read_accounts(database: Database, network_id: int) -> list[HotAccount]:
    """All that take new payouts."""
    rows = await database.read(ACCOUNTS_SQL, network_id, limits.ACCOUNTS_MAX)
    return [
        HotAccount(
            row["account"],
            row["branch"],
            row["path_index"],
            row["permission_id"],
            tuple(
                map(
                    SignerKey,
                    row["signer_accounts"],
                    row["signer_branches"],
                    row["signer_path_indexes"],
                )
            ),
        )
        for row in rows
    ]


async def read_draining(
    database: Database, network_id: int, branch: str, path_index: int
) -> HotAccount | None:
    """The account of a place, if it takes no payouts."""
    row = await database.read_row(DRAINING_SQL, network_id, branch, path_index)
    return None if row is None else HotAccount(row["account"], row["branch"], row["path_index"])


async def read_under_way(database: Database, network_id: int, contract: bytes) -> UnderWay:
    """What open attempts take."""
    row = await database.read_row(UNDER_WAY_SQL, network_id, contract)
    return UnderWay(0, 0) if row is None else UnderWay(int(row["native"]), int(row["token"]))


async def are_own(database: Database, network_id: int, keys: Sequence[bytes]) -> list[bool]:
    """Whether each account is one of ours, look-ahead included."""
    return [row["own"] for row in await database.read(OWN_SQL, network_id, keys)]


async def take_timestamps(
    database: Database, network_id: int, account: bytes, chain_time_ms: int, count: int = 1
) -> int:
    """The first of so many timestamps that no other transaction of the account has.

    Raises Stuck when they run ahead.
    """
    lead_ms = limits.TIMESTAMP_LEAD_MILLISECONDS_MAX - count
    rows = await database.write(TIMESTAMP_SQL, network_id, account, chain_time_ms, lead_ms, count)
    if not rows:
        raise Stuck(Condition.PINNED, "timestamps run too far ahead of the chain's clock")
    return int(rows[0]["first"])
