"""Settings of the signer, from variables that start with CAMBIST_SIGNER_, and its policy file."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError
from runtime.settings import PostgresSettings, RpcSettings, Settings, TlsSettings
from wallets.sealed_files import read_passphrase
from wallets.signer import limits
from wallets.signer.keys.stores import PassphraseFiles, SeedStore, VaultFiles
from wallets.signer.keys.token import TokenKeys, open_token
from wallets.signer.keys.vault import open_vault
from wallets.signer.policy import Policy


class SignerSettings(Settings):
    """Everything the signer is told."""

    model_config = SettingsConfigDict(env_prefix="CAMBIST_SIGNER_")

    listen_address: str = "127.0.0.1:7301"
    # Name of this process in telemetry.
    instance: str = ""
    # Plain text, for probes of Kubernetes; empty = none.
    health_address: str = ""
    policy_file: str = ""
    # Holds one file per branch: <branch>.json, or <branch>.wrapped with a Vault.
    seed_directory: str = ""
    # https://host:port; with it seeds are wrapped by a Vault, and no passphrase is read.
    vault_address: str = ""
    # The only authority of its certificate, a file (a mounted secret) with its token, MOUNT/KEY.
    vault_authority_file: str = ""
    vault_token_file: str = ""
    vault_key: str = "transit/cambist-seeds"
    # A file (a mounted secret): an environment is shown by /proc and inherited by children.
    passphrase_file: str = ""
    # For `token_branches` of the policy: the module's library, the token's label, its PIN.
    token_module: str = ""
    token_label: str = ""
    token_pin_file: str = ""
    postgres: PostgresSettings = PostgresSettings()
    tls: TlsSettings = TlsSettings()
    rpc: RpcSettings = RpcSettings()


def read_policy(path: Path) -> Policy:
    """The policy in a JSON file, keys in hex; raises ConfigurationError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for group in ("approver_keys", "people"):
            content[group] = {name: bytes.fromhex(key) for name, key in content[group].items()}
        policy = TypeAdapter(Policy).validate_python(content)
    except (OSError, ValueError, KeyError, AttributeError, ValidationError) as error:
        raise ConfigurationError(f"policy file: {type(error).__name__}") from None
    if not 0 < len(policy.approver_keys) <= limits.APPROVER_KEYS_MAX:
        raise ConfigurationError("policy file: one or two keys of the approver")
    return policy


def read_pin(path: Path) -> bytes:
    """The PIN of a token, without the line's end; raises ConfigurationError."""
    try:
        return path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise ConfigurationError(f"PIN file: {type(error).__name__}") from None


def open_keys(settings: SignerSettings, *, writes: bool = False) -> TokenKeys:
    """The token of the settings; raises ConfigurationError."""
    pin = read_pin(Path(settings.token_pin_file))
    return open_token(Path(settings.token_module), settings.token_label, pin, writes=writes)


def open_store(settings: SignerSettings) -> SeedStore:
    """Where the settings keep seeds; a Vault is not asked yet. Raises ConfigurationError."""
    directory = Path(settings.seed_directory)
    if not settings.vault_address:
        return PassphraseFiles(directory, read_passphrase(Path(settings.passphrase_file)))
    authority, token = Path(settings.vault_authority_file), Path(settings.vault_token_file)
    return VaultFiles(
        directory, open_vault(settings.vault_address, authority, token, settings.vault_key)
    )
