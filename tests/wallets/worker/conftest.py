"""The network in memory of the pipeline's tests."""

from tests.wallets.core.conftest import venue

__all__ = ["venue"]
