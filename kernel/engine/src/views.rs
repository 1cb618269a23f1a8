//! What may be read of the state from outside, without events.

use crate::balances::holder_of;
use crate::engine::Engine;
use crate::types::{L2Level, Side};

impl Engine {
    /// The best levels of a side, best first; empty without the market.
    #[must_use]
    pub fn levels(&self, market_id: u32, side: Side, depth: usize) -> Vec<L2Level> {
        self.markets.find(market_id).map_or_else(Vec::new, |place| {
            self.markets[place].book.levels(side).take(depth).collect()
        })
    }

    /// Whether a firm has this account.
    #[must_use]
    pub fn has_account(&self, account_id: u64) -> bool {
        self.accounts.find(account_id).is_some()
    }

    /// What a firm's account has of an asset: available, held, in flight. Nothing without the account.
    #[must_use]
    pub fn balance(&self, account_id: u64, asset_id: u32) -> Option<(i128, i128, i128)> {
        let holder = holder_of(self.accounts.find(account_id)?);
        let row = self.balances.find(holder, asset_id);
        Some(row.map_or((0, 0, 0), |row| self.balances.get(row).amounts()))
    }
}
