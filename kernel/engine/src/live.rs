//! From order ids to the handles of resting orders. Order ids are given one after the other, so sixteen that follow one
//! another share a page, which is one cache line: a new order finds its page warm, and an order that goes knows its own.

use crate::book::NONE;
use crate::table::Table;
use cambist_prefetch::prefetch;

const IDS: usize = 16;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Page([u32; IDS]);

const EMPTY: Page = Page([NONE; IDS]);

/// The orders that rest.
#[derive(Debug)]
pub struct Live {
    pages: Vec<Page>,
    free: Vec<u32>,
    /// From order id / 16 to the page.
    numbers: Table,
    /// The page of the last insertion, and its number.
    last: (u64, u32),
}

impl Default for Live {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            free: Vec::new(),
            numbers: Table::default(),
            last: (0, NONE),
        }
    }
}

/// The page of an order id and the place there.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "below 16")]
fn split(order_id: u64) -> (u64, usize) {
    (order_id / IDS as u64, (order_id % IDS as u64) as usize)
}

impl Live {
    /// The handle of an order that rests.
    #[inline]
    #[must_use]
    pub fn get(&self, order_id: u64) -> Option<u32> {
        let (number, place) = split(order_id);
        let page = self.numbers.get(number)?;
        let handle = self.pages[page as usize].0[place];
        (handle != NONE).then_some(handle)
    }

    /// Adds an order that is not there and gives its page.
    ///
    /// # Panics
    /// Beyond 2^32 - 1 pages.
    #[inline]
    pub fn insert(&mut self, order_id: u64, handle: u32) -> u32 {
        let (number, place) = split(order_id);
        if self.last.1 == NONE || self.last.0 != number {
            self.last = (number, self.page(number));
        }
        let page = self.last.1;
        self.pages[page as usize].0[place] = handle;
        page
    }

    #[cold]
    fn page(&mut self, number: u64) -> u32 {
        if let Some(page) = self.numbers.get(number) {
            return page;
        }
        let page = self.free.pop().unwrap_or_else(|| {
            self.pages.push(EMPTY);
            u32::try_from(self.pages.len() - 1).expect("bounded by resting orders")
        });
        self.numbers.insert(number, page);
        page
    }

    /// Takes an order away that is on a page.
    #[inline]
    pub fn remove(&mut self, order_id: u64, page: u32) {
        let (number, place) = split(order_id);
        let handles = &mut self.pages[page as usize].0;
        handles[place] = NONE;
        if handles.iter().all(|handle| *handle == NONE) {
            self.drop_page(number, page);
        }
    }

    #[cold]
    fn drop_page(&mut self, number: u64, page: u32) {
        self.numbers.remove(number);
        self.free.push(page);
        if self.last.1 == page {
            self.last.1 = NONE;
        }
    }

    /// Asks for where the page of an order is found.
    #[inline]
    pub(crate) fn prefetch(&self, order_id: u64) {
        self.numbers.prefetch(split(order_id).0);
    }

    /// Asks for a page.
    #[inline]
    pub(crate) fn prefetch_page(&self, page: u32) {
        prefetch(&self.pages, page as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn live_orders_are_a_map(steps in prop::collection::vec((0_u64..200, any::<bool>()), 1..600)) {
            let mut live = Live::default();
            let mut map = BTreeMap::new();
            for (handle, (order_id, insert)) in (0_u32..).zip(steps) {
                if let Some((_, page)) = map.remove(&order_id) {
                    live.remove(order_id, page);
                } else if insert {
                    let page = live.insert(order_id, handle);
                    map.insert(order_id, (handle, page));
                }
                for probe in 0..200 {
                    prop_assert_eq!(live.get(probe), map.get(&probe).map(|(handle, _)| *handle));
                }
            }
            prop_assert_eq!(live.pages.len() - live.free.len(), live.numbers.len());
        }
    }
}
