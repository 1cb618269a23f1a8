//! The whole engine, bytes in and bytes out, under a flow of commands.

use crate::flow::{Flow, SESSION, SHARD, START_NS, batch, opening};
use cambist_codec::Kernel;
use cambist_codec::{ApplyError, Snapshot};
use cambist_engine::Engine;
use cambist_feed::Image;

/// Commands are applied or refused; money is neither made nor lost; the feed tells the state; a snapshot is the state.
///
/// # Panics
/// When that is not so.
pub fn engine(bytes: &[u8]) {
    let mut kernel = Kernel::<Engine>::new(SHARD);
    let mut image = Image::new(SHARD);
    let (opened, source_seq) = opening();
    apply(&mut kernel, &mut image, START_NS, &[opened]).expect("well-formed");
    let mut flow = Flow::new(bytes, source_seq);
    let mut time_ns = START_NS;
    loop {
        time_ns += 1_000;
        let (before, hash) = (flow.clone(), kernel.state_hash());
        let numbers = kernel.machine().session_numbers(SESSION);
        let together = flow.envelopes(time_ns, numbers);
        if together.is_empty() {
            break;
        }
        if apply(&mut kernel, &mut image, time_ns, &together).is_err() {
            assert_eq!(kernel.state_hash(), hash);
            flow = before.without(&flow);
        }
    }
    check(&kernel, &image);
}

fn apply(
    kernel: &mut Kernel<Engine>,
    image: &mut Image,
    time_ns: u64,
    envelopes: &[Vec<u8>],
) -> Result<(), ApplyError> {
    let first = kernel.machine().last_seq() + 1;
    let row = kernel.apply(&batch(first, time_ns, envelopes))?.to_vec();
    let last = kernel.machine().last_seq();
    image
        .apply(first, last, &row)
        .expect("the feed takes every row");
    Ok(())
}

fn check(kernel: &Kernel<Engine>, image: &Image) {
    let bytes = kernel.snapshot();
    let snapshot = Snapshot::decode(&bytes).expect("canonical");
    for asset in &snapshot.money.assets {
        let rows = snapshot.money.balances.iter();
        let rows = rows.filter(|row| row.asset_id == asset.asset_id);
        let sum: i128 = rows
            .map(|row| row.available_atoms + row.held_atoms + row.in_flight_atoms)
            .sum();
        assert_eq!(sum, 0, "money is neither made nor lost");
    }
    // Refused unless every list is in order and holds, ids and books agree.
    let restored = Kernel::<Engine>::restore(&bytes).expect("our own");
    assert_eq!(restored.snapshot(), bytes);
    let mut loaded = Image::new(SHARD);
    loaded.load_snapshot(&bytes).expect("our own");
    for market in loaded.markets() {
        assert_eq!(loaded.l3(market), image.l3(market));
        assert_eq!(loaded.l2(market, 0), image.l2(market, 0));
        assert_eq!(loaded.bbo(market), image.bbo(market));
    }
    for account in 4_096..4_099 {
        assert_eq!(loaded.balances(account), image.balances(account));
        let orders = |image: &Image| image.open_orders(account, 0, usize::MAX);
        assert_eq!(orders(&loaded), orders(image));
    }
}
