//! Withdrawals after they were requested: started, settled, released, re-opened, forgotten. `docs/semantics.md`
//! section 7.

use crate::balances::holder_of;
use crate::custody::Withdrawal;
use crate::engine::Engine;
use crate::limits::{EXTERNAL, FEES};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    FinalizeWithdrawal, Id, MoneyKind, RejectReason, ReleaseWithdrawal, ReopenWithdrawal,
    SettleWithdrawal, StartWithdrawal, WithdrawalPhase,
};

/// A withdrawal with the place of its account and the row of its money.
struct Found {
    withdrawal: Withdrawal,
    account: u32,
    row: u32,
    atoms: i128,
}

impl Engine {
    /// A withdrawal that is in one of the given states.
    fn withdrawal(&mut self, id: Id, phases: &[WithdrawalPhase]) -> Result<Found, RejectReason> {
        let known = self.custody.withdrawals.get(&id);
        let withdrawal = *known.ok_or(RejectReason::UnknownWithdrawal)?;
        refuse_if(
            !phases.contains(&withdrawal.phase),
            RejectReason::WithdrawalState,
        )?;
        let account = self.account_of(withdrawal.account_id)?;
        Ok(Found {
            withdrawal,
            account,
            row: self.balances.row(holder_of(account), withdrawal.asset_id),
            atoms: withdrawal.amount_atoms + withdrawal.fee_atoms,
        })
    }

    /// Gives a withdrawal its new state and tells it.
    fn move_withdrawal<S: Sink>(
        &mut self,
        id: Id,
        found: &Found,
        (phase, kind): (WithdrawalPhase, MoneyKind),
        ask: Ask,
        sink: &mut S,
    ) {
        let withdrawal = Withdrawal {
            phase,
            ..found.withdrawal
        };
        self.custody.withdrawals.insert(id, withdrawal);
        ask.done(sink);
        self.tell_money(found.account, withdrawal.report(kind, id), sink);
    }

    /// Pays a started withdrawal out, or with a minus takes that back.
    fn pay_out(&mut self, found: &Found, sign: i128) {
        let Withdrawal {
            asset_id,
            amount_atoms,
            fee_atoms,
            ..
        } = found.withdrawal;
        self.balances.change(found.row).in_flight_atoms -= sign * found.atoms;
        for (holder, atoms) in [(EXTERNAL, amount_atoms), (FEES, fee_atoms)] {
            let row = self.balances.row(holder, asset_id);
            self.balances.change(row).credit(sign * atoms);
        }
    }

    pub(crate) fn start_withdrawal<S: Sink>(
        &mut self,
        start: &StartWithdrawal,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let found = self.withdrawal(start.withdrawal_id, &[WithdrawalPhase::Requested])?;
        self.judge_free(found.account)?;
        let available = self.balances.get(found.row).available_atoms;
        refuse_if(available < 0, RejectReason::InsufficientFunds)?;
        let row = self.balances.change(found.row);
        row.held_atoms -= found.atoms;
        row.in_flight_atoms += found.atoms;
        let to = (WithdrawalPhase::Started, MoneyKind::WithdrawalStarted);
        self.move_withdrawal(start.withdrawal_id, &found, to, ask, sink);
        Ok(())
    }

    pub(crate) fn settle_withdrawal<S: Sink>(
        &mut self,
        settle: &SettleWithdrawal,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let found = self.withdrawal(settle.withdrawal_id, &[WithdrawalPhase::Started])?;
        self.pay_out(&found, 1);
        let to = (WithdrawalPhase::Settled, MoneyKind::WithdrawalSettled);
        self.move_withdrawal(settle.withdrawal_id, &found, to, ask, sink);
        Ok(())
    }

    pub(crate) fn release_withdrawal<S: Sink>(
        &mut self,
        release: &ReleaseWithdrawal,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let phases = [WithdrawalPhase::Requested, WithdrawalPhase::Started];
        let found = self.withdrawal(release.withdrawal_id, &phases)?;
        let row = self.balances.change(found.row);
        if found.withdrawal.phase == WithdrawalPhase::Started {
            row.in_flight_atoms -= found.atoms;
            row.credit(found.atoms);
        } else {
            row.give_back(found.atoms);
        }
        let to = (WithdrawalPhase::Released, MoneyKind::WithdrawalReleased);
        self.move_withdrawal(release.withdrawal_id, &found, to, ask, sink);
        Ok(())
    }

    pub(crate) fn reopen_withdrawal<S: Sink>(
        &mut self,
        reopen: &ReopenWithdrawal,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let found = self.withdrawal(reopen.withdrawal_id, &[WithdrawalPhase::Settled])?;
        self.pay_out(&found, -1);
        let to = (WithdrawalPhase::Started, MoneyKind::WithdrawalReopened);
        self.move_withdrawal(reopen.withdrawal_id, &found, to, ask, sink);
        Ok(())
    }

    pub(crate) fn finalize_withdrawal<S: Sink>(
        &mut self,
        finalize: &FinalizeWithdrawal,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let phases = [WithdrawalPhase::Settled, WithdrawalPhase::Released];
        self.withdrawal(finalize.withdrawal_id, &phases)?;
        self.custody.withdrawals.remove(&finalize.withdrawal_id);
        ask.done(sink);
        Ok(())
    }
}
