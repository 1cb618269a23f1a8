"""The custody schema and how it is brought up to date: `python -m wallets migrate`, and tests."""

from pathlib import Path
from typing import Final

from runtime.migrations import Migrations

MIGRATIONS: Final = Migrations("custody", Path(__file__).parent / "migrations")
