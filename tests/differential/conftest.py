"""The engine that properties are checked on: the kernel, else the reference engine."""

import importlib.util

import pytest

from tests.differential.engines import KERNEL, REFERENCE, Kind, load


def best_engine(rules_newest: int = 1) -> Kind:
    """The kernel when it is built, else the reference engine."""
    has_kernel = importlib.util.find_spec(KERNEL) is not None
    return load(KERNEL if has_kernel else REFERENCE, rules_newest)


@pytest.fixture(scope="session")
def engine_kind() -> Kind:
    """The implementation that properties are checked on."""
    return best_engine()
