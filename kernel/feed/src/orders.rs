//! Open orders of one account: found by id, their reports side by side. They are put in order when somebody asks, which
//! is seldom, and not when one comes or goes.

use crate::events::Report;
use crate::ids::CountedMap;

/// See the module.
#[derive(Debug, Default)]
pub struct Orders {
    places: CountedMap<u32>,
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

    /// The first `limit` orders from an id on, ascending. Costs as much as the account has orders, at most 10,000.
    pub fn page(&self, first: u64, limit: usize) -> impl Iterator<Item = &Report> {
        let mut found: Vec<_> = self
            .places
            .iter()
            .map(|(id, place)| (*id, *place))
            .filter(|(id, _)| *id >= first)
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .take(limit)
            .map(|(_, place)| &self.reports[place as usize])
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
            .page(2, 9)
            .map(|one| (one.order_id, one.leaves_lots))
            .collect();
        assert_eq!(told, [(7, 3), (9, 1)]);
        let first: Vec<_> = orders.page(1, 2).map(|one| one.order_id).collect();
        assert_eq!(first, [1, 7]);
        assert_eq!(orders.reports.len(), 3);
        assert!(orders.get(5).is_none());
    }
}
