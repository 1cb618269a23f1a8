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

    /// The first resting orders of a side in the order in which they would trade: venue's id, account, price, open
    /// quantity. Empty without the market.
    #[must_use]
    pub fn queue(&self, market_id: u32, side: Side, count: usize) -> Vec<(u64, u64, i64, i64)> {
        let Some(market) = self.markets.find(market_id) else {
            return Vec::new();
        };
        let handles = self.markets[market].book.handles(&self.places, side);
        let resting = handles.take(count).map(|(price_ticks, handle)| {
            let place = &self.places[handle];
            let account_id = self.accounts[place.account].account_id;
            let order_id = self.orders[handle as usize].order_id;
            (order_id, account_id, price_ticks, self.leaves_of(handle))
        });
        resting.collect()
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
