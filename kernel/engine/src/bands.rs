//! The static band of a market: how far from its reference price orders may be priced. `docs/semantics/risk.md`, section 7.

use crate::book::reaches;
use crate::engine::Engine;
use crate::limits::{FULL_RULES, PRICE_TICKS_MAX};
use crate::markets::Market;
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{RejectReason, SetReferencePrice, Side, SystemEvent};

const MILLION: i128 = 1_000_000;

/// So many parts per million of a price, below the price.
pub(crate) fn distance(price_ticks: i64, ppm: u32) -> i64 {
    let part = i128::from(price_ticks) * i128::from(ppm) / MILLION;
    i64::try_from(part).expect("below the price")
}

impl Market {
    /// The worst price that the band leaves to a side; nothing, when there is no band.
    #[inline]
    pub(crate) fn edge(&self, side: Side) -> Option<i64> {
        let (reference, ppm) = (self.reference_price_ticks, self.parameters.static_band_ppm);
        if reference == 0 || ppm == 0 {
            return None;
        }
        let distance = distance(reference, ppm);
        Some(match side {
            #[cfg(feature = "plant-band-of-one-side")]
            Side::Sell => 0,
            #[cfg(not(feature = "plant-band-of-one-side"))]
            Side::Sell => reference - distance,
            _ => reference + distance,
        })
    }

    /// Section 4.7: whether a price is within the band.
    #[inline]
    pub(crate) fn judge_band(&self, side: Side, price_ticks: i64) -> Outcome {
        let edge = self.edge(side);
        let is_beyond = edge.is_some_and(|edge| !reaches(side, edge, price_ticks));
        refuse_if(is_beyond, RejectReason::OutsidePriceBand)
    }
}

impl Engine {
    /// Sets the reference price of a market.
    pub(crate) fn set_reference_price<S: Sink>(
        &mut self,
        set: SetReferencePrice,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        refuse_if(self.rules.version < FULL_RULES, RejectReason::Unsupported)?;
        let place = self.market_of(set.market_id)?;
        let fits = (0..=PRICE_TICKS_MAX).contains(&set.price_ticks);
        refuse_if(!fits, RejectReason::InvalidParameter)?;
        self.markets[place].reference_price_ticks = set.price_ticks;
        ask.done(sink);
        sink.system(&SystemEvent::ReferencePriceSet(set));
        Ok(())
    }

    /// The reference price of a snapshot: nothing, if commands cannot have set it.
    pub(crate) fn restore_reference(&mut self, place: u32, price_ticks: i64) -> Option<()> {
        let is_allowed = self.rules.version >= FULL_RULES || price_ticks == 0;
        let fits = (0..=PRICE_TICKS_MAX).contains(&price_ticks);
        self.markets[place].reference_price_ticks = price_ticks;
        (is_allowed && fits).then_some(())
    }
}
