"""The file of `cambist apply`: what should exist on a shard, as YAML (or JSON, which is YAML).

    shard: 1
    assets:
      - {id: 1, symbol: BTC, decimals: 8}
      - {id: 2, symbol: USDT, decimals: 6}
    markets:
      - number: 1                 # of the shard; market id = shard * 65536 + number
        symbol: BTC-USDT
        base: BTC
        quote: USDT
        lot_size: 0.0001          # base units
        tick_size: 0.1            # quote units for one whole base unit
        phase: continuous         # left out: stays as it is
        limits: {maker_fee_ppm: 100, taker_fee_ppm: 400}
    firms:
      - id: 1
        name: First firm
        accounts:
          - {id: 4096, open_orders_max: 1000}

Every scalar is read as text and converted exactly: 0.1 is a tenth. What the file does not name
stays as it is. Pure but for `load`.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from cambist.cli import limits
from cambist.client.amounts import to_atoms
from cambist.client.enums import MarketPhase
from cambist.client.errors import InvalidInput

Value = TypeVar("Value")
MARKETS_PER_SHARD: Final = 1 << 16
LIMIT_NUMBERS: Final = (
    "price_step_ticks",
    "quantity_step_lots",
    "minimum_quantity_lots",
    "maximum_quantity_lots",
    "maker_fee_ppm",
    "taker_fee_ppm",
    "resting_orders_max",
    "market_protection_ppm",
    "static_band_ppm",
)
LIMIT_AMOUNTS: Final = ("minimum_notional_atoms", "maximum_notional_atoms")


@dataclass(frozen=True, slots=True)
class WantedAsset:
    """An asset."""

    asset_id: int
    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True)
class WantedMarket:
    """A market."""

    market_id: int
    symbol: str
    base_asset_id: int
    quote_asset_id: int
    lot_size_atoms: int
    tick_size_atoms: int
    phase: MarketPhase | None
    # Fields of MarketLimits that the file names.
    limits: dict[str, int]


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """An account; None stays as it is."""

    account_id: int
    firm_id: int
    self_trade_group_id: int
    open_orders_max: int | None
    id_capacity: int | None


@dataclass(frozen=True, slots=True)
class WantedFirm:
    """A firm."""

    firm_id: int
    name: str


@dataclass(frozen=True, slots=True)
class WantedVenue:
    """Everything in a file."""

    shard: int
    assets: tuple[WantedAsset, ...]
    markets: tuple[WantedMarket, ...]
    firms: tuple[WantedFirm, ...]
    accounts: tuple[WantedAccount, ...]


class TextLoader(yaml.SafeLoader):
    """Reads every scalar as text, and refuses a key that stands twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - as in the base

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise InvalidInput("BAD_FILE", f"line {line}: {key!r} stands twice")
        return super().construct_mapping(node, deep)


class Fields:
    """A mapping of the file; what is not taken from it is unknown."""

    def __init__(self, where: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise InvalidInput("BAD_FILE", f"{where}: a mapping is expected")
        self.where = where
        self._left: dict[str, Any] = dict(value)

    def fault(self, name: str, text: str) -> InvalidInput:
        """An error that says where."""
        return InvalidInput("BAD_FILE", f"{self.where}.{name}: {text}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text. Raises InvalidInput when it is missing and there is no default."""
        value = self._left.pop(name, default)
        if value is None:
            raise self.fault(name, "is missing")
        if not isinstance(value, str):
            raise self.fault(name, "one value is expected")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        text = self.text(name, None if default is None else str(default))
        try:
            return int(text)
        except ValueError:
            raise self.fault(name, f"{text!r} is no whole number") from None

    def optional(self, name: str) -> int | None:
        """A whole number, None when it is not named."""
        return self.number(name) if name in self._left else None

    def choice(self, name: str, choices: dict[str, Value]) -> Value:
        """One of several values by name."""
        text = self.text(name)
        if text not in choices:
            raise self.fault(name, f"{text!r} is none of {', '.join(sorted(choices))}")
        return choices[text]

    def list(self, name: str) -> "list[Fields]":
        """Mappings in a list; empty when it is not named."""
        values = self._left.pop(name, [])
        if not isinstance(values, list):
            raise self.fault(name, "a list is expected")
        return [
            Fields(f"{self.where}.{name}[{index}]", value) for index, value in enumerate(values)
        ]

    def mapping(self, name: str) -> "Fields":
        """A mapping inside; empty when it is not named."""
        return Fields(f"{self.where}.{name}", self._left.pop(name, {}))

    def has(self, name: str) -> bool:
        """Whether it is named."""
        return name in self._left

    def done(self) -> None:
        """Raises InvalidInput for what is left."""
        if self._left:
            raise self.fault(str(next(iter(self._left))), "no such field")


def load(path: Path) -> WantedVenue:
    """Reads a file. Raises InvalidInput that names file and place."""
    try:
        with path.open("rb") as file:
            content = file.read(limits.APPLY_BYTES_MAX)
            is_whole = not file.read(1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("BAD_FILE", f"{path}: {error}") from error
    if not is_whole:
        raise InvalidInput("BAD_FILE", f"{path}: more than {limits.APPLY_BYTES_MAX} bytes")
    try:
        return parse(text)
    except InvalidInput as error:
        raise InvalidInput(error.reason, f"{path}: {error.text}") from error


def parse(text: str) -> WantedVenue:
    """What a file says. Raises InvalidInput."""
    try:
        content = yaml.load(text, Loader=TextLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise InvalidInput("BAD_FILE", " ".join(str(error).split())) from error
    file = Fields("venue", content)
    shard = file.number("shard", 1)
    if not 1 <= shard < MARKETS_PER_SHARD:
        raise file.fault("shard", f"{shard} is not in 1 to {MARKETS_PER_SHARD - 1}")
    assets = unique(file.list("assets"), asset_of, lambda asset: asset.symbol)
    by_symbol = {asset.symbol: asset for asset in assets}
    markets = unique(
        file.list("markets"),
        lambda fields: market_of(fields, shard, by_symbol),
        lambda market: market.market_id,
    )
    firm_fields = file.list("firms")
    accounts: list[WantedAccount] = []
    firms = unique(firm_fields, lambda fields: firm_of(fields, accounts), lambda firm: firm.firm_id)
    seen: set[int] = set()
    for account in accounts:
        if account.account_id in seen:
            raise InvalidInput("BAD_FILE", f"account {account.account_id} stands twice")
        seen.add(account.account_id)
    file.done()
    return WantedVenue(shard, assets, markets, firms, tuple(accounts))


def unique(
    items: "list[Fields]", make: Callable[[Fields], Value], key: Callable[[Value], Hashable]
) -> tuple[Value, ...]:
    """Values of a list. Raises InvalidInput when two have the same key."""
    found: dict[Hashable, Value] = {}
    for fields in items:
        value = make(fields)
        fields.done()
        if key(value) in found:
            raise InvalidInput("BAD_FILE", f"{fields.where}: {key(value)!r} stands twice")
        found[key(value)] = value
    return tuple(found.values())


def asset_of(fields: Fields) -> WantedAsset:
    """An asset."""
    return WantedAsset(fields.number("id"), fields.text("symbol"), fields.number("decimals"))


def market_of(fields: Fields, shard: int, assets: dict[str, WantedAsset]) -> WantedMarket:
    """A market; its sizes in whole units become atoms exactly."""
    number = fields.number("number")
    if not 1 <= number < MARKETS_PER_SHARD:
        raise fields.fault("number", f"{number} is not in 1 to {MARKETS_PER_SHARD - 1}")
    base, quote = fields.choice("base", assets), fields.choice("quote", assets)
    phases = {
        name: MarketPhase[name.upper()]
        for name in ("continuous", "post_only", "cancel_only", "halted")
    }
    market = WantedMarket(
        shard * MARKETS_PER_SHARD + number,
        fields.text("symbol"),
        base.asset_id,
        quote.asset_id,
        atoms(fields, "lot_size", base),
        atoms(fields, "tick_size", quote),
        fields.choice("phase", phases) if fields.has("phase") else None,
        {},
    )
    inside = fields.mapping("limits")
    for name in (*LIMIT_NUMBERS, *LIMIT_AMOUNTS):
        if inside.has(name):
            market.limits[name] = inside.number(name)
    inside.done()
    return market


def atoms(fields: Fields, name: str, asset: WantedAsset) -> int:
    """Whole units of an asset in atoms."""
    text = fields.text(name)
    try:
        return to_atoms(text, asset.decimals)
    except InvalidInput as error:
        raise fields.fault(name, error.text) from error


def firm_of(fields: Fields, accounts: list[WantedAccount]) -> WantedFirm:
    """A firm; its accounts are added to `accounts`."""
    firm = WantedFirm(fields.number("id"), fields.text("name"))
    for inside in fields.list("accounts"):
        accounts.append(
            WantedAccount(
                inside.number("id"),
                firm.firm_id,
                inside.number("self_trade_group", 0),
                inside.optional("open_orders_max"),
                inside.optional("id_capacity"),
            )
        )
        inside.done()
    return firm
