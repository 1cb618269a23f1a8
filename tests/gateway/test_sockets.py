"""How a gateway reads its sockets."""

import subprocess
import sys

import pytest

from gateway import sockets

SERVE = """
import asyncio, grpc.aio
async def main():
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await server.stop(0)
asyncio.run(main())
"""


def test_an_operators_own_setting_stays() -> None:
    environment: dict[str, str] = {}
    sockets.read_in_completing_thread(environment)
    assert environment == {sockets.VARIABLE: sockets.WITHOUT_POOL}
    environment[sockets.VARIABLE] = "theirs"
    sockets.read_in_completing_thread(environment)
    assert environment == {sockets.VARIABLE: "theirs"}


@pytest.mark.parametrize(
    ("experiments", "is_known"), [(sockets.WITHOUT_POOL, True), ("-no_such_name", False)]
)
def test_the_pinned_grpc_knows_the_names(experiments: str, is_known: bool) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={sockets.VARIABLE: experiments, "GRPC_VERBOSITY": "INFO"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ("nknown experiment" not in ended.stderr) is is_known
