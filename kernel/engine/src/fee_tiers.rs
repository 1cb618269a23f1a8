//! Fees of single accounts, in one market or in all. `docs/semantics/risk.md`, section 4.
//!
//! Orders freeze the fees of their entry, so a tier never changes an order that is open.

use crate::engine::Engine;
use crate::limits::{FEE_PPM_MAX, FEE_TIERS_MAX, FULL_RULES};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{MarketParameters, RejectReason, SetFeeTier, SystemEvent};
use std::collections::BTreeMap;

/// What an order pays, in parts per million of notional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// When it rested; negative is a rebate.
    pub maker_ppm: i32,
    /// When it was the aggressor.
    pub taker_ppm: i32,
}

impl Fees {
    /// Those of a market.
    #[inline]
    #[must_use]
    pub fn of(parameters: &MarketParameters) -> Self {
        Self {
            maker_ppm: parameters.maker_fee_ppm,
            taker_ppm: parameters.taker_fee_ppm,
        }
    }

    /// Whether a market or an account may have them.
    #[must_use]
    pub fn are_in_bounds(self) -> bool {
        (0..=FEE_PPM_MAX).contains(&self.taker_ppm)
            && i64::from(self.maker_ppm).abs() <= i64::from(self.taker_ppm)
    }

    /// The lower taker fee and the higher rebate of two.
    fn join(self, other: Self) -> Self {
        Self {
            maker_ppm: self.maker_ppm.min(other.maker_ppm),
            taker_ppm: self.taker_ppm.min(other.taker_ppm),
        }
    }
}

/// The tiers of all accounts: from account and market (0 = all others) to fees.
#[derive(Debug, Default)]
pub struct FeeTiers(BTreeMap<(u64, u32), Fees>);

impl FeeTiers {
    /// What orders of an account pay in a market with fees of its own.
    #[inline]
    #[must_use]
    pub fn fees(&self, account_id: u64, market_id: u32, of_market: Fees) -> Fees {
        if self.0.is_empty() {
            return of_market;
        }
        let own = self.0.get(&(account_id, market_id));
        #[cfg(feature = "plant-fee-tier-of-all-rules")]
        let own = self.0.get(&(account_id, 0)).or(own);
        *own.or_else(|| self.0.get(&(account_id, 0)))
            .unwrap_or(&of_market)
    }

    /// Adds or replaces a tier within its bounds, and gives what was there before. Whether all are covered is not asked.
    pub(crate) fn set(&mut self, set: &SetFeeTier) -> Result<Option<Fees>, RejectReason> {
        let fees = Fees {
            maker_ppm: set.maker_fee_ppm,
            taker_ppm: set.taker_fee_ppm,
        };
        refuse_if(!fees.are_in_bounds(), RejectReason::InvalidParameter)?;
        let key = (set.account_id, set.market_id);
        let is_full = self.0.len() >= FEE_TIERS_MAX && !self.0.contains_key(&key);
        refuse_if(is_full, RejectReason::Capacity)?;
        Ok(self.0.insert(key, fees))
    }

    /// All of them, ascending by account, then market.
    pub fn states(&self) -> impl Iterator<Item = SetFeeTier> + '_ {
        self.0
            .iter()
            .map(|((account_id, market_id), fees)| SetFeeTier {
                account_id: *account_id,
                market_id: *market_id,
                maker_fee_ppm: fees.maker_ppm,
                taker_fee_ppm: fees.taker_ppm,
                remove: false,
            })
    }

    /// Whether no rebate is above a taker fee that pays for it, in any of these markets.
    fn are_covered(&self, markets: impl Iterator<Item = (u32, Fees)>) -> bool {
        let mut extremes: BTreeMap<u32, Fees> = BTreeMap::new();
        for ((_, market_id), fees) in &self.0 {
            let extreme = extremes.entry(*market_id).or_insert(*fees);
            *extreme = extreme.join(*fees);
        }
        let mut all = markets.map(|(market_id, of_market)| {
            let tiers = [0, market_id].map(|id| extremes.get(&id).copied());
            tiers.into_iter().flatten().fold(of_market, Fees::join)
        });
        all.all(|extreme| extreme.maker_ppm >= -extreme.taker_ppm)
    }
}

impl Engine {
    pub(crate) fn set_fee_tier<S: Sink>(
        &mut self,
        set: &SetFeeTier,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        refuse_if(self.rules.version < FULL_RULES, RejectReason::Unsupported)?;
        self.account_of(set.account_id)?;
        if set.market_id != 0 {
            self.market_of(set.market_id)?;
        }
        if set.remove {
            let names_fees = set.maker_fee_ppm != 0 || set.taker_fee_ppm != 0;
            refuse_if(names_fees, RejectReason::InvalidParameter)?;
            self.fee_tiers.0.remove(&(set.account_id, set.market_id));
        } else {
            let before = self.fee_tiers.set(set)?;
            if !self.are_fees_covered() {
                let key = (set.account_id, set.market_id);
                match before {
                    Some(fees) => self.fee_tiers.0.insert(key, fees),
                    None => self.fee_tiers.0.remove(&key),
                };
                return Err(RejectReason::InvalidParameter);
            }
        }
        ask.done(sink);
        sink.system(&SystemEvent::FeeTierSet(*set));
        Ok(())
    }

    /// The rows of a snapshot, when all accounts and markets are there: nothing if commands cannot have made them.
    pub(crate) fn restore_fee_tiers(&mut self, states: &[SetFeeTier]) -> Option<()> {
        let is_allowed = self.rules.version >= FULL_RULES || states.is_empty();
        is_allowed.then_some(())?;
        for state in states {
            self.accounts.find(state.account_id)?;
            if state.market_id != 0 {
                self.markets.find(state.market_id)?;
            }
            self.fee_tiers.set(state).ok()?;
        }
        self.are_fees_covered().then_some(())
    }

    /// No rebate is above a taker fee that pays for it, in any market.
    fn are_fees_covered(&self) -> bool {
        self.fee_tiers
            .are_covered(self.markets.sorted().map(|place| {
                let market = &self.markets[place];
                (market.market_id, Fees::of(&market.parameters))
            }))
    }

    /// A market with these parameters would pay no rebate above a taker fee that pays for it.
    pub(crate) fn judge_fees(&self, market_id: u32, parameters: &MarketParameters) -> Outcome {
        let market = std::iter::once((market_id, Fees::of(parameters)));
        let is_covered = self.fee_tiers.0.is_empty() || self.fee_tiers.are_covered(market);
        refuse_if(!is_covered, RejectReason::InvalidParameter)
    }
}
