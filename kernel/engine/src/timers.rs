//! Ends of GTD orders: a heap by (time, order id) from which any order can be taken.

use crate::book::NONE;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    time_ns: i64,
    order_id: u64,
    handle: u32,
}

/// The heap, with the place of each order in it.
#[derive(Debug, Default)]
pub struct Timers {
    heap: Vec<Timer>,
    /// By handle.
    places: Vec<u32>,
}

impl Timers {
    /// When the next one is due, 0 without one.
    #[must_use]
    pub fn next_ns(&self) -> i64 {
        self.heap.first().map_or(0, |timer| timer.time_ns)
    }

    /// The order that is due first at `now`.
    #[inline]
    #[must_use]
    pub fn due(&self, now: i64) -> Option<u32> {
        let first = self.heap.first()?;
        (first.time_ns <= now).then_some(first.handle)
    }

    /// Calls `each` with every order that is due at `now`, in no order that matters.
    pub fn each_due(&self, now: i64, mut each: impl FnMut(u32)) {
        let mut waiting = vec![0];
        while let Some(at) = waiting.pop() {
            if let Some(timer) = self.heap.get(at).filter(|timer| timer.time_ns <= now) {
                each(timer.handle);
                waiting.extend([2 * at + 1, 2 * at + 2]);
            }
        }
    }

    fn put(&mut self, at: usize, timer: Timer) {
        self.heap[at] = timer;
        self.places[timer.handle as usize] = u32::try_from(at).expect("bounded by resting orders");
    }

    fn rise(&mut self, mut at: usize, timer: Timer) {
        while at > 0 {
            let above = (at - 1) / 2;
            if self.heap[above] < timer {
                break;
            }
            self.put(at, self.heap[above]);
            at = above;
        }
        self.put(at, timer);
    }

    fn sink(&mut self, mut at: usize, timer: Timer) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.heap.len() {
                break;
            }
            let below = if right < self.heap.len() && self.heap[right] < self.heap[left] {
                right
            } else {
                left
            };
            if timer < self.heap[below] {
                break;
            }
            self.put(at, self.heap[below]);
            at = below;
        }
        self.put(at, timer);
    }

    /// Adds an order that ends at `time_ns`.
    pub fn insert(&mut self, time_ns: i64, order_id: u64, handle: u32) {
        if self.places.len() <= handle as usize {
            self.places.resize(handle as usize + 1, NONE);
        }
        let timer = Timer {
            time_ns,
            order_id,
            handle,
        };
        self.heap.push(timer);
        self.rise(self.heap.len() - 1, timer);
    }

    /// Takes an order away.
    ///
    /// # Panics
    /// When it has no timer.
    pub fn remove(&mut self, handle: u32) {
        let at = self.places[handle as usize] as usize;
        self.places[handle as usize] = NONE;
        let last = self.heap.pop().expect("it is in the heap");
        if at == self.heap.len() {
            return;
        }
        if at > 0 && last < self.heap[(at - 1) / 2] {
            self.rise(at, last);
        } else {
            self.sink(at, last);
        }
    }

    /// How many orders have one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether no order has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn timers_are_due_in_the_order_of_time_and_order_id(
            steps in prop::collection::vec((0_u32..60, 0_i64..20), 1..300),
        ) {
            let mut timers = Timers::default();
            let mut plain = BTreeMap::new();
            for (handle, time) in steps {
                let order_id = u64::from(handle * 7 % 60);
                if plain.remove(&handle).is_some() {
                    timers.remove(handle);
                } else {
                    timers.insert(time, order_id, handle);
                    plain.insert(handle, (time, order_id));
                }
                let mut sorted: Vec<_> = plain.iter().map(|(handle, age)| (*age, *handle)).collect();
                sorted.sort_unstable();
                prop_assert_eq!(timers.next_ns(), sorted.first().map_or(0, |((time, _), _)| *time));
                prop_assert_eq!(timers.due(19), sorted.first().map(|(_, handle)| *handle));
                let mut due = Vec::new();
                timers.each_due(9, |handle| due.push(handle));
                due.sort_unstable();
                let mut wanted: Vec<u32> =
                    sorted.iter().filter(|((time, _), _)| *time <= 9).map(|(_, handle)| *handle).collect();
                wanted.sort_unstable();
                prop_assert_eq!(due, wanted);
            }
        }
    }
}
