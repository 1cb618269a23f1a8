//! Markets: what they trade, their limits and fees, their phase and their book.

use crate::book::{Book, Quote};
use crate::fee_tiers::Fees;
use crate::limits::{
    AMOUNT_ATOMS_MAX, MARKET_PROTECTION_PPM_MAX, QUANTITY_LOTS_MAX, RESTING_ORDERS_DEFAULT,
    RESTING_ORDERS_MAX, STATIC_BAND_PPM_MAX, STEP_MAX,
};
use crate::money::{checked_base_amount, checked_notional};
use crate::types::{CreateMarket, MarketParameters, MarketPhase};
use crate::waits::Triggers;
use std::collections::{BTreeMap, BTreeSet};

/// One market.
#[derive(Debug)]
pub struct Market {
    /// Market.
    pub market_id: u32,
    /// Symbol.
    pub symbol: Box<str>,
    /// What is traded.
    pub base_asset_id: u32,
    /// What is paid.
    pub quote_asset_id: u32,
    /// Base atoms per lot.
    pub lot_size_atoms: i128,
    /// Quote atoms per tick for one whole unit of base.
    pub tick_size_atoms: i128,
    /// Quote atoms per tick per lot.
    pub tick_value: i64,
    /// Limits and fees, defaults filled in.
    pub parameters: MarketParameters,
    /// Phase.
    pub phase: MarketPhase,
    /// Its kill switch is on.
    pub killed: bool,
    /// A cursor cancels every order.
    pub clearing: bool,
    /// Orders that the cursor has cancelled so far.
    pub cleared_count: u64,
    /// The last batch that started with expired orders of this market left over.
    pub due_batch: u64,
    /// Last numbers given.
    pub market_seq: u64,
    /// Last trade.
    pub trade_id: u64,
    /// Last queue place.
    pub public_order_id: u64,
    /// `market_seq` at the end of the last L2 delta.
    pub last_l2_market_seq: u64,
    /// The balances of FEES in the quote asset.
    pub fees_row: u32,
    /// The last batch that did something here.
    pub batch: u64,
    /// Best prices at the start of that batch.
    pub quote_at_start: Quote,
    /// What bands refer to; 0 = none.
    pub reference_price_ticks: i64,
    /// The book.
    pub book: Book,
    /// Orders that wait for a price.
    pub triggers: Triggers,
}

impl Market {
    /// A new market, HALTED. `parameters` are filled in.
    #[must_use]
    pub fn new(created: &CreateMarket<'_>, tick_value: i64, fees_row: u32) -> Self {
        Self {
            market_id: created.market_id,
            symbol: created.symbol.into(),
            base_asset_id: created.base_asset_id,
            quote_asset_id: created.quote_asset_id,
            lot_size_atoms: created.lot_size_atoms,
            tick_size_atoms: created.tick_size_atoms,
            tick_value,
            parameters: created.parameters,
            phase: MarketPhase::Halted,
            killed: false,
            clearing: false,
            cleared_count: 0,
            due_batch: 0,
            market_seq: 0,
            trade_id: 0,
            public_order_id: 0,
            last_l2_market_seq: 0,
            fees_row,
            batch: 0,
            quote_at_start: Quote::default(),
            reference_price_ticks: 0,
            book: Book::default(),
            triggers: Triggers::default(),
        }
    }

    /// How many orders rest or wait.
    #[inline]
    #[must_use]
    pub fn open_orders(&self) -> u32 {
        self.book.orders() + self.triggers.len()
    }

    /// Whether notional and base amount of an order are within their bounds.
    #[must_use]
    pub fn fits(&self, price_ticks: i64, quantity_lots: i64) -> bool {
        checked_notional(price_ticks, quantity_lots, self.tick_value).is_some()
            && checked_base_amount(quantity_lots, self.lot_size_atoms).is_some()
    }

    /// As created, with its present parameters.
    #[must_use]
    pub fn created(&self) -> CreateMarket<'_> {
        CreateMarket {
            market_id: self.market_id,
            symbol: &self.symbol,
            base_asset_id: self.base_asset_id,
            quote_asset_id: self.quote_asset_id,
            lot_size_atoms: self.lot_size_atoms,
            tick_size_atoms: self.tick_size_atoms,
            parameters: self.parameters,
        }
    }
}

/// Parameters with defaults filled in, unless one is out of its bounds.
#[must_use]
pub fn filled_in(parameters: &MarketParameters) -> Option<MarketParameters> {
    let or = |value, default| if value == 0 { default } else { value };
    let mut filled = *parameters;
    filled.price_step_ticks = or(filled.price_step_ticks, 1);
    filled.quantity_step_lots = or(filled.quantity_step_lots, 1);
    filled.minimum_quantity_lots = or(filled.minimum_quantity_lots, 1);
    filled.maximum_quantity_lots = or(filled.maximum_quantity_lots, QUANTITY_LOTS_MAX);
    if filled.resting_orders_max == 0 {
        filled.resting_orders_max = RESTING_ORDERS_DEFAULT;
    }
    let notionals = 0..=AMOUNT_ATOMS_MAX;
    let fits = (1..=STEP_MAX).contains(&filled.price_step_ticks)
        && (1..=STEP_MAX).contains(&filled.quantity_step_lots)
        && filled.minimum_quantity_lots >= 1
        && filled.minimum_quantity_lots <= filled.maximum_quantity_lots
        && filled.maximum_quantity_lots <= QUANTITY_LOTS_MAX
        && notionals.contains(&filled.minimum_notional_atoms)
        && notionals.contains(&filled.maximum_notional_atoms)
        && Fees::of(&filled).are_in_bounds()
        && filled.resting_orders_max <= RESTING_ORDERS_MAX
        && filled.market_protection_ppm <= MARKET_PROTECTION_PPM_MAX
        && filled.static_band_ppm <= STATIC_BAND_PPM_MAX;
    fits.then_some(filled)
}

/// All markets of the shard. A place in the list never changes.
#[derive(Debug, Default)]
pub struct Markets {
    list: Vec<Market>,
    by_id: BTreeMap<u32, u32>,
    /// By the lower half of the id: place + 1, 0 = none.
    places: Vec<u16>,
    symbols: BTreeSet<Box<str>>,
    /// Ids of the markets that are being cleared.
    pub clearing: BTreeSet<u32>,
    /// Ids of the markets that have ready orders.
    pub ready: BTreeSet<u32>,
}

impl Markets {
    /// The place of a market of this shard.
    #[inline]
    #[must_use]
    pub fn find(&self, market_id: u32) -> Option<u32> {
        let place = *self.places.get((market_id & 0xFFFF) as usize)?;
        let place = u32::from(place).checked_sub(1)?;
        (self[place].market_id == market_id).then_some(place)
    }

    /// Whether a market has this symbol.
    #[must_use]
    pub fn has_symbol(&self, symbol: &str) -> bool {
        self.symbols.contains(symbol)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a market that is not there.
    ///
    /// # Panics
    /// Far beyond `MARKETS_MAX`.
    pub fn add(&mut self, market: Market) -> u32 {
        let place = u16::try_from(self.list.len()).expect("bounded by MARKETS_MAX");
        let low = (market.market_id & 0xFFFF) as usize;
        if self.places.len() <= low {
            self.places.resize(low + 1, 0);
        }
        self.places[low] = place + 1;
        self.by_id.insert(market.market_id, u32::from(place));
        self.symbols.insert(market.symbol.clone());
        if market.clearing {
            self.clearing.insert(market.market_id);
        }
        self.list.push(market);
        u32::from(place)
    }

    /// Places in the order of market ids.
    pub fn sorted(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_id.values().copied()
    }
}

impl std::ops::Index<u32> for Markets {
    type Output = Market;

    #[inline]
    fn index(&self, place: u32) -> &Market {
        &self.list[place as usize]
    }
}

impl std::ops::IndexMut<u32> for Markets {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut Market {
        &mut self.list[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_defaults() {
        let filled = filled_in(&MarketParameters::default()).expect("all defaults");
        assert_eq!(filled.price_step_ticks, 1);
        assert_eq!(filled.quantity_step_lots, 1);
        assert_eq!(filled.minimum_quantity_lots, 1);
        assert_eq!(filled.maximum_quantity_lots, 1 << 53);
        assert_eq!(filled.maximum_notional_atoms, 0);
        assert_eq!(filled.resting_orders_max, 2_000_000);
    }

    #[test]
    fn parameters_out_of_their_bounds_are_refused() {
        let good = MarketParameters {
            taker_fee_ppm: 100,
            maker_fee_ppm: -100,
            ..MarketParameters::default()
        };
        assert!(filled_in(&good).is_some());
        let bad: [fn(&mut MarketParameters); 14] = [
            |p| p.price_step_ticks = -1,
            |p| p.price_step_ticks = (1 << 40) + 1,
            |p| p.quantity_step_lots = -1,
            |p| p.minimum_quantity_lots = -1,
            |p| p.maximum_quantity_lots = (1 << 53) + 1,
            |p| (p.minimum_quantity_lots, p.maximum_quantity_lots) = (3, 2),
            |p| p.minimum_notional_atoms = -1,
            |p| p.maximum_notional_atoms = AMOUNT_ATOMS_MAX + 1,
            |p| p.taker_fee_ppm = 100_001,
            |p| p.maker_fee_ppm = -101,
            |p| p.maker_fee_ppm = i32::MIN,
            |p| p.resting_orders_max = 10_000_001,
            |p| p.market_protection_ppm = 1_000_000,
            |p| p.static_band_ppm = 1_000_000,
        ];
        for change in bad {
            let mut parameters = good;
            change(&mut parameters);
            assert_eq!(filled_in(&parameters), None, "{parameters:?}");
        }
    }
}
