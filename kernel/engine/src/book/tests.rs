//! Tests of the book against a plain one.

use super::*;
use crate::types::L2Level;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn place(shown_lots: i64) -> Place {
    Place {
        shown_lots,
        previous: NONE,
        next: NONE,
        level: NONE,
        group: 0,
        account: 0,
        market: 0,
    }
}

#[derive(Default)]
struct Plain {
    /// By side and key, the queue of (handle, lots).
    queues: BTreeMap<(Side, i64), Vec<(u32, i64)>>,
}

impl Plain {
    fn handles(&self, side: Side) -> Vec<u32> {
        let queues = self.queues.iter().rev().filter(|((s, _), _)| *s == side);
        queues
            .flat_map(|(_, queue)| queue.iter().map(|(handle, _)| *handle))
            .collect()
    }

    fn levels(&self) -> BTreeMap<(Side, i64), (i64, u32)> {
        let sums = self.queues.iter().map(|(key, queue)| {
            let lots = queue.iter().map(|(_, lots)| *lots).sum();
            (*key, (lots, u32::try_from(queue.len()).expect("few")))
        });
        sums.filter(|(_, (_, orders))| *orders > 0).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(bool, i64, i64),
    Remove(prop::sample::Index),
    Shrink(prop::sample::Index),
    Batch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<bool>(), 1_i64..40, 1_i64..100).prop_map(|(buy, price, lots)| Step::Insert(buy, price, lots)),
        2 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any::<prop::sample::Index>().prop_map(Step::Shrink),
        1 => Just(Step::Batch),
    ];
    prop::collection::vec(step, 1..400)
}

fn side_of(buy: bool) -> Side {
    if buy { Side::Buy } else { Side::Sell }
}

struct Pair {
    book: Book,
    places: Places,
    plain: Plain,
    live: Vec<(u32, Side, i64)>,
    at_start: BTreeMap<(Side, i64), (i64, u32)>,
    batch: u64,
}

impl Pair {
    fn new() -> Self {
        let mut book = Book::default();
        book.start_batch(1);
        Self {
            book,
            places: Places::default(),
            plain: Plain::default(),
            live: Vec::new(),
            at_start: BTreeMap::new(),
            batch: 1,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Insert(buy, price, lots) => {
                let side = side_of(*buy);
                let handle = self.places.take(place(*lots));
                self.book.insert(&mut self.places, handle, side, *price);
                let key = (side, key_of(side, *price));
                let queue = self.plain.queues.entry(key).or_default();
                queue.push((handle, *lots));
                self.live.push((handle, side, key.1));
            }
            Step::Remove(index) if !self.live.is_empty() => {
                let (handle, side, key) = self.live.swap_remove(index.index(self.live.len()));
                self.book.remove(&mut self.places, handle);
                self.places.free(handle);
                let queue = self.plain.queues.get_mut(&(side, key)).expect("known");
                queue.retain(|(other, _)| *other != handle);
            }
            Step::Shrink(index) if !self.live.is_empty() => {
                let (handle, side, key) = *index.get(&self.live);
                if self.places[handle].shown_lots > 1 {
                    self.book.shrink(&mut self.places, handle, 1);
                    let queue = self.plain.queues.get_mut(&(side, key)).expect("known");
                    let entry = queue.iter_mut().find(|(other, _)| *other == handle);
                    entry.expect("known").1 -= 1;
                }
            }
            Step::Batch => self.end_batch(),
            _ => {}
        }
    }

    fn end_batch(&mut self) {
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        self.book.changed_levels(&mut bids, &mut asks);
        let now = self.plain.levels();
        let mut wanted = (Vec::new(), Vec::new());
        let keys = self.at_start.keys().chain(now.keys());
        for place in keys.collect::<std::collections::BTreeSet<_>>().iter().rev() {
            let (quantity_lots, order_count) = now.get(place).copied().unwrap_or_default();
            if self.at_start.get(place) == now.get(place) {
                continue;
            }
            let (side, key) = **place;
            let level = L2Level {
                price_ticks: key.abs(),
                quantity_lots,
                order_count,
            };
            if side == Side::Buy {
                wanted.0.push(level);
            } else {
                wanted.1.push(level);
            }
        }
        assert_eq!((bids, asks), wanted);
        self.at_start = now;
        self.batch += 1;
        self.book.start_batch(self.batch);
    }

    fn check(&self) {
        for side in [Side::Buy, Side::Sell] {
            let handles: Vec<u32> = self
                .book
                .handles(&self.places, side)
                .map(|(_, handle)| handle)
                .collect();
            assert_eq!(handles, self.plain.handles(side));
            let best = self.book.best(side).map(|best| best.handle);
            assert_eq!(best, handles.first().copied());
            let levels = self.plain.levels();
            let wanted: Vec<(i64, u32)> = levels
                .iter()
                .rev()
                .filter(|((other, _), _)| *other == side)
                .map(|(_, sums)| *sums)
                .collect();
            let told: Vec<(i64, u32)> = self
                .book
                .levels(side)
                .map(|level| (level.quantity_lots, level.order_count))
                .collect();
            assert_eq!(told, wanted);
        }
        assert_eq!(self.book.orders() as usize, self.live.len());
        assert_eq!(self.places.used() as usize, self.live.len());
    }
}

proptest! {
    #[test]
    fn a_book_is_queues_sorted_by_price(steps in steps()) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step);
            pair.check();
        }
        pair.end_batch();
    }
}

#[test]
fn a_quantity_beyond_64_bits_is_told_as_the_largest() {
    assert_eq!(told(i128::from(i64::MAX)), i64::MAX);
    assert_eq!(told(i128::from(i64::MAX) + 1), i64::MAX);
    let mut places = Places::default();
    let mut book = Book::default();
    for _ in 0..3 {
        let handle = places.take(place(i64::MAX));
        book.insert(&mut places, handle, Side::Buy, 5);
    }
    let level = book.levels(Side::Buy).next().expect("one level");
    assert_eq!((level.quantity_lots, level.order_count), (i64::MAX, 3));
}

#[test]
fn an_empty_book_has_no_best_price_and_the_crc_of_nothing() {
    let book = Book::default();
    assert_eq!(book.best(Side::Buy), None);
    assert!(!book.would_trade(Side::Sell, 1));
    assert_eq!(book.crc32(), 0);
    assert_eq!(book.quote(), Quote::default());
}
