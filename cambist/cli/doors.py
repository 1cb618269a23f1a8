"""How a command reaches the venue: endpoints, key, TLS, from options and environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from cambist.client.admin import Admin
from cambist.client.channels import Tls
from cambist.client.client import Client
from cambist.client.errors import InvalidInput

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the venue is and who we are."""

    endpoints: tuple[str, ...]
    admin_endpoints: tuple[str, ...]
    key_file: Path | None
    shard: int
    # True: plain text, False: TLS, None: plain text on the loopback only.
    is_plain: bool | None
    tls: Tls

    def client(self) -> Client:
        """The firm's door. Raises InvalidInput when there is no key."""
        if self.key_file is None:
            raise InvalidInput("INVALID_KEY", "no key: give --key FILE or set CAMBIST_KEY")
        tls = self._tls_for(self.endpoints)
        return Client.connect(self.endpoints, key_file=self.key_file, tls=tls)

    def admin(self, endpoint: str = "") -> Admin:
        """The operator's door, by default the first one."""
        endpoint = endpoint or self.admin_endpoints[0]
        return Admin.connect(endpoint, shard=self.shard, tls=self._tls_for((endpoint,)))

    def _tls_for(self, endpoints: tuple[str, ...]) -> Tls | None:
        is_plain = self.is_plain
        if is_plain is None:
            is_named = any(str(file) for file in (self.tls.authority, self.tls.certificate))
            hosts = {endpoint.rpartition(":")[0] for endpoint in endpoints}
            is_plain = hosts <= LOOPBACK and not is_named
        return None if is_plain else self.tls


pass_doors = click.make_pass_decorator(Doors)
