//! Envelopes and commands of firms: the steps of `docs/semantics.md` section 3 that all kinds share.

use crate::book::NONE;
use crate::engine::{Engine, Head};
use crate::keys::Key;
use crate::limits::{FULL_RULES, RETENTION_NS, SENT_TIME_AHEAD_NS};
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{
    BatchApplied, Command, CommandClass, CommandRefused, Id, KeyKind, NewOrder, NotApplied,
    RejectReason, SessionEvent, SystemAnswer, SystemEvent, WireEnum,
};
use cambist_codec::encoder::Cause;
use cambist_codec::{body_hash, full_body_hash};

/// Where a command comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub class: CommandClass,
    /// Place of the session, `NONE` without one.
    pub session: u32,
    pub session_id: u64,
    pub seq: u64,
    pub seq_no: u64,
    pub correlation: u64,
    /// It stopped the engine before and is only put aside.
    pub poisoned: bool,
}

/// What became of a command that leaves a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// The order made, cancelled or amended.
    pub order_id: u64,
    /// Orders cancelled.
    pub detail: u32,
    /// The order made, while it rests.
    pub handle: u32,
}

impl Done {
    pub(crate) fn order(order_id: u64) -> Self {
        Self {
            order_id,
            detail: 0,
            handle: NONE,
        }
    }
}

/// What all commands have.
struct Common {
    id: Id,
    account_id: u64,
    kind: KeyKind,
    sent_time_ns: i64,
    expires_after_ms: u32,
}

fn common(command: &Command<'_>) -> Common {
    macro_rules! fields {
        ($value:expr, $id:ident, $kind:ident) => {
            Common {
                id: $value.$id,
                account_id: $value.account_id,
                kind: KeyKind::$kind,
                sent_time_ns: $value.sent_time_ns,
                expires_after_ms: $value.expires_after_ms,
            }
        };
    }
    let without_key = |id, account_id| Common {
        id,
        account_id,
        kind: KeyKind::Unsupported,
        sent_time_ns: 0,
        expires_after_ms: 0,
    };
    match command {
        Command::NewOrder(value) => fields!(value, cl_ord_id, NewOrder),
        Command::Cancel(value) => fields!(value, request_id, Cancel),
        Command::Amend(value) => fields!(value, request_id, Amend),
        Command::MassCancel(value) => fields!(value, request_id, MassCancel),
        Command::Transfer(value) => fields!(value, request_id, Transfer),
        Command::RequestWithdrawal(value) => fields!(value, request_id, Withdrawal),
        Command::Resolve(value) => without_key(value.id, value.account_id),
        Command::Replace(value) => fields!(value.new_order, cl_ord_id, NewOrder),
        Command::NewList(value) => without_key(
            value.request_id,
            value.orders.first().map_or(0, |order| order.account_id),
        ),
        Command::MassQuote(value) => without_key(value.request_id, value.account_id),
        Command::CancelQuotes(value) => without_key(value.request_id, value.account_id),
        Command::ResetProtection(value) => without_key(value.request_id, value.account_id),
        Command::CancelAllAfter(value) => Common {
            id: value.request_id,
            account_id: value.account_id,
            kind: KeyKind::CancelAllAfter,
            sent_time_ns: value.sent_time_ns,
            expires_after_ms: 0,
        },
    }
}

impl Engine {
    /// Applies an envelope of class ORDER, CANCEL or UNARY.
    pub fn firm_envelope<S: Sink>(&mut self, head: &Head, commands: &[Command<'_>], sink: &mut S) {
        self.firm_envelope_ahead(head, commands, commands.len(), sink);
    }

    /// The same for the first `count` of these commands; the others are those of the envelopes behind it.
    pub fn firm_envelope_ahead<S: Sink>(
        &mut self,
        head: &Head,
        commands: &[Command<'_>],
        count: usize,
        sink: &mut S,
    ) {
        let first = self.next_seq;
        self.next_seq += count as u64;
        self.firm_commands(head, commands, count, (first, false), sink);
    }

    /// The same for commands that have their sequence already; `poisoned` ones all have the first.
    pub(crate) fn firm_commands<S: Sink>(
        &mut self,
        head: &Head,
        commands: &[Command<'_>],
        count: usize,
        (first, poisoned): (u64, bool),
        sink: &mut S,
    ) {
        let received_ns = head.received_ns;
        sink.cause(Cause {
            seq: first,
            received_ns,
        });
        let Ok(session) = self.admit(head, sink) else {
            return;
        };
        let mut context = Context {
            class: head.command_class,
            session,
            session_id: head.session_id,
            seq: first,
            seq_no: head.first_seq_no,
            correlation: head.correlation,
            poisoned,
        };
        for (number, command) in (0..).zip(&commands[..count]) {
            self.look_ahead(&commands[number..]);
            let number = number as u64;
            context.seq = first + number;
            context.seq_no = head.first_seq_no + number;
            let seq = context.seq;
            sink.cause(Cause { seq, received_ns });
            self.firm_command(command, &context, sink);
            if !poisoned {
                self.cascade(sink);
            }
        }
        if session == NONE {
            return;
        }
        let session = &mut self.sessions[session];
        session.take_seq_no(head.command_class, head.first_seq_no + count as u64 - 1);
        session.last_used_ns = self.time_ns;
        let applied = BatchApplied {
            command_class: head.command_class,
            first_seq_no: head.first_seq_no,
            count: u32::try_from(count).expect("bounded by ENVELOPE_COMMANDS_MAX"),
        };
        let connection = session.connection;
        sink.session(head.session_id, connection, &SessionEvent::Applied(applied));
    }

    /// Finds the session of an envelope, or tells why the envelope is not applied.
    fn admit<S: Sink>(&self, head: &Head, sink: &mut S) -> Result<u32, ()> {
        let class = head.command_class;
        if !matches!(class, CommandClass::Order | CommandClass::Cancel) {
            return Ok(NONE);
        }
        let mut not_applied = NotApplied {
            command_class: class,
            ..NotApplied::default()
        };
        let mut connection = 0;
        let found = self.sessions.find(head.session_id);
        if let Some(place) = found {
            let session = &self.sessions[place];
            connection = session.connection;
            let next = session.last_seq_no(class) + 1;
            if !session.connected || connection != head.connection {
                not_applied.reason = RejectReason::OldConnection;
            } else if head.first_seq_no > next {
                not_applied.from_seq_no = next;
                not_applied.count = head.first_seq_no - next;
            } else {
                return Ok(place);
            }
        } else {
            not_applied.reason = RejectReason::UnknownSession;
        }
        let event = SessionEvent::NotApplied(not_applied);
        sink.session(head.session_id, connection, &event);
        Err(())
    }

    /// The account that a command may use.
    #[inline]
    fn permit(&self, account_id: u64, context: &Context) -> Result<u32, RejectReason> {
        let account = self.accounts.find(account_id);
        let account = account.ok_or(RejectReason::UnknownAccount)?;
        if context.session == NONE {
            return Ok(account);
        }
        let session = &self.sessions[context.session];
        let permitted = session.permits_account(account_id)
            && (context.class != CommandClass::Order || session.established().may_trade);
        permitted
            .then_some(account)
            .ok_or(RejectReason::AccountNotPermitted)
    }

    fn refuse_sender<S: Sink>(
        &self,
        id: Id,
        reason: RejectReason,
        context: &Context,
        sink: &mut S,
    ) {
        if context.session == NONE {
            let answer = SystemAnswer {
                correlation: context.correlation,
                index: 0,
                reason,
            };
            sink.system(&SystemEvent::Answer(answer));
            return;
        }
        let refused = CommandRefused {
            command_class: context.class,
            seq_no: context.seq_no,
            id,
            reason,
        };
        let connection = self.sessions[context.session].connection;
        let event = SessionEvent::Refused(refused);
        sink.session(context.session_id, connection, &event);
    }

    /// One command, step by step.
    fn firm_command<S: Sink>(&mut self, command: &Command<'_>, context: &Context, sink: &mut S) {
        let common = common(command);
        let account = match self.permit(common.account_id, context) {
            Ok(account) => account,
            Err(reason) => return self.refuse_sender(common.id, reason, context, sink),
        };
        let Some(body_hash) = body_hash(command).or_else(|| self.full_hash(command)) else {
            return self.command_without_key(account, command, context, sink);
        };
        let keys = &self.accounts[account].keys;
        if let Some(key) = keys.find(common.id) {
            let key = *key;
            return if key.kind == KeyKind::Burnt {
                self.refuse(account, command, Refusal::of(&key), sink);
            } else if key.kind == common.kind && key.body_hash == body_hash {
                #[cfg(feature = "plant-resent-amend-applies")]
                if key.kind == KeyKind::Amend {
                    let _ = self.carry_out(account, command, &common, context, sink);
                }
                self.repeat(account, command, &key, sink);
            } else {
                self.refuse(account, command, RejectReason::IdReused.into(), sink);
            };
        }
        if let Err(reason) = self.judge_time(common.sent_time_ns, keys.stale_floor_ns) {
            return self.refuse(account, command, reason.into(), sink);
        }
        let outcome = self.carry_out(account, command, &common, context, sink);
        let mut key = Key::closed(common.id, common.kind, common.sent_time_ns, context.seq);
        key.body_hash = body_hash;
        match outcome {
            Ok(done) => {
                key.order_id = done.order_id;
                key.detail = done.detail;
                if done.handle != NONE {
                    let keys = &mut self.accounts[account].keys;
                    let entry = keys.insert_open(key.open(done.handle));
                    self.orders[done.handle as usize].key = entry;
                    return;
                }
            }
            Err(refusal) => {
                key.reason = refusal.reason;
                key.detail = refusal.phase.number();
                self.refuse(account, command, refusal, sink);
            }
        }
        #[cfg(feature = "plant-id-forgotten-after-fill")]
        if key.kind == KeyKind::NewOrder && key.order_id != 0 {
            return;
        }
        self.remember(account, key);
    }

    /// The hash of a command that leaves a key under the newer rules only.
    #[cold]
    fn full_hash(&self, command: &Command<'_>) -> Option<u64> {
        (self.rules.version >= FULL_RULES)
            .then(|| full_body_hash(command))
            .flatten()
    }

    /// Adds a key that is not of an open order, and drops the oldest when there are too many.
    #[inline]
    pub(crate) fn remember(&mut self, account: u32, key: Key) {
        let account = &mut self.accounts[account];
        account.keys.insert_closed(key, account.limits.id_capacity);
    }

    #[inline]
    fn judge_time(&self, sent_time_ns: i64, stale_floor_ns: i64) -> Result<(), RejectReason> {
        let oldest = self.time_ns.saturating_sub(RETENTION_NS);
        if sent_time_ns <= stale_floor_ns || sent_time_ns < oldest {
            return Err(RejectReason::Stale);
        }
        if sent_time_ns > self.time_ns.saturating_add(SENT_TIME_AHEAD_NS) {
            return Err(RejectReason::SentTimeAhead);
        }
        Ok(())
    }

    /// Whether a time is one of which an unknown id can still come.
    pub(crate) fn is_recent(&self, sent_time_ns: i64, stale_floor_ns: i64) -> bool {
        self.judge_time(sent_time_ns, stale_floor_ns) != Err(RejectReason::Stale)
    }

    fn carry_out<S: Sink>(
        &mut self,
        account: u32,
        command: &Command<'_>,
        common: &Common,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        if context.poisoned {
            return Err(RejectReason::Poisoned.into());
        }
        if common.expires_after_ms > 0 {
            let after_ns = i64::from(common.expires_after_ms) * 1_000_000;
            if self.time_ns > common.sent_time_ns.saturating_add(after_ns) {
                return Err(RejectReason::Expired.into());
            }
        }
        match command {
            Command::NewOrder(order) => {
                self.judge_overtaken(order, context)?;
                self.new_order(account, order, context, sink)
            }
            Command::Replace(replace) => {
                self.judge_overtaken(&replace.new_order, context)?;
                self.replace(account, replace, context, sink)
            }
            Command::CancelAllAfter(timer) => self.cancel_all_after(account, timer, sink),
            Command::Cancel(cancel) => self.cancel(account, cancel, context, sink),
            Command::Amend(amend) => self.amend(account, amend, context, sink),
            Command::MassCancel(mass) => self.mass_cancel(account, mass, context, sink),
            Command::Transfer(transfer) => self.transfer(account, transfer, sink),
            Command::RequestWithdrawal(request) => self.request_withdrawal(account, request, sink),
            _ => unreachable!("these leave no key"),
        }
    }

    /// Whether a mass cancel that was sent later overtook an order.
    #[inline]
    fn judge_overtaken(&self, order: &NewOrder, context: &Context) -> Result<(), RejectReason> {
        refuse_if(
            context.class == CommandClass::Order
                && self.sessions[context.session].overtaken(order, context.seq_no),
            RejectReason::CancelledBeforeEntry,
        )
    }

    #[cold]
    fn command_without_key<S: Sink>(
        &mut self,
        account: u32,
        command: &Command<'_>,
        context: &Context,
        sink: &mut S,
    ) {
        if context.poisoned {
            return self.refuse(account, command, RejectReason::Poisoned.into(), sink);
        }
        if let Command::Resolve(resolve) = command {
            return self.resolve(account, resolve, context, sink);
        }
        self.refuse(account, command, RejectReason::Unsupported.into(), sink);
    }
}
