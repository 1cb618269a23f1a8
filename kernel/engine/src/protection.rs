//! Market-order protection: how far from the best price a market order may trade. `docs/semantics/risk.md`, section 5.

use crate::bands::distance;
use crate::book::reaches;
use crate::markets::Market;
use crate::matcher::Taker;
use crate::types::Side;

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
        let protection = (ppm != 0).then(|| match taker.side {
            Side::Sell => best_ticks - distance(best_ticks, ppm),
            _ => best_ticks + distance(best_ticks, ppm),
        });
        let bounds = [protection, self.edge(taker.side)];
        bounds
            .into_iter()
            .flatten()
            .fold(own_ticks, |worst, bound| {
                if reaches(taker.side, worst, bound) {
                    bound
                } else {
                    worst
                }
            })
    }
}
