//! One trade: who pays what, and what is told of it.

use crate::book::Best;
use crate::engine::Engine;
use crate::matcher::Taker;
use crate::money::{buy_hold, fee, notional, sell_hold};
use crate::sink::Sink;
use crate::types::{ExecType, ExecutionReport, L3Action, L3Event, Liquidity, Side, Trade};

/// The figures of one trade.
#[derive(Clone, Copy)]
struct Terms {
    price_ticks: i64,
    lots: i64,
    notional_atoms: i128,
    base_atoms: i128,
    trade_id: u64,
}

impl Engine {
    /// Trades `lots` of a taker with the best order, at that order's price.
    pub(crate) fn trade<S: Sink>(
        &mut self,
        taker: &mut Taker,
        best: Best,
        lots: i64,
        sink: &mut S,
    ) {
        #[cfg(feature = "plant-modify-prices-at-own-limit")]
        let best = Best {
            price_ticks: if taker.is_market {
                best.price_ticks
            } else {
                taker.price_ticks
            },
            ..best
        };
        let market = &mut self.markets[taker.market];
        market.trade_id += 1;
        let terms = Terms {
            price_ticks: best.price_ticks,
            lots,
            notional_atoms: notional(best.price_ticks, lots, market.tick_value),
            base_atoms: sell_hold(lots, market.lot_size_atoms),
            trade_id: market.trade_id,
        };
        let fees_row = market.fees_row;
        self.note_price(taker.market, best.price_ticks);
        let taker_fee = self.settle_taker(taker, &terms);
        let maker_fee = self.settle_maker(best.handle, taker, &terms);
        self.balances.change(fees_row).credit(taker_fee + maker_fee);
        self.tell_taker(taker, &terms, taker_fee, sink);
        self.tell_maker(best.handle, taker, &terms, maker_fee, sink);
        self.tell_public(best.handle, taker, &terms, sink);
        self.fill_maker(best.handle, taker.market, lots, sink);
    }

    /// Moves the taker's money and gives the fee that it pays.
    #[inline]
    fn settle_taker(&mut self, taker: &mut Taker, terms: &Terms) -> i128 {
        let atoms = terms.notional_atoms;
        let full_fee = fee(atoms, taker.taker_fee_ppm);
        if taker.budget_atoms.is_none() {
            taker.leaves_lots -= terms.lots;
        }
        taker.cum_lots += terms.lots;
        taker.cum_tick_lots += i128::from(terms.price_ticks) * i128::from(terms.lots);
        if taker.side == Side::Sell {
            let base = self.balances.change(taker.base_row);
            if taker.is_market {
                base.credit(-terms.base_atoms);
            } else {
                base.held_atoms -= terms.base_atoms;
                taker.held_atoms -= terms.base_atoms;
            }
            let quote = self.balances.change(taker.quote_row);
            quote.credit(atoms - full_fee);
            return full_fee;
        }
        let paid = if taker.is_market {
            let quote = self.balances.change(taker.quote_row);
            quote.credit(-(atoms + full_fee));
            if let Some(left) = &mut taker.budget_atoms {
                *left -= atoms + full_fee;
            }
            full_fee
        } else {
            let tick_value = self.markets[taker.market].tick_value;
            let after = buy_hold(
                taker.price_ticks,
                taker.leaves_lots,
                tick_value,
                taker.taker_fee_ppm,
            );
            let released = taker.held_atoms - after;
            taker.held_atoms = after;
            self.pay_from_hold(taker.quote_row, released, atoms, full_fee)
        };
        self.balances
            .change(taker.base_row)
            .credit(terms.base_atoms);
        paid
    }

    /// Pays for a limit buy out of what its hold released; the fee is at most what is left of that.
    #[inline]
    fn pay_from_hold(&mut self, row: u32, released: i128, atoms: i128, full_fee: i128) -> i128 {
        let paid = full_fee.min(released - atoms);
        let quote = self.balances.change(row);
        quote.held_atoms -= released;
        quote.credit(released - atoms - paid);
        paid
    }

    /// Moves the maker's money and gives the fee that it pays.
    #[inline]
    fn settle_maker(&mut self, handle: u32, taker: &Taker, terms: &Terms) -> i128 {
        let order = &mut self.orders[handle as usize];
        order.cum_tick_lots += i128::from(terms.price_ticks) * i128::from(terms.lots);
        let (base_row, quote_row) = (order.base_row, order.quote_row);
        let (maker_fee_ppm, taker_fee_ppm) = (order.maker_fee_ppm, order.taker_fee_ppm);
        let atoms = terms.notional_atoms;
        let full_fee = fee(atoms, maker_fee_ppm);
        if taker.side == Side::Sell {
            let tick_value = self.markets[taker.market].tick_value;
            let leaves = self.leaves_of(handle);
            let hold = |lots| buy_hold(terms.price_ticks, lots, tick_value, taker_fee_ppm);
            let released = hold(leaves) - hold(leaves - terms.lots);
            let paid = self.pay_from_hold(quote_row, released, atoms, full_fee);
            self.balances.change(base_row).credit(terms.base_atoms);
            return paid;
        }
        self.balances.change(base_row).held_atoms -= terms.base_atoms;
        self.balances.change(quote_row).credit(atoms - full_fee);
        full_fee
    }

    #[inline]
    fn tell_taker<S: Sink>(&mut self, taker: &Taker, terms: &Terms, paid: i128, sink: &mut S) {
        let told_price_ticks = if cfg!(feature = "plant-taker-price-told") {
            taker.price_ticks
        } else {
            terms.price_ticks
        };
        let report = ExecutionReport {
            leaves_lots: taker.leaves_lots,
            cum_lots: taker.cum_lots,
            last_lots: terms.lots,
            last_price_ticks: told_price_ticks,
            cum_tick_lots: taker.cum_tick_lots,
            fee_atoms: paid,
            fee_asset_id: taker.quote_asset_id,
            liquidity: Liquidity::Taker,
            trade_id: terms.trade_id,
            ..taker.report(ExecType::Trade)
        };
        self.tell_report(taker.account, &report, sink);
    }

    #[inline]
    fn tell_maker<S: Sink>(
        &mut self,
        handle: u32,
        taker: &Taker,
        terms: &Terms,
        paid: i128,
        sink: &mut S,
    ) {
        let place = &self.places[handle];
        let account = place.account;
        let order = &self.orders[handle as usize];
        let leaves_lots = self.leaves_of(handle) - terms.lots;
        let report = ExecutionReport {
            cl_ord_id: Some(self.cl_ord_id(handle)),
            order_id: order.order_id,
            market_id: taker.market_id,
            exec_type: ExecType::Trade,
            side: crate::book::opposite(taker.side),
            leaves_lots,
            cum_lots: order.quantity_lots - leaves_lots,
            last_lots: terms.lots,
            last_price_ticks: terms.price_ticks,
            cum_tick_lots: order.cum_tick_lots,
            fee_atoms: paid,
            fee_asset_id: taker.quote_asset_id,
            liquidity: Liquidity::Maker,
            trade_id: terms.trade_id,
            ..ExecutionReport::default()
        };
        self.tell_report(account, &report, sink);
    }

    #[inline]
    fn tell_public<S: Sink>(&mut self, handle: u32, taker: &Taker, terms: &Terms, sink: &mut S) {
        let event = L3Event {
            action: L3Action::Execute,
            public_order_id: self.orders[handle as usize].public_order_id,
            quantity_lots: terms.lots,
            trade_id: terms.trade_id,
            ..L3Event::default()
        };
        let market_seq = self.tell_l3(taker.market, event, sink);
        let trade = Trade {
            trade_id: terms.trade_id,
            market_seq,
            price_ticks: terms.price_ticks,
            quantity_lots: terms.lots,
            aggressor_side: taker.side,
        };
        sink.trade(taker.market_id, &trade);
    }

    #[inline]
    fn fill_maker<S: Sink>(&mut self, handle: u32, market: u32, lots: i64, sink: &mut S) {
        #[cfg(not(feature = "plant-limits-forget-fills"))]
        self.count_out(handle);
        if self.places[handle].shown_lots != lots {
            let book = &mut self.markets[market].book;
            book.shrink(&mut self.places, handle, lots);
        } else if self.leaves_of(handle) != lots {
            self.refresh(handle, sink);
        } else {
            let book = &mut self.markets[market].book;
            book.remove(&mut self.places, handle);
            self.unlist(handle);
            return;
        }
        #[cfg(not(feature = "plant-limits-forget-fills"))]
        self.count_in(handle);
    }
}
