"""Deposits and withdrawals of one account, newest first, by pages. Called by the servicer."""

import datetime
from dataclasses import dataclass

import asyncpg

from cambist.wallet.v1 import wallet_pb2
from runtime.postgres import Database
from wallets.errors import Rejected
from wallets.service import limits
from wallets.service.amounts import text_of

NEWEST = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)

DEPOSITS = """
select d.deposit_id as id, d.seen_at as at, d.asset_id, c.chain, d.txid, d.amount_atoms,
    a.decimals, d.state,
    case when d.block_height is null then 0
         else greatest(0, 1 - d.block_height + coalesce((select max(b.height) from custody.block b
                                                 where b.network_id = d.network_id), 0))
    end as confirmations
from custody.deposit d join custody.chain c using (network_id)
join custody.asset a on a.network_id = d.network_id and a.asset_id = d.asset_id
where d.account_id = $1 and (d.seen_at, d.deposit_id) < ($2, $3)
order by d.seen_at desc, d.deposit_id desc limit $4
"""

WITHDRAWALS = """
select p.withdrawal_id as id, p.created_at as at, p.asset_id, c.chain, p.destination_text,
    p.engine_amount_atoms, p.engine_fee_atoms, a.engine_decimals, p.state,
    coalesce((select t.txid from custody.attempt t join custody.attempt_output o using (attempt_id)
              where o.withdrawal_id = p.withdrawal_id and t.txid is not null
              order by t.state in ('final', 'mined') desc, t.attempt_id desc limit 1), '') as txid
from custody.payout p join custody.chain c using (network_id)
join custody.asset a on a.network_id = p.network_id and a.asset_id = p.asset_id
where p.account_id = $1 and p.kind = 'customer' and (p.created_at, p.withdrawal_id) < ($2, $3)
order by p.created_at desc, p.withdrawal_id desc limit $4
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows: those before a place."""

    account_id: int
    size: int
    before: datetime.datetime = NEWEST
    before_id: bytes = b""


def page_of(account_id: int, size: int, token: str) -> Page:
    """What a request asks for. Raises Rejected."""
    if size > limits.PAGE_SIZE_MAX:
        raise Rejected("INVALID_PAGE", f"page_size is above {limits.PAGE_SIZE_MAX}")
    if not token:
        return Page(account_id, size or limits.PAGE_SIZE)
    at, _, identifier = token[: limits.TOKEN_LENGTH_MAX].partition("/")
    try:
        before = datetime.datetime.fromisoformat(at)
        before_id = bytes.fromhex(identifier)
    except ValueError:
        raise Rejected("INVALID_PAGE", "not a page_token of ours") from None
    if before.tzinfo is None:
        raise Rejected("INVALID_PAGE", "not a page_token of ours")
    return Page(account_id, size or limits.PAGE_SIZE, before, before_id)


async def _read(database: Database, query: str, page: Page) -> tuple[list[asyncpg.Record], str]:
    """The page's rows, and the token of the next page."""
    rows = await database.read(query, page.account_id, page.before, page.before_id, page.size + 1)
    if len(rows) <= page.size:
        return list(rows), ""
    last = rows[page.size - 1]
    return list(rows[: page.size]), f"{last['at'].isoformat()}/{bytes(last['id']).hex()}"


async def deposits(database: Database, page: Page) -> wallet_pb2.ListDepositsResponse:
    """One page of deposits."""
    rows, token = await _read(database, DEPOSITS, page)
    return wallet_pb2.ListDepositsResponse(
        deposits=[
            wallet_pb2.Deposit(
                deposit_id=row["id"],
                asset_id=row["asset_id"],
                network=row["chain"],
                txid=row["txid"],
                amount=text_of(int(row["amount_atoms"]), row["decimals"]),
                state=row["state"],
                confirmations=row["confirmations"],
            )
            for row in rows
        ],
        next_page_token=token,
    )


async def withdrawals(database: Database, page: Page) -> wallet_pb2.ListWithdrawalsResponse:
    """One page of withdrawals."""
    rows, token = await _read(database, WITHDRAWALS, page)
    return wallet_pb2.ListWithdrawalsResponse(
        withdrawals=[
            wallet_pb2.Withdrawal(
                withdrawal_id=row["id"],
                asset_id=row["asset_id"],
                network=row["chain"],
                destination=row["destination_text"],
                amount=text_of(int(row["engine_amount_atoms"]), row["engine_decimals"]),
                fee=text_of(int(row["engine_fee_atoms"]), row["engine_decimals"]),
                state=row["state"],
                txid=row["txid"],
            )
            for row in rows
        ],
        next_page_token=token,
    )
