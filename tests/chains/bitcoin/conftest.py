"""A node per test, with spendable coins."""

from collections.abc import Iterator

import pytest

from tests.chains.bitcoin.regtest import HOW_TO_GET, Regtest, find_bitcoind


@pytest.fixture
def regtest() -> Iterator[Regtest]:
    """A fresh chain of 101 blocks: one coin of the miner's wallet is mature."""
    program = find_bitcoind()
    if program is None:
        pytest.skip(HOW_TO_GET)
    chain = Regtest(program)
    try:
        chain.mine(101)
        yield chain
    finally:
        chain.close()
