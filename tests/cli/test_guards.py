"""What an operator does about trading by the command line, and that firms go on being served."""

import pytest

from tests.cli.venue import ACCOUNT, FIRM, OTHER, CliVenue

pytestmark = pytest.mark.slow
MARKET = "BTC-USDT"


async def switched(venue: CliVenue) -> None:
    """The venue under rules version 2, by the command line too."""
    ran = await venue.run("switch-rules", "2", "--yes")
    assert ran.stdout == "shard 1 follows rules version 2\n", ran.stderr


class Buyer:
    """Sends orders of both accounts and says what came of each."""

    def __init__(self, venue: CliVenue, key: str) -> None:
        self._venue = venue
        self._key = key

    async def open_orders(self) -> int:
        """How many orders of the firm were open; none is afterwards."""
        (told,) = (await self._venue.run("--key", self._key, "cancel-firm", "--json")).lines
        return int(told["cancelled_count"])

    async def buys(self, quantity: str, price: str, *, account_id: int = ACCOUNT) -> str:
        """`Accepted`, or the reason of the refusal."""
        order = ("order", MARKET, "buy", quantity, price, "--account", str(account_id), "--json")
        ran = await self._venue.run("--key", self._key, *order)
        if ran.status == 0:
            return str(ran.lines[0]["event"])
        return ran.stderr.removeprefix("error: ").partition(":")[0].strip()


@pytest.fixture
async def buyer(venue: CliVenue) -> Buyer:
    return Buyer(venue, str(await venue.key("firm")))


async def test_limits_hold_for_their_account_until_they_are_removed(
    venue: CliVenue, buyer: Buyer
) -> None:
    await switched(venue)
    limits = ("trading-limits", str(ACCOUNT), MARKET)
    given = (
        "--order-quantity-max",
        "0.5",
        "--order-notional-max",
        "1000",
        "--open-orders-max",
        "2",
    )
    ran = await venue.run(*limits, *given)
    assert ran.stdout == f"limits of account {ACCOUNT} in {MARKET} are set\n", ran.stderr
    assert await buyer.buys("0.6", "100") == "ORDER_QUANTITY_LIMIT"
    assert await buyer.buys("0.5", "2100") == "ORDER_NOTIONAL_LIMIT"
    assert await buyer.buys("0.5", "2000") == "Accepted"
    assert await buyer.buys("0.5", "100") == "Accepted"
    assert await buyer.buys("0.1", "100") == "OPEN_ORDERS_LIMIT"
    assert await buyer.buys("0.6", "100", account_id=OTHER) == "Accepted"
    ran = await venue.run(*limits, "--open-quantity-max", "1.2", "--open-notional-max", "1100")
    assert ran.status == 0, ran.stderr
    assert await buyer.buys("0.3", "100") == "OPEN_QUANTITY_LIMIT"
    assert await buyer.buys("0.2", "1000") == "OPEN_NOTIONAL_LIMIT"
    assert await buyer.buys("0.2", "100") == "Accepted"
    assert (await venue.run(*limits, "--position-max", "1000000")).status == 0
    assert await buyer.buys("0.2", "100") == "POSITION_LIMIT"
    assert (await venue.run(*limits, "--remove")).stdout.endswith("are removed\n")
    assert await buyer.buys("0.6", "100") == "Accepted"


async def test_a_reference_price_moves_the_band_of_a_market(venue: CliVenue, buyer: Buyer) -> None:
    await switched(venue)
    text = (venue.folder / "venue.yaml").read_text()
    banded = text.replace("phase: continuous", "limits: {static_band_ppm: 50000}")
    assert (await venue.apply(banded)).status == 0
    assert await buyer.buys("1", "1060") == "Accepted"
    ran = await venue.run("reference-price", MARKET, "1000")
    assert ran.stdout == f"reference price of {MARKET} is 1000\n", ran.stderr
    assert await buyer.buys("1", "1060") == "OUTSIDE_PRICE_BAND"
    assert await buyer.buys("1", "1050") == "Accepted"
    assert (await venue.run("reference-price", MARKET, "0")).status == 0
    assert await buyer.buys("1", "1060") == "Accepted"


@pytest.mark.parametrize(
    "target",
    [
        ("--account", str(ACCOUNT)),
        ("--firm", str(FIRM)),
        ("--market", MARKET),
        ("--whole-shard",),
    ],
)
async def test_a_kill_switch_cancels_and_refuses_until_it_is_off(
    venue: CliVenue, buyer: Buyer, target: tuple[str, ...]
) -> None:
    await switched(venue)
    assert await buyer.buys("1", "100") == "Accepted"
    on = await venue.run("kill-switch", "on", *target)
    assert on.status == 0, on.stderr
    assert on.stdout.endswith(" is on\n")
    assert await buyer.buys("1", "100") == "KILLED"
    assert (await venue.run("kill-switch", "off", *target)).status == 0
    assert await buyer.open_orders() == 0
    assert await buyer.buys("1", "100") == "Accepted"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("kill-switch", "on"), 2, "give one of --account"),
        (("kill-switch", "on", "--firm", "1", "--whole-shard"), 2, "give one of --account"),
        (("kill-switch", "on", "--market", "BTC-USDC"), 2, "UNKNOWN_MARKET"),
        (("kill-switch", "on", "--firm", "1"), 1, "UNSUPPORTED"),
        (("kill-switch", "on", "--account", "9999"), 1, "UNKNOWN_ACCOUNT"),
        (("trading-limits", str(ACCOUNT), MARKET), 2, "give limits, or --remove"),
        (
            ("trading-limits", str(ACCOUNT), MARKET, "--remove", "--open-quantity-max", "1"),
            2,
            "without any",
        ),
        (("trading-limits", str(ACCOUNT), MARKET, "--open-quantity-max", "0"), 2, "INVALID_NUMBER"),
        (("trading-limits", str(ACCOUNT), MARKET, "--open-quantity-max", "0.00001"), 2, "OFF_LOT"),
        (("trading-limits", str(ACCOUNT), MARKET, "--open-quantity-max", "1"), 1, "UNSUPPORTED"),
        (("reference-price", MARKET, "1000.05"), 2, "OFF_TICK"),
        (("reference-price", MARKET, "1000"), 1, "UNSUPPORTED"),
        (("switch-rules", "3", "--yes"), 1, "UNKNOWN_RULES_VERSION"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    venue: CliVenue, arguments: tuple[str, ...], status: int, said: str
) -> None:
    ran = await venue.run(*arguments)
    assert ran.status == status
    assert said in ran.stderr
