//! What is judged of a new order before anything changes, in the order of `docs/semantics.md` section 4.

use crate::balances::holder_of;
use crate::book::NONE;
use crate::engine::Engine;
use crate::firm::Context;
use crate::icebergs::takes_display;
use crate::limits::{
    AMOUNT_ATOMS_MAX, EXPIRE_TIME_AHEAD_NS, FULL_RULES, PRICE_TICKS_MAX, QUANTITY_LOTS_MAX,
};
use crate::markets::Market;
use crate::matcher::Taker;
use crate::money::{checked_base_amount, checked_notional};
use crate::new_order::can_rest;
use crate::refusal::{Refusal, refuse_if};
use crate::trading_limits::{Asked, Extent};
use crate::types::{
    MarketPhase, NewOrder, OrderType, RejectReason, SelfTradePrevention, Side, TimeInForce,
};
use crate::waiting_orders;
use crate::waits::is_waiting_type;

/// Whether an order names a trigger of any kind.
#[inline]
fn has_trigger(order: &NewOrder) -> bool {
    order.trailing_offset_ppm != 0 || (order.trigger_price_ticks | order.trailing_offset_ticks) != 0
}

/// Fields that this build knows.
#[inline]
fn judge_kind(order: &NewOrder, rules_version: u32) -> Result<(), RejectReason> {
    refuse_if(
        order.side == Side::Unspecified
            || order.order_type == OrderType::Unspecified
            || order.time_in_force == TimeInForce::Unspecified,
        RejectReason::InvalidCombination,
    )?;
    let later = matches!(
        order.time_in_force,
        TimeInForce::AtTheOpen | TimeInForce::AtTheClose
    );
    let later = later || order.hidden || order.peg_offset_ticks != 0;
    let is_plain = matches!(order.order_type, OrderType::Limit | OrderType::Market);
    let full = order.time_in_force == TimeInForce::Day
        || !is_plain
        || has_trigger(order)
        || (order.minimum_lots | order.display_lots) != 0;
    refuse_if(
        later || (full && (rules_version < FULL_RULES || order.order_type == OrderType::Pegged)),
        RejectReason::Unsupported,
    )
}

/// Fields that go together.
#[inline]
fn judge_combination(order: &NewOrder) -> Result<(), RejectReason> {
    let has_budget = order.quote_budget_atoms != 0;
    let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let is_fok = order.time_in_force == TimeInForce::Fok;
    let clash = if order.order_type == OrderType::Limit {
        has_budget
    } else {
        order.price_ticks != 0
            || !at_once
            || (order.quantity_lots != 0) == has_budget
            || has_budget
                && (order.side == Side::Sell
                    || is_fok
                    || order.self_trade_prevention == SelfTradePrevention::Decrement)
    };
    let post_only = order.post_only && (order.order_type == OrderType::Market || at_once);
    let expires = order.expire_time_ns != 0 && order.time_in_force != TimeInForce::Gtd;
    let minimum = order.minimum_lots != 0
        && (!(1..=order.quantity_lots).contains(&order.minimum_lots)
            || is_fok
            || order.post_only
            || has_budget);
    let display = order.display_lots != 0 && !takes_display(order);
    refuse_if(
        clash || post_only || expires || minimum || display || has_trigger(order),
        RejectReason::InvalidCombination,
    )
}

impl Market {
    /// Section 4.7.
    #[inline]
    pub(crate) fn judge_price(&self, price_ticks: i64) -> Result<(), RejectReason> {
        refuse_if(
            !(1..=PRICE_TICKS_MAX).contains(&price_ticks),
            RejectReason::InvalidPrice,
        )?;
        let step = self.parameters.price_step_ticks;
        refuse_if(step != 1 && price_ticks % step != 0, RejectReason::OffTick)
    }

    /// Section 4.8, without a budget.
    #[inline]
    pub(crate) fn judge_quantity(&self, quantity_lots: i64) -> Result<(), RejectReason> {
        let parameters = &self.parameters;
        refuse_if(
            !(1..=QUANTITY_LOTS_MAX).contains(&quantity_lots),
            RejectReason::InvalidQuantity,
        )?;
        let step = parameters.quantity_step_lots;
        refuse_if(step != 1 && quantity_lots % step != 0, RejectReason::OffLot)?;
        refuse_if(
            quantity_lots < parameters.minimum_quantity_lots,
            RejectReason::QuantityBelowMinimum,
        )?;
        refuse_if(
            quantity_lots > parameters.maximum_quantity_lots,
            RejectReason::QuantityAboveMaximum,
        )
    }

    /// What an iceberg shows is of whole steps.
    #[inline]
    pub(crate) fn judge_display(&self, display_lots: i64) -> Result<(), RejectReason> {
        let is_off = display_lots != 0 && display_lots % self.parameters.quantity_step_lots != 0;
        refuse_if(is_off, RejectReason::OffLot)
    }

    /// Section 4.9, without a budget; `price_ticks` of a limit order.
    #[inline]
    pub(crate) fn judge_notional(
        &self,
        price_ticks: Option<i64>,
        quantity_lots: i64,
    ) -> Result<(), RejectReason> {
        let overflow = RejectReason::NotionalOverflow;
        checked_base_amount(quantity_lots, self.lot_size_atoms).ok_or(overflow)?;
        let Some(price_ticks) = price_ticks else {
            return Ok(());
        };
        let atoms =
            checked_notional(price_ticks, quantity_lots, self.tick_value).ok_or(overflow)?;
        let parameters = &self.parameters;
        refuse_if(
            atoms < parameters.minimum_notional_atoms,
            RejectReason::NotionalBelowMinimum,
        )?;
        let most = parameters.maximum_notional_atoms;
        refuse_if(
            most != 0 && atoms > most,
            RejectReason::NotionalAboveMaximum,
        )
    }
}

impl Engine {
    /// The market of a command, by its id.
    #[inline]
    pub(crate) fn market_of(&self, market_id: u32) -> Result<u32, RejectReason> {
        refuse_if(market_id >> 16 != self.shard, RejectReason::WrongShard)?;
        self.markets
            .find(market_id)
            .ok_or(RejectReason::UnknownMarket)
    }

    /// Sections 4.3 (the session's list) and 4.4.
    #[inline]
    pub(crate) fn judge_rights(
        &self,
        account: u32,
        market: u32,
        context: &Context,
    ) -> Result<(), RejectReason> {
        let market = &self.markets[market];
        refuse_if(
            context.session != NONE
                && !self.sessions[context.session].permits_market(market.market_id),
            RejectReason::MarketNotPermitted,
        )?;
        refuse_if(self.accounts[account].frozen, RejectReason::AccountFrozen)?;
        refuse_if(
            self.is_killed(account) || market.killed || market.clearing,
            RejectReason::Killed,
        )
    }

    /// Whether expired orders of a market are left over.
    #[inline]
    pub(crate) fn is_due(&self, market: u32) -> bool {
        self.markets[market].due_batch == self.batch
    }

    #[inline]
    fn judge_phase(&self, order: &NewOrder, market: u32) -> Result<(), Refusal> {
        let phase = self.markets[market].phase;
        let takes = match phase {
            MarketPhase::Continuous => true,
            MarketPhase::PostOnly => order.order_type == OrderType::Limit && can_rest(order),
            _ => false,
        };
        if !takes {
            return Err(Refusal::by_phase(phase));
        }
        if self.is_due(market) {
            return Err(Refusal::by_phase(MarketPhase::CancelOnly));
        }
        Ok(())
    }

    /// Sections 4.7 to 4.9.
    #[inline]
    fn judge_size(&self, order: &NewOrder, market: u32) -> Result<(), RejectReason> {
        let market = &self.markets[market];
        if is_waiting_type(order.order_type) {
            return market.judge_waiting(order);
        }
        let limit = (order.order_type == OrderType::Limit).then_some(order.price_ticks);
        if let Some(price_ticks) = limit {
            market.judge_price(price_ticks)?;
            market.judge_band(order.side, price_ticks)?;
        }
        if order.quote_budget_atoms != 0 {
            let fits = (1..=AMOUNT_ATOMS_MAX).contains(&order.quote_budget_atoms);
            return refuse_if(!fits, RejectReason::InvalidQuantity);
        }
        market.judge_quantity(order.quantity_lots)?;
        market.judge_display(order.display_lots)?;
        market.judge_notional(limit, order.quantity_lots)
    }

    /// Sections 4.10 to 4.12.
    #[inline]
    fn judge_entry(&self, order: &NewOrder, account: u32, market: u32) -> Result<(), RejectReason> {
        if order.time_in_force == TimeInForce::Gtd {
            let last = self.time_ns.saturating_add(EXPIRE_TIME_AHEAD_NS);
            refuse_if(
                order.expire_time_ns <= self.time_ns || order.expire_time_ns > last,
                RejectReason::InvalidExpireTime,
            )?;
        }
        let place = market;
        let market = &self.markets[place];
        let stays = can_rest(order) || is_waiting_type(order.order_type);
        let asked = Asked {
            side: order.side,
            before: None,
            after: Extent::of(order),
            stays,
        };
        self.judge_limits(account, place, &asked)?;
        if stays {
            let account = &self.accounts[account];
            refuse_if(
                u32::from(account.open_orders) >= account.limits.open_orders_max,
                RejectReason::OpenOrdersLimit,
            )?;
            refuse_if(
                market.open_orders() - self.gone_from(place)
                    >= market.parameters.resting_orders_max,
                RejectReason::BookFull,
            )?;
        }
        let post_only = order.post_only || market.phase == MarketPhase::PostOnly;
        refuse_if(
            post_only && self.would_trade(place, order),
            RejectReason::PostOnlyWouldCross,
        )
    }

    /// Judges an order by everything but funds and gives the place of its market.
    #[inline]
    fn judge_new_order(
        &self,
        order: &NewOrder,
        account: u32,
        context: &Context,
    ) -> Result<u32, Refusal> {
        judge_kind(order, self.rules.version)?;
        let market = self.market_of(order.market_id)?;
        self.judge_rights(account, market, context)?;
        self.judge_phase(order, market)?;
        if is_waiting_type(order.order_type) {
            waiting_orders::judge_combination(order)?;
        } else {
            judge_combination(order)?;
        }
        self.judge_size(order, market)?;
        self.judge_entry(order, account, market)?;
        Ok(market)
    }

    /// Sections 4.13 and 4.14; sets the rows and what is to be held.
    fn judge_funds(&mut self, order: &NewOrder, taker: &mut Taker) -> Result<(), RejectReason> {
        let market = &self.markets[taker.market];
        let holder = holder_of(taker.account);
        let (base, quote) = (market.base_asset_id, market.quote_asset_id);
        let (tick_value, lot_size) = (market.tick_value, market.lot_size_atoms);
        // Rows of zeros are no state: making them early changes nothing.
        taker.base_row = self.balances.row(holder, base);
        taker.quote_row = self.balances.row(holder, quote);
        if !taker.is_market {
            let hold = match taker.budget_atoms {
                Some(budget) => budget,
                None => taker.hold(taker.leaves_lots, tick_value, lot_size),
            };
            let available = self.balances.get(taker.held_row()).available_atoms;
            refuse_if(hold > available, RejectReason::InsufficientFunds)?;
            taker.held_atoms = hold;
        }
        let is_fok = order.time_in_force == TimeInForce::Fok
            && !cfg!(feature = "plant-fok-trades-then-refused");
        let needed = if is_fok {
            taker.quantity_lots
        } else {
            order.minimum_lots
        };
        let is_short = (is_fok || needed != 0) && !self.is_fillable(taker, needed);
        #[cfg(feature = "plant-refused-fok-fires-stops")]
        if is_short && !taker.is_market {
            self.note_price(taker.market, taker.price_ticks);
        }
        refuse_if(is_short, RejectReason::FokNotFillable)
    }

    /// All checks; changes nothing.
    #[inline]
    pub(crate) fn judge_order(
        &mut self,
        account: u32,
        order: &NewOrder,
        context: &Context,
    ) -> Result<Taker, Refusal> {
        let market = self.judge_new_order(order, account, context)?;
        let mut taker = self.taker_of(order, account, market);
        self.judge_funds(order, &mut taker)?;
        Ok(taker)
    }
}
