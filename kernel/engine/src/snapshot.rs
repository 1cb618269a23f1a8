//! The state as rows of a snapshot, every list in its order.

use crate::balances::Row;
use crate::engine::Engine;
use crate::keys::Key;
use crate::markets::Market;
use crate::types::{
    AccountKeys, AccountState, BalanceState, BookState, BooksSection, CreateAsset, CreateFirm,
    DepositState, FirmState, KeysSection, LimitsSection, MarketTriggers, MoneySection, OrderState,
    SessionState, SessionsSection, Side, SourceState, TriggersSection, WaitingOrder,
    WithdrawalState,
};
use cambist_codec::Snapshot;

impl Engine {
    /// The state; `state_hash` is left 0.
    #[must_use]
    pub fn to_snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            shard: self.shard,
            last_seq: self.last_seq,
            time_ns: self.time_ns,
            rules_version: self.rules.next,
            state_hash: [0; 32],
            next_order_id: self.next_order_id,
            money: self.money_section(),
            books: BooksSection {
                books: self
                    .markets
                    .sorted()
                    .map(|place| self.book_state(&self.markets[place]))
                    .collect(),
            },
            triggers: self.triggers_section(),
            sessions: self.sessions_section(),
            keys: self.keys_section(),
            limits: self.limits_section(),
        }
    }

    fn money_section(&self) -> MoneySection<'_> {
        let assets = self
            .assets
            .list
            .iter()
            .map(|(asset_id, asset)| CreateAsset {
                asset_id: *asset_id,
                symbol: &asset.symbol,
                decimals: asset.decimals,
            });
        let balance = |row: &Row| BalanceState {
            account_id: self.accounts.id_of_holder(row.holder),
            asset_id: row.asset_id,
            available_atoms: row.available_atoms,
            held_atoms: row.held_atoms,
            in_flight_atoms: row.in_flight_atoms,
        };
        let rows = self.balances.rows().iter();
        let mut balances: Vec<_> = rows
            .filter(|row| row.amounts() != (0, 0, 0))
            .map(balance)
            .collect();
        balances.sort_unstable_by_key(|row| (row.account_id, row.asset_id));
        let deposits = self.custody.deposits.iter().map(|(id, row)| DepositState {
            deposit_id: *id,
            account_id: row.account_id,
            asset_id: row.asset_id,
            amount_atoms: row.amount_atoms,
            credited: row.credited,
        });
        let withdrawals = self.custody.withdrawals.iter();
        let withdrawals = withdrawals.map(|(id, row)| WithdrawalState {
            withdrawal_id: *id,
            account_id: row.account_id,
            asset_id: row.asset_id,
            amount_atoms: row.amount_atoms,
            fee_atoms: row.fee_atoms,
            phase: row.phase,
        });
        let sources = self.custody.sources.iter().map(|(id, last)| SourceState {
            source_id: *id,
            last_source_seq: *last,
        });
        MoneySection {
            assets: assets.collect(),
            balances,
            deposits: deposits.collect(),
            withdrawals: withdrawals.collect(),
            sources: sources.collect(),
        }
    }

    fn book_state<'a>(&'a self, market: &'a Market) -> BookState<'a> {
        BookState {
            market: market.created(),
            phase: market.phase,
            market_seq: market.market_seq,
            trade_id: market.trade_id,
            public_order_id: market.public_order_id,
            last_l2_market_seq: market.last_l2_market_seq,
            killed: market.killed,
            clearing: market.clearing,
            cleared_count: market.cleared_count,
            bids: self.order_states(market, Side::Buy),
            asks: self.order_states(market, Side::Sell),
            reference_price_ticks: market.reference_price_ticks,
        }
    }

    fn order_states(&self, market: &Market, side: Side) -> Vec<OrderState> {
        let handles = market.book.handles(&self.places, side);
        handles
            .map(|(price_ticks, handle)| self.order_state(handle, price_ticks))
            .collect()
    }

    fn order_state(&self, handle: u32, price_ticks: i64) -> OrderState {
        let place = &self.places[handle];
        let order = &self.orders[handle as usize];
        let leaves_lots = self.leaves_of(handle);
        let display_lots = self.display_of(handle);
        OrderState {
            order_id: order.order_id,
            account_id: self.accounts[place.account].account_id,
            cl_ord_id: self.cl_ord_id(handle),
            session_id: order.session_id,
            price_ticks,
            quantity_lots: order.quantity_lots,
            leaves_lots,
            cum_lots: order.quantity_lots - leaves_lots,
            cum_tick_lots: order.cum_tick_lots,
            maker_fee_ppm: order.maker_fee_ppm,
            taker_fee_ppm: order.taker_fee_ppm,
            expire_time_ns: order.expire_time_ns,
            post_only: order.post_only,
            self_trade_prevention: order.mode,
            tag: order.tag,
            public_order_id: order.public_order_id,
            display_lots,
            shown_lots: if display_lots == 0 {
                0
            } else {
                place.shown_lots
            },
        }
    }

    fn triggers_section(&self) -> TriggersSection {
        let markets = self.markets.sorted().filter_map(|place| {
            let market = &self.markets[place];
            let triggers = &market.triggers;
            let says_something = triggers.last_price_ticks != 0 || !triggers.is_empty();
            says_something.then(|| MarketTriggers {
                market_id: market.market_id,
                last_price_ticks: triggers.last_price_ticks,
                waiting: triggers
                    .handles()
                    .map(|handle| self.waiting_order(handle))
                    .collect(),
                ready_order_ids: triggers
                    .ready()
                    .map(|handle| self.orders[handle as usize].order_id)
                    .collect(),
            })
        });
        TriggersSection {
            markets: markets.collect(),
        }
    }

    fn waiting_order(&self, handle: u32) -> WaitingOrder {
        let wait = &self.waits[self.places[handle].next];
        WaitingOrder {
            order: self.order_state(handle, wait.price_ticks),
            side: wait.side,
            order_type: wait.order_type,
            time_in_force: wait.time_in_force,
            trigger_price_ticks: wait.trigger_price_ticks,
            trailing_offset_ticks: wait.trailing_offset_ticks,
            trailing_offset_ppm: wait.trailing_offset_ppm,
            extreme_price_ticks: wait.extreme_price_ticks,
            seen_price_ticks: wait.seen_price_ticks,
            quote_budget_atoms: wait.budget_atoms,
        }
    }

    fn sessions_section(&self) -> SessionsSection {
        let sessions = self.sessions.places().map(|place| {
            let session = &self.sessions[place];
            SessionState {
                established: session.established().clone(),
                connection: session.connection,
                connected: session.connected,
                last_order_seq_no: session.last_order_seq_no,
                last_cancel_seq_no: session.last_cancel_seq_no,
                last_used_ns: session.last_used_ns,
                early_cancels: session.early_cancels.clone(),
            }
        });
        SessionsSection {
            sessions: sessions.collect(),
            windows: self.windows.states().collect(),
        }
    }

    fn keys_section(&self) -> KeysSection {
        let accounts = self.accounts.sorted().into_iter().filter_map(|place| {
            let account = &self.accounts[place];
            let keys = &account.keys;
            let says_something = !keys.is_empty() || keys.stale_floor_ns != 0;
            says_something.then(|| AccountKeys {
                account_id: account.account_id,
                stale_floor_ns: keys.stale_floor_ns,
                keys: keys.sorted().into_iter().map(Key::state).collect(),
            })
        });
        KeysSection {
            accounts: accounts.collect(),
        }
    }

    fn limits_section(&self) -> LimitsSection<'_> {
        let firms = self.firms.iter().map(|(firm_id, name)| FirmState {
            firm: CreateFirm {
                firm_id: *firm_id,
                name,
            },
            killed: self.switches.firms.contains(firm_id),
        });
        let accounts = self.accounts.sorted().into_iter().map(|place| {
            let account = &self.accounts[place];
            AccountState {
                account: self.accounts.created(place),
                frozen: account.frozen,
                killed: account.killed,
                account_seq: account.account_seq,
                cancel_all_at_ns: self.dead_mans.of(place),
            }
        });
        LimitsSection {
            firms: firms.collect(),
            accounts: accounts.collect(),
            killed: self.switches.shard,
            fee_tiers: self.fee_tiers.states().collect(),
            trading_limits: self.trading_limits.states().collect(),
        }
    }
}
