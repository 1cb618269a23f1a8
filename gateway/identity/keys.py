"""API keys as values: what the database says of one, and the caller made of it."""

import ipaddress
from dataclasses import dataclass

from gateway.door.permissions import READ_ONLY, Scope
from gateway.identity.buckets import TokenBucket
from gateway.shard.reference import Reference

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One API key. Times are nanoseconds since 1970 UTC."""

    key_id: str
    firm_id: int
    label: str
    # Ed25519 public keys that are live, newest first.
    public_keys: tuple[bytes, ...]
    scopes: frozenset[Scope]
    # Empty = all accounts of the firm.
    account_ids: tuple[int, ...]
    # Empty = all markets.
    market_ids: tuple[int, ...]
    # Empty = any address.
    networks: tuple[Network, ...]
    is_read_only: bool
    # Commands per second; 0 = the venue's default.
    orders_per_second: int
    cancels_per_second: int
    created_ns: int
    # 0 = it does not expire.
    expires_ns: int
    # 0 = it is not revoked.
    revoked_ns: int
    # Grows with every change of any key.
    version: int
    # When it got the newest of its public keys; it is made with the first.
    changed_ns: int = 0

    @property
    def effective_scopes(self) -> frozenset[Scope]:
        """Scopes that it can use: a read-only key has no others."""
        return self.scopes & READ_ONLY if self.is_read_only else self.scopes


@dataclass(frozen=True, slots=True)
class Caller:
    """A live key with its buckets; what servicers know of who calls."""

    record: KeyRecord
    scopes: frozenset[Scope]
    orders: TokenBucket
    cancels: TokenBucket
    calls: TokenBucket

    @property
    def key_id(self) -> str:
        """The key."""
        return self.record.key_id

    @property
    def firm_id(self) -> int:
        """Its firm."""
        return self.record.firm_id

    @property
    def networks(self) -> tuple[Network, ...]:
        """Where it may be used from; empty = anywhere."""
        return self.record.networks

    @property
    def may_trade(self) -> bool:
        """Whether it may enter orders."""
        return Scope.TRADE in self.scopes

    def may_use(self, account_id: int, reference: Reference) -> bool:
        """Whether the account exists on the shard and is the key's to use."""
        record = self.record
        if reference.account_firms.get(account_id) != record.firm_id:
            return False
        return not record.account_ids or account_id in record.account_ids

    def accounts_on(self, reference: Reference) -> list[int]:
        """Accounts of the key on one shard, ascending."""
        everything = reference.accounts_of(self.record.firm_id)
        if not self.record.account_ids:
            return list(everything)
        listed = set(self.record.account_ids)
        return [account_id for account_id in everything if account_id in listed]

    def may_see_market(self, market_id: int) -> bool:
        """Whether the market is on the key's list."""
        return not self.record.market_ids or market_id in self.record.market_ids
