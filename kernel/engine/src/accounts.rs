//! Firms and their accounts.

use crate::balances::FIRM_HOLDERS_FROM;
use crate::book::NONE;
use crate::keys::Keys;
use crate::limits::{
    ID_CAPACITY_DEFAULT, ID_CAPACITY_MAX, ID_CAPACITY_MIN, OPEN_ORDERS_DEFAULT, OPEN_ORDERS_MAX,
};
use crate::table::Table;
use crate::types::{AccountLimits, CreateAccount};
use std::collections::BTreeMap;

/// Set in the number of a group that is not an account alone.
const NAMED_GROUP: u32 = 1 << 31;

/// One account of a firm.
#[derive(Debug)]
pub struct Account {
    /// As created, with its present limits, defaults filled in.
    pub created: CreateAccount,
    /// Self-trade group: the same number for all that must not meet.
    pub group: u32,
    /// No new orders, no withdrawals.
    pub frozen: bool,
    /// Its kill switch is on.
    pub killed: bool,
    /// Number of its last event.
    pub account_seq: u64,
    /// How many orders rest.
    pub open_orders: u32,
    /// Its resting order with the smallest order id.
    pub first_order: u32,
    /// Its resting order with the largest order id.
    pub last_order: u32,
    /// Its ids.
    pub keys: Keys,
}

/// All accounts of firms. A place in the list never changes.
#[derive(Debug, Default)]
pub struct Accounts {
    list: Vec<Account>,
    by_id: Table,
    groups: BTreeMap<u64, u32>,
}

/// Limits with defaults filled in, unless one is out of its bounds.
#[must_use]
pub fn filled_in(limits: AccountLimits) -> Option<AccountLimits> {
    let or = |value, default| if value == 0 { default } else { value };
    let filled = AccountLimits {
        open_orders_max: or(limits.open_orders_max, OPEN_ORDERS_DEFAULT),
        id_capacity: or(limits.id_capacity, ID_CAPACITY_DEFAULT),
    };
    let fits = filled.open_orders_max <= OPEN_ORDERS_MAX
        && (ID_CAPACITY_MIN..=ID_CAPACITY_MAX).contains(&filled.id_capacity);
    fits.then_some(filled)
}

impl Accounts {
    /// The place of an account of a firm.
    #[inline]
    #[must_use]
    pub fn find(&self, account_id: u64) -> Option<u32> {
        self.by_id.get(account_id)
    }

    /// The account of a holder of balances.
    #[must_use]
    pub fn id_of_holder(&self, holder: u32) -> u64 {
        match holder.checked_sub(FIRM_HOLDERS_FROM) {
            Some(place) => self[place].created.account_id,
            None => u64::from(holder),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds an account that is not there; its limits are filled in.
    ///
    /// # Panics
    /// Far beyond `ACCOUNTS_MAX`.
    pub fn add(&mut self, created: CreateAccount) -> u32 {
        let place = u32::try_from(self.list.len()).expect("bounded by ACCOUNTS_MAX");
        let group = match created.self_trade_group_id {
            0 => place,
            named => {
                let next = NAMED_GROUP | u32::try_from(self.groups.len()).expect("bounded");
                *self.groups.entry(named).or_insert(next)
            }
        };
        self.by_id.insert(created.account_id, place);
        self.list.push(Account {
            created,
            group,
            frozen: false,
            killed: false,
            account_seq: 0,
            open_orders: 0,
            first_order: NONE,
            last_order: NONE,
            keys: Keys::default(),
        });
        place
    }

    /// Places in the order of account ids.
    #[must_use]
    pub fn sorted(&self) -> Vec<u32> {
        let mut places: Vec<u32> = (0..).take(self.list.len()).collect();
        places.sort_unstable_by_key(|place| self[*place].created.account_id);
        places
    }
}

impl std::ops::Index<u32> for Accounts {
    type Output = Account;

    #[inline]
    fn index(&self, place: u32) -> &Account {
        &self.list[place as usize]
    }
}

impl std::ops::IndexMut<u32> for Accounts {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut Account {
        &mut self.list[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(account_id: u64, self_trade_group_id: u64) -> CreateAccount {
        CreateAccount {
            account_id,
            self_trade_group_id,
            ..CreateAccount::default()
        }
    }

    #[test]
    fn accounts_of_one_group_share_its_number() {
        let mut accounts = Accounts::default();
        let places = [(9, 0), (5, 0), (7, 42), (6, 42), (8, 43)]
            .map(|(id, group)| accounts.add(account(id, group)));
        let groups = places.map(|place| accounts[place].group);
        assert_eq!(groups[2], groups[3]);
        let mut distinct = groups.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
        assert_eq!(accounts.find(7), Some(places[2]));
        assert_eq!(accounts.find(4), None);
        let ids = accounts
            .sorted()
            .into_iter()
            .map(|place| accounts[place].created.account_id);
        assert_eq!(ids.collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
    }

    #[test]
    fn limits_have_defaults_and_bounds() {
        let limits = |open_orders_max, id_capacity| AccountLimits {
            open_orders_max,
            id_capacity,
        };
        assert_eq!(filled_in(limits(0, 0)), Some(limits(1_000, 1_024)));
        assert_eq!(filled_in(limits(10_000, 16)), Some(limits(10_000, 16)));
        for refused in [limits(10_001, 0), limits(0, 15), limits(0, 65_537)] {
            assert_eq!(filled_in(refused), None);
        }
    }
}
