"""The program `cambist` as firms and operators run it, against a real matching and gateway."""

from pathlib import Path

import pytest

from tests.cli.venue import ACCOUNT, OTHER, VENUE_FILE, CliVenue
from tests.replay.recorder import Recorder
from tests.replay.test_half_hour import REAL

pytestmark = pytest.mark.slow
# First account that `cambist replay` makes for firm 1.
FIRM_BASE = (1 << 32) + 0x5250_0000


async def test_apply_plans_then_does_then_has_nothing_to_do(empty_venue: CliVenue) -> None:
    planned = await empty_venue.apply(VENUE_FILE, "--dry-run", "--json")
    assert planned.status == 0, planned.stderr
    assert [(line["action"], line["what"]) for line in planned.lines] == [
        ("create", "asset BTC"),
        ("create", "asset USDT"),
        ("create", "market BTC-USDT"),
        ("change", "market BTC-USDT"),
        ("create", "firm 1"),
        ("create", "account 4096"),
        ("create", "account 4097"),
    ]
    applied = await empty_venue.apply(VENUE_FILE, "--json")
    assert applied.lines == planned.lines
    again = await empty_venue.apply(VENUE_FILE)
    assert (again.status, again.stdout) == (0, "nothing to do\n")
    changed = VENUE_FILE.replace("open_orders_max: 1000", "open_orders_max: 2000")
    changed = changed.replace(
        "phase: continuous", "phase: halted\n    limits: {taker_fee_ppm: 300}"
    )
    steps = await empty_venue.apply(changed, "--json")
    assert [line["detail"] for line in steps.lines] == [
        "taker_fee_ppm 0 -> 300",
        "phase CONTINUOUS -> HALTED",
        "open_orders_max 1000 -> 2000",
    ]
    assert (await empty_venue.apply(changed)).stdout == "nothing to do\n"


async def test_apply_does_nothing_at_all_when_one_thing_conflicts(venue: CliVenue) -> None:
    text = VENUE_FILE.replace("decimals: 6", "decimals: 7") + "      - {id: 4098}\n"
    refused = await venue.apply(text)
    assert refused.status == 1
    assert "CONFLICT: nothing was applied" in refused.stderr
    assert "asset 2 is USDT with 6 decimals" in refused.stdout
    assert "applied 1\n" in (await venue.apply(VENUE_FILE + "      - {id: 4098}\n")).stdout


async def test_status_and_top_tell_role_sequences_and_stages(venue: CliVenue) -> None:
    status = await venue.run("status", "--json")
    (told,) = status.lines
    assert status.status == 0
    assert (told["role"], told["epoch"]) == ("PRIMARY", 1)
    assert told["released_seq"] == told["applied_seq"] > 0
    people = await venue.run("status")
    assert "PRIMARY" in people.stdout
    top = await venue.run("top", "--every", "0.1", "--count", "2", "--json")
    assert [list(line["stages"]) for line in top.lines] == [["sequenced", "matched", "durable"]] * 2
    away = await venue.run("--admin", venue.admin_endpoint, "--admin", "127.0.0.1:1", "status")
    assert away.status == 0
    assert "UNREACHABLE" in away.stdout
    nobody = await venue.run("--admin", "127.0.0.1:1", "status")
    assert nobody.status == 1
    assert "NO_PRIMARY" in nobody.stderr


async def test_an_order_goes_in_trades_and_shows_everywhere(venue: CliVenue) -> None:
    key = str(await venue.key("firm"))
    buy = ("--key", key, "order", "BTC-USDT", "buy", "1", "90000", "--account", str(ACCOUNT))
    entered = await venue.run(*buy, "--json")
    assert entered.status == 0, entered.stderr
    (accepted,) = entered.lines
    assert accepted["event"] == "Accepted"
    sold = await venue.run(
        "--key", key, "order", "BTC-USDT", "sell", "0.25", "--account", str(OTHER), "--json"
    )
    assert [line["event"] for line in sold.lines] == ["Accepted", "Filled"]
    (book,) = (await venue.run("--key", key, "book", "BTC-USDT", "--json")).lines
    assert book["bids"] == [["90000.000000", "0.75000000", 1]]
    balances = (await venue.run("--key", key, "balances", "--json")).lines
    money = {(line["account_id"], line["asset"]): line for line in balances}
    assert money[ACCOUNT, "BTC"]["total"] == "1000000.25000000"
    assert money[OTHER, "USDT"]["available"] == "1022500.000000"
    assert money[ACCOUNT, "USDT"]["held"] == "67500.000000"
    copied = await venue.run("--key", key, "drop-copy", "--count", "1", "--json")
    (row,) = copied.lines
    assert (row["event"], row["is_snapshot"], row["leaves_lots"]) == ("Accepted", True, 7_500)
    cancel = ("--key", key, "cancel", str(accepted["order_id"]), "--account", str(ACCOUNT))
    assert (await venue.run(*cancel)).status == 0
    second = await venue.run(*cancel)
    assert second.status == 1
    assert "UNKNOWN_ORDER" in second.stderr


async def test_the_same_id_never_enters_a_second_order(venue: CliVenue) -> None:
    key = str(await venue.key("firm", (ACCOUNT,)))
    identifier = "0123456789abcdef" * 2
    order = ("--key", key, "order", "BTC-USDT", "buy", "1", "100", "--id", identifier, "--json")
    first, second = await venue.run(*order), await venue.run(*order)
    assert first.lines[0]["cl_ord_id"] == identifier
    assert (second.status, "ID_REUSED" in second.stderr) == (1, True)
    cancelled = await venue.run("--key", key, "cancel", "--all", "--market", "BTC-USDT")
    assert cancelled.stdout == "cancelled 1 orders\n"


async def test_all_orders_of_the_firm_are_cancelled_by_one_command(venue: CliVenue) -> None:
    key = str(await venue.key("firm", ()))
    for account_id in (ACCOUNT, OTHER):
        order = ("order", "BTC-USDT", "buy", "1", "100", "--account", str(account_id))
        assert (await venue.run("--key", key, *order)).status == 0
    cancelled = await venue.run("--key", key, "cancel-firm", "--market", "BTC-USDT")
    assert cancelled.stdout == "cancelled 2 orders of the firm\n"
    again = await venue.run("--key", key, "cancel-firm", "--json")
    assert again.lines == [{"cancelled_count": 0}]


@pytest.mark.parametrize(
    ("order", "status", "said"),
    [
        (("BTC-USDT", "buy", "1", "90000.05"), 2, "OFF_TICK"),
        (("BTC-USDT", "buy", "0.00001", "90000"), 2, "OFF_LOT"),
        (("BTC-USDT", "buy", "1", "NaN"), 2, "INVALID_NUMBER"),
        (("BTC-USDT", "buy", "100000", "90000"), 1, "INSUFFICIENT_FUNDS"),
        (("BTC-USDC", "buy", "1", "90000"), 1, "UNKNOWN_MARKET"),
        (("BTC-USDT", "buy", "1", "90000", "--id", "12"), 2, "BAD_LENGTH"),
        (("BTC-USDT", "hold", "1", "90000"), 2, "is not one of"),
    ],
)
async def test_a_wrong_order_is_a_named_error_without_a_traceback(
    venue: CliVenue, order: tuple[str, ...], status: int, said: str
) -> None:
    key = str(await venue.key("firm", (ACCOUNT,)))
    ran = await venue.run("--key", key, "order", *order)
    assert ran.status == status
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


async def test_keys_and_accounts_that_do_not_fit_are_named(venue: CliVenue) -> None:
    nobody = await venue.run("balances")
    assert (nobody.status, "CAMBIST_KEY" in nobody.stderr) == (2, True)
    key = str(await venue.key("firm"))
    unnamed = await venue.run("--key", key, "order", "BTC-USDT", "buy", "1", "1")
    assert unnamed.status == 2
    assert "ACCOUNT_NOT_NAMED" in unnamed.stderr
    stranger = str(venue.folder / "stranger.json")
    await venue.run("keys", "new", stranger, "--key-id", "stranger")
    refused = await venue.run("--key", stranger, "balances")
    assert refused.status == 1
    assert refused.stderr.startswith("error: ")


async def test_bench_measures_a_session(venue: CliVenue) -> None:
    key = str(await venue.key("firm", (ACCOUNT,)))
    ran = await venue.run(
        "--key", key, "bench", "BTC-USDT", "0.0001", "100", "--orders", "300", "--json"
    )
    assert ran.status == 0, ran.stderr
    (found,) = ran.lines
    assert (found["commands"], found["refused"]) == (600, {})
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["p999_ms"]


async def test_a_recording_is_played_through_the_venue(venue: CliVenue, tmp_path: Path) -> None:
    recorder = Recorder(seed=5)
    recorder.record(1_500)
    key = str(await venue.key("firm"))
    recording = str(recorder.save(tmp_path))
    for _ in range(2):
        ran = await venue.run("--key", key, "replay", recording, "--json")
        assert ran.status == 0, ran.stderr
        (report,) = ran.lines
        assert report["trades_equal"] == report["trades_expected"] > 50
        assert (report["unexplained"], report["differences"]) == (0, [])
    people = await venue.run("--key", key, "replay", recording)
    assert "unexplained" in people.stdout


if REAL.exists():

    @pytest.mark.timeout(600)
    async def test_half_an_hour_of_a_real_market_is_played_through_the_venue(
        venue: CliVenue,
    ) -> None:
        key = str(await venue.key("firm"))
        replay = "--key", key, "replay", str(REAL), "--json"
        ran = await venue.run(*replay, timeout_seconds=540)
        assert ran.status == 0, ran.stderr
        (report,) = ran.lines
        assert (report["rows"], report["trades_expected"]) == (314_057, 284)
        assert report["trades_equal"] >= 0.95 * 284
        assert (report["unexplained"], report["unpaired_fills"]) == (0, 0)


async def test_a_replay_refuses_a_market_of_others(venue: CliVenue, tmp_path: Path) -> None:
    recorder = Recorder(seed=5)
    recorder.record(100)
    recording = str(recorder.save(tmp_path))
    key = str(await venue.key("firm"))
    assert (await venue.run("--key", key, "replay", recording, "--json")).status == 0
    buyer, seller = FIRM_BASE, FIRM_BASE + 1
    await venue.run("--key", key, "order", "REPLAY-2-8", "buy", "1", "100", "--account", str(buyer))
    places = ("--market", "REPLAY-2-8", "--buyer", str(OTHER), "--seller", str(seller))
    refused = await venue.run("--key", key, "replay", recording, *places)
    assert refused.status == 1
    assert "MARKET_NOT_EMPTY" in refused.stderr
