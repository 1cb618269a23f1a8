"""An OpenBao in a pod beside the venue, from an image `cambist-test-vault`, that wraps seeds."""

import base64
import datetime
from pathlib import Path
from typing import Any, Final

from runtime.development_certificates import make_authority
from tests.cluster.custody import keys_and_policies
from tests.cluster.venue import TAG, Venue
from wallets.signer.keys.vault import PURPOSE

PORT: Final = 8201
ROOT_TOKEN: Final = "planted-root-token"
KEY: Final = "transit/cambist-seeds"
LABELS: Final = {"test": "vault"}
LISTENER: Final = f"""
listener "tcp" {{
  address = "0.0.0.0:{PORT}"
  tls_cert_file = "/vault/vault.pem"
  tls_key_file = "/vault/vault.key.pem"
}}
"""
POLICY: Final = f'path "{KEY.replace("/", "/decrypt/")}" {{ capabilities = ["update"] }}'
SETTINGS: Final = [
    *("--set", f"wallets.signer.vault.address=https://vault:{PORT}"),
    *("--set", "wallets.signer.vault.secretName=vault-of-signer"),
    *("--set", "wallets.signer.seedsSecretName=wrapped-seeds"),
]


def documents(folder: Path) -> list[dict[str, Any]]:
    """The pod, its Service `vault` and its certificate."""
    now = datetime.datetime.now(datetime.UTC)
    issued = make_authority(folder, now).issue("vault", now)
    files = {
        "listener.hcl": LISTENER,
        "vault.pem": Path(issued.certificate_file).read_text("ascii"),
        "vault.key.pem": Path(issued.private_key_file).read_text("ascii"),
    }
    container = {
        "name": "vault",
        "image": f"cambist-test-vault:{TAG}",
        "imagePullPolicy": "Never",
        "env": [
            {"name": "HOME", "value": "/tmp"},
            {"name": "BAO_ADDR", "value": "http://127.0.0.1:8200"},
            {"name": "BAO_TOKEN", "value": ROOT_TOKEN},
            {"name": "BAO_DEV_ROOT_TOKEN_ID", "value": ROOT_TOKEN},
        ],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "scratch", "mountPath": "/tmp"},
            {"name": "files", "mountPath": "/vault"},
        ],
    }
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            {"name": "files", "secret": {"secretName": "vault-files", "defaultMode": 0o440}},
        ],
    }
    return [
        _secret("vault-files", files),
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "vault", "labels": LABELS},
            "spec": spec,
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "vault"},
            "spec": {"selector": LABELS, "ports": [{"port": PORT}]},
        },
    ]


def _secret(name: str, content: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}


def bao(venue: Venue, *arguments: str, text: str | None = None) -> str:
    """What a command of its administrator said."""
    command = ("exec", "--stdin", "vault", "--", "bao", *arguments)
    return venue.kubectl(*command, text=text or "").strip()


def start(venue: Venue, folder: Path) -> None:
    """Runs it, with a key, and makes the Secrets that the chart asks for."""
    venue.apply(*documents(folder))
    venue.kubectl("wait", "pod/vault", "--for=condition=Ready", "--timeout=60s")
    bao(venue, "secrets", "enable", "transit")
    bao(venue, "write", "-force", KEY.replace("/", "/keys/"))
    bao(venue, "policy", "write", "signer", "-", text=POLICY)
    token = bao(venue, "token", "create", "-policy=signer", "-field=token")
    authority = (folder / "authority.pem").read_text("ascii")
    wrapped = {
        f"{branch}.wrapped": wrap(venue, branch, seed)
        for branch, seed in keys_and_policies.SEEDS.items()
    }
    venue.apply(
        _secret("vault-of-signer", {"authority.pem": authority, "token": token}),
        _secret("wrapped-seeds", wrapped),
    )


def revoke(venue: Venue) -> None:
    """Takes back the signer's token."""
    data = venue.get("secret", "vault-of-signer")["data"]
    bao(venue, "token", "revoke", base64.b64decode(data["token"]).decode())


def wrap(venue: Venue, branch: str, seed: bytes) -> str:
    """A seed as the ceremony's commands would store it."""
    return bao(
        venue,
        *("write", "-field=ciphertext", KEY.replace("/", "/encrypt/")),
        f"plaintext={base64.b64encode(seed).decode()}",
        f"associated_data={base64.b64encode((PURPOSE + branch).encode()).decode()}",
    )
