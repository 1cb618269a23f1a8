"""Ten thousand payouts that wait cost whoever looks for the next one nothing."""

import json

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from wallets import limits
from wallets.core import claims
from wallets.core.store import watch_pause_seconds
from wallets.errors import Condition
from wallets.states import PayoutState

MANY = 10_000
# Pages that a look may touch; a look at every row touches some thousands.
PAGES_MAX = 100
INSERT = """
insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, network_id,
    asset_id, destination_text, amount_atoms, engine_amount_atoms, engine_fee_atoms, state,
    condition, not_before)
select decode(lpad(to_hex(1000 + number), 32, '0'), 'hex'), 'customer', 1, number, 4096, $1, 1,
    'to-alice', 5, 5, 1, $2, $3, clock_timestamp() + make_interval(secs => $4)
from generate_series(1, $5) number
"""


async def pages_of(venue: Venue, sql: str, *arguments: object) -> int:
    """How many pages a statement touches."""
    told = await venue.connection.fetchval(
        f"explain (analyze, buffers, format json) {sql}", *arguments
    )
    plan = json.loads(told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize(
    ("state", "condition", "pause_seconds"),
    [
        (PayoutState.APPROVED, "", limits.NEVER_SECONDS),
        (PayoutState.BROADCASTING, "", limits.PAUSE_SECONDS * 100),
        (PayoutState.STARTED, Condition.HOT_WALLET_UNFUNDED, limits.PAUSE_SECONDS * 100),
        (PayoutState.SETTLED, "", limits.NEVER_SECONDS),
    ],
)
async def test_a_look_for_the_next_payout_does_not_touch_those_that_wait(
    venue: Venue, state: PayoutState, condition: str, pause_seconds: float
) -> None:
    await venue.connection.execute(INSERT, NETWORK_ID, state, condition, pause_seconds, MANY)
    await venue.connection.execute("analyze custody.payout")
    looks = (
        (
            claims.CLAIM_SQL,
            *(NETWORK_ID, "worker", limits.CLAIM_SECONDS, claims.OPEN, claims.STOPPABLE),
            *(limits.STARVED_SECONDS, 1),
        ),
        (claims.CLAIM_SETTLED, NETWORK_ID, "worker", limits.CLAIM_SECONDS, 1),
    )
    for look in looks:
        assert await pages_of(venue, *look) < PAGES_MAX
    await venue.engine.request(request())
    found = await claims.claim(venue.database, NETWORK_ID, "worker")
    assert found is not None
    assert found.withdrawal_id == request().withdrawal_id


def test_a_settled_payout_is_looked_at_less_often_the_older_it_is_and_at_last_never() -> None:
    assert watch_pause_seconds(0) == limits.PAUSE_SECONDS
    assert watch_pause_seconds(3_600) == 360
    assert watch_pause_seconds(int(limits.SETTLED_WATCH_SECONDS)) == limits.NEVER_SECONDS
