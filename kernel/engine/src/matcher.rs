//! Matching: a taker against the other side, best price first, queue order within. `docs/semantics.md` section 5.

use crate::book::{Best, opposite, reaches};
use crate::engine::Engine;
use crate::limits::WORK_ORDERS_MAX;
use crate::money::{affordable_lots, buy_hold, sell_hold};
use crate::sink::Sink;
use crate::types::{CancelReason, ExecType, ExecutionReport, Id, SelfTradePrevention, Side};

/// An order that trades on entry or on an amendment.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the taker's fee is a fee of that name"
)]
pub(crate) struct Taker {
    pub account: u32,
    pub group: u32,
    /// Place of the market.
    pub market: u32,
    pub market_id: u32,
    pub quote_asset_id: u32,
    pub side: Side,
    pub is_market: bool,
    /// The market's protection bounds what it pays: a market order, or one that waited and became one.
    pub is_protected: bool,
    pub mode: SelfTradePrevention,
    pub maker_fee_ppm: i32,
    pub taker_fee_ppm: i32,
    pub base_row: u32,
    pub quote_row: u32,
    pub cl_ord_id: Id,
    pub order_id: u64,
    /// 0 for a market order.
    pub price_ticks: i64,
    /// Total quantity; 0 by budget.
    pub quantity_lots: i64,
    /// Open quantity; 0 by budget.
    pub leaves_lots: i64,
    pub cum_lots: i64,
    pub cum_tick_lots: i128,
    /// What a limit order holds now.
    pub held_atoms: i128,
    /// What is left of the budget.
    pub budget_atoms: Option<i128>,
}

/// How matching stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left.
    Filled,
    /// Nothing more trades at its price.
    Left,
    /// What is left is to be cancelled.
    Cancel(CancelReason),
    /// It was cancelled already.
    Closed,
}

impl Taker {
    /// What an event says of any order.
    pub(crate) fn report(&self, exec_type: ExecType) -> ExecutionReport {
        ExecutionReport {
            cl_ord_id: Some(self.cl_ord_id),
            order_id: self.order_id,
            market_id: self.market_id,
            exec_type,
            side: self.side,
            ..ExecutionReport::default()
        }
    }

    /// The row and the amount that a limit order with these leaves holds.
    pub(crate) fn hold(&self, leaves_lots: i64, tick_value: i64, lot_size_atoms: i128) -> i128 {
        match self.side {
            Side::Sell => sell_hold(leaves_lots, lot_size_atoms),
            _ => buy_hold(
                self.price_ticks,
                leaves_lots,
                tick_value,
                self.taker_fee_ppm,
            ),
        }
    }

    pub(crate) fn held_row(&self) -> u32 {
        match self.side {
            Side::Sell => self.base_row,
            _ => self.quote_row,
        }
    }
}

impl Engine {
    /// Trades until nothing is left or nothing more may trade.
    #[inline]
    pub(crate) fn execute<S: Sink>(&mut self, taker: &mut Taker, sink: &mut S) -> End {
        let mut touched = 0;
        let end = self.run_taker(taker, &mut touched, sink);
        self.touches += u64::from(touched);
        end
    }

    fn run_taker<S: Sink>(&mut self, taker: &mut Taker, touched: &mut u32, sink: &mut S) -> End {
        let other = opposite(taker.side);
        let mut worst_ticks: Option<i64> = None;
        while taker.leaves_lots > 0 || taker.budget_atoms.is_some() {
            let market = &self.markets[taker.market];
            let Some(best) = market.book.best(other) else {
                return if taker.is_market {
                    End::Cancel(CancelReason::NoLiquidity)
                } else {
                    End::Left
                };
            };
            #[cfg(feature = "plant-protection-follows-price")]
            worst_ticks.take();
            let worst_ticks =
                *worst_ticks.get_or_insert_with(|| market.worst_price(taker, best.price_ticks));
            let within = reaches(taker.side, worst_ticks, best.price_ticks);
            #[cfg(feature = "plant-limit-sweeps-through")]
            let within = within || (!taker.is_protected && *touched > 0 && taker.leaves_lots > 0);
            if !within {
                return if worst_ticks == taker.price_ticks {
                    End::Left
                } else {
                    End::Cancel(CancelReason::MarketProtection)
                };
            }
            *touched += 1;
            #[cfg(feature = "plant-sweep-ends-early")]
            if *touched > 16 {
                return End::Cancel(CancelReason::WorkLimit);
            }
            if *touched > WORK_ORDERS_MAX {
                return End::Cancel(CancelReason::WorkLimit);
            }
            let maker = &self.places[best.handle];
            if maker.group == taker.group && taker.mode != SelfTradePrevention::None {
                if let Some(end) = self.prevent(taker, best, sink) {
                    return end;
                }
                continue;
            }
            let maker_lots = maker.shown_lots;
            let lots = if taker.is_market {
                self.market_lots(taker, best, maker_lots)
            } else {
                taker.leaves_lots.min(maker_lots)
            };
            if lots <= 0 {
                #[cfg(feature = "plant-empty-trade")]
                self.trade(taker, best, 0, sink);
                return End::Cancel(CancelReason::InsufficientFunds);
            }
            self.trade(taker, best, lots, sink);
        }
        End::Filled
    }

    /// How much of the best order a market order takes.
    fn market_lots(&self, taker: &Taker, best: Best, maker_lots: i64) -> i64 {
        let market = &self.markets[taker.market];
        if taker.side == Side::Sell {
            let available = self.balances.get(taker.base_row).available_atoms;
            let wanted = taker.leaves_lots.min(maker_lots);
            let lots = available / market.lot_size_atoms;
            return i64::try_from(lots.clamp(0, i128::from(wanted))).expect("clamped");
        }
        let available = self.balances.get(taker.quote_row).available_atoms;
        let (funds, wanted) = match taker.budget_atoms {
            Some(left) => (
                available.min(left),
                maker_lots.min(i64::MAX - taker.cum_lots),
            ),
            None => (available, taker.leaves_lots.min(maker_lots)),
        };
        affordable_lots(
            funds,
            best.price_ticks,
            wanted,
            market.tick_value,
            taker.taker_fee_ppm,
        )
    }

    /// Cancels what is left of a taker: hold back, CANCELED.
    pub(crate) fn cancel_taker<S: Sink>(
        &mut self,
        taker: &mut Taker,
        reason: CancelReason,
        sink: &mut S,
    ) {
        self.give_back_all(taker);
        let report = ExecutionReport {
            quantity_lots: taker.quantity_lots,
            cum_lots: taker.cum_lots,
            cancel_reason: reason,
            ..taker.report(ExecType::Canceled)
        };
        self.tell_report(taker.account, &report, sink);
    }

    pub(crate) fn give_back_all(&mut self, taker: &mut Taker) {
        let held = std::mem::take(&mut taker.held_atoms);
        if held != 0 {
            self.balances.change(taker.held_row()).give_back(held);
        }
    }
}
