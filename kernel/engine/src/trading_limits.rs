//! Limits of single accounts in single markets. `docs/semantics/risk.md`, section 6.
//!
//! What is open of an account that has some is kept as its orders come and go, so that an order is judged by a few sums.
//! Between commands the sums are those of the orders that rest or wait; an order that is a taker is in none of them.

use crate::balances::holder_of;
use crate::engine::Engine;
use crate::limits::{
    AMOUNT_ATOMS_MAX, FULL_RULES, OPEN_ORDERS_MAX, QUANTITY_LOTS_MAX, TRADING_LIMITS_MAX,
};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{NewOrder, RejectReason, SetTradingLimits, Side, SystemEvent};
use std::collections::BTreeMap;

/// What an order asks for, or is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// Total quantity; 0 by budget.
    pub quantity_lots: i64,
    /// Open quantity; 0 by budget.
    pub leaves_lots: i64,
    /// 0 without a price.
    pub price_ticks: i64,
    /// 0 without a budget.
    pub budget_atoms: i128,
}

impl Extent {
    /// What so many of its lots cost, or its budget.
    fn notional_atoms(&self, lots: i64, tick_value: i64) -> i128 {
        let tick_lots = i128::from(self.price_ticks) * i128::from(lots);
        tick_lots * i128::from(tick_value) + self.budget_atoms
    }

    /// Of an order that is new.
    pub(crate) fn of(order: &NewOrder) -> Self {
        Self {
            quantity_lots: order.quantity_lots,
            leaves_lots: order.quantity_lots,
            price_ticks: order.price_ticks,
            budget_atoms: order.quote_budget_atoms,
        }
    }
}

/// What is open of an account in a market.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    orders: u32,
    buy_lots: i128,
    sell_lots: i128,
    tick_lots: i128,
    budget_atoms: i128,
}

impl Open {
    fn lots(&mut self, side: Side) -> &mut i128 {
        match side {
            Side::Sell => &mut self.sell_lots,
            _ => &mut self.buy_lots,
        }
    }

    fn add(&mut self, side: Side, extent: Extent) {
        self.orders += 1;
        self.change(side, extent, 1);
    }

    fn take(&mut self, side: Side, extent: Extent) {
        self.orders -= 1;
        self.change(side, extent, -1);
    }

    fn change(&mut self, side: Side, extent: Extent, sign: i128) {
        *self.lots(side) += sign * i128::from(extent.leaves_lots);
        self.tick_lots += sign * i128::from(extent.price_ticks) * i128::from(extent.leaves_lots);
        self.budget_atoms += sign * extent.budget_atoms;
    }

    /// In quote atoms; what is beyond every limit may be told as less.
    fn notional_atoms(&self, tick_value: i64) -> i128 {
        let priced = self.tick_lots.saturating_mul(i128::from(tick_value));
        priced.saturating_add(self.budget_atoms)
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    limits: SetTradingLimits,
    open: Open,
}

/// The limits of all accounts: from account and market.
#[derive(Debug, Default)]
pub struct TradingLimits(BTreeMap<(u64, u32), Row>);

impl TradingLimits {
    /// All of them, ascending by account, then market.
    pub fn states(&self) -> impl Iterator<Item = SetTradingLimits> + '_ {
        self.0.values().map(|row| row.limits)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether there is a limit at all.
fn is_any(set: &SetTradingLimits) -> bool {
    let none = SetTradingLimits {
        account_id: set.account_id,
        market_id: set.market_id,
        ..SetTradingLimits::default()
    };
    *set != none
}

fn are_in_bounds(set: &SetTradingLimits) -> bool {
    let lots = 0..=QUANTITY_LOTS_MAX;
    let atoms = 0..=AMOUNT_ATOMS_MAX;
    lots.contains(&set.order_lots_max)
        && lots.contains(&set.open_lots_max)
        && atoms.contains(&set.order_notional_atoms_max)
        && atoms.contains(&set.open_notional_atoms_max)
        && atoms.contains(&set.position_atoms_max)
        && set.open_orders_max <= OPEN_ORDERS_MAX
}

/// What a limit bounds of an order before and after, and what it comes to with all the rest.
#[derive(Clone, Copy)]
struct Figure {
    before: i128,
    after: i128,
    told: i128,
}

impl Figure {
    /// Refuses what grows beyond a limit, which 0 is none.
    fn judge(self, most: i128, reason: RejectReason) -> Outcome {
        refuse_if(
            most != 0 && self.after > self.before && self.told > most,
            reason,
        )
    }
}

/// An order as it would be, in place of what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub side: Side,
    /// Nothing, when it is new.
    pub before: Option<Extent>,
    pub after: Extent,
    /// It may rest or wait.
    pub stays: bool,
}

impl Asked {
    /// A figure of the order alone, and with all the rest.
    fn figure(&self, of: impl Fn(Extent) -> i128, told: Option<i128>) -> Figure {
        let after = of(self.after);
        Figure {
            before: self.before.map_or(0, &of),
            after,
            told: told.unwrap_or(after),
        }
    }
}

impl Engine {
    /// Sets or takes back limits.
    pub(crate) fn set_trading_limits<S: Sink>(
        &mut self,
        set: &SetTradingLimits,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        refuse_if(self.rules.version < FULL_RULES, RejectReason::Unsupported)?;
        self.take_trading_limits(set)?;
        ask.done(sink);
        sink.system(&SystemEvent::TradingLimitsSet(*set));
        Ok(())
    }

    fn take_trading_limits(&mut self, set: &SetTradingLimits) -> Outcome {
        let account = self.account_of(set.account_id)?;
        let market = self.market_of(set.market_id)?;
        refuse_if(!are_in_bounds(set), RejectReason::InvalidParameter)?;
        let key = (set.account_id, set.market_id);
        if !is_any(set) {
            self.trading_limits.0.remove(&key);
            return Ok(());
        }
        let is_full = self.trading_limits.0.len() >= TRADING_LIMITS_MAX;
        let is_new = !self.trading_limits.0.contains_key(&key);
        refuse_if(is_full && is_new, RejectReason::Capacity)?;
        let open = self.open_of(account, market);
        let row = Row { limits: *set, open };
        self.trading_limits.0.insert(key, row);
        Ok(())
    }

    /// The rows of a snapshot, when all orders are there: nothing if commands cannot have made them.
    pub(crate) fn restore_trading_limits(&mut self, states: &[SetTradingLimits]) -> Option<()> {
        let is_allowed = self.rules.version >= FULL_RULES || states.is_empty();
        is_allowed.then_some(())?;
        for state in states {
            is_any(state).then_some(())?;
            self.take_trading_limits(state).ok()?;
        }
        Some(())
    }

    /// What is open of an account in a market, order by order.
    fn open_of(&self, account: u32, market: u32) -> Open {
        let mut open = Open::default();
        let mut handle = self.accounts[account].first_order;
        while handle != crate::book::NONE {
            if self.places[handle].market == market {
                let (side, extent) = self.extent_of(handle);
                open.add(side, extent);
            }
            handle = self.orders[handle as usize].next;
        }
        open
    }

    /// An order that rests or waits.
    pub(crate) fn extent_of(&self, handle: u32) -> (Side, Extent) {
        let place = &self.places[handle];
        let (price_ticks, side) = self.price_and_side(place);
        let extent = Extent {
            quantity_lots: self.orders[handle as usize].quantity_lots,
            leaves_lots: self.leaves_of(handle),
            price_ticks,
            budget_atoms: self.wait_of(place).map_or(0, |wait| wait.budget_atoms),
        };
        (side, extent)
    }

    /// An order rests or waits as it is now.
    #[inline]
    pub(crate) fn count_in(&mut self, handle: u32) {
        if !self.trading_limits.is_empty() {
            self.recount(handle, Open::add);
        }
    }

    /// An order leaves its place, or is about to change.
    #[inline]
    pub(crate) fn count_out(&mut self, handle: u32) {
        if !self.trading_limits.is_empty() {
            self.recount(handle, Open::take);
        }
    }

    #[cold]
    fn recount(&mut self, handle: u32, change: fn(&mut Open, Side, Extent)) {
        let place = &self.places[handle];
        let account_id = self.accounts[place.account].account_id;
        let market_id = self.markets[place.market].market_id;
        if self.trading_limits.0.contains_key(&(account_id, market_id)) {
            let (side, extent) = self.extent_of(handle);
            let row = self.trading_limits.0.get_mut(&(account_id, market_id));
            change(&mut row.expect("it is there").open, side, extent);
        }
    }

    /// Judges an order by the limits that its account has in a market.
    #[inline]
    pub(crate) fn judge_limits(&self, account: u32, market: u32, asked: &Asked) -> Outcome {
        if self.trading_limits.is_empty() {
            return Ok(());
        }
        self.judge_limited(account, market, asked)
    }

    #[cold]
    fn judge_limited(&self, account: u32, market: u32, asked: &Asked) -> Outcome {
        use RejectReason as R;
        let key = (
            self.accounts[account].account_id,
            self.markets[market].market_id,
        );
        let Some(Row { limits, open }) = self.trading_limits.0.get(&key) else {
            return Ok(());
        };
        let tick_value = self.markets[market].tick_value;
        asked
            .figure(|extent| i128::from(extent.quantity_lots), None)
            .judge(i128::from(limits.order_lots_max), R::OrderQuantityLimit)?;
        asked
            .figure(
                |extent| extent.notional_atoms(extent.quantity_lots, tick_value),
                None,
            )
            .judge(limits.order_notional_atoms_max, R::OrderNotionalLimit)?;
        let mut then = *open;
        if let Some(before) = asked.before {
            then.take(asked.side, before);
        }
        let is_many = limits.open_orders_max != 0 && then.orders >= limits.open_orders_max;
        let is_one_more = asked.stays && asked.before.is_none();
        refuse_if(is_one_more && is_many, R::OpenOrdersLimit)?;
        then.add(asked.side, asked.after);
        let leaves = |extent: Extent| i128::from(extent.leaves_lots);
        if asked.stays {
            asked
                .figure(leaves, Some(*then.lots(asked.side)))
                .judge(i128::from(limits.open_lots_max), R::OpenQuantityLimit)?;
            let notional = |extent: Extent| extent.notional_atoms(extent.leaves_lots, tick_value);
            asked
                .figure(notional, Some(then.notional_atoms(tick_value)))
                .judge(limits.open_notional_atoms_max, R::OpenNotionalLimit)?;
        }
        if asked.side == Side::Sell {
            return Ok(());
        }
        let position = self.position_of(account, market, then.buy_lots);
        asked
            .figure(leaves, Some(position))
            .judge(limits.position_atoms_max, R::PositionLimit)
    }

    /// What an account has of a market's base asset, with what it buys; beyond every limit it may be told as less.
    fn position_of(&self, account: u32, market: u32, buy_lots: i128) -> i128 {
        let market = &self.markets[market];
        let row = self.balances.find(holder_of(account), market.base_asset_id);
        let has_atoms = row.map_or(0, |row| {
            let (available, held, in_flight) = self.balances.get(row).amounts();
            available + held + in_flight
        });
        has_atoms.saturating_add(buy_lots.saturating_mul(market.lot_size_atoms))
    }
}
