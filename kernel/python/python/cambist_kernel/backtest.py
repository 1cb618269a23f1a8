"""The engine driven by rows of numbers, without protobuf. Used by `cambist.backtest` alone.

It must never be used by a service: it keeps no journal and no state hash.
"""

from cambist_kernel._cambist_kernel import Backtest
from cambist_kernel.errors import BadRow, Refused

__all__ = ["Backtest", "BadRow", "Refused"]
