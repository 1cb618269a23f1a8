"""Settings of the operator, from variables that start with CAMBIST_CONTROL_."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import Settings, SettingsGroup, TlsSettings


class WorkerSettings(SettingsGroup):
    """What the Deployments of wallet workers are made from."""

    # Image without tag; "{chain}" is replaced by bitcoin, ethereum or tron.
    image: str = "cambist/wallets-{chain}"
    # Used when a WalletChain names neither tag nor digest.
    tag: str = "dev"
    # Ports of the worker: WalletWorkerService, and gRPC health on plain text.
    port: int = 7201
    health_port: int = 7203
    # YAML file with parts of a pod template (metadata, spec) that ours are merged into: node
    # selector, tolerations, pull secrets, volumes, env of the container "worker". Empty = none.
    template_file: str = ""
    # Seconds a worker may take to drain. The grace period of its pod is longer by 15 s.
    drain_seconds: float = 120.0
    # TLS towards workers; the name to check in their certificates (pods are reached by address).
    server_name: str = "wallets"
    # ServiceAccount, NetworkPolicy, PodDisruptionBudget and Service beside each Deployment.
    network_policy: bool = True


class EngineSettings(SettingsGroup):
    """Where matching is administered."""

    # Admin ports of the pods of a shard, with commas; "{shard}" is replaced. Empty = no Markets.
    endpoints: str = ""
    # The name to check in its certificate under TLS; empty = the host of the endpoint.
    server_name: str = ""
    # Seconds between two steps of the ladder out of a halt.
    ladder_step_seconds: float = 2.0


class WebhookSettings(SettingsGroup):
    """The admission webhook."""

    # 0 = none.
    port: int = 0
    certificate_file: str = ""
    private_key_file: str = ""


class ControlSettings(Settings):
    """Everything the operator is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_CONTROL_")

    # The namespace it runs in and is confined to.
    namespace: str = "default"
    # Unique name of this process: the pod's name. Empty = host name and a random part.
    instance: str = ""
    lease_name: str = "cambist-control"
    health_address: str = "127.0.0.1:7303"
    webhook: WebhookSettings = WebhookSettings()
    worker: WorkerSettings = WorkerSettings()
    # Of the channels to workers and to matching: one identity. All empty = plain text.
    client_tls: TlsSettings = TlsSettings()
    engine: EngineSettings = EngineSettings()
    # "host:port" of the edge, whose certificate is looked at; empty = not at all.
    edge_address: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.webhook.port and not self.webhook.certificate_file:
            raise ValueError("a webhook needs webhook_certificate_file and private_key_file")
        if not 1 <= self.worker.drain_seconds <= 600:
            raise ValueError(f"worker drain_seconds {self.worker.drain_seconds} is not in 1 to 600")
        return self
