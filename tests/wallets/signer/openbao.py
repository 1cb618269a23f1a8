"""An OpenBao server of this test, in memory, with a transit key and a token for it alone."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from runtime import embedded_postgres

ROOT = "planted-root-token"
KEY = "transit/cambist-seeds"
POLICY = """
path "transit/encrypt/cambist-seeds" { capabilities = ["update"] }
path "transit/decrypt/cambist-seeds" { capabilities = ["update"] }
"""
SECONDS = 30.0


@dataclass
class OpenBao:
    """Where it listens, its authority, and the file of a token that may use the key only."""

    port: int
    authority: Path
    token_file: Path

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, content: object = None) -> tuple[int, bytes]:
        """As its administrator."""
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        try:
            body = json.dumps(content or {})
            connection.request(method, f"/v1/{path}", body, {"X-Vault-Token": ROOT})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def set_up(self) -> None:
        for path, content in (
            ("sys/mounts/transit", {"type": "transit"}),
            (f"{KEY.replace('/', '/keys/')}", {}),
            ("sys/policies/acl/signer", {"policy": POLICY}),
        ):
            status, told = self.ask("POST", path, content)
            assert status in (200, 204), (path, told)
        status, told = self.ask("POST", "auth/token/create", {"policies": ["signer"]})
        assert status == 200, told
        self.token_file.write_text(json.loads(told)["auth"]["client_token"] + "\n")


@contextmanager
def openbao(folder: Path) -> Iterator[OpenBao]:
    """Runs the one that is among the packages for development."""
    binary = Path(sys.executable).with_name("bao")
    port = embedded_postgres.free_port()
    command = [str(binary), "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}"]
    command += [f"-dev-root-token-id={ROOT}", f"-dev-listen-address=127.0.0.1:{port}"]
    with (folder / "openbao.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)}
        )
    try:
        found = OpenBao(port, wait_for_authority(folder, process), folder / "token")
        wait_until_it_answers(found, process)
        found.set_up()
        yield found
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for_authority(folder: Path, process: "subprocess.Popen[bytes]") -> Path:
    """The certificate that it makes at start."""
    for _ in range(int(SECONDS * 10)):
        assert process.poll() is None, (folder / "openbao.log").read_text()
        for path in folder.glob("*-ca.pem"):
            return path
        time.sleep(0.1)
    raise TimeoutError("OpenBao made no certificate")


def wait_until_it_answers(found: OpenBao, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(int(SECONDS * 10)):
        assert process.poll() is None
        try:
            if found.ask("GET", "sys/health")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("OpenBao does not answer")
