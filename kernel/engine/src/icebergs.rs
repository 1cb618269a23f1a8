//! Icebergs: orders of which the book shows a part. `docs/semantics/icebergs.md`.
//!
//! The place of an order has what the book shows of it, all of it or a part; the row here has what is hidden besides.
//! Only rules version 2 and later make such orders.

use crate::book::NONE;
use crate::engine::Engine;
use crate::sink::Sink;
use crate::types::{ExecType, ExecutionReport, NewOrder, OrderType};
use std::collections::VecDeque;

/// What is known of an iceberg besides what is known of any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Iceberg {
    /// How much of it is shown at a time, at most.
    pub display_lots: i64,
    /// What is open and not shown.
    pub hidden_lots: i64,
}

/// The rows of all icebergs.
#[derive(Debug, Default)]
pub struct Icebergs {
    list: Vec<Iceberg>,
    free: Vec<u32>,
}

impl Icebergs {
    /// Adds a row and gives its number.
    ///
    /// # Panics
    /// Beyond 2^32 - 1 rows.
    pub fn take(&mut self, iceberg: Iceberg) -> u32 {
        if let Some(number) = self.free.pop() {
            self.list[number as usize] = iceberg;
            return number;
        }
        self.list.push(iceberg);
        u32::try_from(self.list.len() - 1).expect("bounded by resting orders")
    }

    /// Gives a row back.
    pub fn free(&mut self, number: u32) {
        self.free.push(number);
    }
}

impl std::ops::Index<u32> for Icebergs {
    type Output = Iceberg;

    #[inline]
    fn index(&self, number: u32) -> &Iceberg {
        &self.list[number as usize]
    }
}

impl std::ops::IndexMut<u32> for Icebergs {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut Iceberg {
        &mut self.list[number as usize]
    }
}

/// An iceberg that was met while lots are counted: its handle, what it shows next, and what is open of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    pub handle: u32,
    pub shown_lots: i64,
    pub leaves_lots: i64,
}

/// Icebergs of one level in the order in which they are met again.
pub(crate) type Queue = VecDeque<Met>;

/// Whether the displayed part goes with the rest of an order.
#[inline]
pub(crate) fn takes_display(order: &NewOrder) -> bool {
    order.order_type == OrderType::Limit
        && crate::new_order::can_rest(order)
        && (1..=order.quantity_lots).contains(&order.display_lots)
}

impl Engine {
    /// The row of an order, if it is an iceberg.
    #[inline]
    pub(crate) fn iceberg_of(&self, handle: u32) -> Option<&Iceberg> {
        let number = self.orders[handle as usize].iceberg;
        (number != NONE).then(|| &self.icebergs[number])
    }

    /// What is open of an order that rests or waits.
    #[inline]
    pub(crate) fn leaves_of(&self, handle: u32) -> i64 {
        let hidden = self.iceberg_of(handle).map_or(0, |row| row.hidden_lots);
        self.places[handle].shown_lots + hidden
    }

    /// What an order shows at most; 0 = it shows all.
    #[inline]
    pub(crate) fn display_of(&self, handle: u32) -> i64 {
        self.iceberg_of(handle).map_or(0, |row| row.display_lots)
    }

    /// An order that is in no book takes its leaves: an iceberg shows its display, as far as it goes.
    #[inline]
    pub(crate) fn show(&mut self, handle: u32, leaves_lots: i64) {
        let number = self.orders[handle as usize].iceberg;
        let mut shown_lots = leaves_lots;
        if number != NONE {
            let row = &mut self.icebergs[number];
            if !cfg!(feature = "plant-iceberg-inflates-book") {
                shown_lots = leaves_lots.min(row.display_lots);
            }
            row.hidden_lots = leaves_lots - shown_lots;
        }
        self.places[handle].shown_lots = shown_lots;
    }

    /// An order that keeps its place has new leaves, not more than before: the hidden part goes first. Whether less of
    /// it is shown.
    pub(crate) fn lower(&mut self, handle: u32, leaves_lots: i64) -> bool {
        let number = self.orders[handle as usize].iceberg;
        let before = self.places[handle].shown_lots;
        let mut shown_lots = leaves_lots;
        if number != NONE {
            let row = &mut self.icebergs[number];
            shown_lots = before.min(row.display_lots).min(leaves_lots);
            row.hidden_lots = leaves_lots - shown_lots;
        }
        if shown_lots == before {
            return false;
        }
        let market = self.places[handle].market;
        let book = &mut self.markets[market].book;
        book.shrink(&mut self.places, handle, before - shown_lots);
        true
    }

    /// All that an iceberg shows was traded: it goes to the tail of its level with its next display.
    #[cold]
    #[inline(never)]
    pub(crate) fn refresh<S: Sink>(&mut self, handle: u32, sink: &mut S) {
        let place = self.places[handle];
        let leaves_lots = self.leaves_of(handle) - place.shown_lots;
        let market = &mut self.markets[place.market];
        let (price_ticks, side) = market.book.price_and_side(&place);
        market.public_order_id += 1;
        let public_order_id = market.public_order_id;
        market.book.remove(&mut self.places, handle);
        self.show(handle, leaves_lots);
        let order = &mut self.orders[handle as usize];
        if !cfg!(feature = "plant-iceberg-keeps-place") {
            order.public_order_id = public_order_id;
        }
        let quantity_lots = order.quantity_lots;
        let book = &mut self.markets[place.market].book;
        book.insert(&mut self.places, handle, side, price_ticks);
        let report = ExecutionReport {
            quantity_lots,
            leaves_lots,
            cum_lots: quantity_lots - leaves_lots,
            public_order_id,
            ..self.report_of(handle, ExecType::Restated)
        };
        self.tell_report(place.account, &report, sink);
        self.tell_added(handle, side, price_ticks, sink);
    }
}
