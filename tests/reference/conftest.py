"""The engines that every rule is tested on, and a small venue on each."""

import importlib.util
from typing import Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from tests.differential.engines import KERNEL, REFERENCE, Kind, load
from tests.reference.venue import Venue

ENGINES: Final = [
    name
    for name, package in ((REFERENCE, "matching"), (KERNEL, KERNEL))
    if importlib.util.find_spec(package) is not None
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Kind:
    """One implementation after the other."""
    return load(request.param)


@pytest.fixture
def venue(engine: Kind) -> Venue:
    """A founded venue: two markets, accounts with money, a session of each firm."""
    return Venue.founded(engine)


@pytest.fixture
def reference_venue() -> Venue:
    """A founded venue on the reference engine, whose limits a test may lower."""
    return Venue.founded(load(REFERENCE))


def second_rules(name: str = REFERENCE) -> Kind:
    """An engine that knows rules version 2."""
    return load(name, rules_newest=2)


def founded_second(name: str) -> Venue:
    """A founded venue under rules version 2."""
    venue = Venue.founded(second_rules(name))
    venue.operate(system.SwitchRules(version=2))
    return venue


@pytest.fixture(params=ENGINES)
def second_venue(request: pytest.FixtureRequest) -> Venue:
    """A founded venue under rules version 2."""
    return founded_second(request.param)


@pytest.fixture
def second_reference_venue() -> Venue:
    """The same on the reference engine, whose limits a test may lower."""
    return founded_second(REFERENCE)
