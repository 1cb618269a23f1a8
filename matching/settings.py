"""Settings of the processes of matching, from variables that start with CAMBIST_MATCHING_."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from matching import limits
from runtime.settings import PostgresSettings, RpcSettings, Settings, SettingsGroup, TlsSettings

SHARD_MAX = 65_535
ROLES = ("serve", "snapshotter", "projector", "migrate")
ENGINES = ("auto", "kernel", "reference")


class DevelopmentSettings(SettingsGroup):
    """Conveniences that production must not have."""

    # Migrates at start and, without a DSN, starts a database.
    enabled: bool = False


class SandboxSettings(SettingsGroup):
    """A venue of play money. Never enabled where coins that are worth anything can be withdrawn."""

    # Firms may credit their own accounts (SandboxService/PayIn).
    enabled: bool = False
    # Whole units of an asset that one call gives at most.
    pay_in_units_max: int = Field(default=limits.PAY_IN_UNITS_MAX, ge=1, le=10**15)
    # Calls of one account in an hour.
    pay_ins_per_hour: int = Field(default=limits.PAY_INS_PER_HOUR, ge=1, le=10_000)


class MatchingSettings(Settings):
    """Everything a process of matching is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_MATCHING_")

    # What `python -m matching` does when no role is named.
    role: str = "serve"
    # The shard of this process, and all shards that `migrate` prepares ("1,2"; empty = this one).
    shard: int = 1
    shards: str = ""
    # "kernel", "reference", or "auto": the kernel when it is installed.
    engine: str = "auto"
    # "host:port"; port 0 takes a free one, told in the log line "serving".
    listen_address: str = "127.0.0.1:7001"
    admin_address: str = "127.0.0.1:7002"
    health_address: str = "127.0.0.1:7003"
    history_address: str = "127.0.0.1:7004"
    # Where others reach the listen address; told as the hint of NOT_PRIMARY. Empty = the same.
    advertised_endpoint: str = ""
    # Name of this process in logs, telemetry and pg_stat_activity.
    instance: str = "matching"

    inbox_commands_max: int = limits.INBOX_COMMANDS_MAX
    batch_commands_max: int = limits.BATCH_COMMANDS_MAX
    batch_bytes_max: int = limits.BATCH_BYTES_MAX
    ring_bytes_max: int = limits.RING_BYTES_MAX
    lease_seconds: float = limits.LEASE_SECONDS
    lease_renewal_seconds: float = limits.LEASE_RENEWAL_SECONDS
    commit_seconds: float = limits.COMMIT_SECONDS
    snapshot_every_commands: int = limits.SNAPSHOT_EVERY_COMMANDS
    snapshot_every_seconds: float = limits.SNAPSHOT_EVERY_SECONDS
    snapshot_chunk_pause_seconds: float = limits.SNAPSHOT_CHUNK_PAUSE_SECONDS
    # What the database may grow to before its disk is full, for alerts; 0 = not known.
    database_bytes_max: int = 0

    postgres: PostgresSettings = PostgresSettings()
    tls: TlsSettings = TlsSettings()
    # Of the admin port; operators are known by their certificates.
    admin_tls: TlsSettings = TlsSettings()
    rpc: RpcSettings = RpcSettings()
    development: DevelopmentSettings = DevelopmentSettings()
    sandbox: SandboxSettings = SandboxSettings()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.role not in ROLES:
            raise ValueError(f"role {self.role!r} is none of {', '.join(ROLES)}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine {self.engine!r} is none of {', '.join(ENGINES)}")
        for shard in (self.shard, *self.all_shards()):
            if not 1 <= shard <= SHARD_MAX:
                raise ValueError(f"shard {shard} is not in 1 to {SHARD_MAX}")
        if not 1 <= self.batch_commands_max <= limits.BATCH_COMMANDS_ENGINE_MAX:
            raise ValueError(f"batch_commands_max {self.batch_commands_max} is out of range")
        if self.inbox_commands_max < limits.ENVELOPE_COMMANDS_MAX:
            raise ValueError("inbox_commands_max is smaller than one envelope may be")
        if self.database_bytes_max < 0:
            raise ValueError("database_bytes_max is below zero")
        if self.lease_renewal_seconds * 2 > self.lease_seconds:
            raise ValueError("lease_seconds must be at least two lease_renewal_seconds")
        return self

    def all_shards(self) -> tuple[int, ...]:
        """Shards that `migrate` prepares, this process's own always among them."""
        parts = (part.strip() for part in self.shards.split(","))
        return tuple(sorted({self.shard, *(int(part) for part in parts if part)}))

    @property
    def endpoint(self) -> str:
        """Where others reach this process."""
        return self.advertised_endpoint or self.listen_address
