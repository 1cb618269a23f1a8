"""Settings of the approver, from variables that start with CAMBIST_APPROVER_, and its policy."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError
from runtime.settings import PostgresSettings, RpcSettings, Settings, TlsSettings
from wallets.approver import limits
from wallets.approver.policy import Policy


class ApproverSettings(Settings):
    """Everything the approver is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_APPROVER_")

    listen_address: str = "127.0.0.1:7302"
    # Name of this process in telemetry.
    instance: str = ""
    # Plain text, for probes of Kubernetes; empty = none.
    health_address: str = ""
    policy_file: str = ""
    # Holds the encrypted keys, <key id>.json; `key_id` names the one that signs.
    key_directory: str = ""
    key_id: str = ""
    passphrase_file: str = ""
    # Engines by shard: "1=host:port,2=host:port".
    engines: str = ""
    postgres: PostgresSettings = PostgresSettings()
    tls: TlsSettings = TlsSettings()
    # Towards the engines; all empty = plain text, in development only.
    engine_tls: TlsSettings = TlsSettings()
    rpc: RpcSettings = RpcSettings()


def read_policy(path: Path) -> Policy:
    """The policy in a JSON file, keys in hex; raises ConfigurationError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["people"] = {name: bytes.fromhex(key) for name, key in content["people"].items()}
        policy = TypeAdapter(Policy).validate_python(content)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        raise ConfigurationError(f"policy file: {type(error).__name__}") from None
    if len(policy.people) > limits.PEOPLE_MAX or policy.approval_seconds <= 0:
        raise ConfigurationError("policy file: too many people, or approvals without a life")
    return policy
