//! No order allocates once the tables have grown: shown by counting every allocation, with the real encoder behind.

mod common;

use cambist_codec::encoder::Encoder;
use cambist_engine::Head;
use cambist_engine::types::*;
use common::{A, B, C, D, SESSION, Venue, buy, sell};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Orders of four accounts that rest, trade, expire, are amended and cancelled, as one envelope per class.
struct Round {
    orders: Vec<Command<'static>>,
    cancels: Vec<Command<'static>>,
}

impl Round {
    fn new(venue: &mut Venue, number: i64) -> Self {
        let mut orders = Vec::new();
        let mut cancels = Vec::new();
        let sent_time_ns = venue.time_ns;
        for (step, account) in (0..200).zip([A, B, C, D].into_iter().cycle()) {
            let price = 90 + (step * 7 + number) % 20;
            let side = if step % 2 == 0 { buy } else { sell };
            let mut order = venue.named(side(account, price, 1 + step % 9));
            if step % 10 == 3 {
                order.time_in_force = TimeInForce::Gtd;
                order.expire_time_ns = sent_time_ns + 5_000;
            }
            if step % 7 == 2 {
                order.time_in_force = TimeInForce::Ioc;
                order.expire_time_ns = 0;
            }
            orders.push(Command::NewOrder(order));
            let request_id = venue.next_id();
            let orig_cl_ord_id = Some(order.cl_ord_id);
            if step % 5 == 1 {
                orders.push(Command::Amend(Amend {
                    request_id,
                    account_id: account,
                    orig_cl_ord_id,
                    price_ticks: price + 1,
                    sent_time_ns,
                    ..Amend::default()
                }));
            } else {
                cancels.push(Command::Cancel(Cancel {
                    request_id,
                    account_id: account,
                    orig_cl_ord_id,
                    sent_time_ns,
                    ..Cancel::default()
                }));
            }
        }
        for account_id in [A, B, C, D] {
            cancels.push(Command::MassCancel(MassCancel {
                request_id: venue.next_id(),
                account_id,
                sent_time_ns,
                ..MassCancel::default()
            }));
        }
        Self { orders, cancels }
    }
}

fn play(
    venue: &mut Venue,
    round: &Round,
    heads: &[Head; 2],
    encoder: &mut Encoder,
    row: &mut Vec<u8>,
) {
    encoder.start(venue.time_ns);
    let engine = &mut venue.engine;
    engine.begin(venue.time_ns, encoder);
    engine.firm_envelope(&heads[0], &round.orders, encoder);
    engine.firm_envelope(&heads[1], &round.cancels, encoder);
    engine.end(encoder);
    encoder.finish(|session_id| engine.session_numbers(session_id), row);
}

#[test]
fn a_batch_like_the_ones_before_allocates_nothing() {
    let mut venue = Venue::new();
    for account_id in [A, B, C, D] {
        venue.done(SystemCommand::SetAccountLimits(SetAccountLimits {
            account_id,
            limits: AccountLimits {
                open_orders_max: 0,
                id_capacity: 64,
            },
            frozen: false,
        }));
    }
    let (mut encoder, mut row) = (Encoder::default(), Vec::new());
    let mut allocated = 0;
    for number in 0..40 {
        venue.time_ns += 10_000;
        let round = Round::new(&mut venue, number);
        let heads = [
            venue.head(CommandClass::Order, round.orders.len()),
            venue.head(CommandClass::Cancel, round.cancels.len()),
        ];
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        play(&mut venue, &round, &heads, &mut encoder, &mut row);
        allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
        assert!(row.len() > 20_000, "{}", row.len());
    }
    assert_eq!(allocated, 0);
    let orders = 40 * (200 + 40);
    assert_eq!(venue.engine.session_numbers(SESSION).0, orders);
}
