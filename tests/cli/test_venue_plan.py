"""What `cambist apply` does: what is missing or differs, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cambist.admin.v1 import admin_pb2
from cambist.cli.venue_file import WantedVenue, parse
from cambist.cli.venue_plan import (
    Action,
    CreateAccount,
    CreateAsset,
    CreateFirm,
    CreateMarket,
    SetAccountLimits,
    SetMarketLimits,
    SetPhase,
    Step,
    make_plan,
)
from cambist.client.enums import MarketPhase
from cambist.orders.v1 import enums_pb2
from tests.cli.test_venue_file import WHOLE

MARKET = 2 * 65_536 + 7


def present() -> admin_pb2.ListDefinitionsResponse:
    """A shard on which the file was applied; other things exist too."""
    limits = admin_pb2.MarketLimits(
        price_step_ticks=1,
        quantity_step_lots=1,
        maker_fee_ppm=-5,
        taker_fee_ppm=400,
        minimum_notional_atoms="10",
        resting_orders_max=2_000_000,
    )
    market = admin_pb2.Market(
        market_id=MARKET,
        symbol="BTC-USDT",
        base_asset_id=1,
        quote_asset_id=2,
        lot_size_atoms="10000",
        tick_size_atoms="100000",
        limits=limits,
        phase=enums_pb2.MARKET_PHASE_POST_ONLY,
    )
    return admin_pb2.ListDefinitionsResponse(
        assets=[
            admin_pb2.Asset(asset_id=1, symbol="BTC", decimals=8),
            admin_pb2.Asset(asset_id=2, symbol="USDT", decimals=6),
            admin_pb2.Asset(asset_id=3, symbol="ETH", decimals=18),
        ],
        markets=[market],
        firms=[admin_pb2.Firm(firm_id=1, name="First"), admin_pb2.Firm(firm_id=2, name="Second")],
    )


def accounts() -> dict[int, admin_pb2.Account]:
    return {
        4_096: admin_pb2.Account(
            account_id=4_096, firm_id=1, open_orders_max=7, id_capacity=1_024, frozen=True
        ),
        4_097: admin_pb2.Account(
            account_id=4_097, firm_id=1, self_trade_group_id=3, open_orders_max=1_000
        ),
    }


def plan(
    text: str = WHOLE,
    definitions: admin_pb2.ListDefinitionsResponse | None = None,
    known: Mapping[int, admin_pb2.Account] | None = None,
) -> list[Step]:
    there = present() if definitions is None else definitions
    return make_plan(parse(text), there, accounts() if known is None else known)


def test_nothing_is_done_when_all_is_there() -> None:
    assert plan() == []


def test_everything_is_created_in_an_order_that_works() -> None:
    steps = plan(definitions=admin_pb2.ListDefinitionsResponse(), known={})
    kinds = [type(step.change) for step in steps]
    assert kinds == [
        CreateAsset,
        CreateAsset,
        CreateMarket,
        SetPhase,
        CreateFirm,
        CreateAccount,
        CreateAccount,
    ]
    market = steps[2].change
    assert isinstance(market, CreateMarket)
    assert (market.market.market_id, market.market.lot_size_atoms) == (MARKET, "10000")
    assert market.market.limits.minimum_notional_atoms == "10"


def test_a_market_without_a_phase_stays_halted() -> None:
    text = WHOLE.replace("    phase: post_only\n", "")
    steps = plan(text, definitions=admin_pb2.ListDefinitionsResponse(), known={})
    assert SetPhase not in [type(step.change) for step in steps]


def test_changed_limits_keep_what_the_file_does_not_name() -> None:
    (step,) = plan(WHOLE.replace("taker_fee_ppm: 400", "taker_fee_ppm: 300"))
    assert (step.action, step.detail) == (Action.CHANGE, "taker_fee_ppm 400 -> 300")
    assert isinstance(step.change, SetMarketLimits)
    expected = present().markets[0].limits
    expected.taker_fee_ppm = 300
    assert step.change.limits == expected


def test_changed_limits_of_an_account_keep_its_freeze() -> None:
    (step,) = plan(WHOLE.replace("open_orders_max: 7", "open_orders_max: 9"))
    assert step.change == SetAccountLimits(4_096, 9, 1_024, frozen=True)


def test_a_changed_phase_is_set() -> None:
    (step,) = plan(WHOLE.replace("phase: post_only", "phase: continuous"))
    assert step.change == SetPhase(MARKET, MarketPhase.CONTINUOUS)
    assert step.detail == "phase POST_ONLY -> CONTINUOUS"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("decimals: 6", "decimals: 7"), "asset USDT"),
        (("lot_size: 0.0001", "lot_size: 0.001"), "market BTC-USDT"),
        (("name: First", "name: Other"), "firm 1"),
        (("self_trade_group: 3", "self_trade_group: 4"), "account 4097"),
    ],
)
def test_what_cannot_change_is_a_conflict(change: tuple[str, str], what: str) -> None:
    steps = plan(WHOLE.replace(*change))
    assert (what, None) in [
        (step.what, step.change) for step in steps if step.action is Action.CONFLICT
    ]


def test_an_account_of_another_firm_is_a_conflict() -> None:
    wanted = parse(WHOLE)
    moved: WantedVenue = replace(
        wanted, accounts=tuple(replace(account, firm_id=2) for account in wanted.accounts)
    )
    steps = make_plan(moved, present(), accounts())
    assert [step.action for step in steps] == [Action.CONFLICT] * 2
