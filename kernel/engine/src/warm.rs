//! Asks for memory ahead. A full venue is far larger than the caches, and a command looks at a dozen places, one found
//! through the other. Here the places of several commands are asked for, step by step, so that each step's lines are on
//! their way for all of them at once.
//!
//! While one window of commands is carried out, the next one is asked for, a step after every few commands. Nothing is
//! changed and nothing depends on it: what it misses is only found later.

use crate::balances::holder_of;
use crate::book::{NONE, opposite, reaches};
use crate::engine::Engine;
use crate::keys::Heads;
use crate::new_order::can_rest;
use crate::types::{Command, Id, NewOrder, OrderType, Side};
use cambist_prefetch::{prefetch, prefetch_start};

/// Steps from a command to the last place it looks at.
const STEPS: usize = 5;
/// Commands carried out between two steps.
const COMMANDS_PER_STEP: usize = 8;
/// Commands asked for together.
const WINDOW: usize = STEPS * COMMANDS_PER_STEP;

/// How far the next window was asked for.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    looks: Vec<Look>,
    /// Commands of the batch that were carried out.
    done: usize,
}

impl Ahead {
    pub(crate) fn start_batch(&mut self) {
        self.done = 0;
        self.looks.clear();
    }
}

/// Accounts whose oldest ids are followed in one window.
const WALKS: usize = 4;
/// Bytes of an order that ending it takes.
const ORDER_BYTES: usize = 64;

/// Where one command will look.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Place of the account, `NONE` without one.
    account: u32,
    id: Id,
    orig_cl_ord_id: Option<Id>,
    order_id: u64,
    /// What a new order pays with and, when it trades, what it gets; 0 = none.
    asset_ids: [u32; 2],
    /// Entry of the id that is named.
    entry: u32,
    /// Handle of the order that is named, that a new order will get, or that it will trade with.
    handle: u32,
    /// It stands for the order that the one before it will trade with.
    is_maker: bool,
    /// How many ids will be forgotten.
    forgets: u32,
    /// The oldest ids behind the first that goes.
    heads: Heads,
}

const NOWHERE: Look = Look {
    account: NONE,
    id: [0; 16],
    orig_cl_ord_id: None,
    order_id: 0,
    asset_ids: [0; 2],
    entry: NONE,
    handle: NONE,
    is_maker: false,
    forgets: 0,
    heads: [NONE; 2],
};

/// How far into the oldest ids of an account the commands of one window reach: those of one session name few accounts.
#[derive(Clone, Copy, Debug)]
struct Walk {
    account: u32,
    /// The next ones to be forgotten.
    heads: Heads,
    /// How many of those belong to the command that began it.
    behind: u32,
}

/// The accounts that were last seen.
#[derive(Debug)]
struct Walks {
    walks: [Walk; WALKS],
    next: usize,
}

impl Default for Walks {
    fn default() -> Self {
        let walk = Walk {
            account: NONE,
            heads: [NONE; 2],
            behind: 0,
        };
        Self {
            walks: [walk; WALKS],
            next: 0,
        }
    }
}

impl Walks {
    #[inline]
    fn of(&mut self, account: u32) -> Option<&mut Walk> {
        self.walks.iter_mut().find(|walk| walk.account == account)
    }

    #[inline]
    fn begin(&mut self, walk: Walk) {
        self.walks[self.next] = walk;
        self.next = (self.next + 1) % WALKS;
    }
}

impl Engine {
    /// Called before each command of a batch, with it and those behind it.
    #[inline]
    pub(crate) fn look_ahead(&mut self, commands: &[Command<'_>]) {
        let done = self.ahead.done;
        self.ahead.done += 1;
        if !done.is_multiple_of(COMMANDS_PER_STEP) {
            return;
        }
        let mut looks = std::mem::take(&mut self.ahead.looks);
        if done == 0 {
            for step in 0..STEPS {
                self.step(step, commands, &mut looks);
            }
        }
        let step = done / COMMANDS_PER_STEP % STEPS;
        let next = commands.get(WINDOW..).unwrap_or_default();
        self.step(step, next, &mut looks);
        self.ahead.looks = looks;
    }

    /// One step of a window; the first takes its commands.
    fn step(&self, step: usize, commands: &[Command<'_>], looks: &mut Vec<Look>) {
        match step {
            0 => self.warm_accounts(commands, looks),
            1 => looks.iter().for_each(|look| self.warm_ids(look)),
            2 => {
                let mut walks = Walks::default();
                for look in looks {
                    self.warm_entries(look, &mut walks);
                }
            }
            3 => looks.iter_mut().for_each(|look| self.warm_order(look)),
            _ => looks.iter().for_each(|look| self.warm_neighbours(look)),
        }
    }

    fn warm_accounts(&self, commands: &[Command<'_>], looks: &mut Vec<Look>) {
        looks.clear();
        let mut orders = 0;
        let mut makers = [NONE; 2];
        for command in commands.iter().take(WINDOW) {
            let mut look = self.look(command);
            if look.account == NONE {
                continue;
            }
            self.accounts.prefetch(look.account);
            if let Command::NewOrder(order) = command {
                look.handle = self.places.free_after(orders);
                orders += 1;
                let maker = self.maker_for(order, &mut makers);
                if maker == NONE {
                    look.asset_ids[1] = 0;
                } else {
                    look.forgets = 1;
                    looks.push(self.look_at_maker(maker));
                }
            }
            looks.push(look);
        }
    }

    /// The order that a new one will trade with: the best or, when others will have taken that, the one behind those.
    /// `makers` are the best when it was looked at first, and the last one given since.
    #[inline]
    fn maker_for(&self, order: &NewOrder, makers: &mut [u32; 2]) -> u32 {
        let Some(market) = self.markets.find(order.market_id) else {
            return NONE;
        };
        let Some(best) = self.markets[market].book.best(opposite(order.side)) else {
            return NONE;
        };
        let is_limit = order.order_type == OrderType::Limit;
        if is_limit && !reaches(order.side, order.price_ticks, best.price_ticks) {
            return NONE;
        }
        let maker = if best.handle == makers[0] && makers[1] != NONE {
            self.places[makers[1]].next
        } else {
            best.handle
        };
        *makers = [best.handle, maker];
        maker
    }

    #[inline]
    fn look_at_maker(&self, handle: u32) -> Look {
        let account = self.places[handle].account;
        self.accounts.prefetch(account);
        prefetch(&self.orders, handle as usize);
        Look {
            account,
            handle,
            is_maker: true,
            forgets: 1,
            ..NOWHERE
        }
    }

    #[inline]
    fn look(&self, command: &Command<'_>) -> Look {
        match command {
            Command::NewOrder(order) => Look {
                account: self.accounts.find(order.account_id).unwrap_or(NONE),
                id: order.cl_ord_id,
                asset_ids: self.assets_of(order),
                forgets: u32::from(!can_rest(order)),
                ..NOWHERE
            },
            Command::Cancel(cancel) => Look {
                account: self.accounts.find(cancel.account_id).unwrap_or(NONE),
                id: cancel.request_id,
                orig_cl_ord_id: cancel.orig_cl_ord_id,
                order_id: cancel.order_id,
                forgets: 2,
                ..NOWHERE
            },
            Command::Amend(amend) => Look {
                account: self.accounts.find(amend.account_id).unwrap_or(NONE),
                id: amend.request_id,
                orig_cl_ord_id: amend.orig_cl_ord_id,
                order_id: amend.order_id,
                forgets: 1,
                ..NOWHERE
            },
            _ => NOWHERE,
        }
    }

    /// What an order pays with, and what it gets.
    #[inline]
    fn assets_of(&self, order: &NewOrder) -> [u32; 2] {
        let Some(market) = self.markets.find(order.market_id) else {
            return [0; 2];
        };
        let market = &self.markets[market];
        match order.side {
            Side::Sell => [market.base_asset_id, market.quote_asset_id],
            _ => [market.quote_asset_id, market.base_asset_id],
        }
    }

    /// The slots of both ids, the ends of the list of ids, and where balances are found.
    #[inline]
    fn warm_ids(&self, look: &Look) {
        let account = &self.accounts[look.account];
        let keys = &account.keys;
        if look.is_maker {
            keys.prefetch_at(self.orders[look.handle as usize].key);
            return keys.prefetch_ends(true);
        }
        keys.prefetch_slot(look.id);
        keys.prefetch_ends(look.forgets > 0);
        if let Some(id) = look.orig_cl_ord_id {
            keys.prefetch_slot(id);
        } else if look.order_id != 0 {
            self.live.prefetch(look.order_id);
        }
        if look.asset_ids[0] != 0 {
            let holder = holder_of(look.account);
            self.balances.prefetch_index(holder, look.asset_ids[0]);
            prefetch(&self.orders, look.handle as usize);
            self.places.prefetch(look.handle);
            prefetch_start(&self.orders, account.last_order as usize, ORDER_BYTES);
        }
    }

    /// The entry of the id that is named, what is forgotten, and the row of a new order.
    #[inline]
    fn warm_entries(&self, look: &mut Look, walks: &mut Walks) {
        let keys = &self.accounts[look.account].keys;
        if look.forgets > 0 {
            if let Some(walk) = walks.of(look.account) {
                // Commands before it forget the oldest ones.
                for _ in 0..walk.behind + look.forgets {
                    keys.prefetch_oldest(&mut walk.heads);
                }
                walk.behind = 0;
            } else {
                look.heads = keys.heads();
                keys.prefetch_oldest(&mut look.heads);
                walks.begin(Walk {
                    account: look.account,
                    heads: look.heads,
                    behind: look.forgets - 1,
                });
            }
        }
        if let Some(id) = look.orig_cl_ord_id {
            look.entry = keys.prefetch_entry(id);
        } else if look.order_id != 0 {
            look.handle = self.live.get(look.order_id).unwrap_or(NONE);
            self.prefetch_named(look.handle);
        }
        for asset_id in look.asset_ids {
            if asset_id != 0 {
                let row = self.balances.find(holder_of(look.account), asset_id);
                self.balances.prefetch(row.unwrap_or(NONE));
            }
        }
    }

    #[inline]
    fn prefetch_named(&self, handle: u32) {
        prefetch_start(&self.orders, handle as usize, ORDER_BYTES);
        self.places.prefetch(handle);
    }

    /// The order that is named, and what is forgotten when it is closed.
    #[inline]
    fn warm_order(&self, look: &mut Look) {
        let keys = &self.accounts[look.account].keys;
        if look.forgets > 1 {
            keys.prefetch_oldest(&mut look.heads);
        }
        if look.entry != NONE {
            look.handle = keys.handle_at(look.entry);
            self.prefetch_named(look.handle);
        }
    }

    /// The neighbours of the order that is named, in its queue and in its account, its level and its balances.
    #[inline]
    fn warm_neighbours(&self, look: &Look) {
        if look.asset_ids[0] != 0 {
            return;
        }
        let Some(order) = self.orders.get(look.handle as usize) else {
            return;
        };
        let place = &self.places[look.handle];
        self.markets[place.market].book.prefetch(place);
        self.places.prefetch(place.previous);
        self.places.prefetch(place.next);
        prefetch_start(&self.orders, order.previous as usize, ORDER_BYTES);
        prefetch_start(&self.orders, order.next as usize, ORDER_BYTES);
        self.balances.prefetch(order.base_row);
        self.balances.prefetch(order.quote_row);
        self.live.prefetch_page(order.page);
    }
}
