"""Journals and logs that are whole, made by an engine from a fixed seed."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.venue.journal_maker import JournalMaker
from venue import engines


@pytest.fixture
def make_journal(tmp_path: Path) -> Iterator[Callable[[], JournalMaker]]:
    """Makes an empty journal with accounts and markets; open logs are closed at the end."""
    made: list[JournalMaker] = []

    def make() -> JournalMaker:
        name = "cambist_kernel" if engines.has_kernel() else "matching.reference"
        directory = tmp_path / f"clients-{len(made)}"
        directory.mkdir()
        made.append(JournalMaker(importlib.import_module(name).Engine(1), directory))
        return made[-1]

    yield make
    for maker in made:
        maker.finish()
