//! Money commands of firms: `Transfer` and `RequestWithdrawal`. `docs/semantics.md` section 7.

use crate::balances::holder_of;
use crate::custody::Withdrawal;
use crate::engine::Engine;
use crate::firm::Done;
use crate::limits::{AMOUNT_ATOMS_MAX, WITHDRAWALS_MAX};
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{
    MoneyKind, MoneyReport, PrivateEvent, RejectReason, RequestWithdrawal, SystemEvent, Transfer,
    WithdrawalPhase, WithdrawalRequested,
};

impl Engine {
    /// An asset of this shard.
    pub(crate) fn judge_asset(&self, asset_id: u32) -> Result<(), RejectReason> {
        refuse_if(!self.assets.knows(asset_id), RejectReason::UnknownAsset)
    }

    /// An amount that may move.
    pub(crate) fn judge_amount(amount_atoms: i128) -> Result<(), RejectReason> {
        refuse_if(
            !(1..=AMOUNT_ATOMS_MAX).contains(&amount_atoms),
            RejectReason::InvalidAmount,
        )
    }

    /// Neither frozen nor killed.
    pub(crate) fn judge_free(&self, account: u32) -> Result<(), RejectReason> {
        refuse_if(self.accounts[account].frozen, RejectReason::AccountFrozen)?;
        refuse_if(self.is_killed(account), RejectReason::Killed)
    }

    /// Enough is available.
    pub(crate) fn judge_available(
        &self,
        holder: u32,
        asset_id: u32,
        atoms: i128,
    ) -> Result<(), RejectReason> {
        refuse_if(
            atoms > self.balances.available(holder, asset_id),
            RejectReason::InsufficientFunds,
        )
    }

    /// What is available stays within its bound when it changes.
    pub(crate) fn judge_bound(
        &self,
        holder: u32,
        asset_id: u32,
        change_atoms: i128,
    ) -> Result<(), RejectReason> {
        refuse_if(
            !self.balances.has_room(holder, asset_id, change_atoms),
            RejectReason::BalanceOverflow,
        )
    }

    /// Available money from one holder to another.
    pub(crate) fn move_money(&mut self, from: u32, to: u32, asset_id: u32, atoms: i128) {
        for (holder, change) in [(from, -atoms), (to, atoms)] {
            let row = self.balances.row(holder, asset_id);
            self.balances.change(row).credit(change);
        }
    }

    /// A report of money that moved.
    pub(crate) fn tell_money<S: Sink>(&mut self, account: u32, report: MoneyReport, sink: &mut S) {
        self.tell(account, &PrivateEvent::MoneyReport(report), sink);
    }

    /// A transfer.
    pub(crate) fn transfer<S: Sink>(
        &mut self,
        account: u32,
        transfer: &Transfer,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        let &Transfer {
            account_id,
            to_account_id,
            asset_id,
            amount_atoms,
            ..
        } = transfer;
        refuse_if(
            account_id == to_account_id,
            RejectReason::InvalidCombination,
        )?;
        let other = self.account_of(to_account_id)?;
        let firm_of = |place| self.accounts.firm_of(place);
        refuse_if(
            firm_of(account) != firm_of(other),
            RejectReason::ForeignAccount,
        )?;
        self.judge_asset(asset_id)?;
        Self::judge_amount(amount_atoms)?;
        self.judge_free(account)?;
        let (from, to) = (holder_of(account), holder_of(other));
        self.judge_available(from, asset_id, amount_atoms)?;
        self.judge_bound(to, asset_id, amount_atoms)?;
        self.move_money(from, to, asset_id, amount_atoms);
        let report = MoneyReport {
            kind: MoneyKind::TransferOut,
            id: Some(transfer.request_id),
            asset_id,
            amount_atoms,
            counterparty_account_id: to_account_id,
            ..MoneyReport::default()
        };
        self.tell_money(account, report, sink);
        let report = MoneyReport {
            kind: MoneyKind::TransferIn,
            counterparty_account_id: account_id,
            ..report
        };
        self.tell_money(other, report, sink);
        Ok(Done::order(0))
    }

    fn judge_withdrawal(
        &self,
        account: u32,
        request: &RequestWithdrawal<'_>,
    ) -> Result<(), RejectReason> {
        self.judge_asset(request.asset_id)?;
        Self::judge_amount(request.amount_atoms)?;
        refuse_if(
            !(0..=AMOUNT_ATOMS_MAX).contains(&request.fee_atoms),
            RejectReason::InvalidAmount,
        )?;
        let ends = request.quote_expires_ns;
        refuse_if(ends != 0 && self.time_ns > ends, RejectReason::Expired)?;
        self.judge_free(account)?;
        let table = &self.custody.withdrawals;
        refuse_if(
            table.contains_key(&request.request_id),
            RejectReason::DuplicateId,
        )?;
        refuse_if(table.len() >= WITHDRAWALS_MAX, RejectReason::Capacity)?;
        let atoms = request.amount_atoms + request.fee_atoms;
        self.judge_available(holder_of(account), request.asset_id, atoms)
    }

    /// A request for a withdrawal.
    pub(crate) fn request_withdrawal<S: Sink>(
        &mut self,
        account: u32,
        request: &RequestWithdrawal<'_>,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        self.judge_withdrawal(account, request)?;
        let &RequestWithdrawal {
            request_id,
            account_id,
            asset_id,
            amount_atoms,
            fee_atoms,
            ..
        } = request;
        let row = self.balances.row(holder_of(account), asset_id);
        self.balances.change(row).hold(amount_atoms + fee_atoms);
        let withdrawal = Withdrawal {
            account_id,
            asset_id,
            amount_atoms,
            fee_atoms,
            phase: WithdrawalPhase::Requested,
        };
        self.custody.withdrawals.insert(request_id, withdrawal);
        let report = withdrawal.report(MoneyKind::WithdrawalRequested, request_id);
        self.tell_money(account, report, sink);
        let requested = WithdrawalRequested {
            withdrawal_id: request_id,
            account_id,
            asset_id,
            network_id: request.network_id,
            amount_atoms,
            fee_atoms,
            destination: request.destination,
            quote_expires_ns: request.quote_expires_ns,
        };
        sink.system(&SystemEvent::WithdrawalRequested(requested));
        Ok(Done::order(0))
    }
}
