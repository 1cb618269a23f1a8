//! One test per class of bug that other engines had, as the design lists them. Each has a planted bug that makes it
//! fail, where such a bug can be planted.

mod common;

use cambist_engine::types::*;
use common::recorder::{of_type, rejects, reports, trades};
use common::{A, B, C, D, Event, MARKET, Venue, buy, id, sell};

#[test]
fn cancel_of_an_order_in_the_middle_keeps_the_queue() {
    let mut venue = Venue::new();
    let orders: Vec<u64> = (0..4).map(|_| venue.accept(sell(A, 100, 5))).collect();
    venue.cancel(A, orders[1]);
    let later = venue.accept(sell(A, 100, 5));
    let wanted = [(orders[0], 5), (orders[2], 5), (orders[3], 5), (later, 5)];
    assert_eq!(venue.queue(Side::Sell), wanted);
    let (_, events) = venue.order(buy(B, 100, 20));
    assert_eq!(trades(&events).len(), 4);
    assert_eq!(venue.queue(Side::Sell), []);
}

#[test]
fn both_sides_are_told_the_price_of_the_maker() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    let (_, events) = venue.order(buy(B, 110, 5));
    for account in [A, B] {
        let trade = of_type(&events, account, ExecType::Trade)[0];
        assert_eq!(
            (trade.last_price_ticks, trade.last_lots, trade.cum_tick_lots),
            (100, 5, 500)
        );
    }
    assert_eq!(trades(&events)[0].price_ticks, 100);
    // 500 at 1 and 2 per mille, rounded up.
    assert_eq!(of_type(&events, A, ExecType::Trade)[0].fee_atoms, 1);
    assert_eq!(of_type(&events, B, ExecType::Trade)[0].fee_atoms, 1);
    assert_eq!(venue.balance(B, common::QUOTE).0, common::RICH - 501);
}

#[test]
fn best_price_follows_a_cancel() {
    let mut venue = Venue::new();
    venue.accept(buy(A, 90, 5));
    let best = venue.accept(buy(A, 95, 7));
    let events = venue.cancel(A, best);
    let quote = events.iter().find_map(|event| match event {
        Event::Bbo(_, quote) => Some((quote.bid_price_ticks, quote.bid_lots)),
        _ => None,
    });
    assert_eq!(quote, Some((90, 5)));
}

#[test]
fn rest_of_an_ioc_order_is_cancelled() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    let order = NewOrder {
        time_in_force: TimeInForce::Ioc,
        ..buy(B, 100, 9)
    };
    let (_, events) = venue.order(order);
    let cancelled = of_type(&events, B, ExecType::Canceled)[0];
    assert_eq!(
        (cancelled.cum_lots, cancelled.cancel_reason),
        (5, CancelReason::Ioc)
    );
    assert_eq!(venue.queue(Side::Buy), []);
    assert_eq!(venue.balance(B, common::QUOTE).1, 0);
}

#[test]
fn limit_order_stops_at_its_price() {
    let mut venue = Venue::new();
    for price in [100, 101, 102] {
        venue.accept(sell(A, price, 5));
    }
    let (_, events) = venue.order(buy(B, 101, 20));
    let prices: Vec<i64> = trades(&events).iter().map(|t| t.price_ticks).collect();
    assert_eq!(prices, [100, 101]);
    assert_eq!(venue.queue(Side::Buy).len(), 1);
}

#[test]
fn amendment_into_the_cross_trades_at_the_price_of_the_maker() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    let order = venue.accept(buy(B, 90, 8));
    let events = venue.amend(B, order, 105, 0);
    let trade = trades(&events)[0];
    assert_eq!((trade.price_ticks, trade.quantity_lots), (100, 5));
    assert_eq!(venue.queue(Side::Buy), [(order, 3)]);
}

#[test]
fn amendment_leaves_the_neighbours_in_the_queue() {
    let mut venue = Venue::new();
    let orders: Vec<u64> = (0..4).map(|_| venue.accept(buy(A, 90, 5))).collect();
    venue.amend(A, orders[1], 91, 0);
    let wanted = [
        (orders[1], 5),
        (orders[0], 5),
        (orders[2], 5),
        (orders[3], 5),
    ];
    assert_eq!(venue.queue(Side::Buy), wanted);
}

#[test]
fn cancel_of_a_closed_order_is_refused() {
    let mut venue = Venue::new();
    let (sent, _) = venue.order(sell(A, 100, 5));
    venue.accept(buy(B, 100, 5));
    let cancel = Cancel {
        request_id: venue.next_id(),
        account_id: A,
        orig_cl_ord_id: Some(sent.cl_ord_id),
        sent_time_ns: venue.time_ns,
        ..Cancel::default()
    };
    let events = venue.firm(CommandClass::Unary, &[Command::Cancel(cancel)]);
    assert_eq!(rejects(&events, A), [RejectReason::OrderClosed]);
    assert_eq!(reports(&events, A), []);
}

#[test]
fn id_of_a_filled_order_stays_used() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    let (sent, first) = venue.order(buy(B, 100, 5));
    let again = venue.firm(CommandClass::Unary, &[Command::NewOrder(sent)]);
    let report = reports(&again, B)[0];
    assert!(report.repeat);
    assert_eq!(report.order_id, reports(&first, B)[0].order_id);
    let other = NewOrder {
        quantity_lots: 6,
        ..sent
    };
    let events = venue.firm(CommandClass::Unary, &[Command::NewOrder(other)]);
    assert_eq!(reports(&events, B)[0].reject_reason, RejectReason::IdReused);
}

#[test]
fn cancel_of_an_order_that_never_was_is_refused() {
    let mut venue = Venue::new();
    for order_id in [1, 77, u64::MAX] {
        let events = venue.cancel(A, order_id);
        assert_eq!(rejects(&events, A), [RejectReason::UnknownOrder]);
    }
    let mine = venue.accept(buy(A, 90, 1));
    let events = venue.cancel(B, mine);
    assert_eq!(rejects(&events, B), [RejectReason::UnknownOrder]);
}

#[test]
fn partly_filled_maker_keeps_its_place() {
    let mut venue = Venue::new();
    let first = venue.accept(sell(A, 100, 10));
    let second = venue.accept(sell(A, 100, 10));
    venue.accept(buy(B, 100, 4));
    assert_eq!(venue.queue(Side::Sell), [(first, 6), (second, 10)]);
}

#[test]
fn prices_beyond_32_bits_keep_their_order() {
    let mut venue = Venue::new();
    let wide = 1_i64 << 32;
    venue.credit(B, common::QUOTE, 1 << 60);
    let high = venue.accept(sell(A, wide + 5, 1));
    let low = venue.accept(sell(A, 7, 1));
    assert_eq!(venue.queue(Side::Sell), [(low, 1), (high, 1)]);
    let (_, events) = venue.order(buy(B, wide + 5, 2));
    let prices: Vec<i64> = trades(&events).iter().map(|t| t.price_ticks).collect();
    assert_eq!(prices, [7, wide + 5]);
}

#[test]
fn long_sweep_ends_at_the_work_limit() {
    let mut venue = Venue::new();
    for account in [A, C, D] {
        venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
            account_id: account,
            limits: AccountLimits {
                open_orders_max: 10_000,
                id_capacity: 16,
            },
            frozen: false,
        }));
    }
    for number in 0..10_001 {
        venue.accept(sell([A, C, D][number % 3], 100, 1));
    }
    let (_, events) = venue.order(buy(B, 100, 10_001));
    assert_eq!(trades(&events).len(), 10_000);
    let cancelled = of_type(&events, B, ExecType::Canceled)[0];
    assert_eq!(cancelled.cancel_reason, CancelReason::WorkLimit);
    assert_eq!(venue.queue(Side::Sell).len(), 1);
}

#[test]
fn no_trade_has_a_quantity_of_zero() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    // 99 pay for nothing at 100.
    let order = NewOrder {
        order_type: OrderType::Market,
        time_in_force: TimeInForce::Ioc,
        price_ticks: 0,
        quantity_lots: 0,
        quote_budget_atoms: 99,
        ..buy(B, 0, 0)
    };
    let (_, events) = venue.order(order);
    assert_eq!(trades(&events), []);
    let cancelled = of_type(&events, B, ExecType::Canceled)[0];
    assert_eq!(cancelled.cancel_reason, CancelReason::InsufficientFunds);
}

fn fill_or_kill(order: NewOrder) -> NewOrder {
    NewOrder {
        time_in_force: TimeInForce::Fok,
        ..order
    }
}

#[test]
fn fill_or_kill_order_that_cannot_be_filled_changes_nothing() {
    let mut venue = Venue::new();
    let order = venue.accept(sell(A, 100, 5));
    let (_, events) = venue.order(fill_or_kill(buy(B, 100, 6)));
    assert_eq!(
        reports(&events, B)[0].reject_reason,
        RejectReason::FokNotFillable
    );
    assert_eq!(trades(&events), []);
    assert_eq!(venue.queue(Side::Sell), [(order, 5)]);
    let (_, events) = venue.order(fill_or_kill(buy(B, 100, 5)));
    assert_eq!(trades(&events).len(), 1);
}

#[test]
fn fill_or_kill_order_does_not_count_orders_of_its_own_group() {
    let mut venue = Venue::new();
    venue.accept(sell(C, 100, 5));
    venue.accept(sell(A, 100, 5));
    assert_eq!(
        venue.refusal(fill_or_kill(buy(D, 100, 5))),
        RejectReason::FokNotFillable
    );
    let oldest = NewOrder {
        self_trade_prevention: SelfTradePrevention::CancelOldest,
        ..buy(D, 100, 5)
    };
    let (_, events) = venue.order(fill_or_kill(oldest));
    assert_eq!(of_type(&events, D, ExecType::Trade).len(), 1);
}

#[test]
fn mass_cancel_goes_in_the_order_of_order_ids() {
    let mut venue = Venue::new();
    let orders = [95, 99, 91, 97].map(|price| venue.accept(buy(A, price, 1)));
    let mass = MassCancel {
        request_id: venue.next_id(),
        account_id: A,
        sent_time_ns: venue.time_ns,
        ..MassCancel::default()
    };
    let events = venue.firm(CommandClass::Unary, &[Command::MassCancel(mass)]);
    let cancelled = of_type(&events, A, ExecType::Canceled);
    let told: Vec<u64> = cancelled.iter().map(|report| report.order_id).collect();
    assert_eq!(told, orders);
}

#[test]
fn restored_book_has_the_same_queues() {
    let mut venue = Venue::new();
    for lots in [5, 3, 9, 1] {
        venue.accept(sell(A, 100, lots));
        venue.accept(buy(B, 90, lots));
    }
    let restored = venue.restored();
    for side in [Side::Buy, Side::Sell] {
        assert_eq!(restored.queue(side), venue.queue(side));
    }
}

#[test]
fn restored_market_goes_on_with_its_trade_ids() {
    let mut venue = Venue::new();
    venue.accept(sell(A, 100, 5));
    venue.accept(buy(B, 100, 2));
    let mut restored = venue.restored();
    let (_, events) = restored.order(buy(B, 100, 2));
    assert_eq!(trades(&events)[0].trade_id, 2);
}

#[test]
fn amendments_and_cancels_leave_no_hold_behind() {
    let mut venue = Venue::new();
    let order = venue.accept(buy(A, 100, 10));
    venue.amend(A, order, 50, 4);
    assert_eq!(venue.balance(A, common::QUOTE).1, 201);
    venue.amend(A, order, 60, 9);
    assert_eq!(venue.balance(A, common::QUOTE).1, 542);
    venue.cancel(A, order);
    assert_eq!(venue.balance(A, common::QUOTE), (common::RICH, 0, 0));
}

#[test]
fn cancel_gets_through_when_the_book_is_full() {
    let mut venue = Venue::new();
    venue.done(SystemCommand::UpdateMarket(UpdateMarket {
        market_id: MARKET,
        parameters: MarketParameters {
            resting_orders_max: 2,
            ..MarketParameters::default()
        },
    }));
    let order = venue.accept(buy(A, 90, 1));
    venue.accept(buy(A, 90, 1));
    assert_eq!(venue.refusal(buy(A, 90, 1)), RejectReason::BookFull);
    let events = venue.cancel(A, order);
    assert_eq!(of_type(&events, A, ExecType::Canceled).len(), 1);
    venue.accept(buy(A, 90, 1));
}

#[test]
fn amendment_sent_again_does_not_undo_a_later_one() {
    let mut venue = Venue::new();
    let order_id = venue.accept(buy(A, 90, 10));
    let amend = Amend {
        request_id: venue.next_id(),
        account_id: A,
        order_id,
        price_ticks: 91,
        sent_time_ns: venue.time_ns,
        ..Amend::default()
    };
    venue.firm(CommandClass::Unary, &[Command::Amend(amend)]);
    venue.amend(A, order_id, 85, 0);
    let events = venue.firm(CommandClass::Unary, &[Command::Amend(amend)]);
    assert!(reports(&events, A)[0].repeat);
    let books = venue.engine.to_snapshot().books.books;
    assert_eq!(books[0].bids[0].price_ticks, 85);
}

#[test]
fn only_timers_that_are_due_fire() {
    let mut venue = Venue::new();
    let ends = |after_ns| NewOrder {
        time_in_force: TimeInForce::Gtd,
        expire_time_ns: common::START_NS + after_ns,
        ..buy(A, 90, 1)
    };
    let soon = venue.accept(ends(1_000_000));
    let late = venue.accept(ends(2_000_000));
    venue.time_ns = common::START_NS + 1_000_000;
    let events = venue.system(SystemCommand::Clock(Clock));
    let expired = of_type(&events, A, ExecType::Expired);
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0].order_id, soon);
    assert_eq!(venue.queue(Side::Buy), [(late, 1)]);
    assert_eq!(venue.engine.next_timer_ns(), common::START_NS + 2_000_000);
}

#[test]
fn decremented_maker_keeps_its_place() {
    let mut venue = Venue::new();
    let first = venue.accept(sell(C, 100, 10));
    let second = venue.accept(sell(C, 100, 10));
    let order = NewOrder {
        self_trade_prevention: SelfTradePrevention::Decrement,
        ..buy(D, 100, 4)
    };
    let (_, events) = venue.order(order);
    assert_eq!(trades(&events), []);
    assert_eq!(venue.queue(Side::Sell), [(first, 6), (second, 10)]);
    assert_eq!(venue.balance(C, common::BASE).1, 16);
}

#[test]
fn an_id_names_one_command_of_any_kind() {
    let mut venue = Venue::new();
    let (sent, _) = venue.order(buy(A, 90, 1));
    let cancel = Cancel {
        request_id: sent.cl_ord_id,
        account_id: A,
        order_id: 1,
        sent_time_ns: venue.time_ns,
        ..Cancel::default()
    };
    let events = venue.firm(CommandClass::Unary, &[Command::Cancel(cancel)]);
    assert_eq!(rejects(&events, A), [RejectReason::IdReused]);
    assert_ne!(sent.cl_ord_id, id(0));
}
