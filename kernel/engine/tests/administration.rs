//! What the operator does: assets, markets, firms, accounts, phases, switches, poisoned commands.

mod common;

use cambist_engine::types::RejectReason as R;
use cambist_engine::types::*;
use common::recorder::{answers, of_type, privates, reports};
use common::{A, B, BASE, Event, MARKET, OTHER_MARKET, QUOTE, Venue, buy, sell};

#[test]
fn every_fault_of_an_asset_has_a_reason() {
    let mut venue = Venue::new();
    for (asset_id, symbol, decimals, wanted) in [
        (0, "X", 0, R::InvalidParameter),
        (9, "X", 31, R::InvalidParameter),
        (BASE, "X", 0, R::DuplicateId),
        (9, "BASE", 0, R::DuplicateId),
        (9, "X", 30, R::Unspecified),
    ] {
        let asset = CreateAsset {
            asset_id,
            symbol,
            decimals,
        };
        assert_eq!(venue.answer(SystemCommand::CreateAsset(asset)), wanted);
    }
}

type Change = fn(&mut CreateMarket<'_>);

#[test]
fn every_fault_of_a_market_has_a_reason() {
    let mut venue = Venue::new();
    let good = CreateMarket {
        market_id: MARKET + 5,
        symbol: "NEW",
        base_asset_id: BASE,
        quote_asset_id: QUOTE,
        lot_size_atoms: 1,
        tick_size_atoms: 1,
        parameters: MarketParameters::default(),
    };
    let table: [(R, Change); 14] = [
        (R::WrongShard, |m| m.market_id = 5),
        (R::InvalidParameter, |m| m.market_id = common::SHARD << 16),
        (R::DuplicateId, |m| m.market_id = MARKET),
        (R::DuplicateId, |m| m.symbol = "FIRST"),
        (R::UnknownAsset, |m| m.base_asset_id = 9),
        (R::UnknownAsset, |m| m.quote_asset_id = 9),
        (R::InvalidParameter, |m| m.quote_asset_id = BASE),
        (R::InvalidParameter, |m| m.lot_size_atoms = 0),
        (R::InvalidParameter, |m| m.tick_size_atoms = (1 << 100) + 1),
        (R::InvalidParameter, |m| {
            (m.lot_size_atoms, m.tick_size_atoms) = (1 << 100, 1 << 100);
        }),
        (R::InvalidParameter, |m| {
            (m.lot_size_atoms, m.tick_size_atoms) = (1 << 63, 1 << 64);
        }),
        (R::TickValueNotInteger, |m| m.lot_size_atoms = (1 << 60) + 1),
        (R::InvalidParameter, |m| m.parameters.taker_fee_ppm = -1),
        (R::Unspecified, |m| m.lot_size_atoms = 1 << 60),
    ];
    for (number, (wanted, change)) in table.into_iter().enumerate() {
        let mut market = good;
        change(&mut market);
        let answer = venue.answer(SystemCommand::CreateMarket(market));
        assert_eq!(answer, wanted, "case {number}");
    }
}

#[test]
fn every_fault_of_an_account_has_a_reason() {
    let mut venue = Venue::new();
    let firm = |firm_id, name| SystemCommand::CreateFirm(CreateFirm { firm_id, name });
    assert_eq!(venue.answer(firm(0, "x")), R::InvalidParameter);
    assert_eq!(venue.answer(firm(1, "x")), R::DuplicateId);
    assert_eq!(venue.answer(firm(3, "one")), R::Unspecified);
    for (account_id, firm_id, id_capacity, wanted) in [
        (4_095, 1, 0, R::InvalidParameter),
        (A, 1, 0, R::DuplicateId),
        (6_000, 9, 0, R::UnknownFirm),
        (6_000, 1, 15, R::InvalidParameter),
        (6_000, 1, 16, R::Unspecified),
    ] {
        let account = CreateAccount {
            account_id,
            firm_id,
            limits: AccountLimits {
                open_orders_max: 0,
                id_capacity,
            },
            ..CreateAccount::default()
        };
        assert_eq!(venue.answer(SystemCommand::CreateAccount(account)), wanted);
    }
}

#[test]
fn phases_change_one_market_or_all() {
    let mut venue = Venue::new();
    let status = |events: &[Event]| {
        let changes = events.iter().filter_map(|event| match event {
            Event::Status(market_id, status) => Some((*market_id, status.phase)),
            _ => None,
        });
        changes.collect::<Vec<_>>()
    };
    let set = |phase| {
        SystemCommand::SetPhase(SetPhase {
            market_id: MARKET,
            phase,
        })
    };
    assert_eq!(
        venue.answer(set(MarketPhase::Unspecified)),
        R::InvalidParameter
    );
    assert_eq!(venue.answer(set(MarketPhase::PreOpen)), R::Unsupported);
    assert_eq!(status(&venue.done(set(MarketPhase::Continuous))), []);
    let events = venue.done(SystemCommand::Halt(Halt {
        market_id: OTHER_MARKET,
    }));
    assert_eq!(status(&events), [(OTHER_MARKET, MarketPhase::Halted)]);
    let events = venue.done(SystemCommand::Halt(Halt { market_id: 0 }));
    assert_eq!(status(&events), [(MARKET, MarketPhase::Halted)]);
    let resume = |market_id, phase| SystemCommand::Resume(Resume { market_id, phase });
    assert_eq!(
        venue.answer(resume(0, MarketPhase::Halted)),
        R::InvalidParameter
    );
    let events = venue.done(resume(MARKET, MarketPhase::CancelOnly));
    assert_eq!(status(&events), [(MARKET, MarketPhase::CancelOnly)]);
    assert_eq!(
        venue.answer(resume(MARKET, MarketPhase::Continuous)),
        R::Phase
    );
    let events = venue.done(resume(0, MarketPhase::PostOnly));
    assert_eq!(status(&events), [(OTHER_MARKET, MarketPhase::PostOnly)]);
}

#[test]
fn a_killed_market_is_cleared_by_a_cursor() {
    let mut venue = Venue::new();
    let limits = AccountLimits {
        open_orders_max: 10_000,
        id_capacity: 0,
    };
    for account_id in [A, B] {
        venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
            account_id,
            limits,
            frozen: false,
        }));
    }
    for number in 0..6_000 {
        venue.accept(buy(A, 1 + number % 50, 1));
        venue.accept(sell(B, 100 + number % 50, 1));
    }
    venue.done(SystemCommand::KillSwitch(KillSwitch {
        scope: KillScope::Market,
        target_id: u64::from(MARKET),
        active: true,
    }));
    assert_eq!(
        (venue.engine.open_cursors(), venue.engine.resting_orders()),
        (1, 12_000)
    );
    let events = venue.done(SystemCommand::Clock(Clock));
    assert_eq!(of_type(&events, A, ExecType::Canceled).len(), 6_000);
    assert_eq!(of_type(&events, B, ExecType::Canceled).len(), 4_000);
    let mut venue = venue.restored();
    let events = venue.done(SystemCommand::Clock(Clock));
    assert_eq!(of_type(&events, B, ExecType::Canceled).len(), 2_000);
    let closed = events.iter().any(|event| match event {
        Event::System(text) => text.contains("cancelled_count: 12000"),
        _ => false,
    });
    assert!(closed, "{events:?}");
    assert_eq!(venue.engine.open_cursors(), 0);
}

#[test]
fn markets_with_late_timers_take_no_orders() {
    let mut venue = Venue::new();
    let limits = AccountLimits {
        open_orders_max: 10_000,
        id_capacity: 0,
    };
    for account_id in [A, B] {
        venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
            account_id,
            limits,
            frozen: false,
        }));
    }
    let ends = common::START_NS + 3_600_000_000_000;
    for number in 0..10_001 {
        venue.accept(NewOrder {
            time_in_force: TimeInForce::Gtd,
            expire_time_ns: ends,
            ..buy([A, B][number % 2], 90, 1)
        });
    }
    venue.time_ns = ends;
    let (_, events) = venue.order(buy(A, 90, 1));
    let report = reports(&events, A).into_iter().next_back().expect("some");
    let told = (report.reject_reason, report.phase);
    assert_eq!(told, (R::Phase, MarketPhase::CancelOnly));
    assert_eq!(venue.engine.resting_orders(), 1);
    let (_, events) = venue.order(buy(A, 90, 1));
    assert_eq!(of_type(&events, A, ExecType::Expired).len(), 1);
    assert_eq!(of_type(&events, A, ExecType::New).len(), 1);
}

#[test]
fn a_poisoned_command_halts_its_market_and_is_answered() {
    let mut venue = Venue::new();
    // A UNARY envelope with a NewOrder of account A; its id is sixteen sevens.
    let mut order = vec![10, 16];
    order.extend([7; 16]);
    order.extend([16, 128, 32, 24, 129, 128, 4, 80]);
    let mut time = common::START_NS.cast_unsigned();
    while time >= 128 {
        order.push((time & 127) as u8 | 128);
        time >>= 7;
    }
    order.push(u8::try_from(time).expect("the last seven bits"));
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("short");
    let command = [&[10, length(&order)], &order[..]].concat();
    let commands = [&[10, length(&command)], &command[..]].concat();
    let envelope = [&[8, 3, 40, 1, 66, length(&commands)], &commands[..]].concat();
    let poisoned = SystemCommand::CommandPoisoned(CommandPoisoned {
        envelope: &envelope,
        index: 0,
        market_id: MARKET,
    });
    let events = venue.system(poisoned.clone());
    assert_eq!(answers(&events), [R::Unspecified]);
    let report = reports(&events, A)[0];
    assert_eq!(report.reject_reason, R::Poisoned);
    assert_eq!(venue.refusal(buy(A, 90, 1)), R::Phase);
    // Its id is used.
    let again = venue.system(poisoned);
    assert!(reports(&again, A)[0].repeat);
    let nonsense = SystemCommand::CommandPoisoned(CommandPoisoned {
        envelope: &[255],
        index: 0,
        market_id: 0,
    });
    assert_eq!(venue.done(nonsense).len(), 2);
}

#[test]
fn what_this_build_cannot_do_is_refused() {
    let mut venue = Venue::new();
    for command in [
        SystemCommand::SetFeeTier(SetFeeTier::default()),
        SystemCommand::SetReferencePrice(SetReferencePrice::default()),
        SystemCommand::BustTrade(BustTrade::default()),
        SystemCommand::CorrectTrade(CorrectTrade::default()),
    ] {
        assert_eq!(venue.answer(command), R::Unsupported);
    }
    let rules = |version| SystemCommand::SwitchRules(SwitchRules { version });
    assert_eq!(venue.answer(rules(2)), R::UnknownRulesVersion);
    venue.done(rules(1));
    venue.done(SystemCommand::SkipPoisonCommand(SkipPoisonCommand {
        seq: 1,
    }));
}

#[test]
fn an_account_hears_of_its_limits() {
    let mut venue = Venue::new();
    let events = venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
        account_id: A,
        limits: AccountLimits {
            open_orders_max: 3,
            id_capacity: 0,
        },
        frozen: true,
    }));
    let report = AccountStatusReport {
        open_orders_max: 3,
        frozen: true,
        killed: false,
    };
    assert_eq!(
        privates(&events, A),
        [&PrivateEvent::AccountStatusReport(report)]
    );
}
