"""Plays of fee tiers, under rules version 2: a narrow tier beside a wide one."""

from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

NUMBERS: Final = (1, 3, 8)


def a_narrow_tier_beside_a_wide_one(flow: Flow) -> None:
    """An account has fees in one market and others in all; it rests and takes in two markets."""
    account_id = flow.account_of().account_id
    narrow, other = flow.random.sample(NUMBERS, 2)
    # Some markets pay makers 1,000: a wide tier has to pay for that.
    for market, ppm in ((0, 1_500), (market_id(narrow), flow.random.choice((60, 99, 1_501)))):
        flow.venue(
            system.SetFeeTier(
                account_id=account_id, market_id=market, maker_fee_ppm=ppm // 2, taker_fee_ppm=ppm
            )
        )
    for number in (narrow, other):
        price = flow.middles[market_id(number)]
        for side in flow.random.sample((enums.SIDE_BUY, enums.SIDE_SELL), 2):
            flow.firm(limit_order(flow, number, side=side, price_ticks=price))
            own = limit_order(flow, number, side=side, price_ticks=price, account_id=account_id)
            flow.firm(own)
    for market in flow.random.sample((0, market_id(narrow)), 2):
        flow.venue(system.SetFeeTier(account_id=account_id, market_id=market, remove=True))


PLAYS: Final = (a_narrow_tier_beside_a_wide_one,)
