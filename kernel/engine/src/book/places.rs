//! Queue places of resting orders: one slab for all books. A handle stays the same while an order rests.

use cambist_prefetch::prefetch;

/// No handle.
pub const NONE: u32 = u32::MAX;

/// What a book knows of one resting order.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What the book shows of its open quantity: all of it, less than that of an iceberg only.
    pub shown_lots: i64,
    /// The order before it at its level.
    pub previous: u32,
    /// The order behind it at its level.
    pub next: u32,
    /// Its level.
    pub level: u32,
    /// Self-trade group: orders of the same number must not meet.
    pub group: u32,
    /// Account, as its place in the table of accounts.
    pub account: u32,
    /// Market, as its place in the table of markets.
    pub market: u32,
}

/// The slab.
#[derive(Debug, Default)]
pub struct Places {
    list: Vec<Place>,
    /// Free places, the one that is taken next last.
    free: Vec<u32>,
    used: u32,
}

impl Places {
    /// Takes a place; the one that was freed last comes first, since it is still in the caches.
    ///
    /// # Panics
    /// Beyond 2^32 - 1 orders.
    #[inline]
    pub fn take(&mut self, place: Place) -> u32 {
        self.used += 1;
        if let Some(handle) = self.free.pop() {
            self.list[handle as usize] = place;
            return handle;
        }
        self.list.push(place);
        u32::try_from(self.list.len() - 1).expect("bounded by resting orders")
    }

    /// Gives a place back.
    #[inline]
    pub fn free(&mut self, handle: u32) {
        let slot = &mut self.list[handle as usize];
        slot.level = NONE;
        slot.shown_lots = 0;
        self.free.push(handle);
        self.used -= 1;
    }

    /// Asks for the line of a place.
    #[inline]
    pub(crate) fn prefetch(&self, handle: u32) {
        prefetch(&self.list, handle as usize);
    }

    /// The free place that is taken after `number` others, `NONE` without one.
    #[inline]
    pub(crate) fn free_after(&self, number: usize) -> u32 {
        let free = self.free.len().checked_sub(number + 1);
        free.map_or(NONE, |at| self.free[at])
    }

    /// How many places were ever in use at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.list.len()
    }

    /// How many places are taken.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.used
    }
}

impl std::ops::Index<u32> for Places {
    type Output = Place;

    #[inline]
    fn index(&self, handle: u32) -> &Place {
        &self.list[handle as usize]
    }
}

impl std::ops::IndexMut<u32> for Places {
    #[inline]
    fn index_mut(&mut self, handle: u32) -> &mut Place {
        &mut self.list[handle as usize]
    }
}
