"""SIGKILL of matching and of a gateway under load: nothing acknowledged is lost or doubled."""

import os
from pathlib import Path
from random import Random

import pytest

from tests.faults.venue import assert_kept, open_venue
from venue import chaos
from venue.stack import MATCHING

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_800)]

KILLS = int(os.environ.get("CAMBIST_TEST_KILLS", "10"))
SEED = int(os.environ.get("CAMBIST_TEST_SEED", "1"))
UNANSWERED_WANTED = 1_000


async def test_nothing_acknowledged_is_lost_when_matching_and_gateways_are_killed(
    tmp_path: Path,
) -> None:
    random = Random(SEED)
    async with open_venue(tmp_path) as venue:
        wanted = min(UNANSWERED_WANTED, venue.sizes.window_commands)
        venue.start_traders(seed=SEED)
        for index in range(KILLS):
            await venue.progress()
            await venue.until(lambda moment: moment.unanswered >= wanted)
            await chaos.wait_for_stage(venue.stack.dsn, random.choice(list(chaos.Stage)), random)
            await venue.kill_and_restart_matching()
            if index % 2:
                name = venue.stack.gateways[0].name
                await venue.progress()
                venue.stack.processes.kill(name)
                await venue.all_sent_is_answered(venue.traders.poll())
                venue.stack.start_gateway(0)
        assert MATCHING in venue.stack.processes.running
        assert_kept(await venue.verdict())
