//! Tests of the ids of an account against a plain table.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id(number: u64) -> Id {
    (u128::from(number) << 64 | 7).to_be_bytes()
}

#[derive(Default)]
struct Plain {
    keys: BTreeMap<Id, (i64, bool)>,
    floor: i64,
}

impl Plain {
    fn trim(&mut self, capacity: usize) {
        loop {
            let closed = self.keys.iter().filter(|(_, (_, open))| !open);
            let ages: Vec<(i64, Id)> = closed.map(|(id, (time, _))| (*time, *id)).collect();
            if ages.len() <= capacity {
                return;
            }
            let oldest = *ages.iter().min().expect("some");
            self.floor = self.floor.max(oldest.0);
            self.keys.remove(&oldest.1);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, i64, bool),
    Close(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u64..80, -20_i64..20, any::<bool>()).prop_map(|(id, time, open)| Step::Insert(id, time, open)),
        1 => (0_u64..80).prop_map(Step::Close),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn keys_are_a_bounded_map_that_forgets_the_oldest(steps in steps(), capacity in 1_u32..30) {
        let (mut keys, mut plain) = (Keys::default(), Plain::default());
        for (number, step) in (0_i64..).zip(steps) {
            match step {
                Step::Insert(number_of_id, late, open) => {
                    let (id, time) = (id(number_of_id), number + late);
                    if plain.keys.contains_key(&id) {
                        continue;
                    }
                    plain.keys.insert(id, (time, open));
                    let key = Key::closed(id, KeyKind::NewOrder, time, 1);
                    if open {
                        keys.insert_open(key.open(5));
                    } else {
                        keys.insert_closed(key, capacity);
                    }
                }
                Step::Close(number) => {
                    let Some(found) = plain.keys.get_mut(&id(number)) else { continue };
                    if !found.1 {
                        continue;
                    }
                    found.1 = false;
                    let entry = keys.entry(id(number)).expect("known");
                    keys.close(entry, capacity);
                }
            }
            plain.trim(capacity as usize);
            prop_assert_eq!(keys.stale_floor_ns, plain.floor);
            prop_assert_eq!(keys.len() as usize, plain.keys.len());
            let sorted: Vec<_> = keys.sorted().iter().map(|key| key.state()).collect();
            let told: Vec<_> = sorted.iter().map(|key| (key.id, (key.sent_time_ns, key.open))).collect();
            prop_assert_eq!(told, plain.keys.iter().map(|(id, key)| (*id, *key)).collect::<Vec<_>>());
            for (id, (_, open)) in &plain.keys {
                let found = keys.find(*id).expect("known");
                prop_assert_eq!(found.open_handle(), open.then_some(5));
            }
        }
    }
}

#[test]
fn an_id_that_was_never_used_is_unknown() {
    let keys = Keys::default();
    assert!(keys.is_empty());
    assert!(keys.find(id(1)).is_none());
}

#[test]
fn the_floor_never_falls() {
    let mut keys = Keys::default();
    for (number, time) in [(1, 40), (2, 50), (3, 30)] {
        keys.insert_closed(Key::closed(id(number), KeyKind::Cancel, time, 1), 1);
        assert_eq!(keys.stale_floor_ns, if number == 1 { 0 } else { 40 });
    }
    keys.trim(0);
    assert_eq!(keys.stale_floor_ns, 50);
    keys.insert_closed(Key::closed(id(4), KeyKind::Cancel, 20, 1), 1);
    assert_eq!((keys.stale_floor_ns, keys.len()), (50, 1));
}

#[test]
fn an_id_takes_one_line_of_the_caches() {
    assert_eq!(std::mem::size_of::<Key>(), 64);
}

#[test]
fn two_streams_of_ascending_times_need_no_heap() {
    let mut keys = Keys::default();
    for block in 0..8_u64 {
        // Orders of a block, then cancels that were sent at the same times.
        for (stream, kind) in [(0, KeyKind::NewOrder), (1, KeyKind::Cancel)] {
            for number in block * 50..block * 50 + 50 {
                let time = i64::try_from(number).expect("small");
                let key = Key::closed(id(stream << 32 | number), kind, time, 1);
                keys.insert_closed(key, 120);
            }
        }
    }
    assert!(keys.late.is_none());
    assert_eq!((keys.closed(), keys.stale_floor_ns), (120, 339));
}
