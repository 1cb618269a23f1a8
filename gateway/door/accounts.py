"""Which shard and which accounts a call is about; what is foreign is not found."""

from collections.abc import Mapping, Sequence

from gateway import limits
from gateway.errors import invalid, not_found, unavailable
from gateway.identity.keys import Caller
from gateway.shard.shard import Shard

SHARD_BITS = 16


def shard_of(shards: Mapping[int, Shard], number: int) -> Shard:
    """A shard by number, 0 = 1. Raises Rejected, and Unavailable before it was ever reached."""
    shard = shards.get(number or 1)
    if shard is None:
        raise invalid("shard", f"no shard {number}")
    if shard.feed.must_bootstrap:
        raise unavailable("SHARD_UNAVAILABLE", "the shard has not been reached yet")
    return shard


def shard_for(shards: Mapping[int, Shard], account_id: int, market_id: int = 0) -> Shard:
    """The shard of a market, or else the lowest one that knows the account."""
    named = shards.get(market_id >> SHARD_BITS)
    if named is not None:
        return shard_of(shards, named.number)
    for number in sorted(shards):
        if account_id in shards[number].feed.reference.account_firms:
            return shard_of(shards, number)
    # Nobody knows it: the first one says so, or that it was not reached yet.
    return shard_of(shards, min(shards))


def own_account(caller: Caller, shard: Shard, account_id: int) -> int:
    """The account, when the caller may use it. Raises Rejected NOT_FOUND."""
    if not caller.may_use(account_id, shard.feed.reference):
        raise not_found("UNKNOWN_ACCOUNT", f"no account {account_id}")
    return account_id


def own_accounts(caller: Caller, shard: Shard, account_ids: Sequence[int]) -> list[int]:
    """The named accounts, or all of the key, ascending. Raises Rejected."""
    if len(account_ids) > limits.ACCOUNTS_MAX:
        raise invalid("account_ids", f"more than {limits.ACCOUNTS_MAX}")
    if account_ids:
        return sorted({own_account(caller, shard, account_id) for account_id in account_ids})
    accounts = caller.accounts_on(shard.feed.reference)
    if len(accounts) > limits.ACCOUNTS_MAX:
        raise invalid("account_ids", "the key has more than 1,000 accounts: name them")
    return accounts
