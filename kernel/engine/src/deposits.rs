//! Deposits: credited once, taken back at most once. `docs/semantics.md` section 7.

use crate::balances::holder_of;
use crate::custody::Deposit;
use crate::engine::Engine;
use crate::limits::{DEPOSITS_MAX, EXTERNAL, SUSPENSE};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    Credit, FinalizeCredit, Id, MoneyKind, MoneyReport, RejectReason, ReverseCredit,
};

/// Where money for an account goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payee {
    /// The account, unless the money goes to suspense.
    pub account: Option<u32>,
    pub holder: u32,
    pub account_id: u64,
}

impl Engine {
    /// An account of a firm, else suspense.
    pub(crate) fn payee(&self, account_id: u64) -> Payee {
        let account = self.accounts.find(account_id);
        Payee {
            account,
            holder: account.map_or(SUSPENSE, holder_of),
            account_id: account.map_or(u64::from(SUSPENSE), |_| account_id),
        }
    }

    pub(crate) fn credit<S: Sink>(&mut self, credit: &Credit, ask: Ask, sink: &mut S) -> Outcome {
        let &Credit {
            deposit_id,
            asset_id,
            amount_atoms,
            ..
        } = credit;
        let mut reason = RejectReason::Unspecified;
        let payee = if let Some(known) = self.custody.deposits.get(&deposit_id) {
            refuse_if(!known.may_return(credit), RejectReason::DepositState)?;
            self.payee(known.account_id)
        } else {
            self.judge_asset(asset_id)?;
            Self::judge_amount(amount_atoms)?;
            let count = self.custody.deposits.len();
            refuse_if(count >= DEPOSITS_MAX, RejectReason::Capacity)?;
            let payee = self.payee(credit.account_id);
            if payee.account.is_none() {
                reason = RejectReason::UnknownAccount;
            }
            payee
        };
        self.judge_bound(EXTERNAL, asset_id, -amount_atoms)?;
        self.judge_bound(payee.holder, asset_id, amount_atoms)?;
        let deposit = Deposit {
            account_id: payee.account_id,
            asset_id,
            amount_atoms,
            credited: true,
        };
        self.custody.deposits.insert(deposit_id, deposit);
        self.move_money(EXTERNAL, payee.holder, asset_id, amount_atoms);
        ask.answer(reason, sink);
        self.tell_deposit(MoneyKind::Credit, deposit_id, &deposit, sink);
        Ok(())
    }

    fn tell_deposit<S: Sink>(&mut self, kind: MoneyKind, id: Id, deposit: &Deposit, sink: &mut S) {
        let report = MoneyReport {
            kind,
            id: Some(id),
            asset_id: deposit.asset_id,
            amount_atoms: deposit.amount_atoms,
            ..MoneyReport::default()
        };
        if let Some(account) = self.accounts.find(deposit.account_id) {
            self.tell_money(account, report, sink);
        }
    }

    pub(crate) fn reverse_credit<S: Sink>(
        &mut self,
        reverse: &ReverseCredit,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let deposit = self.custody.deposits.get_mut(&reverse.deposit_id);
        let deposit = deposit.ok_or(RejectReason::UnknownDeposit)?;
        refuse_if(!deposit.credited, RejectReason::DepositState)?;
        deposit.credited = false;
        let deposit = *deposit;
        let holder = self.payee(deposit.account_id).holder;
        self.move_money(holder, EXTERNAL, deposit.asset_id, deposit.amount_atoms);
        ask.done(sink);
        let kind = MoneyKind::CreditReversed;
        self.tell_deposit(kind, reverse.deposit_id, &deposit, sink);
        Ok(())
    }

    pub(crate) fn finalize_credit<S: Sink>(
        &mut self,
        finalize: &FinalizeCredit,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let gone = self.custody.deposits.remove(&finalize.deposit_id);
        gone.ok_or(RejectReason::UnknownDeposit)?;
        ask.done(sink);
        Ok(())
    }
}
