//! Open orders of one account: ascending by id, their reports side by side, so that a tree moves small things only.

use crate::events::Report;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub struct Orders {
    places: BTreeMap<u64, u32>,
    reports: Vec<Report>,
    free: Vec<u32>,
}

impl Orders {
    /// Adds an order, or puts another in its place.
    pub fn insert(&mut self, order_id: u64, report: Report) {
        if let Some(order) = self.get_mut(order_id) {
            *order = report;
            return;
        }
        let place = if let Some(place) = self.free.pop() {
            self.reports[place as usize] = report;
            place
        } else {
            let place = u32::try_from(self.reports.len()).expect("an account has fewer orders");
            self.reports.push(report);
            place
        };
        self.places.insert(order_id, place);
    }

    /// Takes an order away, if it is here.
    pub fn remove(&mut self, order_id: u64) {
        if let Some(place) = self.places.remove(&order_id) {
            self.free.push(place);
        }
    }

    /// One order.
    pub fn get(&self, order_id: u64) -> Option<&Report> {
        let place = self.places.get(&order_id)?;
        Some(&self.reports[*place as usize])
    }

    /// One order, to change it.
    pub fn get_mut(&mut self, order_id: u64) -> Option<&mut Report> {
        let place = self.places.get(&order_id)?;
        Some(&mut self.reports[*place as usize])
    }

    /// Orders from an id on, ascending.
    pub fn from(&self, first: u64) -> impl Iterator<Item = &Report> {
        self.places
            .range(first..)
            .map(|(_, place)| &self.reports[*place as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::Orders;
    use crate::events::Report;

    fn order(order_id: u64, leaves_lots: i64) -> Report {
        Report {
            order_id,
            leaves_lots,
            ..Report::default()
        }
    }

    #[test]
    fn a_place_is_used_again_and_ids_ascend() {
        let mut orders = Orders::default();
        for order_id in [5, 1, 9] {
            orders.insert(order_id, order(order_id, 1));
        }
        orders.remove(5);
        orders.remove(5);
        orders.insert(7, order(7, 1));
        orders.insert(7, order(7, 3));
        let told: Vec<_> = orders
            .from(2)
            .map(|one| (one.order_id, one.leaves_lots))
            .collect();
        assert_eq!(told, [(7, 3), (9, 1)]);
        assert_eq!(orders.reports.len(), 3);
        assert!(orders.get(5).is_none());
    }
}
