"""Settings of a gateway, read from variables that start with CAMBIST_GATEWAY_."""

from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from gateway import limits
from runtime.settings import PostgresSettings, RpcSettings, Settings, SettingsGroup, TlsSettings


class DevelopmentSettings(SettingsGroup):
    """Conveniences that production must not have."""

    # Migrates at start, makes its own token secret, may start a database.
    enabled: bool = False
    # Makes a certificate of its own in this folder (authority.pem is what clients trust).
    certificate_directory: str = ""


class GatewaySettings(Settings):
    """Everything a gateway process is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_GATEWAY_")

    # "host:port"; port 0 takes a free one, told in the log line "serving".
    listen_address: str = "127.0.0.1:8443"
    # Health stays plain text and apart: probes have no certificate.
    health_address: str = "127.0.0.1:8444"
    # Endpoints per shard: "1=host:port,host:port;2=host:port". The primary is found among them.
    matching_endpoints: str = "1=127.0.0.1:7001"
    # The same for the history services; a shard without one answers only from memory.
    history_endpoints: str = ""
    # The service of custody, "host:port"; empty = no deposits and no withdrawals.
    custody_endpoint: str = ""
    # Signs tokens and nonces; the same in every gateway of the venue, at least 32 characters.
    token_secret: SecretStr = SecretStr("")
    # Name of this process in logs and at matching.
    instance: str = "gateway"
    # Networks (CIDR, comma-separated) whose x-forwarded-for is believed.
    trusted_proxies: str = ""
    # Milliseconds between GoAway and the end of the streams when the process is asked to stop.
    drain_ms: int = limits.DRAIN_MS
    in_flight_commands_max: int = limits.IN_FLIGHT_COMMANDS_MAX
    orders_per_second: int = limits.COMMANDS_PER_SECOND
    cancels_per_second: int = limits.COMMANDS_PER_SECOND
    ring_bytes_max: int = limits.RING_BYTES_MAX
    outbox_bytes_max: int = limits.OUTBOX_BYTES_MAX

    postgres: PostgresSettings = PostgresSettings()
    tls: TlsSettings = TlsSettings()
    # Of channels to matching, history and custody.
    internal_tls: TlsSettings = TlsSettings()
    rpc: RpcSettings = RpcSettings()
    development: DevelopmentSettings = DevelopmentSettings()

    @model_validator(mode="after")
    def _check(self) -> Self:
        secret = self.token_secret.get_secret_value()
        if secret and len(secret) < 32:
            raise ValueError("token_secret is shorter than 32 characters")
        if not secret and not self.development.enabled:
            raise ValueError("token_secret is empty; only development makes its own")
        parse_endpoints(self.matching_endpoints)
        parse_endpoints(self.history_endpoints)
        return self

    def matching(self) -> dict[int, tuple[str, ...]]:
        """Endpoints of matching by shard."""
        return parse_endpoints(self.matching_endpoints)

    def history(self) -> dict[int, tuple[str, ...]]:
        """Endpoints of history by shard."""
        return parse_endpoints(self.history_endpoints)


def parse_endpoints(text: str) -> dict[int, tuple[str, ...]]:
    """Endpoints by shard from "1=a:1,b:2;2=c:3"; raises ValueError that names the faulty part."""
    found: dict[int, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        shard, separator, addresses = part.partition("=")
        endpoints = tuple(filter(None, (address.strip() for address in addresses.split(","))))
        if not separator or not shard.strip().isdigit() or not endpoints:
            raise ValueError(f"{part!r} is not SHARD=HOST:PORT[,HOST:PORT…]")
        if any(not address.rpartition(":")[2].isdigit() for address in endpoints):
            raise ValueError(f"{part!r} has an address without a port")
        number = int(shard)
        if number in found or not 1 <= number < 1 << 16:
            raise ValueError(f"shard {number} twice or out of range")
        found[number] = endpoints
    return found
