"""Withdrawals of a network in memory."""

from tests.wallets.core.conftest import venue

__all__ = ["venue"]
