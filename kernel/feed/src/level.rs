//! What is told of one price of a book.

/// See the module.
#[derive(Debug, Default)]
pub struct Level {
    /// Sum of all; wider than one order's quantity.
    quantity_lots: i128,
    count: usize,
}

impl Level {
    /// The quantity as it is told: 2^63 - 1 stands for anything larger.
    pub fn told(&self) -> i64 {
        i64::try_from(self.quantity_lots).unwrap_or(i64::MAX)
    }

    /// Orders here.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether all have left.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// An order of one lot or more comes.
    pub fn add(&mut self, lots: i64) {
        self.quantity_lots += i128::from(lots);
        self.count += 1;
    }

    /// One of its orders has `left` lots in place of `lots`; with none it has left.
    pub fn change(&mut self, lots: i64, left: i64) {
        self.quantity_lots += i128::from(left) - i128::from(lots);
        self.count -= usize::from(left == 0);
    }
}
