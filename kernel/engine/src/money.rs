//! Arithmetic of money: notionals, fees, holds. Exact integers; what could pass a bound is checked, and only fees round.

use crate::limits::AMOUNT_ATOMS_MAX;

const MILLION: u64 = 1_000_000;

/// `price × quantity × tick value` of an order or trade that was judged before.
///
/// # Panics
/// When it passes 127 bits, which [`checked_notional`] keeps out.
#[inline]
#[must_use]
pub fn notional(price_ticks: i64, quantity_lots: i64, tick_value: i64) -> i128 {
    if let Some(tick_lots) = price_ticks.checked_mul(quantity_lots) {
        return i128::from(tick_lots) * i128::from(tick_value);
    }
    wide_notional(price_ticks, quantity_lots, tick_value).expect("judged at entry")
}

#[cold]
fn wide_notional(price_ticks: i64, quantity_lots: i64, tick_value: i64) -> Option<i128> {
    (i128::from(price_ticks) * i128::from(quantity_lots)).checked_mul(i128::from(tick_value))
}

/// The notional, unless it is above `AMOUNT_ATOMS_MAX`.
#[inline]
#[must_use]
pub fn checked_notional(price_ticks: i64, quantity_lots: i64, tick_value: i64) -> Option<i128> {
    wide_notional(price_ticks, quantity_lots, tick_value).filter(|atoms| *atoms <= AMOUNT_ATOMS_MAX)
}

/// `quantity × lot size`, unless it is above `AMOUNT_ATOMS_MAX`.
#[inline]
#[must_use]
pub fn checked_base_amount(quantity_lots: i64, lot_size_atoms: i128) -> Option<i128> {
    i128::from(quantity_lots)
        .checked_mul(lot_size_atoms)
        .filter(|atoms| *atoms <= AMOUNT_ATOMS_MAX)
}

/// `floor(atoms × ppm / 10^6)` and whether something is left over, for atoms ≥ 0 and ppm from 0 to 10^6.
#[inline]
fn parts_per_million(atoms: i128, ppm: u32) -> (i128, bool) {
    let ppm = u64::from(ppm);
    match u64::try_from(atoms) {
        Ok(small) if small < 1 << 43 => {
            let product = small * ppm;
            (i128::from(product / MILLION), product % MILLION != 0)
        }
        Ok(small) => {
            let rest = small % MILLION * ppm;
            let whole = i128::from(small / MILLION) * i128::from(ppm);
            (
                whole + i128::from(rest / MILLION),
                !rest.is_multiple_of(MILLION),
            )
        }
        Err(_) => {
            let million = i128::from(MILLION);
            let rest = atoms % million * i128::from(ppm);
            let whole = atoms / million * i128::from(ppm);
            (whole + rest / million, rest % million != 0)
        }
    }
}

/// The fee on a notional at `ppm`: rounded up when it is paid, down when it is a rebate.
#[inline]
#[must_use]
pub fn fee(notional_atoms: i128, ppm: i32) -> i128 {
    let (whole, more) = parts_per_million(notional_atoms, ppm.unsigned_abs());
    if ppm < 0 {
        -whole
    } else {
        whole + i128::from(more)
    }
}

/// What a limit buy holds: its notional and the fee of a taker on it.
#[inline]
#[must_use]
pub fn buy_hold(price_ticks: i64, leaves_lots: i64, tick_value: i64, taker_fee_ppm: i32) -> i128 {
    let atoms = notional(price_ticks, leaves_lots, tick_value);
    atoms + fee(atoms, taker_fee_ppm)
}

/// What a limit sell holds.
#[inline]
#[must_use]
pub fn sell_hold(leaves_lots: i64, lot_size_atoms: i128) -> i128 {
    i128::from(leaves_lots) * lot_size_atoms
}

/// The most lots, up to `wanted`, that `funds` pay at a price, the fee of a taker included.
#[must_use]
pub fn affordable_lots(
    funds: i128,
    price_ticks: i64,
    wanted_lots: i64,
    tick_value: i64,
    taker_fee_ppm: i32,
) -> i64 {
    let fits = |lots| buy_hold(price_ticks, lots, tick_value, taker_fee_ppm) <= funds;
    if fits(wanted_lots) {
        return wanted_lots;
    }
    // The largest lots that fit, between one that does and one that does not.
    let (mut low, mut high) = (0, wanted_lots);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fee_is_rounded_against_the_customer() {
        assert_eq!(fee(1, 1), 1);
        assert_eq!(fee(1_000_000, 1), 1);
        assert_eq!(fee(1_000_001, 1), 2);
        assert_eq!(fee(1_999_999, -1), -1);
        assert_eq!(fee(0, 100_000), 0);
        assert_eq!(fee(1 << 120, 100_000), ((1 << 120) + 9) / 10);
    }

    #[test]
    fn notionals_above_the_bound_are_refused() {
        assert_eq!(checked_notional(1 << 53, 1 << 53, 1 << 14), Some(1 << 120));
        assert_eq!(checked_notional(1 << 53, 1 << 53, 1 << 15), None);
        assert_eq!(checked_notional(1 << 53, 1 << 53, 1 << 60), None);
        assert_eq!(checked_base_amount(1 << 53, 1 << 100), None);
        assert_eq!(checked_base_amount(1 << 20, 1 << 100), Some(1 << 120));
    }

    #[test]
    fn nothing_is_affordable_without_funds() {
        assert_eq!(affordable_lots(0, 1, 5, 1, 0), 0);
        assert_eq!(affordable_lots(-7, 1, 5, 1, 0), 0);
        assert_eq!(affordable_lots(1, 1, 5, 1, 1), 0);
    }

    proptest! {
        #[test]
        fn the_ways_to_take_parts_agree(atoms in 0_i128..1 << 100, shift in 0_u32..100, ppm in 0_i32..=100_000) {
            let atoms = atoms >> shift;
            let product = atoms * i128::from(ppm);
            let up = (product + 999_999) / 1_000_000;
            prop_assert_eq!(fee(atoms, ppm), up);
            prop_assert_eq!(fee(atoms, -ppm), -(product / 1_000_000));
        }

        #[test]
        fn affordable_lots_are_the_floor_of_the_quotient(
            funds in 0_i128..1 << 80,
            price in 1_i64..1 << 30,
            wanted in 1_i64..1 << 40,
            tick_value in 1_i64..1 << 20,
            ppm in 0_i32..=100_000,
        ) {
            let cost = i128::from(price) * i128::from(tick_value) * i128::from(1_000_000 + ppm);
            let lots = (funds * 1_000_000 / cost).min(i128::from(wanted));
            prop_assert_eq!(i128::from(affordable_lots(funds, price, wanted, tick_value, ppm)), lots);
        }
    }
}
