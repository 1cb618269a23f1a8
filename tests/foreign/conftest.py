"""A venue for clients that are not ours, and the programs they are."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.foreign.client import ForeignClient
from venue import engines
from venue.flow.definitions import firms
from venue.setup import create_keys, create_venue
from venue.stack import Stack, StackPlan

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = ROOT / "build" / "foreign"


def program(name: str) -> Path:
    """Where a foreign program is; a test without it is skipped, which fails in CI."""
    found = BUILT / name if (BUILT / name).exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not built: make test-foreign builds it, and needs Go")
    return Path(found)


@pytest.fixture
async def foreign() -> AsyncIterator[ForeignClient]:
    """A logged-on client made of grpcurl and ghz, at a venue of its own."""
    grpcurl, ghz = program("grpcurl"), program("ghz")
    plans = firms(1)
    with tempfile.TemporaryDirectory(prefix="cambist-foreign-") as folder:
        directory = Path(folder)
        plan = StackPlan(directory, gateway_count=1, engine=engines.sizes().engine, helpers=False)
        async with Stack(plan) as stack:
            await create_venue(stack, plans)
            keys = await create_keys(stack, plans, directory / "keys")
            client = ForeignClient(grpcurl, ghz, ROOT / "protos", stack.endpoints[0], directory)
            await client.log_on(keys[plans[0].firm_id])
            yield client
