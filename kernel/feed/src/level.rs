//! One price of a book.
//!
//! Queue order is the order of public ids, since an order takes a new one at every queue place. Orders that left keep
//! their place until half of the places are empty: then all close up, so that leaving costs the same wherever one stands.

/// See the module.
#[derive(Debug, Default)]
pub struct Level {
    /// Sum of all; wider than one order's quantity.
    quantity_lots: i128,
    /// Ids and lots, ascending by id; 0 lots = it left.
    orders: Vec<(u64, i64)>,
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

    /// Ids and lots in queue order.
    pub fn orders(&self) -> impl Iterator<Item = (u64, i64)> {
        self.orders.iter().copied().filter(|(_, lots)| *lots != 0)
    }

    /// Puts an order of one lot or more at its place, which is the tail unless ids do not ascend.
    pub fn add(&mut self, id: u64, lots: i64) {
        self.quantity_lots += i128::from(lots);
        self.count += 1;
        match self.orders.last() {
            Some((last, _)) if *last >= id => match self.find(id) {
                Ok(place) => self.orders[place].1 = lots,
                Err(place) => self.orders.insert(place, (id, lots)),
            },
            _ => self.orders.push((id, lots)),
        }
    }

    /// Gives an order `change(present)` lots and tells how many; at zero it leaves. None when there is no such order, or
    /// it cannot have so many.
    pub fn change(&mut self, id: u64, change: impl FnOnce(i64) -> Option<i64>) -> Option<i64> {
        let place = self.find(id).ok()?;
        let lots = self.orders[place].1;
        let left = change(lots).filter(|left| lots != 0 && *left >= 0)?;
        self.quantity_lots += i128::from(left) - i128::from(lots);
        self.orders[place].1 = left;
        if left == 0 {
            self.count -= 1;
            if self.count * 2 < self.orders.len() {
                self.orders.retain(|(_, lots)| *lots != 0);
            }
        }
        Some(left)
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        match self.orders.first() {
            Some((first, _)) if *first == id => Ok(0),
            _ => self.orders.binary_search_by_key(&id, |(id, _)| *id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;
    use proptest::prelude::{any, prop, proptest};
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_level_is_a_map_by_id(changes in prop::collection::vec((0_u64..40, 0_i64..5, any::<bool>()), 0..400)) {
            let (mut level, mut plain) = (Level::default(), BTreeMap::new());
            for (id, lots, is_new) in changes {
                if is_new && lots > 0 && !plain.contains_key(&id) {
                    level.add(id, lots);
                    plain.insert(id, lots);
                    continue;
                }
                let changed = level.change(id, |_| Some(lots));
                assert_eq!(changed, plain.contains_key(&id).then_some(lots));
                if changed == Some(0) {
                    plain.remove(&id);
                } else if changed.is_some() {
                    plain.insert(id, lots);
                }
                assert_eq!(level.orders().collect::<Vec<_>>(), plain.clone().into_iter().collect::<Vec<_>>());
                assert_eq!(level.count(), plain.len());
                assert_eq!(level.told(), plain.values().sum::<i64>());
                assert!(level.orders.len() <= plain.len() * 2 + 1);
            }
        }
    }
}
