//! Why a command is not carried out, and how its answers look: refusals and repeats.

use crate::engine::Engine;
use crate::keys::Key;
use crate::sink::Sink;
use crate::types::{
    CancelReason, CancelReject, Command, ExecType, ExecutionReport, Id, MarketPhase,
    MassCancelReport, MoneyKind, MoneyReport, NewOrder, PrivateEvent, RejectReason, Replace,
    WireEnum,
};

/// Why a command is refused; with PHASE, the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RejectReason,
    /// The phase.
    pub phase: MarketPhase,
}

impl From<RejectReason> for Refusal {
    fn from(reason: RejectReason) -> Self {
        Self {
            reason,
            phase: MarketPhase::Unspecified,
        }
    }
}

impl Refusal {
    /// The phase of the market refuses.
    #[must_use]
    pub fn by_phase(phase: MarketPhase) -> Self {
        Self {
            reason: RejectReason::Phase,
            phase,
        }
    }

    /// What a key kept of it.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        let phase = match key.reason {
            RejectReason::Phase => MarketPhase::from_number(u64::from(key.detail)),
            _ => None,
        };
        Self {
            reason: key.reason,
            phase: phase.unwrap_or_default(),
        }
    }
}

/// What every answer to a command says of an earlier one.
#[derive(Clone, Copy, Debug, Default)]
struct Repeat {
    repeat: bool,
    first_answer_seq: u64,
}

/// Refuses when `condition` holds.
///
/// # Errors
/// `reason`.
#[inline]
pub(crate) fn refuse_if(condition: bool, reason: RejectReason) -> Result<(), RejectReason> {
    if condition { Err(reason) } else { Ok(()) }
}

fn new_order(order: &NewOrder, refusal: Refusal, repeat: Repeat) -> PrivateEvent {
    PrivateEvent::ExecutionReport(ExecutionReport {
        cl_ord_id: Some(order.cl_ord_id),
        market_id: order.market_id,
        exec_type: ExecType::Rejected,
        side: order.side,
        reject_reason: refusal.reason,
        phase: refusal.phase,
        repeat: repeat.repeat,
        first_answer_seq: repeat.first_answer_seq,
        ..ExecutionReport::default()
    })
}

fn cancel_reject(
    request_id: Id,
    (orig_cl_ord_id, order_id): (Option<Id>, u64),
    refusal: Refusal,
    repeat: Repeat,
) -> PrivateEvent {
    PrivateEvent::CancelReject(CancelReject {
        request_id,
        orig_cl_ord_id,
        order_id,
        reject_reason: refusal.reason,
        phase: refusal.phase,
        repeat: repeat.repeat,
        first_answer_seq: repeat.first_answer_seq,
    })
}

fn refusal_of(command: &Command<'_>, refusal: Refusal, repeat: Repeat) -> PrivateEvent {
    let nothing = (None, 0);
    let reject = |id, named| cancel_reject(id, named, refusal, repeat);
    match command {
        Command::NewOrder(order) => new_order(order, refusal, repeat),
        Command::Replace(replace) => new_order(&replace.new_order, refusal, repeat),
        Command::Cancel(cancel) => {
            reject(cancel.request_id, (cancel.orig_cl_ord_id, cancel.order_id))
        }
        Command::Amend(amend) => reject(amend.request_id, (amend.orig_cl_ord_id, amend.order_id)),
        Command::MassCancel(mass_cancel) => reject(mass_cancel.request_id, nothing),
        Command::NewList(list) => reject(list.request_id, nothing),
        Command::MassQuote(quote) => reject(quote.request_id, nothing),
        Command::CancelQuotes(cancel) => reject(cancel.request_id, nothing),
        Command::ResetProtection(reset) => reject(reset.request_id, nothing),
        Command::CancelAllAfter(timer) => reject(timer.request_id, nothing),
        Command::Resolve(resolve) => reject(resolve.id, nothing),
        Command::Transfer(_) | Command::RequestWithdrawal(_) => {
            let report = money_report(command, repeat);
            PrivateEvent::MoneyReport(MoneyReport {
                reject_reason: refusal.reason,
                ..report
            })
        }
    }
}

fn money_report(command: &Command<'_>, repeat: Repeat) -> MoneyReport {
    let report = match command {
        Command::Transfer(transfer) => MoneyReport {
            kind: MoneyKind::TransferOut,
            id: Some(transfer.request_id),
            asset_id: transfer.asset_id,
            amount_atoms: transfer.amount_atoms,
            ..MoneyReport::default()
        },
        Command::RequestWithdrawal(request) => MoneyReport {
            kind: MoneyKind::WithdrawalRequested,
            id: Some(request.request_id),
            asset_id: request.asset_id,
            amount_atoms: request.amount_atoms,
            fee_atoms: request.fee_atoms,
            ..MoneyReport::default()
        },
        _ => MoneyReport::default(),
    };
    MoneyReport {
        repeat: repeat.repeat,
        first_answer_seq: repeat.first_answer_seq,
        ..report
    }
}

/// The first answer again, for a command that was accepted.
fn accepted_again(command: &Command<'_>, key: &Key) -> PrivateEvent {
    let repeat = Repeat {
        repeat: true,
        first_answer_seq: key.answer_seq,
    };
    let report = ExecutionReport {
        order_id: key.order_id,
        repeat: true,
        first_answer_seq: key.answer_seq,
        ..ExecutionReport::default()
    };
    match command {
        Command::NewOrder(order)
        | Command::Replace(Replace {
            new_order: order, ..
        }) => PrivateEvent::ExecutionReport(ExecutionReport {
            cl_ord_id: Some(order.cl_ord_id),
            market_id: order.market_id,
            exec_type: ExecType::New,
            side: order.side,
            price_ticks: order.price_ticks,
            quantity_lots: order.quantity_lots,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            tag: order.tag,
            expire_time_ns: order.expire_time_ns,
            quote_budget_atoms: order.quote_budget_atoms,
            trigger_price_ticks: order.trigger_price_ticks,
            trailing_offset_ticks: order.trailing_offset_ticks,
            trailing_offset_ppm: order.trailing_offset_ppm,
            display_lots: order.display_lots,
            ..report
        }),
        Command::Cancel(cancel) => PrivateEvent::ExecutionReport(ExecutionReport {
            cl_ord_id: cancel.orig_cl_ord_id,
            request_id: Some(cancel.request_id),
            exec_type: ExecType::Canceled,
            cancel_reason: CancelReason::Requested,
            ..report
        }),
        Command::Amend(amend) => PrivateEvent::ExecutionReport(ExecutionReport {
            cl_ord_id: amend.orig_cl_ord_id,
            request_id: Some(amend.request_id),
            exec_type: ExecType::Replaced,
            price_ticks: amend.price_ticks,
            quantity_lots: amend.quantity_lots,
            ..report
        }),
        Command::MassCancel(mass_cancel) => PrivateEvent::MassCancelReport(MassCancelReport {
            request_id: mass_cancel.request_id,
            affected_count: key.detail,
            repeat: true,
            first_answer_seq: key.answer_seq,
        }),
        Command::CancelAllAfter(timer) => PrivateEvent::MassCancelReport(MassCancelReport {
            request_id: timer.request_id,
            affected_count: 0,
            repeat: true,
            first_answer_seq: key.answer_seq,
        }),
        _ => PrivateEvent::MoneyReport(money_report(command, repeat)),
    }
}

impl Engine {
    /// Tells the sender that a command is refused.
    #[inline(never)]
    pub(crate) fn refuse<S: Sink>(
        &mut self,
        account: u32,
        command: &Command<'_>,
        refusal: Refusal,
        sink: &mut S,
    ) {
        let event = refusal_of(command, refusal, Repeat::default());
        self.tell(account, &event, sink);
    }

    /// Gives the first answer to a command again.
    #[inline(never)]
    pub(crate) fn repeat<S: Sink>(
        &mut self,
        account: u32,
        command: &Command<'_>,
        key: &Key,
        sink: &mut S,
    ) {
        let event = if key.reason == RejectReason::Unspecified {
            accepted_again(command, key)
        } else {
            let repeat = Repeat {
                repeat: true,
                first_answer_seq: key.answer_seq,
            };
            refusal_of(command, Refusal::of(key), repeat)
        };
        self.tell(account, &event, sink);
    }
}
