"""The parts of bitcoinlib that we use, imported so that it leaves the disk of its host alone.

Importing bitcoinlib makes a data folder in the home directory and writes a log there. A folder of
this process takes its place, unless the operator names one in `BCL_DATA_DIR`. Nothing else of ours
may import bitcoinlib before this module; its wallets, services and coin selection are never used.
"""

import atexit
import os
import shutil
import tempfile
import warnings

if "BCL_DATA_DIR" not in os.environ:
    os.environ["BCL_DATA_DIR"] = tempfile.mkdtemp(prefix="cambist-bitcoinlib-")
    atexit.register(shutil.rmtree, os.environ["BCL_DATA_DIR"], ignore_errors=True)

with warnings.catch_warnings():
    # It forgets to close a file, and its database uses what SQLAlchemy has moved.
    warnings.simplefilter("ignore")
    from bitcoinlib.encoding import (
        BECH32M_CONST,
        EncodingError,
        addr_bech32_checksum,
        addr_bech32_to_pubkeyhash,
    )

__all__ = [
    "BECH32M_CONST",
    "EncodingError",
    "addr_bech32_checksum",
    "addr_bech32_to_pubkeyhash",
]
