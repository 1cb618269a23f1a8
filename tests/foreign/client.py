"""Drives the public contract with grpcurl and ghz, from the proto files and a key file alone.

Nothing of the SDK is used: what these programs can do, any firm's language can do.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORDER_ENTRY = "cambist.orders.v1.OrderEntryService"
AUTH = "cambist.auth.v1.AuthService"
CALL_SECONDS = 20.0


class ForeignClient:
    """A firm's client without the SDK."""

    def __init__(
        self, grpcurl: Path, ghz: Path, protos: Path, endpoint: str, directory: Path
    ) -> None:
        self._grpcurl = grpcurl
        self._ghz = ghz
        self._protos = protos
        self._endpoint = endpoint
        self._directory = directory
        self._token = ""

    def _grpcurl_arguments(self, method: str, body: str) -> list[str]:
        proto = (
            "cambist/auth/v1/auth.proto" if AUTH in method else "cambist/orders/v1/service.proto"
        )
        arguments = ["-plaintext", "-import-path", str(self._protos), "-proto", proto]
        if self._token:
            arguments += ["-H", f"authorization: Bearer {self._token}"]
        return [str(self._grpcurl), *arguments, "-d", body, self._endpoint, method]

    async def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """One unary call."""
        status, out, err = await self.try_call(method, request)
        assert status == 0, err
        answer: dict[str, Any] = json.loads(out)
        return answer

    async def try_call(self, method: str, request: dict[str, Any]) -> tuple[int, str, str]:
        """One unary call that may fail: status, output, errors."""
        return await run(self._grpcurl_arguments(method, json.dumps(request)))

    def forget_token(self) -> None:
        """Calls go out without credentials from now on."""
        self._token = ""

    async def log_on(self, key_file: Path) -> None:
        """Signs a challenge as auth.proto says it."""
        key = json.loads(key_file.read_text())
        challenge = await self.call(f"{AUTH}/GetChallenge", {})
        nonce, time_ns = base64.b64decode(challenge["nonce"]), time.time_ns()
        signed = b"cambist-logon-v1\n" + key["key_id"].encode() + b"\n" + nonce
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["private_key"]))
        answer = await self.call(
            f"{AUTH}/Logon",
            {
                "keyId": key["key_id"],
                "nonce": challenge["nonce"],
                "timeNs": str(time_ns),
                "signature": text(private.sign(signed + time_ns.to_bytes(8, "big"))),
            },
        )
        self._token = answer["token"]

    @asynccontextmanager
    async def order_session(self) -> AsyncIterator["Stream"]:
        """An OrderEntrySession whose messages are written and read as JSON."""
        arguments = self._grpcurl_arguments(f"{ORDER_ENTRY}/OrderEntrySession", "@")
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        stream = Stream(process)
        try:
            yield stream
        finally:
            await stream.close()

    async def load(self, method: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
        """ghz sends every request once over four connections; its report."""
        data = self._directory / "ghz.json"
        data.write_text(json.dumps(requests))
        arguments = [str(self._ghz), "--insecure", "--import-paths", str(self._protos)]
        arguments += ["--proto", "cambist/orders/v1/service.proto", "--call", method]
        arguments += ["--metadata", json.dumps({"authorization": f"Bearer {self._token}"})]
        arguments += ["--data-file", str(data), "--total", str(len(requests))]
        arguments += ["--concurrency", "8", "--connections", "4", "--format", "json"]
        status, out, err = await run([*arguments, self._endpoint])
        assert status == 0, err
        report: dict[str, Any] = json.loads(out)
        return report


class Stream:
    """Messages of a bidirectional call, as grpcurl writes and reads them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._decoder = json.JSONDecoder()
        self._text = ""

    async def send(self, message: dict[str, Any]) -> None:
        """Writes one message."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode())
        await self._process.stdin.drain()

    async def receive(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; heartbeats and others are passed over."""
        async with asyncio.timeout(CALL_SECONDS):
            while True:
                message = await self._next()
                if kind in message:
                    found: dict[str, Any] = message[kind]
                    return found

    async def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while True:
            try:
                message, end = self._decoder.raw_decode(self._text)
            except ValueError:
                chunk = await self._process.stdout.read(65_536)
                assert chunk, f"the stream ended after {self._text!r}"
                self._text = (self._text + chunk.decode()).lstrip()
                continue
            self._text = self._text[end:].lstrip()
            assert isinstance(message, dict)
            return message

    async def close(self) -> None:
        """Ends the call."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), CALL_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def run(arguments: list[str]) -> tuple[int, str, str]:
    """Runs a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 6 * CALL_SECONDS)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def text(raw: bytes) -> str:
    """Bytes as JSON of protobuf has them."""
    return base64.b64encode(raw).decode()
