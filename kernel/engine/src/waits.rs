//! Orders that wait for a price: what is known of them besides their place, and the triggers of one market.
//!
//! A waiting order has a place and an order like a resting one, but is at no level of a book. It is told apart by its
//! place's level, [`WAITING`]; the place's `next` is the number of its row here. `docs/semantics/triggers.md`.

use crate::book::Places;
use crate::types::{OrderType, Side, TimeInForce, WaitingOrder};
use std::collections::{BTreeMap, BTreeSet};

/// The level of a place whose order waits.
pub const WAITING: u32 = u32::MAX - 1;

const MILLION: i128 = 1_000_000;

/// Whether orders of a type wait for a price.
#[inline]
#[must_use]
pub fn is_waiting_type(order_type: OrderType) -> bool {
    matches!(
        order_type,
        OrderType::Stop
            | OrderType::StopLimit
            | OrderType::TakeProfit
            | OrderType::TakeProfitLimit
            | OrderType::TrailingStop
    )
}

/// Whether a waiting type becomes a limit order.
#[must_use]
pub fn is_limit_kind(order_type: OrderType) -> bool {
    matches!(
        order_type,
        OrderType::StopLimit | OrderType::TakeProfitLimit
    )
}

/// What is known of a waiting order besides what is known of a resting one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wait {
    /// Side.
    pub side: Side,
    /// Type as it was sent.
    pub order_type: OrderType,
    /// Time in force as it was sent.
    pub time_in_force: TimeInForce,
    /// Price that it will not pass; 0 = none.
    pub price_ticks: i64,
    /// Trigger price; 0 for a trailing stop.
    pub trigger_price_ticks: i64,
    /// Distance of a trailing stop in ticks.
    pub trailing_offset_ticks: i64,
    /// Distance of a trailing stop in parts per million.
    pub trailing_offset_ppm: u32,
    /// Of a trailing stop: the best price since entry; 0 = none yet.
    pub extreme_price_ticks: i64,
    /// The price that made it ready; 0 = it is not.
    pub seen_price_ticks: i64,
    /// What a buy at any price may spend; 0 = it has a quantity.
    pub budget_atoms: i128,
    /// Its place among the ready ones.
    pub(crate) ticket: u64,
}

impl Wait {
    /// The row of a snapshot. It goes among the ready ones only when it is told so.
    #[must_use]
    pub fn of(state: &WaitingOrder) -> Self {
        Self {
            side: state.side,
            order_type: state.order_type,
            time_in_force: state.time_in_force,
            price_ticks: state.order.price_ticks,
            trigger_price_ticks: state.trigger_price_ticks,
            trailing_offset_ticks: state.trailing_offset_ticks,
            trailing_offset_ppm: state.trailing_offset_ppm,
            extreme_price_ticks: state.extreme_price_ticks,
            seen_price_ticks: state.seen_price_ticks,
            budget_atoms: state.quote_budget_atoms,
            ticket: 0,
        }
    }

    /// Whether a rising price reaches it.
    #[must_use]
    pub fn is_riser(&self) -> bool {
        let takes_profit = matches!(
            self.order_type,
            OrderType::TakeProfit | OrderType::TakeProfitLimit
        );
        let rises = (self.side == Side::Buy) != takes_profit;
        rises != cfg!(feature = "plant-trigger-compares-inverted")
    }

    fn is_trailing(&self) -> bool {
        self.order_type == OrderType::TrailingStop
    }

    /// The trigger as it stands; of a trailing stop once it saw a price.
    ///
    /// # Panics
    /// With a distance of more than the whole price, which no order has.
    #[must_use]
    pub fn trigger(&self) -> i64 {
        if !self.is_trailing() {
            return self.trigger_price_ticks;
        }
        let extreme = self.extreme_price_ticks;
        let distance = if self.trailing_offset_ticks == 0 {
            let part = i128::from(extreme) * i128::from(self.trailing_offset_ppm) / MILLION;
            i64::try_from(part).expect("below the price").max(1)
        } else {
            self.trailing_offset_ticks
        };
        match self.side {
            Side::Buy => extreme.saturating_add(distance),
            _ => extreme.saturating_sub(distance),
        }
    }

    /// It sees a price; whether that reaches its trigger.
    fn reaches(&mut self, price_ticks: i64) -> bool {
        if self.is_trailing() {
            let extreme = self.extreme_price_ticks;
            self.extreme_price_ticks = match (extreme, self.side) {
                (0, _) => price_ticks,
                #[cfg(feature = "plant-trailing-moves-once")]
                _ if true => extreme,
                (_, Side::Buy) => extreme.min(price_ticks),
                _ => extreme.max(price_ticks),
            };
        }
        if self.is_riser() {
            price_ticks >= self.trigger()
        } else {
            price_ticks <= self.trigger()
        }
    }

    /// Where it stands among those that one price reaches.
    fn rank(&self) -> (bool, i64) {
        if self.is_riser() {
            (false, self.trigger())
        } else {
            (true, -self.trigger())
        }
    }
}

/// The rows of all waiting orders.
#[derive(Debug, Default)]
pub struct Waits {
    list: Vec<Wait>,
    free: Vec<u32>,
}

impl Waits {
    /// Adds a row and gives its number.
    ///
    /// # Panics
    /// Beyond 2^32 - 1 rows.
    pub fn take(&mut self, wait: Wait) -> u32 {
        if let Some(number) = self.free.pop() {
            self.list[number as usize] = wait;
            return number;
        }
        self.list.push(wait);
        u32::try_from(self.list.len() - 1).expect("bounded by open orders")
    }

    /// Gives a row back.
    pub fn free(&mut self, number: u32) {
        self.free.push(number);
    }
}

impl std::ops::Index<u32> for Waits {
    type Output = Wait;

    #[inline]
    fn index(&self, number: u32) -> &Wait {
        &self.list[number as usize]
    }
}

impl std::ops::IndexMut<u32> for Waits {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut Wait {
        &mut self.list[number as usize]
    }
}

/// An order by its trigger: rank, order id, handle.
type Ranked = (i64, u64, u32);

/// The waiting orders of one market.
#[derive(Debug, Default)]
pub struct Triggers {
    /// Price of the last trade under rules version 2 or later; 0 = none.
    pub last_price_ticks: i64,
    /// All of them: from order id to handle.
    orders: BTreeMap<u64, u32>,
    /// Not ready, reached by a rising price, by trigger.
    risers: BTreeSet<Ranked>,
    /// Not ready, reached by a falling price, by trigger with its sign turned.
    fallers: BTreeSet<Ranked>,
    /// Trailing stops that are not ready.
    trailing: BTreeSet<(u64, u32)>,
    /// Ready ones by their tickets.
    ready: BTreeMap<u64, u32>,
    next_ticket: u64,
    reached: Vec<(bool, i64, u64, u32)>,
}

impl Triggers {
    /// How many orders wait.
    ///
    /// # Panics
    /// Far beyond `resting_orders_max`.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.orders.len()).expect("bounded by resting_orders_max")
    }

    /// Whether no order waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Handles by ascending order id.
    pub fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        self.orders.values().copied()
    }

    /// The one with the smallest order id.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.handles().next()
    }

    /// The one that is entered next.
    #[must_use]
    pub fn first_ready(&self) -> Option<u32> {
        self.ready().next()
    }

    /// Handles of the ready ones, first to be entered first.
    pub fn ready(&self) -> impl Iterator<Item = u32> + '_ {
        self.ready.values().copied()
    }

    /// Adds an order that is not ready.
    pub fn add(&mut self, wait: &Wait, order_id: u64, handle: u32) {
        self.orders.insert(order_id, handle);
        if wait.is_trailing() {
            self.trailing.insert((order_id, handle));
            return;
        }
        let (falls, rank) = wait.rank();
        self.those_that(falls).insert((rank, order_id, handle));
    }

    /// Takes an order away, ready or not.
    pub fn remove(&mut self, wait: &Wait, order_id: u64, handle: u32) {
        self.orders.remove(&order_id);
        if wait.seen_price_ticks == 0 {
            self.forget(wait, order_id, handle);
        } else {
            self.ready.remove(&wait.ticket);
        }
    }

    /// Fixed triggers that a falling price reaches, or a rising one.
    fn those_that(&mut self, falls: bool) -> &mut BTreeSet<Ranked> {
        if falls {
            &mut self.fallers
        } else {
            &mut self.risers
        }
    }

    fn forget(&mut self, wait: &Wait, order_id: u64, handle: u32) {
        if wait.is_trailing() {
            self.trailing.remove(&(order_id, handle));
            return;
        }
        let (falls, rank) = wait.rank();
        self.those_that(falls).remove(&(rank, order_id, handle));
    }

    /// Puts an order at the tail of the ready ones.
    pub fn make_ready(&mut self, wait: &mut Wait, price_ticks: i64, handle: u32) {
        wait.seen_price_ticks = price_ticks;
        wait.ticket = self.next_ticket;
        self.next_ticket += 1;
        self.ready.insert(wait.ticket, handle);
    }

    /// One order that was added sees a price.
    pub fn see_alone(&mut self, wait: &mut Wait, price_ticks: i64, order_id: u64, handle: u32) {
        if wait.reaches(price_ticks) {
            self.forget(wait, order_id, handle);
            self.make_ready(wait, price_ticks, handle);
        }
    }

    /// An order of a snapshot that is ready is no more among those that see prices.
    pub fn restore_ready(&mut self, wait: &mut Wait, order_id: u64, handle: u32) {
        self.forget(wait, order_id, handle);
        self.make_ready(wait, wait.seen_price_ticks, handle);
    }

    /// All orders that are not ready see a price.
    pub fn see(&mut self, waits: &mut Waits, places: &Places, price_ticks: i64) {
        let mut reached = std::mem::take(&mut self.reached);
        while let Some(first) = self.risers.first().copied()
            && first.0 <= price_ticks
        {
            self.risers.pop_first();
            reached.push((false, first.0, first.1, first.2));
        }
        while let Some(first) = self.fallers.first().copied()
            && -first.0 >= price_ticks
        {
            self.fallers.pop_first();
            reached.push((true, first.0, first.1, first.2));
        }
        self.trailing.retain(|(order_id, handle)| {
            let wait = &mut waits[places[*handle].next];
            let is_reached = wait.reaches(price_ticks);
            if is_reached {
                let (falls, rank) = wait.rank();
                reached.push((falls, rank, *order_id, *handle));
            }
            !is_reached
        });
        reached.sort_unstable();
        for (_, _, _, handle) in reached.drain(..) {
            self.make_ready(&mut waits[places[handle].next], price_ticks, handle);
        }
        self.reached = reached;
    }
}
