//! Market-order protection: how far from the best price a market order may trade. `docs/semantics/risk.md`, section 5.

use crate::book::reaches;
use crate::markets::Market;
use crate::matcher::Taker;
use crate::types::Side;

const MILLION: i128 = 1_000_000;

impl Market {
    /// The worst price at which a taker trades, when `best_ticks` is the first that it meets.
    #[inline]
    pub(crate) fn worst_price(&self, taker: &Taker, best_ticks: i64) -> i64 {
        if taker.is_protected {
            return self.protected_price(taker, best_ticks);
        }
        taker.price_ticks
    }

    fn protected_price(&self, taker: &Taker, best_ticks: i64) -> i64 {
        let own_ticks = match taker.side {
            Side::Buy if taker.is_market => i64::MAX,
            _ => taker.price_ticks,
        };
        let ppm = self.parameters.market_protection_ppm;
        if ppm == 0 {
            return own_ticks;
        }
        let part = i128::from(best_ticks) * i128::from(ppm) / MILLION;
        let distance_ticks = i64::try_from(part).expect("below the price");
        let farthest_ticks = match taker.side {
            Side::Sell => best_ticks - distance_ticks,
            _ => best_ticks + distance_ticks,
        };
        if reaches(taker.side, own_ticks, farthest_ticks) {
            farthest_ticks
        } else {
            own_ticks
        }
    }
}
