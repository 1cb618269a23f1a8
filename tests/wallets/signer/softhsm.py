"""A SoftHSM token for this process: the module reads its configuration once."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from cambist.internal.signer.v1 import intent_pb2
from wallets.signer.keys.token import TokenKeys, make_key, open_token

MODULE = Path(os.environ.get("SOFTHSM2_MODULE", "/usr/lib/softhsm/libsofthsm2.so"))
PIN = b"123456"


@functools.cache
def open_softhsm() -> TokenKeys:
    """A token with the key hot/0; skips by name where there is no SoftHSM."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        pytest.skip("needs SoftHSM: apt-get install softhsm2, or SOFTHSM2_MODULE")
    folder = tempfile.mkdtemp(prefix="cambist-token-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    configuration = Path(folder) / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = ["softhsm2-util", "--init-token", "--free", "--label", "cambist"]
    subprocess.run([*command, "--so-pin", "12345678", "--pin", PIN.decode()], check=True)
    found = open_token(MODULE, "cambist", PIN, writes=True)
    make_key(found, intent_pb2.KeyPlace(branch="hot"))
    return found
