//! Tables of custody: assets, deposits and withdrawals that are not final, sources of money commands.

use crate::limits::{SOURCES_MAX, SUSPENSE};
use crate::types::{Credit, Id, MoneyKind, MoneyReport, RejectReason, WithdrawalPhase};
use std::collections::{BTreeMap, BTreeSet};

/// One asset.
#[derive(Debug)]
pub struct Asset {
    /// Symbol.
    pub symbol: Box<str>,
    /// Decimals of one whole unit.
    pub decimals: u32,
}

/// All assets.
#[derive(Debug, Default)]
pub struct Assets {
    /// By id.
    pub list: BTreeMap<u32, Asset>,
    symbols: BTreeSet<Box<str>>,
}

impl Assets {
    /// Whether an asset exists.
    #[must_use]
    pub fn knows(&self, asset_id: u32) -> bool {
        self.list.contains_key(&asset_id)
    }

    /// Whether an asset has this symbol.
    #[must_use]
    pub fn has_symbol(&self, symbol: &str) -> bool {
        self.symbols.contains(symbol)
    }

    /// Adds an asset that is not there.
    pub fn add(&mut self, asset_id: u32, symbol: &str, decimals: u32) {
        self.symbols.insert(symbol.into());
        let symbol = symbol.into();
        self.list.insert(asset_id, Asset { symbol, decimals });
    }
}

/// A credited or reversed deposit.
#[derive(Clone, Copy, Debug)]
pub struct Deposit {
    /// Account credited; SUSPENSE when the credit was refused.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount.
    pub amount_atoms: i128,
    /// Credited now, else reversed.
    pub credited: bool,
}

impl Deposit {
    /// Whether it was taken back and a credit says the same of it as before.
    #[must_use]
    pub fn may_return(&self, credit: &Credit) -> bool {
        let in_suspense = self.account_id == u64::from(SUSPENSE);
        !self.credited
            && (in_suspense || self.account_id == credit.account_id)
            && (self.asset_id, self.amount_atoms) == (credit.asset_id, credit.amount_atoms)
    }
}

/// A withdrawal.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawal {
    /// Account that pays.
    pub account_id: u64,
    /// Asset.
    pub asset_id: u32,
    /// Amount.
    pub amount_atoms: i128,
    /// Fee.
    pub fee_atoms: i128,
    /// State.
    pub phase: WithdrawalPhase,
}

impl Withdrawal {
    /// What its account is told of it.
    #[must_use]
    pub fn report(&self, kind: MoneyKind, id: Id) -> MoneyReport {
        MoneyReport {
            kind,
            id: Some(id),
            asset_id: self.asset_id,
            amount_atoms: self.amount_atoms,
            fee_atoms: self.fee_atoms,
            ..MoneyReport::default()
        }
    }
}

/// The tables.
#[derive(Debug, Default)]
pub struct Custody {
    /// By deposit id.
    pub deposits: BTreeMap<Id, Deposit>,
    /// By withdrawal id.
    pub withdrawals: BTreeMap<Id, Withdrawal>,
    /// Last number of each source.
    pub sources: BTreeMap<u32, u64>,
}

impl Custody {
    /// Takes the next number of a source; a refusal changes nothing.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, `SOURCE_REPEAT`, `SOURCE_GAP`, `CAPACITY`.
    pub fn take_number(&mut self, source_id: u32, source_seq: u64) -> Result<(), RejectReason> {
        if source_id == 0 {
            return Err(RejectReason::InvalidParameter);
        }
        let known = self.sources.get(&source_id).copied();
        let last = known.unwrap_or(0);
        if source_seq <= last {
            return Err(RejectReason::SourceRepeat);
        }
        if source_seq != last + 1 {
            return Err(RejectReason::SourceGap);
        }
        if known.is_none() && self.sources.len() >= SOURCES_MAX {
            return Err(RejectReason::Capacity);
        }
        self.sources.insert(source_id, source_seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gives_one_number_after_the_other() {
        let mut custody = Custody::default();
        for (source, seq, wanted) in [
            (0, 1, Err(RejectReason::InvalidParameter)),
            (7, 0, Err(RejectReason::SourceRepeat)),
            (7, 2, Err(RejectReason::SourceGap)),
            (7, 1, Ok(())),
            (7, 1, Err(RejectReason::SourceRepeat)),
            (7, 3, Err(RejectReason::SourceGap)),
            (7, 2, Ok(())),
            (8, 1, Ok(())),
        ] {
            assert_eq!(custody.take_number(source, seq), wanted, "{source} {seq}");
        }
    }

    #[test]
    fn there_is_a_most_of_sources() {
        let mut custody = Custody::default();
        let most = u32::try_from(SOURCES_MAX).expect("small");
        for source in 1..=most {
            assert_eq!(custody.take_number(source, 1), Ok(()));
        }
        assert_eq!(
            custody.take_number(most + 1, 1),
            Err(RejectReason::Capacity)
        );
        assert_eq!(custody.take_number(most, 2), Ok(()));
    }
}
