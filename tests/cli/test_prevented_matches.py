"""`cambist prevented-matches` against a venue with history."""

import asyncio
from pathlib import Path

import pytest

from cambist.client import ApiKey, Client, MatchPrevented, SelfTradePrevention
from runtime.settings import PostgresSettings
from tests.cli.venue import ACCOUNT, OTHER, running_venue

pytestmark = pytest.mark.slow
SECONDS = 30.0


async def test_a_self_trade_that_was_stopped_can_be_looked_up(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    async with running_venue(postgres_settings, tmp_path, has_history=True) as venue:
        assert (await venue.apply()).status == 0
        await venue.fund(ACCOUNT, OTHER)
        key_file = await venue.key("firm")
        mode = SelfTradePrevention.CANCEL_NEWEST
        key = ApiKey.load(key_file)
        async with Client.connect(venue.endpoint, key) as client, client.session("own") as session:
            market = await client.market("BTC-USDT")
            maker = await session.new_order(market, "sell", "3", "100", account_id=ACCOUNT)
            taker = await session.new_order(
                market, "buy", "1", "100", account_id=ACCOUNT, self_trade_prevention=mode
            )
            async with asyncio.timeout(SECONDS):
                # The projector follows the journal in its own time.
                while await count(client) < 2:  # noqa: ASYNC110 - another process writes
                    await asyncio.sleep(0.05)
        command = ("--key", str(key_file), "prevented-matches", "--account")
        listed = await venue.run(*command, str(ACCOUNT), "--json")
        assert listed.status == 0, listed.stderr
        assert {line["event"] for line in listed.lines} == {MatchPrevented.__name__}
        assert {line["order_id"] for line in listed.lines} == {maker.order_id, taker.order_id}
        assert {line["mode"] for line in listed.lines} == {mode.name}
        newest = await venue.run(*command, str(ACCOUNT), "--limit", "1", "--json")
        assert newest.lines == listed.lines[:1]
        shown = await venue.run(*command, str(ACCOUNT))
        assert "BTC-USDT" in shown.stdout
        nothing = await venue.run(*command, str(OTHER), "--json")
        assert (nothing.status, nothing.lines) == (0, [])


async def count(client: Client) -> int:
    """How many the account has."""
    return len([one async for one in client.queries.prevented_matches(ACCOUNT)])
