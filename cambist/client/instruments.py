"""Markets and assets as the SDK knows them, and exact conversion of prices and quantities.

Prices are quote units for one whole base unit; quantities are base units.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from cambist.client.amounts import Number, exact, scaled, to_atoms
from cambist.client.enums import MarketPhase
from cambist.client.errors import InvalidInput
from cambist.reference.v1 import reference_pb2


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset."""

    asset_id: int
    symbol: str
    decimals: int

    def atoms(self, amount: Number) -> int:
        """Whole units to atoms; raises InvalidInput(TOO_PRECISE)."""
        return to_atoms(amount, self.decimals)

    def units(self, atoms: int) -> Decimal:
        """Atoms to whole units."""
        return scaled(atoms, self.decimals)


@dataclass(frozen=True, slots=True)
class Market:
    """A market: what one tick and one lot are worth, and its limits when it was read."""

    market_id: int
    symbol: str
    base: Asset
    quote: Asset
    lot_size_atoms: int
    tick_size_atoms: int
    tick_value_atoms: int
    price_step_ticks: int = 1
    quantity_step_lots: int = 1
    minimum_quantity_lots: int = 1
    maximum_quantity_lots: int = 1 << 53
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 0
    phase: MarketPhase = MarketPhase.UNSPECIFIED

    @classmethod
    def from_message(cls, market: reference_pb2.Market, assets: dict[int, Asset]) -> Self:
        """From reference data."""
        return cls(
            market_id=market.market_id,
            symbol=market.symbol,
            base=assets[market.base_asset_id],
            quote=assets[market.quote_asset_id],
            lot_size_atoms=int(market.lot_size_atoms),
            tick_size_atoms=int(market.tick_size_atoms),
            tick_value_atoms=market.tick_value_atoms,
            price_step_ticks=market.price_step_ticks,
            quantity_step_lots=market.quantity_step_lots,
            minimum_quantity_lots=market.minimum_quantity_lots,
            maximum_quantity_lots=market.maximum_quantity_lots,
            maker_fee_ppm=market.maker_fee_ppm,
            taker_fee_ppm=market.taker_fee_ppm,
            phase=MarketPhase(market.phase),
        )

    @property
    def shard(self) -> int:
        """The shard that owns it."""
        return self.market_id >> 16

    def ticks(self, price: Number) -> int:
        """A price in ticks. Raises InvalidInput: OFF_TICK, INVALID_NUMBER."""
        ticks = exact(price) * 10**self.quote.decimals / self.tick_size_atoms
        if ticks.denominator != 1 or ticks.numerator % self.price_step_ticks:
            step = self.price(self.price_step_ticks)
            raise InvalidInput("OFF_TICK", f"price {price} is not a multiple of {step}")
        return int(ticks.numerator)

    def lots(self, quantity: Number) -> int:
        """A quantity in lots. Raises InvalidInput: OFF_LOT, INVALID_NUMBER."""
        lots = exact(quantity) * 10**self.base.decimals / self.lot_size_atoms
        if lots.denominator != 1 or lots.numerator % self.quantity_step_lots:
            step = self.quantity(self.quantity_step_lots)
            raise InvalidInput("OFF_LOT", f"quantity {quantity} is not a multiple of {step}")
        return int(lots.numerator)

    def price(self, ticks: int) -> Decimal:
        """Ticks as a price."""
        return scaled(ticks * self.tick_size_atoms, self.quote.decimals)

    def quantity(self, lots: int) -> Decimal:
        """Lots as a quantity."""
        return scaled(lots * self.lot_size_atoms, self.base.decimals)
