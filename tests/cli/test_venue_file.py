"""Files of `cambist apply`: exact numbers, and faults that say where."""

import textwrap
from pathlib import Path

import pytest

from cambist.cli import venue_file
from cambist.cli.venue_file import WantedAccount, WantedVenue, load, parse
from cambist.client.enums import MarketPhase
from cambist.client.errors import InvalidInput

WHOLE = """
shard: 2
assets:
  - {id: 1, symbol: BTC, decimals: 8}
  - {id: 2, symbol: USDT, decimals: 6}
markets:
  - number: 7
    symbol: BTC-USDT
    base: BTC
    quote: USDT
    lot_size: 0.0001
    tick_size: 0.1
    phase: post_only
    limits: {maker_fee_ppm: -5, taker_fee_ppm: 400, minimum_notional_atoms: 10}
firms:
  - id: 1
    name: First
    accounts:
      - {id: 4096, open_orders_max: 7}
      - {id: 4097, self_trade_group: 3}
"""


def test_a_file_is_read_exactly() -> None:
    venue = parse(WHOLE)
    (market,) = venue.markets
    assert (market.market_id, market.phase) == (2 * 65_536 + 7, MarketPhase.POST_ONLY)
    assert (market.lot_size_atoms, market.tick_size_atoms) == (10_000, 100_000)
    assert (market.base_asset_id, market.quote_asset_id) == (1, 2)
    assert market.limits == {
        "maker_fee_ppm": -5,
        "taker_fee_ppm": 400,
        "minimum_notional_atoms": 10,
    }
    assert venue.accounts == (
        WantedAccount(4_096, 1, 0, 7, None),
        WantedAccount(4_097, 1, 3, None, None),
    )


def test_json_is_read_too() -> None:
    text = '{"assets": [{"id": 1, "symbol": "NO", "decimals": 0}]}'
    assert parse(text) == WantedVenue(1, venue_file.parse(text).assets, (), (), ())
    assert parse(text).assets[0].symbol == "NO"


def test_the_example_of_the_documentation_is_read() -> None:
    documented = venue_file.__doc__ or ""
    example = documented.partition("\n\n")[2].partition("\n\nEvery scalar")[0]
    venue = parse(textwrap.dedent(example))
    assert (len(venue.assets), len(venue.markets), len(venue.accounts)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("decimals: 8", "decimals: eight"), r"assets\[0\]\.decimals"),
        (("decimals: 8", "decimals: 8.5"), r"assets\[0\]\.decimals"),
        (("symbol: BTC,", ""), r"assets\[0\]\.symbol: is missing"),
        (("lot_size: 0.0001", "lot_size: 0.000000001"), r"markets\[0\]\.lot_size"),
        (("tick_size: 0.1", "tick_size: .nan"), r"markets\[0\]\.tick_size"),
        (("tick_size: 0.1", "tick_sise: 0.1"), r"markets\[0\]\.tick_size: is missing"),
        (("base: BTC", "base: ETH"), r"markets\[0\]\.base: 'ETH' is none of BTC, USDT"),
        (("phase: post_only", "phase: open"), r"markets\[0\]\.phase"),
        (("maker_fee_ppm", "maker_fee"), r"markets\[0\]\.limits\.maker_fee: no such field"),
        (("number: 7", "number: 65536"), r"markets\[0\]\.number"),
        (("shard: 2", "shard: 0"), r"venue\.shard"),
        (("id: 4097", "id: 4096"), "account 4096 stands twice"),
        (("id: 2, symbol: USDT", "id: 2, symbol: BTC"), r"assets\[1\]: 'BTC' stands twice"),
        (("name: First", "name: [First]"), r"firms\[0\]\.name: one value"),
        (("assets:", "assets: 5\nmarket:"), "a list is expected"),
        (("shard: 2", "shard: 2\nshard: 3"), "line 3: 'shard' stands twice"),
        (("shard: 2", "- shard"), "BAD_FILE"),
        (("shard: 2", "shards: 2"), r"venue\.shards: no such field"),
    ],
)
def test_a_fault_says_where_it_is(change: tuple[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        parse(WHOLE.replace(*change))
    assert caught.value.reason == "BAD_FILE"


@pytest.mark.parametrize("text", ["", "5", "- 1", "!!python/object:os.system {}", "{", "a: *b"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="BAD_FILE"):
        parse(text)


def test_faults_of_reading_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "venue.yaml"
    with pytest.raises(InvalidInput, match=r"venue\.yaml"):
        load(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidInput, match=r"venue\.yaml"):
        load(path)
    path.write_text("shards: 2")
    with pytest.raises(InvalidInput, match=r"venue\.yaml.*shards"):
        load(path)
    path.write_text(WHOLE)
    assert load(path) == parse(WHOLE)
