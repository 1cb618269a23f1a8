"""Decides whether a call may go in: credentials, scope, network, number of streams.

It knows nothing of what a call does. Every refusal has a name; foreign things look like missing
ones, which is for the servicers to say.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import grpc.aio

from gateway import limits
from gateway.door.permissions import Permission
from gateway.errors import denied, exhausted, unauthenticated
from gateway.identity.callers import Callers
from gateway.identity.keys import Caller, Network

BEARER: Final = "Bearer "


class Admission:
    """The gate before every servicer."""

    def __init__(self, callers: Callers, trusted_proxies: tuple[Network, ...]) -> None:
        self._callers = callers
        self._trusted_proxies = trusted_proxies
        self._streams: dict[str, int] = {}
        self._streams_total = 0

    async def admit(
        self, method: str, permission: Permission, context: grpc.aio.ServicerContext[Any, Any]
    ) -> Caller | None:
        """Who calls; None for an anonymous method. Raises Rejected."""
        if permission.anonymous:
            return None
        token = ""
        for key, value in context.invocation_metadata() or ():
            if key == "authorization" and isinstance(value, str):
                token = value
        if not token.startswith(BEARER):
            raise unauthenticated("NO_CREDENTIALS", "no bearer token in `authorization`")
        caller = self._callers.known(token.removeprefix(BEARER))
        if caller is None:
            caller = await self._callers.find(token.removeprefix(BEARER))
        if permission.allowed and not permission.allowed & caller.scopes:
            wanted = " or ".join(sorted(permission.allowed))
            raise denied("SCOPE_MISSING", f"{method} needs scope {wanted}")
        if caller.networks:
            check_network(caller, self.address_of(context))
        if not caller.calls.take(1, self._callers.monotonic_ns()):
            raise exhausted("CALL_RATE", "too many calls of this key", 1.0)
        return caller

    def address_of(self, context: grpc.aio.ServicerContext[Any, Any]) -> str:
        """The peer's address; behind a trusted proxy what it says, the nearest entry first."""
        peer = peer_address(context.peer())
        if self._trusted_proxies and in_networks(peer, self._trusted_proxies):
            for key, value in context.invocation_metadata() or ():
                if key == "x-forwarded-for" and isinstance(value, str):
                    return value.rpartition(",")[2].strip()
        return peer

    @contextmanager
    def stream(self, caller: Caller | None) -> Iterator[None]:
        """Counts a stream against its key while it lives, stalled ones too. Raises Rejected."""
        key = "" if caller is None else caller.key_id
        count = self._streams.get(key, 0)
        if count >= limits.STREAMS_PER_KEY_MAX or self._streams_total >= limits.STREAMS_MAX:
            raise exhausted("TOO_MANY_STREAMS", f"{count} streams are open with this key", 5.0)
        self._streams[key] = count + 1
        self._streams_total += 1
        try:
            yield
        finally:
            self._streams_total -= 1
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]

    def streams_of(self, key_id: str) -> int:
        """Streams open with a key."""
        return self._streams.get(key_id, 0)


def check_network(caller: Caller, address: str) -> None:
    """Raises Rejected when the key may not be used from the address."""
    if not in_networks(address, caller.networks):
        raise denied("IP_NOT_ALLOWED", "the key is not allowed from this address")


def in_networks(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; an unreadable one does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def peer_address(peer: str) -> str:
    """The address in gRPC's name of a peer ("ipv4:1.2.3.4:5", "ipv6:%5B::1%5D:5", "unix:…")."""
    family, _, rest = unquote(peer).partition(":")
    if family not in {"ipv4", "ipv6"}:
        return ""
    return rest.rpartition(":")[0].strip("[]")
