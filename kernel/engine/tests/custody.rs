//! Money that comes, goes and moves.

mod common;

use cambist_engine::types::RejectReason as R;
use cambist_engine::types::*;
use common::recorder::{answers, privates, rejects};
use common::{A, B, Event, FOREIGN, QUOTE, RICH, Venue, buy, id};

fn kinds(events: &[Event], account_id: u64) -> Vec<(MoneyKind, i128)> {
    let events = privates(events, account_id).into_iter();
    let reports = events.filter_map(|event| match event {
        PrivateEvent::MoneyReport(report) => Some((report.kind, report.amount_atoms)),
        _ => None,
    });
    reports.collect()
}

fn credit(venue: &mut Venue, deposit: u64, account_id: u64, amount_atoms: i128) -> Vec<Event> {
    let source_seq = venue.next_source_seq();
    venue.system(SystemCommand::Credit(Credit {
        source_id: 1,
        source_seq,
        deposit_id: id(deposit),
        account_id,
        asset_id: QUOTE,
        amount_atoms,
    }))
}

fn reverse(venue: &mut Venue, deposit: u64) -> Vec<Event> {
    let source_seq = venue.next_source_seq();
    venue.system(SystemCommand::ReverseCredit(ReverseCredit {
        source_id: 1,
        source_seq,
        deposit_id: id(deposit),
    }))
}

#[test]
fn a_deposit_is_credited_once_and_taken_back_once() {
    let mut venue = Venue::new();
    let events = credit(&mut venue, 900, A, 70);
    assert_eq!(kinds(&events, A), [(MoneyKind::Credit, 70)]);
    let again = credit(&mut venue, 900, A, 70);
    assert_eq!(answers(&again), [R::DepositState]);
    let events = reverse(&mut venue, 900);
    assert_eq!(kinds(&events, A), [(MoneyKind::CreditReversed, 70)]);
    assert_eq!(answers(&reverse(&mut venue, 900)), [R::DepositState]);
    assert_eq!(answers(&reverse(&mut venue, 901)), [R::UnknownDeposit]);
    assert_eq!(answers(&credit(&mut venue, 900, A, 71)), [R::DepositState]);
    assert_eq!(answers(&credit(&mut venue, 900, B, 70)), [R::DepositState]);
    assert_eq!(answers(&credit(&mut venue, 900, A, 70)), [R::Unspecified]);
    assert_eq!(venue.balance(A, QUOTE).0, RICH + 70);
}

#[test]
fn a_reversal_may_leave_less_than_nothing() {
    let mut venue = Venue::new();
    credit(&mut venue, 900, A, 70);
    let transfer = Transfer {
        request_id: venue.next_id(),
        account_id: A,
        to_account_id: B,
        asset_id: QUOTE,
        amount_atoms: RICH + 70,
        sent_time_ns: venue.time_ns,
        ..Transfer::default()
    };
    venue.firm(CommandClass::Unary, &[Command::Transfer(transfer)]);
    reverse(&mut venue, 900);
    assert_eq!(venue.balance(A, QUOTE).0, -70);
    assert_eq!(venue.refusal(buy(A, 1, 1)), R::InsufficientFunds);
}

#[test]
fn money_for_nobody_goes_to_suspense() {
    let mut venue = Venue::new();
    assert_eq!(
        answers(&credit(&mut venue, 900, 9_999, 5)),
        [R::UnknownAccount]
    );
    assert_eq!(venue.balance(3, QUOTE).0, 5);
    reverse(&mut venue, 900);
    assert_eq!(venue.balance(3, QUOTE).0, 0);
    assert_eq!(answers(&credit(&mut venue, 900, A, 5)), [R::Unspecified]);
    assert_eq!(venue.balance(3, QUOTE).0, 5);
}

#[test]
fn a_refused_credit_uses_its_number() {
    let mut venue = Venue::new();
    for (amount, wanted) in [
        (0, R::InvalidAmount),
        (-1, R::InvalidAmount),
        ((1 << 120) + 1, R::InvalidAmount),
        (1, R::Unspecified),
    ] {
        assert_eq!(answers(&credit(&mut venue, 900, A, amount)), [wanted]);
    }
    let repeated = SystemCommand::Credit(Credit {
        source_id: 1,
        source_seq: 2,
        deposit_id: id(77),
        ..Credit::default()
    });
    assert_eq!(venue.answer(repeated), R::SourceRepeat);
}

#[test]
fn balances_have_a_bound() {
    let mut venue = Venue::new();
    for deposit in 0..63 {
        let events = credit(&mut venue, 800 + deposit, A, 1 << 120);
        assert_eq!(answers(&events), [R::Unspecified]);
    }
    let events = credit(&mut venue, 900, A, 1 << 120);
    assert_eq!(answers(&events), [R::BalanceOverflow]);
}

fn request(venue: &mut Venue, amount_atoms: i128, fee_atoms: i128) -> (Id, Vec<Event>) {
    let request_id = venue.next_id();
    let request = RequestWithdrawal {
        request_id,
        account_id: A,
        asset_id: QUOTE,
        network_id: 1,
        amount_atoms,
        fee_atoms,
        destination: "somewhere",
        sent_time_ns: venue.time_ns,
        ..RequestWithdrawal::default()
    };
    let events = venue.firm(CommandClass::Unary, &[Command::RequestWithdrawal(request)]);
    (request_id, events)
}

/// The commands on a withdrawal.
#[derive(Clone, Copy, Debug)]
enum Act {
    Start,
    Settle,
    Release,
    Reopen,
    Finalize,
}

fn act(venue: &mut Venue, act: Act, withdrawal_id: Id) -> R {
    let (source_id, source_seq) = (1, venue.next_source_seq());
    macro_rules! command {
        ($kind:ident) => {
            SystemCommand::$kind($kind {
                source_id,
                source_seq,
                withdrawal_id,
            })
        };
    }
    venue.answer(match act {
        Act::Start => command!(StartWithdrawal),
        Act::Settle => command!(SettleWithdrawal),
        Act::Release => command!(ReleaseWithdrawal),
        Act::Reopen => command!(ReopenWithdrawal),
        Act::Finalize => command!(FinalizeWithdrawal),
    })
}

#[test]
fn a_withdrawal_goes_from_state_to_state() {
    use Act::{Finalize, Release, Reopen, Settle, Start};
    let refused = R::WithdrawalState;
    let done = R::Unspecified;
    // After each step: available, held, in flight less what was there, and the world outside.
    let table: [&[(Act, R, [i128; 4])]; 3] = [
        &[
            (Settle, refused, [-107, 107, 0, 0]),
            (Reopen, refused, [-107, 107, 0, 0]),
            (Start, done, [-107, 0, 107, 0]),
            (Start, refused, [-107, 0, 107, 0]),
            (Settle, done, [-107, 0, 0, 100]),
            (Release, refused, [-107, 0, 0, 100]),
            (Reopen, done, [-107, 0, 107, 0]),
            (Finalize, refused, [-107, 0, 107, 0]),
            (Settle, done, [-107, 0, 0, 100]),
            (Finalize, done, [-107, 0, 0, 100]),
            (Finalize, R::UnknownWithdrawal, [-107, 0, 0, 100]),
        ],
        &[
            (Release, done, [0, 0, 0, 0]),
            (Release, refused, [0, 0, 0, 0]),
            (Start, refused, [0, 0, 0, 0]),
            (Finalize, done, [0, 0, 0, 0]),
        ],
        &[
            (Start, done, [-107, 0, 107, 0]),
            (Release, done, [0, 0, 0, 0]),
        ],
    ];
    for steps in table {
        let mut venue = Venue::new();
        let outside = venue.balance(4, QUOTE).0;
        let (withdrawal_id, events) = request(&mut venue, 100, 7);
        assert_eq!(kinds(&events, A), [(MoneyKind::WithdrawalRequested, 100)]);
        for (step, wanted, amounts) in steps {
            assert_eq!(act(&mut venue, *step, withdrawal_id), *wanted, "{step:?}");
            let (available, held, in_flight) = venue.balance(A, QUOTE);
            let paid = venue.balance(4, QUOTE).0 - outside;
            assert_eq!(
                [available - RICH, held, in_flight, paid],
                *amounts,
                "{step:?}"
            );
            venue = venue.restored();
        }
    }
}

#[test]
fn every_fault_of_a_request_has_a_reason() {
    let mut venue = Venue::new();
    for (amount, fee, wanted) in [
        (0, 0, R::InvalidAmount),
        (1, -1, R::InvalidAmount),
        (RICH, 1, R::InsufficientFunds),
    ] {
        let (_, events) = request(&mut venue, amount, fee);
        assert_eq!(rejects(&events, A), [wanted]);
    }
    let (_, events) = request(&mut venue, RICH, 0);
    assert_eq!(rejects(&events, A), []);
}

#[test]
fn every_fault_of_a_transfer_has_a_reason() {
    let mut venue = Venue::new();
    for (to_account_id, asset_id, amount_atoms, wanted) in [
        (A, QUOTE, 5, R::InvalidCombination),
        (1, QUOTE, 5, R::UnknownAccount),
        (9_999, QUOTE, 5, R::UnknownAccount),
        (FOREIGN, QUOTE, 5, R::ForeignAccount),
        (B, 9, 5, R::UnknownAsset),
        (B, QUOTE, 0, R::InvalidAmount),
        (B, QUOTE, RICH + 1, R::InsufficientFunds),
    ] {
        let transfer = Transfer {
            request_id: venue.next_id(),
            account_id: A,
            to_account_id,
            asset_id,
            amount_atoms,
            sent_time_ns: venue.time_ns,
            ..Transfer::default()
        };
        let events = venue.firm(CommandClass::Unary, &[Command::Transfer(transfer)]);
        assert_eq!(rejects(&events, A), [wanted]);
    }
}

#[test]
fn money_goes_to_another_shard_and_comes_back() {
    let mut venue = Venue::new();
    let source_seq = venue.next_source_seq();
    let events = venue.done(SystemCommand::ShardTransferOut(ShardTransferOut {
        source_id: 1,
        source_seq,
        peer_shard: 9,
        account_id: A,
        asset_id: QUOTE,
        amount_atoms: 40,
    }));
    assert_eq!(kinds(&events, A), [(MoneyKind::ShardOut, 40)]);
    assert_eq!(venue.balance(25, QUOTE).0, 40);
    for (account_id, wanted) in [(A, R::Unspecified), (9_999, R::UnknownAccount)] {
        let source_seq = venue.next_source_seq();
        let command = SystemCommand::ShardTransferIn(ShardTransferIn {
            source_id: 1,
            source_seq,
            peer_shard: 9,
            account_id,
            asset_id: QUOTE,
            amount_atoms: 30,
        });
        assert_eq!(venue.answer(command), wanted);
    }
    assert_eq!(venue.balance(25, QUOTE).0, -20);
    assert_eq!(venue.balance(A, QUOTE).0, RICH - 10);
    assert_eq!(venue.balance(3, QUOTE).0, 30);
}

#[test]
fn an_adjustment_needs_two_persons() {
    let mut venue = Venue::new();
    let mut adjust = |from, to, approvers: (&str, &str), amount_atoms| {
        let source_seq = venue.next_source_seq();
        let events = venue.system(SystemCommand::Adjust(Adjust {
            source_id: 1,
            source_seq,
            adjustment_id: id(1),
            from_account_id: from,
            to_account_id: to,
            asset_id: QUOTE,
            amount_atoms,
            first_approver: approvers.0,
            second_approver: approvers.1,
        }));
        (answers(&events)[0], kinds(&events, A))
    };
    let two = ("one", "two");
    assert_eq!(adjust(2, A, ("one", "one"), 5).0, R::InvalidParameter);
    assert_eq!(adjust(2, 2, two, 5).0, R::InvalidParameter);
    assert_eq!(adjust(5, A, two, 5).0, R::UnknownAccount);
    assert_eq!(adjust(A, 2, two, RICH + 1).0, R::InsufficientFunds);
    let told = adjust(2, A, two, 5);
    assert_eq!(told, (R::Unspecified, vec![(MoneyKind::Adjusted, 5)]));
    let told = adjust(A, B, two, 5);
    assert_eq!(told, (R::Unspecified, vec![(MoneyKind::Adjusted, -5)]));
}
