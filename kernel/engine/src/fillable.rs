//! Whether an order would find so many lots, counted as matching would go. `docs/semantics.md` section 4.14.

use crate::book::{opposite, reaches};
use crate::engine::Engine;
use crate::icebergs::{Met, Queue};
use crate::limits::WORK_ORDERS_MAX;
use crate::matcher::Taker;
use crate::money::{buy_hold, sell_hold};
use crate::types::{SelfTradePrevention, Side};

/// A count under way.
struct Count<'a> {
    engine: &'a Engine,
    taker: &'a Taker,
    left_lots: i64,
    funds_atoms: i128,
    touched: u32,
}

impl Count<'_> {
    /// Meets one resting order, or one display of an iceberg: the answer, as soon as it is known.
    #[inline]
    fn meet(&mut self, price_ticks: i64, met: Met, again: &mut Queue) -> Option<bool> {
        let taker = self.taker;
        self.touched += 1;
        if self.touched > WORK_ORDERS_MAX {
            return Some(false);
        }
        let maker = &self.engine.places[met.handle];
        let is_own = maker.group == taker.group && taker.mode != SelfTradePrevention::None;
        #[cfg(feature = "plant-fok-ignores-self-trade")]
        let is_own = false;
        if is_own {
            let passes = taker.mode == SelfTradePrevention::CancelOldest;
            return (!passes).then_some(false);
        }
        let lots = self.left_lots.min(met.shown_lots);
        if taker.is_market && taker.side == Side::Buy {
            let tick_value = self.engine.markets[taker.market].tick_value;
            self.funds_atoms -= buy_hold(price_ticks, lots, tick_value, taker.taker_fee_ppm);
            if self.funds_atoms < 0 {
                return Some(false);
            }
        }
        self.left_lots -= lots;
        if self.left_lots == 0 {
            return Some(true);
        }
        let leaves_lots = met.leaves_lots - met.shown_lots;
        if leaves_lots > 0 {
            again.push_back(Met {
                shown_lots: leaves_lots.min(self.engine.display_of(met.handle)),
                leaves_lots,
                ..met
            });
        }
        None
    }

    /// The displays of icebergs that come after all orders of their level.
    fn meet_again(&mut self, price_ticks: i64, again: &mut Queue) -> Option<bool> {
        while let Some(met) = again.pop_front() {
            let answer = self.meet(price_ticks, met, again);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    fn run(&mut self, again: &mut Queue) -> bool {
        let (engine, taker) = (self.engine, self.taker);
        let book = &engine.markets[taker.market].book;
        let makers = book.handles(&engine.places, opposite(taker.side));
        let mut level_ticks = 0;
        let mut worst_ticks = None;
        for (price_ticks, handle) in makers.filter(|(_, handle)| *handle != engine.without) {
            if price_ticks != level_ticks {
                if let Some(answer) = self.meet_again(level_ticks, again) {
                    return answer;
                }
                level_ticks = price_ticks;
            }
            let worst_ticks = *worst_ticks.get_or_insert_with(|| {
                engine.markets[taker.market].worst_price(taker, price_ticks)
            });
            if !reaches(taker.side, worst_ticks, price_ticks) {
                return false;
            }
            let met = Met {
                handle,
                shown_lots: engine.places[handle].shown_lots,
                leaves_lots: engine.leaves_of(handle),
            };
            if let Some(answer) = self.meet(price_ticks, met, again) {
                return answer;
            }
        }
        self.meet_again(level_ticks, again).unwrap_or(false)
    }
}

impl Engine {
    /// Whether an order finds so many lots and the funds for them. Nothing changes.
    pub(crate) fn is_fillable(&mut self, taker: &Taker, needed_lots: i64) -> bool {
        let market = &self.markets[taker.market];
        if taker.is_market && taker.side == Side::Sell {
            let base = self.balances.get(taker.base_row).available_atoms;
            if sell_hold(needed_lots, market.lot_size_atoms) > base {
                return false;
            }
        }
        let mut again = std::mem::take(&mut self.met);
        again.clear();
        let mut count = Count {
            engine: self,
            taker,
            left_lots: needed_lots,
            funds_atoms: self.balances.get(taker.quote_row).available_atoms,
            touched: 0,
        };
        let answer = count.run(&mut again);
        self.met = again;
        answer
    }
}
