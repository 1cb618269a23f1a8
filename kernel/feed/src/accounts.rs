//! Balances and open orders of accounts, kept from private events and balance updates.

use crate::error::FeedBroken;
use crate::events::{Balance, ExecType, PrivateEvent, Report};
use crate::ids::IdMap;
use crate::orders::Orders;
use crate::snapshot::{RestingOrder, WaitingOrder};
use cambist_codec::writer::{put_i64, put_message, put_sixteen, put_u64};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const EXEC_TYPE_NEW: u64 = 1;
const ORDER_TYPE_LIMIT: u32 = 1;
/// Orders of these types wait for a price: stop, stop limit, take profit, take profit limit, trailing stop.
const WAITING_TYPES: RangeInclusive<u32> = 3..=7;
const TIME_IN_FORCE_GTC: u32 = 1;
const TIME_IN_FORCE_GTD: u32 = 4;

/// One account.
#[derive(Debug, Default)]
struct Account {
    /// Last `account_seq`.
    last_seq: u64,
    balances: BTreeMap<u32, Balance>,
    orders: Orders,
}

/// All accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    accounts: IdMap<Account>,
}

impl Accounts {
    /// Sets the balances of one account in one asset; three zeros are forgotten.
    pub fn set_balance(&mut self, account_id: u64, asset_id: u32, balance: Balance) {
        let balances = &mut self.accounts.entry(account_id).or_default().balances;
        if balance == Balance::default() {
            balances.remove(&asset_id);
        } else {
            balances.insert(asset_id, balance);
        }
    }

    /// Sets the last `account_seq` of an account, from a snapshot.
    pub fn set_account_seq(&mut self, account_id: u64, account_seq: u64) {
        self.accounts.entry(account_id).or_default().last_seq = account_seq;
    }

    /// Adds a resting order of a snapshot.
    pub fn add_resting(&mut self, market_id: u32, order: &RestingOrder) {
        let mut report = report_of(market_id, order);
        rests(&mut report);
        self.add(order.account_id, report);
    }

    /// Adds a waiting order of a snapshot.
    pub fn add_waiting(&mut self, market_id: u32, waiting: &WaitingOrder) {
        let report = Report {
            order_type: waiting.order_type,
            time_in_force: waiting.time_in_force,
            trigger_price_ticks: waiting.trigger_price_ticks,
            trailing_offset_ticks: waiting.trailing_offset_ticks,
            trailing_offset_ppm: waiting.trailing_offset_ppm,
            quote_budget: waiting.quote_budget,
            ..report_of(market_id, &waiting.order)
        };
        self.add(waiting.order.account_id, report);
    }

    fn add(&mut self, account_id: u64, report: Report) {
        let account = self.accounts.entry(account_id).or_default();
        account.orders.insert(report.order_id, report);
    }

    /// Applies one private event.
    pub fn apply(&mut self, event: &PrivateEvent) -> Result<(), FeedBroken> {
        let account = self.accounts.entry(event.account_id).or_default();
        if Some(event.account_seq) != account.last_seq.checked_add(1) {
            return Err(FeedBroken::AccountGap);
        }
        account.last_seq = event.account_seq;
        let report = &event.report;
        if !event.has_report || report.repeat {
            return Ok(());
        }
        let id = report.order_id;
        match report.exec_type {
            ExecType::New if WAITING_TYPES.contains(&report.order_type) => {
                account.orders.insert(id, *report);
            }
            ExecType::New if report.public_order_id != 0 => {
                let mut order = *report;
                rests(&mut order);
                account.orders.insert(id, order);
            }
            // Without a place it trades at once, and does not rest.
            ExecType::Triggered if report.public_order_id == 0 => {
                account.orders.remove(id);
            }
            ExecType::Canceled | ExecType::Expired => {
                account.orders.remove(id);
            }
            _ => {
                if let Some(order) = account.orders.get_mut(id) {
                    follow(order, report);
                    if order.leaves_lots == 0 {
                        account.orders.remove(id);
                    }
                }
            }
        }
        Ok(())
    }

    /// `BalanceUpdates` of an account, ascending by asset, as of `seq`.
    pub fn balances(&self, account_id: u64, seq: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(account) = self.accounts.get(&account_id) else {
            return out;
        };
        for (asset_id, balance) in &account.balances {
            put_message(&mut out, 1, |update| {
                put_u64(update, 1, seq);
                put_u64(update, 2, account_id);
                put_u64(update, 3, u64::from(*asset_id));
                put_sixteen(update, 4, balance.available);
                put_sixteen(update, 5, balance.held);
                put_sixteen(update, 6, balance.in_flight);
            });
        }
        out
    }

    /// `PrivateEvents` with one NEW report per open order above `after_order_id`, ascending, at most `limit`.
    pub fn open_orders(
        &self,
        account_id: u64,
        after_order_id: u64,
        limit: usize,
        seq: u64,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let (Some(account), Some(first)) = (
            self.accounts.get(&account_id),
            after_order_id.checked_add(1),
        ) else {
            return out;
        };
        for order in account.orders.page(first, limit) {
            put_open_order(&mut out, account_id, account.last_seq, order, seq);
        }
        out
    }

    /// `PrivateEvents` with the NEW report of one open order, or nothing.
    pub fn order(&self, account_id: u64, order_id: u64, seq: u64) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(account) = self.accounts.get(&account_id)
            && let Some(order) = account.orders.get(order_id)
        {
            put_open_order(&mut out, account_id, account.last_seq, order, seq);
        }
        out
    }
}

/// What a snapshot says of any order.
fn report_of(market_id: u32, order: &RestingOrder) -> Report {
    Report {
        cl_ord_id: order.cl_ord_id,
        order_id: order.order_id,
        market_id,
        side: order.side,
        price_ticks: order.price_ticks,
        quantity_lots: order.quantity_lots,
        leaves_lots: order.leaves_lots,
        cum_lots: order.cum_lots,
        cum_tick_lots: order.cum_tick_lots,
        public_order_id: order.public_order_id,
        tag: order.tag,
        expire_time_ns: order.expire_time_ns,
        display_lots: order.display_lots,
        ..Report::default()
    }
}

/// An order that rests is told as what it is now, whatever it was sent as.
fn rests(order: &mut Report) {
    order.order_type = ORDER_TYPE_LIMIT;
    order.time_in_force = match order.expire_time_ns {
        0 => TIME_IN_FORCE_GTC,
        _ => TIME_IN_FORCE_GTD,
    };
    order.trigger_price_ticks = 0;
    order.trailing_offset_ticks = 0;
    order.trailing_offset_ppm = 0;
}

/// What a later report changes of an open order.
fn follow(order: &mut Report, report: &Report) {
    match report.exec_type {
        ExecType::Trade => {
            order.leaves_lots = report.leaves_lots;
            order.cum_lots = report.cum_lots;
            order.cum_tick_lots = report.cum_tick_lots;
        }
        ExecType::Replaced => {
            order.price_ticks = report.price_ticks;
            order.quantity_lots = report.quantity_lots;
            order.leaves_lots = report.leaves_lots;
            order.public_order_id = report.public_order_id;
            order.display_lots = report.display_lots;
        }
        ExecType::Restated => {
            order.quantity_lots = report.quantity_lots;
            order.leaves_lots = report.leaves_lots;
            // An iceberg that shows its next part has another place.
            if report.public_order_id != 0 {
                order.public_order_id = report.public_order_id;
            }
        }
        ExecType::Triggered => {
            order.public_order_id = report.public_order_id;
            rests(order);
        }
        _ => {}
    }
}

fn put_open_order(out: &mut Vec<u8>, account_id: u64, account_seq: u64, order: &Report, seq: u64) {
    put_message(out, 1, |event| {
        put_u64(event, 1, seq);
        put_u64(event, 2, account_seq);
        put_u64(event, 3, account_id);
        put_message(event, 6, |report| {
            put_sixteen(report, 1, order.cl_ord_id);
            put_u64(report, 3, order.order_id);
            put_u64(report, 4, u64::from(order.market_id));
            put_u64(report, 5, EXEC_TYPE_NEW);
            put_u64(report, 6, u64::from(order.side));
            put_i64(report, 7, order.price_ticks);
            put_i64(report, 8, order.quantity_lots);
            put_i64(report, 9, order.leaves_lots);
            put_i64(report, 10, order.cum_lots);
            put_sixteen(report, 13, order.cum_tick_lots);
            put_u64(report, 18, order.public_order_id);
            put_u64(report, 24, u64::from(order.order_type));
            put_u64(report, 25, u64::from(order.time_in_force));
            put_u64(report, 26, u64::from(order.tag));
            put_i64(report, 27, order.expire_time_ns);
            put_sixteen(report, 28, order.quote_budget);
            put_i64(report, 29, order.trigger_price_ticks);
            put_i64(report, 30, order.trailing_offset_ticks);
            put_u64(report, 31, u64::from(order.trailing_offset_ppm));
            put_i64(report, 32, order.display_lots);
        });
    });
}
