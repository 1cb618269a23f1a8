//! The hash of a command's body: fold64 over its member number and its fields, without the command's own id, its account
//! and `after_order_seq_no`.

use crate::fold::Fold64;
use crate::messages::{
    Amend, Cancel, CancelAllAfter, Command, MassCancel, NewOrder, Replace, RequestWithdrawal,
    Transfer, WireEnum,
};

/// The hash of a command that leaves a key; nothing for those that do not.
#[must_use]
pub fn body_hash(command: &Command<'_>) -> Option<u64> {
    Some(match command {
        Command::NewOrder(order) => new_order(order),
        Command::Cancel(cancel) => self::cancel(cancel),
        Command::Amend(amend) => self::amend(amend),
        Command::MassCancel(mass_cancel) => self::mass_cancel(mass_cancel),
        Command::Transfer(transfer) => self::transfer(transfer),
        Command::RequestWithdrawal(request) => request_withdrawal(request),
        _ => return None,
    })
}

/// The hash of a command that leaves a key under rules version 2, though not under version 1.
#[must_use]
pub fn full_body_hash(command: &Command<'_>) -> Option<u64> {
    Some(match command {
        Command::Replace(replace) => self::replace(replace),
        Command::CancelAllAfter(timer) => cancel_all_after(timer),
        _ => return None,
    })
}

fn replace(replace: &Replace) -> u64 {
    let fold = Fold64::new(4).sixteen(replace.orig_cl_ord_id.unwrap_or_default());
    fields_of_order(fold, &replace.new_order)
        .small(u32::from(replace.allow_missing))
        .finish()
}

fn cancel_all_after(timer: &CancelAllAfter) -> u64 {
    Fold64::new(10)
        .small(timer.timeout_ms)
        .signed(timer.sent_time_ns)
        .finish()
}

fn new_order(order: &NewOrder) -> u64 {
    fields_of_order(Fold64::new(1), order).finish()
}

#[inline]
fn fields_of_order(fold: Fold64, order: &NewOrder) -> Fold64 {
    fold.small(order.market_id)
        .small(order.side.number())
        .small(order.order_type.number())
        .small(order.time_in_force.number())
        .signed(order.price_ticks)
        .signed(order.quantity_lots)
        .sixteen(order.quote_budget_atoms.to_le_bytes())
        .signed(order.sent_time_ns)
        .small(order.expires_after_ms)
        .signed(order.expire_time_ns)
        .small(u32::from(order.post_only))
        .small(order.self_trade_prevention.number())
        .small(order.tag)
        .signed(order.display_lots)
        .small(u32::from(order.hidden))
        .signed(order.minimum_lots)
        .signed(order.trigger_price_ticks)
        .signed(order.trailing_offset_ticks)
        .small(order.trailing_offset_ppm)
        .signed(order.peg_offset_ticks)
}

fn cancel(cancel: &Cancel) -> u64 {
    Fold64::new(2)
        .sixteen(cancel.orig_cl_ord_id.unwrap_or_default())
        .word(cancel.order_id)
        .signed(cancel.sent_time_ns)
        .small(cancel.expires_after_ms)
        .finish()
}

fn amend(amend: &Amend) -> u64 {
    Fold64::new(3)
        .sixteen(amend.orig_cl_ord_id.unwrap_or_default())
        .word(amend.order_id)
        .signed(amend.price_ticks)
        .signed(amend.quantity_lots)
        .signed(amend.sent_time_ns)
        .small(amend.expires_after_ms)
        .signed(amend.display_lots)
        .finish()
}

fn mass_cancel(mass_cancel: &MassCancel) -> u64 {
    Fold64::new(5)
        .small(mass_cancel.market_id)
        .small(mass_cancel.side.number())
        .small(u32::from(mass_cancel.this_session_only))
        .small(mass_cancel.tag)
        .signed(mass_cancel.sent_time_ns)
        .small(mass_cancel.expires_after_ms)
        .finish()
}

fn transfer(transfer: &Transfer) -> u64 {
    Fold64::new(12)
        .word(transfer.to_account_id)
        .small(transfer.asset_id)
        .sixteen(transfer.amount_atoms.to_le_bytes())
        .signed(transfer.sent_time_ns)
        .small(transfer.expires_after_ms)
        .finish()
}

fn request_withdrawal(request: &RequestWithdrawal<'_>) -> u64 {
    Fold64::new(13)
        .small(request.asset_id)
        .small(request.network_id)
        .sixteen(request.amount_atoms.to_le_bytes())
        .sixteen(request.fee_atoms.to_le_bytes())
        .text(request.destination)
        .signed(request.quote_expires_ns)
        .signed(request.sent_time_ns)
        .small(request.expires_after_ms)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fold as the page says it, over words in a list.
    fn plain(words: &[u64]) -> u64 {
        let mut hash = 0x243F_6A88_85A3_08D3_u64;
        for word in words {
            hash = (hash ^ word)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29);
        }
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        hash ^ hash >> 32
    }

    #[test]
    fn own_id_account_and_after_are_left_out() {
        let cancel = Cancel {
            request_id: [1; 16],
            account_id: 9,
            order_id: 7,
            sent_time_ns: -1,
            after_order_seq_no: 5,
            ..Cancel::default()
        };
        let wanted = plain(&[2, 0, 0, 7, u64::MAX, 0]);
        assert_eq!(body_hash(&Command::Cancel(cancel)), Some(wanted));
        let other = Cancel {
            request_id: [2; 16],
            account_id: 8,
            after_order_seq_no: 0,
            ..cancel
        };
        assert_eq!(body_hash(&Command::Cancel(other)), Some(wanted));
    }

    #[test]
    fn text_is_its_length_and_padded_words() {
        let request = RequestWithdrawal {
            destination: "abcdefghi",
            ..RequestWithdrawal::default()
        };
        let first = u64::from_le_bytes(*b"abcdefgh");
        let words = [13, 0, 0, 0, 0, 0, 0, 9, first, u64::from(b'i'), 0, 0, 0];
        assert_eq!(
            body_hash(&Command::RequestWithdrawal(request)),
            Some(plain(&words))
        );
    }

    #[test]
    fn an_amount_is_two_words() {
        let transfer = Transfer {
            amount_atoms: -2,
            ..Transfer::default()
        };
        let words = [12, 0, 0, u64::MAX - 1, u64::MAX, 0, 0];
        assert_eq!(body_hash(&Command::Transfer(transfer)), Some(plain(&words)));
    }
}
