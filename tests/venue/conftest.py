"""Journals and logs that are whole, made by the reference engine from a fixed seed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matching.reference import Engine
from tests.venue.journal_maker import JournalMaker, SoundJournal
from venue.flow.definitions import SHARD

ROUNDS = 60


@pytest.fixture
def make_journal(tmp_path: Path) -> Iterator[Callable[[], JournalMaker]]:
    """Makes an empty journal with accounts and markets; open logs are closed at the end."""
    made: list[JournalMaker] = []

    def make() -> JournalMaker:
        directory = tmp_path / f"clients-{len(made)}"
        directory.mkdir()
        made.append(JournalMaker(Engine(SHARD), directory))
        return made[-1]

    yield make
    for maker in made:
        maker.finish()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> JournalMaker:
    """The journal behind `sound`; nobody may change its files."""
    maker = JournalMaker(Engine(SHARD), tmp_path_factory.mktemp("clients"))
    maker.trade(ROUNDS)
    maker.epoch = 2
    maker.trade(ROUNDS)
    maker.finish()
    return maker


@pytest.fixture
def sound(made_once: JournalMaker, tmp_path: Path) -> SoundJournal:
    """A sound journal that the test may spoil."""
    directory = tmp_path / "clients"
    shutil.copytree(made_once.directory, directory)
    return SoundJournal(list(made_once.rows), sorted(directory.glob("*.log")))
