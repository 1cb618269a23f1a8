"""Settings of custody's processes, from variables that start with CAMBIST_WALLETS_.

Called by `wallets.__main__`. What a chain needs (nodes, fees) is in a file of its own, because it
holds lists and passwords; see `wallets.worker.chains`.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.settings import PostgresSettings, RpcSettings, Settings, TlsSettings
from wallets.service.limits import HOLD_SECONDS_MAX
from wallets.worker import limits


class WalletSettings(Settings):
    """Everything a worker, or the service for gateways, is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_WALLETS_")

    # The network it serves, as in `custody.chain`.
    chain: str = ""
    network: str = ""
    # JSON: nodes, fees, depths.
    chain_file: str = ""
    # Begins the name under which it holds leases; each start makes up the rest.
    instance: str = ""
    # Payouts that are worked on side by side.
    steps: int = Field(default=2, ge=1, le=limits.STEPS_MAX)
    listen_address: str = "127.0.0.1:7303"
    health_address: str = "127.0.0.1:7304"
    # Of the service that gateways ask.
    service_address: str = "127.0.0.1:7305"
    # Engines by shard: "1=host:port,2=host:port".
    engines: str = ""
    # Off where the engine is given money that no chain ever had, as in a sandbox: then what it owes
    # beyond custody's book is named, and payouts go on.
    engine_deficit_stops: bool = True
    # No payout begins; what has begun is followed to its end.
    withdrawals_suspended: bool = False
    # Deposits are seen and not credited.
    deposits_suspended: bool = False
    # How long an address waits after it came into an account's book.
    address_hold_seconds: int = Field(default=86_400, ge=0, le=HOLD_SECONDS_MAX)
    # How long an API key withdraws nothing after it got a public key.
    key_hold_seconds: int = Field(default=0, ge=0, le=HOLD_SECONDS_MAX)
    # Nobody withdraws to an address that is not in the account's book.
    address_book_demanded: bool = False
    approver_address: str = "127.0.0.1:7302"
    signer_address: str = "127.0.0.1:7301"
    postgres: PostgresSettings = PostgresSettings()
    # Of our own port, and towards approver and signer; all empty = plain text, in development only.
    tls: TlsSettings = TlsSettings()
    peer_tls: TlsSettings = TlsSettings()
    # Towards the engines, whose order port may be plain text behind network policies or a mesh.
    engine_tls: TlsSettings = TlsSettings()
    rpc: RpcSettings = RpcSettings()

    @property
    def starts(self) -> bool:
        """Whether payouts may begin."""
        return not self.withdrawals_suspended
