//! The state from the rows of a snapshot. Rows that contradict each other are refused: what is restored must never stop
//! the engine later.

use crate::balances::{holder_of, venue_holder};
use crate::book::{NONE, Place};
use crate::custody::{Deposit, Withdrawal};
use crate::engine::Engine;
use crate::icebergs::Iceberg;
use crate::keys::Key;
use crate::limits::{
    AMOUNT_ATOMS_MAX, FEE_PPM_MAX, FIRM_ACCOUNTS_FROM, FULL_RULES, IN_TRANSIT, LIST_ITEMS_MAX,
    PEER_SHARD_MAX, PRICE_TICKS_MAX, QUANTITY_LOTS_MAX, VENUE_ACCOUNTS_MAX,
};
use crate::orders::Order;
use crate::sessions::Session;
use crate::types::{
    AccountKeys, BookState, DisconnectWindow, KeyKind, MarketTriggers, MoneySection, OrderState,
    RejectReason, SessionState, Side, WaitingOrder, WithdrawalPhase,
};
use crate::waits::{WAITING, Wait, is_waiting_type};
use cambist_codec::{RULES_DEFAULT, Snapshot, SnapshotRefused};
use std::collections::BTreeSet;

/// Whether rows agree.
type Agreed<T = ()> = Option<T>;

fn agree(condition: bool) -> Agreed {
    condition.then_some(())
}

/// Whether a waiting order is one that commands can have made.
fn is_sound(wait: &WaitingOrder) -> bool {
    let order = &wait.order;
    let prices = [
        order.price_ticks,
        wait.extreme_price_ticks,
        wait.seen_price_ticks,
        wait.trigger_price_ticks,
        wait.trailing_offset_ticks,
    ];
    is_waiting_type(wait.order_type)
        && wait.side != Side::Unspecified
        && order.cum_lots == 0
        && order.public_order_id == 0
        && !order.post_only
        && order.display_lots == 0
        && order.leaves_lots == order.quantity_lots
        && (0..=QUANTITY_LOTS_MAX).contains(&order.leaves_lots)
        && (0..=AMOUNT_ATOMS_MAX).contains(&wait.quote_budget_atoms)
        && (order.leaves_lots >= 1) != (wait.quote_budget_atoms >= 1)
        && prices
            .iter()
            .all(|price| (0..=PRICE_TICKS_MAX).contains(price))
}

/// A row of a book on its way to its queue.
struct Queued<'a> {
    state: &'a OrderState,
    market: u32,
    side: Side,
    handle: u32,
    wait: Option<&'a WaitingOrder>,
}

impl Engine {
    /// An engine in the state of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotRefused::Inconsistent`].
    pub fn from_snapshot(snapshot: &Snapshot<'_>) -> Result<Self, SnapshotRefused> {
        Self::from_snapshot_knowing(snapshot, RULES_DEFAULT)
    }

    /// The same, which may switch to rules versions up to `rules_newest`.
    ///
    /// # Errors
    /// [`SnapshotRefused::Inconsistent`].
    pub fn from_snapshot_knowing(
        snapshot: &Snapshot<'_>,
        rules_newest: u32,
    ) -> Result<Self, SnapshotRefused> {
        let engine = Self::rebuild(snapshot, rules_newest).ok_or(SnapshotRefused::Inconsistent)?;
        // What the steps above did not look at, the order of every list foremost, shows here.
        let again = Snapshot {
            state_hash: snapshot.state_hash,
            ..engine.to_snapshot()
        };
        if again == *snapshot {
            Ok(engine)
        } else {
            Err(SnapshotRefused::Inconsistent)
        }
    }

    fn rebuild(snapshot: &Snapshot<'_>, rules_newest: u32) -> Agreed<Self> {
        agree((1..=rules_newest).contains(&snapshot.rules_version))?;
        let is_full = snapshot.rules_version >= FULL_RULES;
        agree(is_full || snapshot.triggers.markets.is_empty())?;
        let mut engine = Self::knowing(snapshot.shard, rules_newest);
        engine.rules.version = snapshot.rules_version;
        engine.rules.next = snapshot.rules_version;
        engine.last_seq = snapshot.last_seq;
        engine.time_ns = snapshot.time_ns;
        engine.next_order_id = snapshot.next_order_id;
        engine.switches.shard = snapshot.limits.killed;
        for firm in &snapshot.limits.firms {
            engine.add_firm(&firm.firm).ok()?;
            if firm.killed {
                engine.switches.firms.insert(firm.firm.firm_id);
            }
        }
        let switches = &engine.switches;
        agree(is_full || (!switches.shard && switches.firms.is_empty()))?;
        for state in &snapshot.limits.accounts {
            let place = engine.add_account(&state.account).ok()?;
            let account = &mut engine.accounts[place];
            account.frozen = state.frozen;
            account.killed = state.killed;
            account.account_seq = state.account_seq;
            let ends_ns = state.cancel_all_at_ns;
            agree(ends_ns == 0 || (ends_ns > 0 && is_full))?;
            let account_id = account.account_id;
            engine.dead_mans.arm(place, account_id, ends_ns);
        }
        engine.restore_money(&snapshot.money)?;
        engine.restore_books(&snapshot.books.books, &snapshot.triggers.markets)?;
        engine.restore_fee_tiers(&snapshot.limits.fee_tiers)?;
        engine.restore_trading_limits(&snapshot.limits.trading_limits)?;
        for state in &snapshot.sessions.sessions {
            engine.restore_session(state)?;
        }
        let windows = &snapshot.sessions.windows;
        agree(is_full || windows.is_empty())?;
        for state in windows {
            engine.restore_window(state)?;
        }
        for state in &snapshot.keys.accounts {
            engine.restore_keys(state)?;
        }
        engine.check_orders()?;
        engine.check_holds()?;
        Some(engine)
    }

    fn holder_of_id(&self, account_id: u64) -> Agreed<u32> {
        if account_id >= FIRM_ACCOUNTS_FROM {
            return self.accounts.find(account_id).map(holder_of);
        }
        let in_transit = u64::from(IN_TRANSIT);
        let peers = in_transit + 1..=in_transit + u64::from(PEER_SHARD_MAX);
        let known = (1..=VENUE_ACCOUNTS_MAX).contains(&account_id) || peers.contains(&account_id);
        known.then(|| venue_holder(account_id))
    }

    fn restore_money(&mut self, money: &MoneySection<'_>) -> Agreed {
        for asset in &money.assets {
            self.add_asset(asset).ok()?;
        }
        for state in &money.balances {
            let holder = self.holder_of_id(state.account_id)?;
            agree(self.assets.knows(state.asset_id))?;
            let row = self.balances.row(holder, state.asset_id);
            let row = self.balances.change(row);
            row.available_atoms = state.available_atoms;
            row.held_atoms = state.held_atoms;
            row.in_flight_atoms = state.in_flight_atoms;
        }
        for state in &money.deposits {
            self.holder_of_id(state.account_id)?;
            agree(self.assets.knows(state.asset_id))?;
            Self::judge_amount(state.amount_atoms).ok()?;
            let deposit = Deposit {
                account_id: state.account_id,
                asset_id: state.asset_id,
                amount_atoms: state.amount_atoms,
                credited: state.credited,
            };
            self.custody.deposits.insert(state.deposit_id, deposit);
        }
        for state in &money.withdrawals {
            self.accounts.find(state.account_id)?;
            agree(self.assets.knows(state.asset_id))?;
            agree(state.phase != WithdrawalPhase::Unspecified)?;
            Self::judge_amount(state.amount_atoms).ok()?;
            agree(state.fee_atoms == 0 || Self::judge_amount(state.fee_atoms).is_ok())?;
            let withdrawal = Withdrawal {
                account_id: state.account_id,
                asset_id: state.asset_id,
                amount_atoms: state.amount_atoms,
                fee_atoms: state.fee_atoms,
                phase: state.phase,
            };
            self.custody
                .withdrawals
                .insert(state.withdrawal_id, withdrawal);
        }
        let sources = money.sources.iter();
        self.custody.sources = sources
            .map(|state| (state.source_id, state.last_source_seq))
            .collect();
        Some(())
    }

    fn restore_books(&mut self, books: &[BookState<'_>], triggers: &[MarketTriggers]) -> Agreed {
        let mut queued = Vec::new();
        for state in books {
            let place = self.add_market(&state.market).ok()?;
            let market = &mut self.markets[place];
            market.phase = state.phase;
            market.market_seq = state.market_seq;
            market.trade_id = state.trade_id;
            #[cfg(feature = "plant-restore-forgets-trade-ids")]
            {
                market.trade_id = 0;
            }
            market.public_order_id = state.public_order_id;
            market.last_l2_market_seq = state.last_l2_market_seq;
            market.killed = state.killed;
            market.clearing = state.clearing;
            market.cleared_count = state.cleared_count;
            self.restore_reference(place, state.reference_price_ticks)?;
            if state.clearing {
                self.markets.clearing.insert(state.market.market_id);
            }
            for (side, orders) in [(Side::Buy, &state.bids), (Side::Sell, &state.asks)] {
                queued.extend(orders.iter().map(|state| Queued {
                    state,
                    market: place,
                    side,
                    handle: NONE,
                    wait: None,
                }));
            }
        }
        for state in triggers {
            let place = self.markets.find(state.market_id)?;
            agree((0..=PRICE_TICKS_MAX).contains(&state.last_price_ticks))?;
            self.markets[place].triggers.last_price_ticks = state.last_price_ticks;
            queued.extend(state.waiting.iter().map(|wait| Queued {
                state: &wait.order,
                market: place,
                side: wait.side,
                handle: NONE,
                wait: Some(wait),
            }));
        }
        // The orders of an account are listed by order id, those of a level by their place in the queue.
        let mut by_id: Vec<&mut Queued<'_>> = queued.iter_mut().collect();
        by_id.sort_unstable_by_key(|queued| queued.state.order_id);
        for queued in by_id {
            queued.handle = self.restore_order(queued)?;
        }
        for state in triggers {
            self.restore_ready(state)?;
        }
        #[cfg(feature = "plant-restore-loses-priority")]
        queued.sort_by_key(|queued| {
            (
                queued.market,
                queued.side,
                queued.state.price_ticks,
                queued.state.leaves_lots,
            )
        });
        for queued in queued.iter().filter(|queued| queued.wait.is_none()) {
            let (side, price_ticks) = (queued.side, queued.state.price_ticks);
            let book = &mut self.markets[queued.market].book;
            book.insert(&mut self.places, queued.handle, side, price_ticks);
        }
        Some(())
    }

    /// Puts an order into every table but the book.
    fn restore_order(&mut self, queued: &Queued<'_>) -> Agreed<u32> {
        let Queued {
            state,
            market: place,
            ..
        } = *queued;
        let market = &self.markets[place];
        let (base, quote) = (market.base_asset_id, market.quote_asset_id);
        let fees = [state.maker_fee_ppm, state.taker_fee_ppm];
        let sizes = match queued.wait {
            Some(wait) => is_sound(wait),
            None => {
                (1..=PRICE_TICKS_MAX).contains(&state.price_ticks)
                    && (1..=QUANTITY_LOTS_MAX).contains(&state.quantity_lots)
                    && (1..=state.quantity_lots).contains(&state.leaves_lots)
            }
        };
        let bounded = sizes
            && state.cum_lots == state.quantity_lots - state.leaves_lots
            && fees
                .iter()
                .all(|fee| fee.unsigned_abs() <= FEE_PPM_MAX.unsigned_abs())
            && state.taker_fee_ppm >= 0
            && (1..self.next_order_id).contains(&state.order_id)
            && self.live.get(state.order_id).is_none();
        agree(bounded)?;
        market
            .fits(state.price_ticks, state.quantity_lots)
            .then_some(())?;
        let account = self.accounts.find(state.account_id)?;
        let holder = holder_of(account);
        let (shown_lots, iceberg) = self.restore_iceberg(state)?;
        let place = Place {
            shown_lots,
            previous: NONE,
            next: NONE,
            level: NONE,
            group: self.accounts[account].group,
            account,
            market: place,
        };
        let order = Order {
            cum_tick_lots: state.cum_tick_lots,
            order_id: state.order_id,
            quantity_lots: state.quantity_lots,
            public_order_id: state.public_order_id,
            session_id: state.session_id,
            expire_time_ns: state.expire_time_ns,
            maker_fee_ppm: state.maker_fee_ppm,
            taker_fee_ppm: state.taker_fee_ppm,
            base_row: self.balances.row(holder, base),
            quote_row: self.balances.row(holder, quote),
            key: NONE,
            page: NONE,
            previous: NONE,
            next: NONE,
            iceberg,
            tag: state.tag,
            post_only: state.post_only,
            mode: state.self_trade_prevention,
        };
        let Some(wait) = queued.wait else {
            return Some(self.list(place, order));
        };
        let row = Wait::of(wait);
        Some(self.list_waiting(place, order, row))
    }

    /// What an order shows, and its row when it is an iceberg.
    fn restore_iceberg(&mut self, state: &OrderState) -> Agreed<(i64, u32)> {
        let (display_lots, leaves_lots) = (state.display_lots, state.leaves_lots);
        if display_lots == 0 {
            agree(state.shown_lots == 0)?;
            return Some((leaves_lots, NONE));
        }
        agree(self.rules.version >= FULL_RULES)?;
        agree((1..=display_lots.min(leaves_lots)).contains(&state.shown_lots))?;
        let row = Iceberg {
            display_lots,
            hidden_lots: leaves_lots - state.shown_lots,
        };
        Some((state.shown_lots, self.icebergs.take(row)))
    }

    /// Puts ready orders into their queue, which is all of those that saw their price.
    fn restore_ready(&mut self, state: &MarketTriggers) -> Agreed {
        let market = self.markets.find(state.market_id)?;
        for order_id in &state.ready_order_ids {
            let handle = self.live.get(*order_id)?;
            let place = self.places[handle];
            agree(place.level == WAITING && place.market == market)?;
            let wait = &mut self.waits[place.next];
            agree(wait.seen_price_ticks != 0)?;
            let triggers = &mut self.markets[market].triggers;
            triggers.restore_ready(wait, *order_id, handle);
        }
        let known: BTreeSet<_> = state.ready_order_ids.iter().collect();
        agree(known.len() == state.ready_order_ids.len())?;
        let seen = |wait: &&WaitingOrder| wait.seen_price_ticks != 0;
        agree(state.waiting.iter().filter(seen).count() == state.ready_order_ids.len())?;
        self.note_ready(market);
        Some(())
    }

    fn restore_session(&mut self, state: &SessionState) -> Agreed {
        let established = &state.established;
        agree(established.session_id != 0 && established.correlation == 0)?;
        agree(self.sessions.find(established.session_id).is_none())?;
        self.judge_accounts(established).ok()?;
        let mut session = Session::new(established);
        session.connection = state.connection;
        session.connected = state.connected;
        session.last_order_seq_no = state.last_order_seq_no;
        session.last_cancel_seq_no = state.last_cancel_seq_no;
        session.last_used_ns = state.last_used_ns;
        session.early_cancels.clone_from(&state.early_cancels);
        self.sessions.add(session);
        Some(())
    }

    fn restore_window(&mut self, state: &DisconnectWindow) -> Agreed {
        agree(state.session_id != 0 && state.ends_ns > 0)?;
        let place = self.sessions.find(state.session_id);
        agree(place.is_none_or(|place| !self.sessions[place].connected))?;
        let accounts = &state.account_ids;
        agree(
            (1..=LIST_ITEMS_MAX).contains(&accounts.len()) && accounts.is_sorted_by(|a, b| a < b),
        )?;
        for account_id in accounts {
            self.accounts.find(*account_id)?;
        }
        self.windows
            .begin(state.session_id, state.ends_ns, accounts.clone());
        Some(())
    }

    fn restore_keys(&mut self, state: &AccountKeys) -> Agreed {
        let account = self.accounts.find(state.account_id)?;
        self.accounts[account].keys.stale_floor_ns = state.stale_floor_ns;
        // In the order of their age, so that they go in the order in which they will be forgotten.
        let mut keys: Vec<_> = state.keys.iter().collect();
        keys.sort_unstable_by_key(|key| (key.sent_time_ns, key.id));
        for key in keys {
            let keys = &self.accounts[account].keys;
            agree(key.kind != KeyKind::Unspecified && keys.find(key.id).is_none())?;
            let handle = if key.open {
                self.order_of_key(account, key.order_id)?
            } else {
                NONE
            };
            let owner = &mut self.accounts[account];
            let restored = Key::from_state(key, handle);
            if key.open {
                agree(key.kind == KeyKind::NewOrder && key.reason == RejectReason::Unspecified)?;
                self.orders[handle as usize].key = owner.keys.insert_open(restored);
            } else {
                let capacity = owner.limits.id_capacity;
                agree(owner.keys.closed() < capacity)?;
                owner.keys.insert_closed(restored, capacity);
            }
        }
        Some(())
    }

    /// The resting order of a key, which has none yet.
    fn order_of_key(&self, account: u32, order_id: u64) -> Agreed<u32> {
        let handle = self.live.get(order_id)?;
        let its_own = self.places[handle].account == account;
        (its_own && self.orders[handle as usize].key == NONE).then_some(handle)
    }

    /// Every resting order has a key, and no book is crossed.
    fn check_orders(&self) -> Agreed {
        for place in self.markets.sorted() {
            let market = &self.markets[place];
            for side in [Side::Buy, Side::Sell] {
                for (_, handle) in market.book.handles(&self.places, side) {
                    agree(self.orders[handle as usize].key != NONE)?;
                }
            }
            for handle in market.triggers.handles() {
                agree(self.orders[handle as usize].key != NONE)?;
            }
            let crossed = market
                .book
                .best(Side::Buy)
                .is_some_and(|best| market.book.would_trade(Side::Buy, best.price_ticks));
            agree(!crossed)?;
        }
        Some(())
    }

    /// What is held and in flight is what orders and withdrawals hold.
    pub(crate) fn check_holds(&self) -> Agreed {
        let mut sums = vec![(0, 0); self.balances.rows().len()];
        for place in self.markets.sorted() {
            for side in [Side::Buy, Side::Sell] {
                let book = &self.markets[place].book;
                for (_, handle) in book.handles(&self.places, side) {
                    let (row, held) = self.held_by(handle);
                    sums[row as usize].0 += held;
                }
            }
            for handle in self.markets[place].triggers.handles() {
                let (row, held) = self.held_by(handle);
                sums[row as usize].0 += held;
            }
        }
        for withdrawal in self.custody.withdrawals.values() {
            let atoms = withdrawal.amount_atoms + withdrawal.fee_atoms;
            let holder = self.holder_of_id(withdrawal.account_id)?;
            let row = self.balances.find(holder, withdrawal.asset_id);
            match withdrawal.phase {
                WithdrawalPhase::Requested => sums[row? as usize].0 += atoms,
                WithdrawalPhase::Started => sums[row? as usize].1 += atoms,
                _ => {}
            }
        }
        let rows = self.balances.rows().iter();
        let agreed = rows
            .zip(sums)
            .all(|(row, sums)| (row.held_atoms, row.in_flight_atoms) == sums);
        agree(agreed)
    }
}
