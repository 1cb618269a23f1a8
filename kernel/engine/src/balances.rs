//! Balances of firms and of the venue, and what a batch changed of them.

use crate::limits::{BALANCE_ATOMS_MAX, FIRM_ACCOUNTS_FROM};
use crate::table::Table;
use cambist_prefetch::prefetch;

/// First holder that is an account of a firm: holders below are the venue's accounts by their own numbers.
pub const FIRM_HOLDERS_FROM: u32 = 4_096;

/// Balances of one holder in one asset. One row is one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Row {
    /// Free.
    pub available_atoms: i128,
    /// Held by open orders and requested withdrawals.
    pub held_atoms: i128,
    /// In started withdrawals.
    pub in_flight_atoms: i128,
    /// The batch that changed it last.
    batch: u64,
    /// A venue account, or `FIRM_HOLDERS_FROM` + the place of a firm's account.
    pub holder: u32,
    /// Asset.
    pub asset_id: u32,
}

impl Row {
    /// The three amounts.
    #[inline]
    #[must_use]
    pub fn amounts(&self) -> (i128, i128, i128) {
        (self.available_atoms, self.held_atoms, self.in_flight_atoms)
    }

    /// Available to held.
    ///
    /// # Panics
    /// When an amount would pass 127 bits, as in all the others.
    #[inline]
    pub fn hold(&mut self, atoms: i128) {
        self.credit(-atoms);
        self.held_atoms += atoms;
    }

    /// Held to available.
    #[inline]
    pub fn give_back(&mut self, atoms: i128) {
        self.hold(-atoms);
    }

    /// More, or with a minus less, that is available.
    ///
    /// # Panics
    /// When it would pass 127 bits: then the state is past saving, and the batch with it.
    #[inline]
    pub fn credit(&mut self, atoms: i128) {
        self.available_atoms = self
            .available_atoms
            .checked_add(atoms)
            .expect("balances fit 127 bits");
    }
}

/// What a row was at the start of the batch.
#[derive(Clone, Copy, Debug)]
struct Before {
    row: u32,
    amounts: (i128, i128, i128),
}

/// All balances.
#[derive(Debug, Default)]
pub struct Balances {
    rows: Vec<Row>,
    index: Table,
    batch: u64,
    changed: Vec<Before>,
    /// By holder and asset, the rows that a batch changed.
    order: Vec<(u64, u32)>,
}

/// The holder of a firm's account.
#[inline]
#[must_use]
pub fn holder_of(account: u32) -> u32 {
    FIRM_HOLDERS_FROM + account
}

/// Assets of a holder that follow one another lie side by side in the index.
#[inline]
fn index_key(holder: u32, asset_id: u32) -> u64 {
    u64::from(holder) << 32 | u64::from(asset_id)
}

impl Balances {
    /// The row of a holder in an asset, if it was ever needed.
    #[inline]
    #[must_use]
    pub fn find(&self, holder: u32, asset_id: u32) -> Option<u32> {
        self.index.get(index_key(holder, asset_id))
    }

    /// The row of a holder in an asset; its number never changes.
    #[inline]
    pub fn row(&mut self, holder: u32, asset_id: u32) -> u32 {
        self.find(holder, asset_id)
            .unwrap_or_else(|| self.add_row(holder, asset_id))
    }

    #[cold]
    fn add_row(&mut self, holder: u32, asset_id: u32) -> u32 {
        let number = u32::try_from(self.rows.len()).expect("bounded by accounts and assets");
        self.rows.push(Row {
            available_atoms: 0,
            held_atoms: 0,
            in_flight_atoms: 0,
            batch: 0,
            holder,
            asset_id,
        });
        self.index.insert(index_key(holder, asset_id), number);
        number
    }

    /// What is available, 0 without a row.
    #[inline]
    #[must_use]
    pub fn available(&self, holder: u32, asset_id: u32) -> i128 {
        self.find(holder, asset_id)
            .map_or(0, |row| self.rows[row as usize].available_atoms)
    }

    /// Whether what is available stays within `BALANCE_ATOMS_MAX` when it changes.
    #[must_use]
    pub fn has_room(&self, holder: u32, asset_id: u32, change_atoms: i128) -> bool {
        let after = self.available(holder, asset_id).checked_add(change_atoms);
        after.is_some_and(|after| after.unsigned_abs() <= BALANCE_ATOMS_MAX.unsigned_abs())
    }

    /// A row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: u32) -> &Row {
        &self.rows[row as usize]
    }

    /// Asks for where the row of a holder in an asset is found.
    #[inline]
    pub(crate) fn prefetch_index(&self, holder: u32, asset_id: u32) {
        self.index.prefetch(index_key(holder, asset_id));
    }

    /// Asks for a row.
    #[inline]
    pub(crate) fn prefetch(&self, row: u32) {
        prefetch(&self.rows, row as usize);
    }

    /// A row that is about to change.
    #[inline]
    pub fn change(&mut self, row: u32) -> &mut Row {
        let found = &mut self.rows[row as usize];
        if found.batch != self.batch {
            found.batch = self.batch;
            self.changed.push(Before {
                row,
                amounts: found.amounts(),
            });
        }
        found
    }

    /// Starts a batch, whose number was never used before and is not 0.
    pub fn start_batch(&mut self, batch: u64) {
        self.batch = batch;
        self.changed.clear();
    }

    /// Calls `each` with every row that differs from the start of the batch, by account and asset. `account_id` names
    /// the account of a holder.
    pub fn each_changed(
        &mut self,
        account_id: impl Fn(u32) -> u64,
        mut each: impl FnMut(u64, &Row),
    ) {
        self.order.clear();
        for before in &self.changed {
            let row = &self.rows[before.row as usize];
            if row.amounts() != before.amounts {
                let key = index_key(row.holder, row.asset_id);
                self.order.push((key, before.row));
            }
        }
        self.order.sort_unstable_by_key(|(key, _)| *key);
        for (_, row) in &self.order {
            let row = &self.rows[*row as usize];
            each(account_id(row.holder), row);
        }
    }

    /// All rows, in the order in which they were made.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// The holder of one of the venue's own accounts, which are below those of firms.
///
/// # Panics
/// When it is an account of a firm.
#[must_use]
pub fn venue_holder(account_id: u64) -> u32 {
    assert!(account_id < FIRM_ACCOUNTS_FROM);
    u32::try_from(account_id).expect("small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_came_back_to_where_they_were_are_not_told() {
        let mut balances = Balances::default();
        balances.start_batch(1);
        let (first, second) = (balances.row(5_000, 2), balances.row(5_000, 1));
        balances.change(first).credit(7);
        balances.change(second).credit(7);
        balances.change(second).hold(3);
        balances.start_batch(2);
        balances.change(first).credit(1);
        balances.change(first).credit(-1);
        balances.change(second).give_back(3);
        let mut told = Vec::new();
        balances.each_changed(u64::from, |account_id, row| {
            told.push((account_id, row.asset_id, row.amounts()));
        });
        assert_eq!(told, [(5_000, 1, (7, 0, 0))]);
    }

    #[test]
    fn rows_are_told_by_account_and_asset() {
        let mut balances = Balances::default();
        balances.start_batch(1);
        for (holder, asset_id) in [(9, 1), (2, 7), (9, 0), (2, 3)] {
            let row = balances.row(holder, asset_id);
            balances.change(row).credit(1);
        }
        let mut told = Vec::new();
        balances.each_changed(u64::from, |account_id, row| {
            told.push((account_id, row.asset_id));
        });
        assert_eq!(told, [(2, 3), (2, 7), (9, 0), (9, 1)]);
        assert_eq!(balances.available(9, 1), 1);
        assert_eq!(balances.available(9, 5), 0);
        assert_eq!(venue_holder(4), 4);
    }

    #[test]
    #[should_panic(expected = "balances fit 127 bits")]
    fn a_balance_that_would_wrap_stops_the_engine() {
        let mut balances = Balances::default();
        let row = balances.row(1, 1);
        balances.change(row).credit(i128::MAX);
        balances.change(row).credit(1);
    }
}
