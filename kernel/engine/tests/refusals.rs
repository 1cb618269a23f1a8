//! Reasons for which orders, amendments and cancels are refused, each reached once, and the order of judgement.

mod common;

use cambist_engine::types::RejectReason as R;
use cambist_engine::types::*;
use common::recorder::{rejects, reports};
use common::{A, B, BASE, MARKET, OTHER_MARKET, QUOTE, Venue, buy, sell};

/// A venue with steps, bounds and little money in account A.
fn strict_venue() -> Venue {
    let mut venue = Venue::new();
    venue.done(SystemCommand::UpdateMarket(UpdateMarket {
        market_id: MARKET,
        parameters: MarketParameters {
            price_step_ticks: 5,
            quantity_step_lots: 10,
            minimum_quantity_lots: 20,
            maximum_quantity_lots: 1 << 40,
            minimum_notional_atoms: 1_000,
            maximum_notional_atoms: 1 << 50,
            taker_fee_ppm: 2_000,
            ..MarketParameters::default()
        },
    }));
    venue
}

fn good() -> NewOrder {
    buy(A, 100, 20)
}

#[test]
fn every_fault_of_an_order_has_a_reason() {
    type Change = fn(&mut NewOrder);
    let table: [(R, Change); 31] = [
        (R::InvalidCombination, |o| o.side = Side::Unspecified),
        (R::InvalidCombination, |o| {
            o.order_type = OrderType::Unspecified;
        }),
        (R::InvalidCombination, |o| {
            o.time_in_force = TimeInForce::Unspecified;
        }),
        (R::Unsupported, |o| o.order_type = OrderType::Stop),
        (R::Unsupported, |o| o.time_in_force = TimeInForce::Day),
        (R::Unsupported, |o| o.hidden = true),
        (R::Unsupported, |o| o.display_lots = 1),
        (R::Unsupported, |o| o.minimum_lots = -1),
        (R::Unsupported, |o| o.trailing_offset_ppm = 1),
        (R::WrongShard, |o| o.market_id = 7),
        (R::UnknownMarket, |o| o.market_id = MARKET + 9),
        (R::InvalidCombination, |o| o.quote_budget_atoms = 5),
        (R::InvalidCombination, |o| {
            (o.order_type, o.price_ticks) = (OrderType::Market, 0);
        }),
        (R::InvalidCombination, |o| {
            (o.post_only, o.time_in_force) = (true, TimeInForce::Ioc);
        }),
        (R::InvalidCombination, |o| o.expire_time_ns = 1),
        (R::InvalidPrice, |o| o.price_ticks = 0),
        (R::InvalidPrice, |o| o.price_ticks = (1 << 53) + 1),
        (R::OffTick, |o| o.price_ticks = 101),
        (R::InvalidQuantity, |o| o.quantity_lots = -1),
        (R::InvalidQuantity, |o| o.quantity_lots = (1 << 53) + 1),
        (R::OffLot, |o| o.quantity_lots = 25),
        (R::QuantityBelowMinimum, |o| o.quantity_lots = 10),
        (R::QuantityAboveMaximum, |o| {
            o.quantity_lots = (1 << 40) / 10 * 10 + 10;
        }),
        (R::NotionalBelowMinimum, |o| o.price_ticks = 45),
        (R::NotionalAboveMaximum, |o| o.price_ticks = 5 << 49),
        (R::InvalidExpireTime, |o| o.time_in_force = TimeInForce::Gtd),
        (R::InvalidExpireTime, |o| {
            o.time_in_force = TimeInForce::Gtd;
            o.expire_time_ns = o.sent_time_ns + 401 * 86_400 * 1_000_000_000;
        }),
        (R::PostOnlyWouldCross, |o| {
            (o.post_only, o.price_ticks) = (true, 110);
        }),
        (R::InsufficientFunds, |o| o.quantity_lots = 10_000_000_000),
        (R::Stale, |o| o.sent_time_ns -= 601_000_000_000),
        (R::SentTimeAhead, |o| o.sent_time_ns += 5_000_100_000),
    ];
    let mut venue = strict_venue();
    venue.accept(sell(B, 110, 20));
    for (number, (wanted, change)) in table.into_iter().enumerate() {
        let mut order = venue.named(good());
        change(&mut order);
        let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
        let report = reports(&events, A)[0];
        let told = (report.exec_type, report.reject_reason, report.order_id);
        assert_eq!(told, (ExecType::Rejected, wanted, 0), "case {number}");
        assert_eq!(venue.balance(A, QUOTE), (common::RICH, 0, 0));
    }
    venue.accept(good());
}

#[test]
fn overflow_of_price_times_quantity_is_refused() {
    let mut venue = Venue::new();
    venue.done(SystemCommand::CreateMarket(CreateMarket {
        market_id: MARKET + 5,
        symbol: "WIDE",
        base_asset_id: BASE,
        quote_asset_id: QUOTE,
        lot_size_atoms: 1 << 60,
        tick_size_atoms: 1,
        parameters: MarketParameters::default(),
    }));
    venue.phase(MARKET + 5, MarketPhase::Continuous);
    for (price, lots, wanted) in [
        (1 << 53, 1 << 8, R::NotionalOverflow),
        (1, 1 << 53, R::InsufficientFunds),
        (1, (1 << 53) + 1, R::InvalidQuantity),
        (1 << 53, 1 << 53, R::NotionalOverflow),
    ] {
        let order = NewOrder {
            market_id: MARKET + 5,
            ..buy(A, price, lots)
        };
        assert_eq!(venue.refusal(order), wanted, "{price} {lots}");
    }
}

#[test]
fn phases_take_what_they_take() {
    let post_only = NewOrder {
        post_only: true,
        ..buy(A, 90, 1)
    };
    let at_once = NewOrder {
        time_in_force: TimeInForce::Ioc,
        ..buy(A, 90, 1)
    };
    for (phase, takes_limit, takes_ioc, takes_cancel) in [
        (MarketPhase::Continuous, true, true, true),
        (MarketPhase::PostOnly, true, false, true),
        (MarketPhase::CancelOnly, false, false, true),
        (MarketPhase::Halted, false, false, false),
    ] {
        let mut venue = Venue::new();
        let resting = venue.accept(buy(A, 80, 5));
        venue.phase(MARKET, phase);
        for (order, takes) in [
            (buy(A, 90, 1), takes_limit),
            (post_only, takes_limit),
            (at_once, takes_ioc),
        ] {
            let (_, events) = venue.order(order);
            let report = reports(&events, A)[0];
            let wanted = if takes {
                (ExecType::New, R::Unspecified, MarketPhase::Unspecified)
            } else {
                (ExecType::Rejected, R::Phase, phase)
            };
            assert_eq!(
                (report.exec_type, report.reject_reason, report.phase),
                wanted
            );
        }
        let reasons = rejects(&venue.amend(A, resting, 0, 4), A);
        assert_eq!(reasons.is_empty(), takes_limit, "{phase:?}");
        let reasons = rejects(&venue.cancel(A, resting), A);
        assert_eq!(reasons.is_empty(), takes_cancel, "{phase:?}");
    }
}

#[test]
fn post_only_phase_refuses_what_would_trade() {
    let mut venue = Venue::new();
    venue.accept(sell(B, 100, 5));
    venue.phase(MARKET, MarketPhase::PostOnly);
    assert_eq!(venue.refusal(buy(A, 100, 1)), R::PostOnlyWouldCross);
    let order = venue.accept(buy(A, 99, 1));
    let reasons = rejects(&venue.amend(A, order, 100, 0), A);
    assert_eq!(reasons, [R::PostOnlyWouldCross]);
}

#[test]
fn switches_refuse_orders_and_amendments() {
    let kill = |scope, target_id, active| {
        SystemCommand::KillSwitch(KillSwitch {
            scope,
            target_id,
            active,
        })
    };
    let freeze = |frozen| {
        SystemCommand::SetAccountLimits(SetAccountLimits {
            account_id: A,
            limits: AccountLimits::default(),
            frozen,
        })
    };
    let mut venue = Venue::new();
    let order = venue.accept(buy(A, 90, 5));
    venue.done(freeze(true));
    assert_eq!(venue.refusal(buy(A, 90, 1)), R::AccountFrozen);
    assert_eq!(rejects(&venue.amend(A, order, 0, 4), A), [R::AccountFrozen]);
    venue.done(freeze(false));
    venue.done(kill(KillScope::Account, A, true));
    assert_eq!(venue.refusal(buy(A, 90, 1)), R::Killed);
    assert_eq!(venue.queue(Side::Buy), []);
    venue.done(kill(KillScope::Account, A, false));
    venue.done(kill(KillScope::Market, u64::from(MARKET), true));
    assert_eq!(venue.refusal(buy(A, 90, 1)), R::Killed);
    venue.accept(NewOrder {
        market_id: OTHER_MARKET,
        ..buy(A, 90, 1)
    });
}

#[test]
fn an_account_has_at_most_its_open_orders() {
    let mut venue = Venue::new();
    venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
        account_id: A,
        limits: AccountLimits {
            open_orders_max: 1,
            id_capacity: 0,
        },
        frozen: false,
    }));
    venue.accept(buy(A, 90, 1));
    assert_eq!(venue.refusal(buy(A, 90, 1)), R::OpenOrdersLimit);
    venue.accept(NewOrder {
        time_in_force: TimeInForce::Ioc,
        ..buy(A, 90, 1)
    });
}

#[test]
fn every_fault_of_an_amendment_has_a_reason() {
    let mut venue = strict_venue();
    venue.accept(sell(B, 110, 20));
    let order = venue.accept(NewOrder {
        post_only: true,
        ..buy(A, 100, 50)
    });
    venue.accept(sell(B, 100, 20));
    for (price, lots, wanted) in [
        (0, 0, R::NothingToAmend),
        (100, 50, R::NothingToAmend),
        (-5, 0, R::InvalidPrice),
        (101, 0, R::OffTick),
        (0, -1, R::InvalidQuantity),
        (0, 25, R::OffLot),
        (0, 10, R::QuantityBelowMinimum),
        (0, 20, R::QuantityBelowFilled),
        (15, 0, R::NotionalBelowMinimum),
        (5 << 49, 0, R::NotionalAboveMaximum),
        (110, 0, R::PostOnlyWouldCross),
        (0, 10_000_000_000, R::InsufficientFunds),
    ] {
        let reasons = rejects(&venue.amend(A, order, price, lots), A);
        assert_eq!(reasons, [wanted], "{price} {lots}");
    }
    let reasons = rejects(&venue.amend(A, 999, 100, 0), A);
    assert_eq!(reasons, [R::UnknownOrder]);
    assert_eq!(venue.queue(Side::Buy), [(order, 30)]);
}

#[test]
fn a_request_names_its_order_in_exactly_one_way() {
    let mut venue = Venue::new();
    let (sent, events) = venue.order(buy(A, 90, 1));
    let order_id = reports(&events, A)[0].order_id;
    for (orig_cl_ord_id, order_id) in [(None, 0), (Some(sent.cl_ord_id), order_id)] {
        let cancel = Cancel {
            request_id: venue.next_id(),
            account_id: A,
            orig_cl_ord_id,
            order_id,
            sent_time_ns: venue.time_ns,
            ..Cancel::default()
        };
        let events = venue.firm(CommandClass::Unary, &[Command::Cancel(cancel)]);
        assert_eq!(rejects(&events, A), [R::InvalidCombination]);
    }
}

#[test]
fn a_late_command_is_refused_when_it_said_until_when() {
    let mut venue = Venue::new();
    let order = NewOrder {
        expires_after_ms: 10,
        ..venue.named(buy(A, 90, 1))
    };
    venue.time_ns += 10_000_001;
    let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
    assert_eq!(reports(&events, A)[0].reject_reason, R::Expired);
    let again = venue.firm(CommandClass::Unary, &[Command::NewOrder(order)]);
    assert!(reports(&again, A)[0].repeat);
}

#[test]
fn commands_of_later_versions_are_refused_without_a_key() {
    let mut venue = Venue::new();
    let request_id = common::id(9_999);
    let timer = Command::CancelAllAfter(CancelAllAfter {
        request_id,
        account_id: A,
        ..CancelAllAfter::default()
    });
    let replace = Command::Replace(Replace {
        new_order: NewOrder {
            cl_ord_id: request_id,
            ..buy(A, 1, 1)
        },
        ..Replace::default()
    });
    for _ in 0..2 {
        let events = venue.firm(CommandClass::Unary, std::slice::from_ref(&timer));
        assert_eq!(rejects(&events, A), [R::Unsupported]);
        let events = venue.firm(CommandClass::Unary, std::slice::from_ref(&replace));
        let report = reports(&events, A)[0];
        assert_eq!(
            (report.reject_reason, report.repeat),
            (R::Unsupported, false)
        );
    }
}
