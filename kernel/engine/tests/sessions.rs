//! Sessions: numbers, connections, permissions, early cancels, ids that are settled.

mod common;

use cambist_engine::Head;
use cambist_engine::types::RejectReason as R;
use cambist_engine::types::*;
use common::recorder::{of_type, privates, rejects, reports};
use common::{A, B, Event, FOREIGN, MARKET, SESSION, Venue, buy, id};

fn of_session(events: &[Event]) -> Vec<SessionEvent> {
    let events = events.iter().filter_map(|event| match event {
        Event::Session(_, _, event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

fn send(venue: &mut Venue, head: Head, commands: &[Command<'_>]) -> Vec<Event> {
    venue.batch(|engine, sink| engine.firm_envelope(&head, commands, sink))
}

#[test]
fn an_envelope_in_order_is_applied() {
    let mut venue = Venue::new();
    let order = venue.named(buy(A, 90, 1));
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
    let applied = BatchApplied {
        command_class: CommandClass::Order,
        first_seq_no: 1,
        count: 1,
    };
    assert_eq!(of_session(&events), [SessionEvent::Applied(applied)]);
    assert_eq!(venue.engine.session_numbers(SESSION), (1, 0));
}

#[test]
fn a_gap_an_old_connection_and_an_unknown_session_are_told() {
    let mut venue = Venue::new();
    let order = venue.named(buy(A, 90, 1));
    let good = Head {
        command_class: CommandClass::Order,
        session_id: SESSION,
        connection: 1,
        first_seq_no: 1,
        ..Head::default()
    };
    let table = [
        (
            Head {
                first_seq_no: 4,
                ..good
            },
            (R::Unspecified, 1, 3),
        ),
        (
            Head {
                connection: 2,
                ..good
            },
            (R::OldConnection, 0, 0),
        ),
        (
            Head {
                session_id: 1,
                ..good
            },
            (R::UnknownSession, 0, 0),
        ),
    ];
    for (head, (reason, from_seq_no, count)) in table {
        let events = send(&mut venue, head, &[Command::NewOrder(order)]);
        let not_applied = NotApplied {
            command_class: CommandClass::Order,
            from_seq_no,
            count,
            reason,
        };
        assert_eq!(of_session(&events), [SessionEvent::NotApplied(not_applied)]);
    }
    assert_eq!(venue.engine.resting_orders(), 0);
    // A number is used all the same.
    let before = venue.engine.last_seq();
    send(&mut venue, table[0].0, &[Command::NewOrder(order)]);
    assert_eq!(venue.engine.last_seq(), before + 1);
}

#[test]
fn an_envelope_sent_again_is_answered_again() {
    let mut venue = Venue::new();
    let order = Command::NewOrder(venue.named(buy(A, 90, 1)));
    let head = venue.head(CommandClass::Order, 1);
    send(&mut venue, head, std::slice::from_ref(&order));
    let events = send(&mut venue, head, std::slice::from_ref(&order));
    assert!(reports(&events, A)[0].repeat);
    assert_eq!(venue.engine.session_numbers(SESSION), (1, 0));
    assert_eq!(venue.engine.resting_orders(), 1);
}

#[test]
fn a_session_uses_its_own_accounts_only() {
    let mut venue = Venue::new();
    for (account_id, wanted) in [
        (FOREIGN, R::AccountNotPermitted),
        (4_400, R::UnknownAccount),
        (1, R::UnknownAccount),
    ] {
        let order = venue.named(buy(account_id, 90, 1));
        let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
        let SessionEvent::Refused(refused) = &of_session(&events)[0] else {
            panic!("{events:?}");
        };
        assert_eq!((refused.reason, refused.id), (wanted, order.cl_ord_id));
    }
    let order = venue.named(buy(4_400, 90, 1));
    let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
    let answer = SystemAnswer {
        correlation: 6,
        index: 0,
        reason: R::UnknownAccount,
    };
    assert_eq!(events, [Event::Answer(answer)]);
}

#[test]
fn a_session_keeps_to_its_markets_and_may_be_without_orders() {
    let mut venue = Venue::new();
    let establish = |market_ids, may_trade| {
        SystemCommand::SessionEstablished(SessionEstablished {
            session_id: SESSION,
            firm_id: 1,
            account_ids: vec![A],
            market_ids,
            may_trade,
            ..SessionEstablished::default()
        })
    };
    venue.done(establish(vec![MARKET + 1], true));
    let order = venue.named(buy(A, 90, 1));
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
    assert_eq!(reports(&events, A)[0].reject_reason, R::MarketNotPermitted);
    venue.done(establish(vec![], false));
    let order = venue.named(buy(A, 90, 1));
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
    assert!(matches!(
        of_session(&events)[0],
        SessionEvent::Refused(CommandRefused {
            reason: R::AccountNotPermitted,
            ..
        })
    ));
}

#[test]
fn connections_are_numbered_and_lost() {
    let mut venue = Venue::new();
    venue.establish();
    assert_eq!(venue.connection(), 2);
    let lost = |connection| {
        SystemCommand::SessionLost(SessionLost {
            session_id: SESSION,
            connection,
            by_client: false,
        })
    };
    assert_eq!(venue.answer(lost(1)), R::OldConnection);
    let events = venue.done(lost(2));
    assert!(matches!(
        of_session(&events)[..],
        [SessionEvent::Dropped(_)]
    ));
    assert_eq!(venue.answer(lost(2)), R::OldConnection);
    venue.establish();
    let events = venue.done(SystemCommand::GatewayLost(GatewayLost { link_id: 3 }));
    assert_eq!(of_session(&events).len(), 1);
    let ended = |connection| {
        SystemCommand::SessionEnded(SessionEnded {
            session_id: SESSION,
            connection,
        })
    };
    assert_eq!(venue.answer(ended(1)), R::OldConnection);
    let events = venue.done(ended(0));
    let over = SessionEvent::Over(SessionOver { by_client: false });
    assert_eq!(of_session(&events), [over]);
    assert_eq!(venue.answer(ended(0)), R::UnknownSession);
}

#[test]
fn a_new_epoch_ends_every_connection() {
    let mut venue = Venue::new();
    venue.done(SystemCommand::EpochStarted(EpochStarted { epoch: 2 }));
    let order = venue.named(buy(A, 90, 1));
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
    assert!(matches!(
        of_session(&events)[0],
        SessionEvent::NotApplied(NotApplied {
            reason: R::OldConnection,
            ..
        })
    ));
}

type Change = fn(&mut SessionEstablished);

#[test]
fn every_fault_of_a_session_has_a_reason() {
    let mut venue = Venue::new();
    let good = SessionEstablished {
        session_id: 5,
        firm_id: 1,
        account_ids: vec![A],
        ..SessionEstablished::default()
    };
    let table: [(R, Change); 6] = [
        (R::InvalidParameter, |s| s.session_id = 0),
        (R::InvalidParameter, |s| s.window_ms = 600_001),
        (R::UnknownFirm, |s| s.firm_id = 9),
        (R::UnknownAccount, |s| s.account_ids = vec![A, 4_400]),
        (R::ForeignAccount, |s| s.account_ids = vec![A, FOREIGN]),
        (R::DuplicateId, |s| {
            (s.session_id, s.firm_id, s.account_ids) = (SESSION, 2, vec![FOREIGN]);
        }),
    ];
    for (wanted, change) in table {
        let mut asked = good.clone();
        change(&mut asked);
        let command = SystemCommand::SessionEstablished(asked);
        assert_eq!(venue.answer(command), wanted);
    }
    venue.done(SystemCommand::SessionEstablished(good));
}

/// A cancel of class CANCEL, sent after the given order-class number.
fn overtaking(venue: &mut Venue, orig: Id, after_order_seq_no: u64) -> Vec<Event> {
    let cancel = Cancel {
        request_id: venue.next_id(),
        account_id: A,
        orig_cl_ord_id: Some(orig),
        sent_time_ns: venue.time_ns,
        after_order_seq_no,
        ..Cancel::default()
    };
    venue.firm(CommandClass::Cancel, &[Command::Cancel(cancel)])
}

#[test]
fn a_cancel_that_overtakes_its_order_stops_it() {
    let mut venue = Venue::new();
    let order = venue.named(buy(A, 90, 1));
    let events = overtaking(&mut venue, order.cl_ord_id, 1);
    assert_eq!(rejects(&events, A), [R::UnknownOrder]);
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
    let report = reports(&events, A)[0];
    let told = (report.reject_reason, report.repeat);
    assert_eq!(told, (R::CancelledBeforeEntry, false));
    let other = venue.named(buy(A, 90, 1));
    // Not later than what has arrived: nothing is burnt.
    overtaking(&mut venue, other.cl_ord_id, 1);
    let events = venue.firm(CommandClass::Order, &[Command::NewOrder(other)]);
    assert_eq!(of_type(&events, A, ExecType::New).len(), 1);
}

#[test]
fn a_mass_cancel_that_overtakes_orders_stops_them() {
    let mut venue = Venue::new();
    let mass = |venue: &mut Venue, after_order_seq_no| {
        let mass = MassCancel {
            request_id: venue.next_id(),
            account_id: A,
            side: Side::Buy,
            sent_time_ns: venue.time_ns,
            after_order_seq_no,
            ..MassCancel::default()
        };
        venue.firm(CommandClass::Cancel, &[Command::MassCancel(mass)])
    };
    mass(&mut venue, 2);
    for (number, wanted) in [
        (1, R::CancelledBeforeEntry),
        (2, R::CancelledBeforeEntry),
        (3, R::Unspecified),
    ] {
        let order = venue.named(buy(A, 90, 1));
        let events = venue.firm(CommandClass::Order, &[Command::NewOrder(order)]);
        assert_eq!(reports(&events, A)[0].reject_reason, wanted, "{number}");
    }
    for _ in 0..16 {
        assert_eq!(rejects(&mass(&mut venue, 99), A), []);
    }
    assert_eq!(rejects(&mass(&mut venue, 99), A), [R::TooManyPending]);
    assert_eq!(rejects(&mass(&mut venue, 3), A), []);
}

fn resolve(venue: &mut Venue, id: Id, sent_time_ns: i64) -> ResolveReport {
    let resolve = Resolve {
        account_id: A,
        id,
        sent_time_ns,
    };
    let events = venue.firm(CommandClass::Cancel, &[Command::Resolve(resolve)]);
    match privates(&events, A)[..] {
        [PrivateEvent::ResolveReport(report)] => *report,
        _ => panic!("{events:?}"),
    }
}

#[test]
fn resolve_settles_every_id() {
    let mut venue = Venue::new();
    let (open, _) = venue.order(buy(A, 90, 5));
    let (closed, _) = venue.order(NewOrder {
        time_in_force: TimeInForce::Ioc,
        ..buy(A, 90, 5)
    });
    let (refused, _) = venue.order(buy(A, -1, 5));
    let now = venue.time_ns;
    let states = [
        (open.cl_ord_id, ResolveState::Open),
        (closed.cl_ord_id, ResolveState::Applied),
        (refused.cl_ord_id, ResolveState::Rejected),
        (id(900), ResolveState::NeverApplied),
        (id(900), ResolveState::NeverApplied),
    ];
    for (id, wanted) in states {
        assert_eq!(resolve(&mut venue, id, now).state, wanted);
    }
    let report = resolve(&mut venue, open.cl_ord_id, now);
    assert_eq!((report.leaves_lots, report.cum_lots), (5, 0));
    let report = resolve(&mut venue, refused.cl_ord_id, now);
    assert_eq!(report.reject_reason, R::InvalidPrice);
    let old = now - 601_000_000_000;
    assert_eq!(
        resolve(&mut venue, id(901), old).state,
        ResolveState::Forgotten
    );
    let order = NewOrder {
        cl_ord_id: id(900),
        sent_time_ns: now,
        ..buy(A, 90, 1)
    };
    let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
    assert_eq!(reports(&events, A)[0].reject_reason, R::Burnt);
}

#[test]
fn ids_beyond_the_capacity_are_forgotten_and_stale() {
    let mut venue = Venue::new();
    venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
        account_id: A,
        limits: AccountLimits {
            open_orders_max: 0,
            id_capacity: 16,
        },
        frozen: false,
    }));
    let (first, _) = venue.order(buy(A, -1, 1));
    for _ in 0..16 {
        venue.order(buy(A, -1, 1));
    }
    let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(first)]);
    assert_eq!(reports(&events, A)[0].reject_reason, R::Stale);
    let open = venue.accept(buy(A, 90, 1));
    for _ in 0..20 {
        venue.order(buy(A, -1, 1));
    }
    let events = venue.cancel(A, open);
    assert_eq!(of_type(&events, A, ExecType::Canceled).len(), 1);
}

#[test]
fn a_full_shard_gives_an_idle_session_away() {
    let mut venue = Venue::new();
    let establish = |session_id| {
        SystemCommand::SessionEstablished(SessionEstablished {
            session_id,
            firm_id: 1,
            account_ids: vec![B],
            ..SessionEstablished::default()
        })
    };
    for session_id in 1_000..20_999 {
        venue.done(establish(session_id));
    }
    assert_eq!(venue.answer(establish(50)), R::Capacity);
    venue.done(SystemCommand::SessionLost(SessionLost {
        session_id: 1_005,
        connection: 1,
        by_client: false,
    }));
    assert_eq!(venue.answer(establish(50)), R::Capacity);
    venue.time_ns += 3_600_000_000_000;
    venue.done(establish(50));
    assert_eq!(venue.engine.session_numbers(1_005), (0, 0));
    assert_eq!(venue.answer(establish(51)), R::Capacity);
}
