//! Money between shards, and adjustments by two persons of the venue. `docs/semantics.md` section 7.

use crate::balances::{holder_of, venue_holder};
use crate::engine::Engine;
use crate::limits::{IN_TRANSIT, PEER_SHARD_MAX, VENUE_ACCOUNTS_MAX};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    Adjust, MoneyKind, MoneyReport, RejectReason, ShardTransferIn, ShardTransferOut,
};

fn judge_peer(peer_shard: u32) -> Outcome {
    refuse_if(
        !(1..=PEER_SHARD_MAX).contains(&peer_shard),
        RejectReason::InvalidParameter,
    )
}

impl Engine {
    pub(crate) fn shard_transfer_out<S: Sink>(
        &mut self,
        transfer: &ShardTransferOut,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let &ShardTransferOut {
            asset_id,
            amount_atoms,
            ..
        } = transfer;
        judge_peer(transfer.peer_shard)?;
        let account = self.account_of(transfer.account_id)?;
        self.judge_asset(asset_id)?;
        Self::judge_amount(amount_atoms)?;
        self.judge_free(account)?;
        let holder = holder_of(account);
        self.judge_available(holder, asset_id, amount_atoms)?;
        self.move_money(
            holder,
            IN_TRANSIT + transfer.peer_shard,
            asset_id,
            amount_atoms,
        );
        ask.done(sink);
        let report = MoneyReport {
            kind: MoneyKind::ShardOut,
            asset_id,
            amount_atoms,
            ..MoneyReport::default()
        };
        self.tell_money(account, report, sink);
        Ok(())
    }

    pub(crate) fn shard_transfer_in<S: Sink>(
        &mut self,
        transfer: &ShardTransferIn,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let &ShardTransferIn {
            asset_id,
            amount_atoms,
            ..
        } = transfer;
        judge_peer(transfer.peer_shard)?;
        self.judge_asset(asset_id)?;
        Self::judge_amount(amount_atoms)?;
        let payee = self.payee(transfer.account_id);
        let peer = IN_TRANSIT + transfer.peer_shard;
        self.judge_bound(peer, asset_id, -amount_atoms)?;
        self.judge_bound(payee.holder, asset_id, amount_atoms)?;
        self.move_money(peer, payee.holder, asset_id, amount_atoms);
        let Some(account) = payee.account else {
            ask.answer(RejectReason::UnknownAccount, sink);
            return Ok(());
        };
        ask.done(sink);
        let report = MoneyReport {
            kind: MoneyKind::ShardIn,
            asset_id,
            amount_atoms,
            ..MoneyReport::default()
        };
        self.tell_money(account, report, sink);
        Ok(())
    }

    /// An account of a firm or of the venue: its place, if a firm's, and its holder.
    fn any_account(&self, account_id: u64) -> Result<(Option<u32>, u32), RejectReason> {
        if (1..=VENUE_ACCOUNTS_MAX).contains(&account_id) {
            return Ok((None, venue_holder(account_id)));
        }
        let account = self.account_of(account_id)?;
        Ok((Some(account), holder_of(account)))
    }

    pub(crate) fn adjust<S: Sink>(
        &mut self,
        adjust: &Adjust<'_>,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let &Adjust {
            from_account_id,
            to_account_id,
            asset_id,
            amount_atoms,
            ..
        } = adjust;
        refuse_if(
            adjust.first_approver == adjust.second_approver || from_account_id == to_account_id,
            RejectReason::InvalidParameter,
        )?;
        let (debtor, from) = self.any_account(from_account_id)?;
        let (creditor, to) = self.any_account(to_account_id)?;
        self.judge_asset(asset_id)?;
        Self::judge_amount(amount_atoms)?;
        if debtor.is_some() {
            self.judge_available(from, asset_id, amount_atoms)?;
        }
        self.judge_bound(from, asset_id, -amount_atoms)?;
        self.judge_bound(to, asset_id, amount_atoms)?;
        self.move_money(from, to, asset_id, amount_atoms);
        ask.done(sink);
        for (account, sign, other) in [(debtor, -1, to_account_id), (creditor, 1, from_account_id)]
        {
            let report = MoneyReport {
                kind: MoneyKind::Adjusted,
                id: Some(adjust.adjustment_id),
                asset_id,
                amount_atoms: sign * amount_atoms,
                counterparty_account_id: other,
                ..MoneyReport::default()
            };
            if let Some(account) = account {
                self.tell_money(account, report, sink);
            }
        }
        Ok(())
    }
}
