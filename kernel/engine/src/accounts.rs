//! Firms and their accounts.

use crate::balances::FIRM_HOLDERS_FROM;
use crate::book::NONE;
use crate::keys::Keys;
use crate::limits::{
    FIRM_ACCOUNTS_FROM, ID_CAPACITY_DEFAULT, ID_CAPACITY_MAX, ID_CAPACITY_MIN, OPEN_ORDERS_DEFAULT,
    OPEN_ORDERS_MAX,
};
use crate::table::Table;
use crate::types::{AccountLimits, CreateAccount};
use cambist_prefetch::prefetch;
use std::collections::BTreeMap;

/// Set in the number of a group that is not an account alone.
const NAMED_GROUP: u32 = 1 << 31;

/// What most commands look at of one account of a firm: two cache lines.
#[derive(Debug)]
#[repr(align(64))]
pub struct Account {
    /// Account.
    pub account_id: u64,
    /// Present limits, defaults filled in.
    pub limits: AccountLimits,
    /// Number of its last event.
    pub account_seq: u64,
    /// Self-trade group: the same number for all that must not meet.
    pub group: u32,
    /// How many orders rest; at most `OPEN_ORDERS_MAX`.
    pub open_orders: u16,
    /// Its resting order with the smallest order id.
    pub first_order: u32,
    /// Its resting order with the largest order id.
    pub last_order: u32,
    /// No new orders, no withdrawals.
    pub frozen: bool,
    /// Its kill switch is on.
    pub killed: bool,
    /// Its ids.
    pub keys: Keys,
}

/// What never changes of an account.
#[derive(Clone, Copy, Debug)]
struct Origin {
    firm_id: u32,
    self_trade_group_id: u64,
}

/// Accounts with numbers so far above the first have their places in a plain list.
const DIRECT: u64 = 1 << 22;

/// All accounts of firms. A place in the list never changes.
#[derive(Debug, Default)]
pub struct Accounts {
    list: Vec<Account>,
    origins: Vec<Origin>,
    /// By account id less `FIRM_ACCOUNTS_FROM`: place + 1, 0 = none.
    direct: Vec<u32>,
    /// Of the others.
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
        let number = account_id.wrapping_sub(FIRM_ACCOUNTS_FROM);
        if number < DIRECT {
            let place = *self.direct.get(usize::try_from(number).ok()?)?;
            return place.checked_sub(1);
        }
        self.by_id.get(account_id)
    }

    /// The firm of an account.
    #[must_use]
    pub fn firm_of(&self, place: u32) -> u32 {
        self.origins[place as usize].firm_id
    }

    /// An account as it was created, with its present limits.
    #[must_use]
    pub fn created(&self, place: u32) -> CreateAccount {
        let Origin {
            firm_id,
            self_trade_group_id,
        } = self.origins[place as usize];
        let account = &self[place];
        CreateAccount {
            account_id: account.account_id,
            firm_id,
            self_trade_group_id,
            limits: account.limits,
        }
    }

    /// Asks for the lines of an account.
    #[inline]
    pub(crate) fn prefetch(&self, place: u32) {
        prefetch(&self.list, place as usize);
    }

    /// The account of a holder of balances.
    #[must_use]
    pub fn id_of_holder(&self, holder: u32) -> u64 {
        match holder.checked_sub(FIRM_HOLDERS_FROM) {
            Some(place) => self[place].account_id,
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
        self.index(created.account_id, place);
        self.list.push(Account {
            account_id: created.account_id,
            limits: created.limits,
            account_seq: 0,
            group,
            open_orders: 0,
            first_order: NONE,
            last_order: NONE,
            frozen: false,
            killed: false,
            keys: Keys::default(),
        });
        self.origins.push(Origin {
            firm_id: created.firm_id,
            self_trade_group_id: created.self_trade_group_id,
        });
        place
    }

    fn index(&mut self, account_id: u64, place: u32) {
        let number = account_id.wrapping_sub(FIRM_ACCOUNTS_FROM);
        if number >= DIRECT {
            return self.by_id.insert(account_id, place);
        }
        let number = usize::try_from(number).expect("below DIRECT");
        if self.direct.len() <= number {
            self.direct.resize(number + 1, 0);
        }
        self.direct[number] = place + 1;
    }

    /// Places in the order of account ids.
    #[must_use]
    pub fn sorted(&self) -> Vec<u32> {
        let mut places: Vec<u32> = (0..).take(self.list.len()).collect();
        places.sort_unstable_by_key(|place| self[*place].account_id);
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
        let far = FIRM_ACCOUNTS_FROM + DIRECT;
        let ids = [far, 4_097, 4_100, 4_099, far + 1];
        let places = [
            (ids[0], 0),
            (ids[1], 0),
            (ids[2], 42),
            (ids[3], 42),
            (ids[4], 43),
        ]
        .map(|(id, group)| accounts.add(account(id, group)));
        let groups = places.map(|place| accounts[place].group);
        assert_eq!(groups[2], groups[3]);
        let mut distinct = groups.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
        assert_eq!(ids.map(|id| accounts.find(id)), places.map(Some));
        for unknown in [0, 4_095, 4_096, 4_101, far - 1, far + 2, u64::MAX] {
            assert_eq!(accounts.find(unknown), None);
        }
        let ids = accounts
            .sorted()
            .into_iter()
            .map(|place| accounts[place].account_id);
        assert_eq!(ids.collect::<Vec<_>>(), [4_097, 4_099, 4_100, far, far + 1]);
    }

    #[test]
    fn an_account_takes_two_lines_of_the_caches() {
        assert_eq!(std::mem::size_of::<Account>(), 128);
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
