//! Ids of commands of one account: what each was used for and how it was answered, for a bounded number of ids.
//!
//! An id of an open order stays; of the others the one with the smallest (sent time, id) goes when there are too many,
//! and the stale floor rises to its time. Orders and cancels of a session each arrive in the order of their times, so
//! ids wait in two lists; only those that fit neither go through a heap. A table that is full is far larger than the
//! caches: an id takes one line of them, the one that goes gives its line to the one that comes, and `prefetch_…` ask
//! for lines before they are needed.

use crate::slots::{Slots, hash_of};
use crate::types::{Id, KeyKind, KeyState, RejectReason};
use cambist_prefetch::prefetch;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const NONE: u32 = u32::MAX;
const LISTS: usize = 2;
/// Entries that the first id makes room for.
const ENTRIES_MIN: usize = 16;
/// Entries of a table that has pages of memory of its own: 256 KiB.
const LARGE_ENTRIES: usize = 4_096;

/// One id: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Key {
    /// The id; as a number it sorts like its bytes.
    id: u128,
    /// Hash of the body; 0 when burnt.
    pub body_hash: u64,
    /// When the client sent it.
    pub sent_time_ns: i64,
    /// Journal sequence of the first answer.
    pub answer_seq: u64,
    /// The order made, cancelled or amended; 0 = none.
    pub order_id: u64,
    /// Orders cancelled, or the phase that refused.
    pub detail: u32,
    /// The resting order while open.
    handle: u32,
    /// The next younger entry while queued, the next free one when free.
    next: u32,
    /// What it was used for.
    pub kind: KeyKind,
    /// Reason of the first answer.
    pub reason: RejectReason,
    open: bool,
    queued: bool,
}

impl Key {
    /// A key of a command that is not an open order.
    #[must_use]
    pub fn closed(id: Id, kind: KeyKind, sent_time_ns: i64, answer_seq: u64) -> Self {
        Self {
            id: u128::from_be_bytes(id),
            body_hash: 0,
            sent_time_ns,
            answer_seq,
            order_id: 0,
            detail: 0,
            handle: NONE,
            next: NONE,
            kind,
            reason: RejectReason::Unspecified,
            open: false,
            queued: false,
        }
    }

    /// The id.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Id {
        self.id.to_be_bytes()
    }

    /// The same for an order that rests.
    #[must_use]
    pub fn open(self, handle: u32) -> Self {
        Self {
            handle,
            open: true,
            ..self
        }
    }

    /// The resting order, while it is open.
    #[inline]
    #[must_use]
    pub fn open_handle(&self) -> Option<u32> {
        self.open.then_some(self.handle)
    }

    fn age(&self) -> (i64, u128) {
        (self.sent_time_ns, self.id)
    }

    /// The row of a snapshot.
    #[must_use]
    pub fn state(&self) -> KeyState {
        KeyState {
            id: self.id.to_be_bytes(),
            kind: self.kind,
            body_hash: self.body_hash,
            sent_time_ns: self.sent_time_ns,
            answer_seq: self.answer_seq,
            reason: self.reason,
            order_id: self.order_id,
            open: self.open,
            detail: self.detail,
        }
    }

    /// From a row of a snapshot, with the resting order of an open one.
    #[must_use]
    pub fn from_state(state: &KeyState, handle: u32) -> Self {
        Self {
            handle,
            body_hash: state.body_hash,
            reason: state.reason,
            order_id: state.order_id,
            open: state.open,
            detail: state.detail,
            ..Self::closed(state.id, state.kind, state.sent_time_ns, state.answer_seq)
        }
    }
}

/// Entries whose ages ascend.
#[derive(Clone, Copy, Debug)]
struct List {
    oldest: u32,
    youngest: u32,
}

const EMPTY: List = List {
    oldest: NONE,
    youngest: NONE,
};

/// The oldest entry of each list, or one behind it.
pub(crate) type Heads = [u32; LISTS];

/// The ids of one account.
#[derive(Debug)]
pub struct Keys {
    slots: Slots,
    entries: Vec<Key>,
    free: u32,
    closed: u32,
    lists: [List; LISTS],
    /// Ids with a time at or below this are stale when unknown.
    pub stale_floor_ns: i64,
    late: Option<Box<Late>>,
}

/// Closed ids that are older than others in the list: the oldest on top.
type Late = BinaryHeap<Reverse<(i64, u128, u32)>>;

impl Default for Keys {
    fn default() -> Self {
        Self {
            slots: Slots::default(),
            entries: Vec::new(),
            free: NONE,
            closed: 0,
            lists: [EMPTY; LISTS],
            stale_floor_ns: 0,
            late: None,
        }
    }
}

impl Keys {
    #[inline]
    fn locate(&self, id: u128) -> Option<u32> {
        let is_it = |entry: u32| self.entries[entry as usize].id == id;
        self.slots.find(hash_of(id), is_it)
    }

    /// The entry of an id.
    #[inline]
    #[must_use]
    pub fn find(&self, id: Id) -> Option<&Key> {
        let entry = self.locate(u128::from_be_bytes(id))?;
        Some(&self.entries[entry as usize])
    }

    /// The number of the entry of an id.
    #[must_use]
    pub fn entry(&self, id: Id) -> Option<u32> {
        self.locate(u128::from_be_bytes(id))
    }

    /// What an entry says.
    #[must_use]
    pub fn get(&self, entry: u32) -> &Key {
        &self.entries[entry as usize]
    }

    /// How many ids are kept.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.slots.len()
    }

    /// Whether no id is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds the id of an open order, which is not there, and gives its entry.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the key is put together where it stays"
    )]
    pub fn insert_open(&mut self, key: Key) -> u32 {
        debug_assert!(key.open);
        self.add(key)
    }

    /// Adds any other id, which is not there, and drops the oldest when there are more than `capacity`, which is not 0.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the key is put together where it stays"
    )]
    pub fn insert_closed(&mut self, key: Key, capacity: u32) {
        debug_assert!(!key.open);
        if self.closed >= capacity {
            if key.age() < self.oldest_age() {
                // It would be the first to go.
                self.stale_floor_ns = self.stale_floor_ns.max(key.sent_time_ns);
                return;
            }
            self.drop_oldest();
        }
        self.closed += 1;
        self.add(key);
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the key is put together where it stays"
    )]
    fn add(&mut self, mut key: Key) -> u32 {
        let list = self.list_for(&key);
        key.queued = list.is_some();
        key.next = NONE;
        let entry = self.take_entry(key);
        self.slots.insert(hash_of(key.id), entry);
        if let Some(list) = list {
            let list = &mut self.lists[list];
            if list.youngest == NONE {
                list.oldest = entry;
            } else {
                self.entries[list.youngest as usize].next = entry;
            }
            list.youngest = entry;
        } else if !key.open {
            self.push_late(entry);
        }
        entry
    }

    #[cold]
    fn push_late(&mut self, entry: u32) {
        let key = &self.entries[entry as usize];
        let late = self.late.get_or_insert_default();
        late.push(Reverse((key.sent_time_ns, key.id, entry)));
    }

    fn oldest_late(&self) -> Option<(i64, u128)> {
        let Reverse((time, id, _)) = self.late.as_ref()?.peek()?;
        Some((*time, *id))
    }

    /// Of the lists that a key may end, the one whose youngest is the nearest to it: so two streams of ascending ages
    /// never need a third list.
    #[inline]
    fn list_for(&self, key: &Key) -> Option<usize> {
        let age_of = |list: &List| self.entries.get(list.youngest as usize).map(Key::age);
        let (first, second) = (age_of(&self.lists[0]), age_of(&self.lists[1]));
        let (near, far, list) = if first >= second {
            (first, second, 0)
        } else {
            (second, first, 1)
        };
        let age = Some(key.age());
        if age >= near {
            Some(list)
        } else {
            (age >= far).then_some(1 - list)
        }
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the key is put together where it stays"
    )]
    fn take_entry(&mut self, key: Key) -> u32 {
        if self.free != NONE {
            let entry = self.free;
            let slot = &mut self.entries[entry as usize];
            self.free = slot.next;
            *slot = key;
            return entry;
        }
        if self.entries.len() == self.entries.capacity() {
            // Of many small tables the rest is memory lost; that of a large one is not touched before it is needed.
            let count = self.entries.len();
            let more = if count < LARGE_ENTRIES {
                count / 4
            } else {
                count
            };
            self.entries.reserve_exact(more.max(ENTRIES_MIN));
        }
        self.entries.push(key);
        u32::try_from(self.entries.len() - 1).expect("bounded by id_capacity and open orders")
    }

    /// The order of an id was closed: from now on the id counts against the capacity.
    #[inline]
    pub fn close(&mut self, entry: u32, capacity: u32) {
        let key = &mut self.entries[entry as usize];
        debug_assert!(key.open);
        key.open = false;
        key.handle = NONE;
        self.closed += 1;
        if !key.queued {
            self.push_late(entry);
        }
        self.trim(capacity);
    }

    /// Drops the oldest ids that are not of open orders until at most `capacity` are left.
    #[inline]
    pub fn trim(&mut self, capacity: u32) {
        while self.closed > capacity {
            self.drop_oldest();
        }
    }

    /// Takes the open ones off the old ends of the lists: closing them brings them to the heap.
    #[inline]
    fn pass_open(&mut self) {
        for list in 0..LISTS {
            while let Some(key) = self.entries.get_mut(self.lists[list].oldest as usize) {
                if !key.open {
                    break;
                }
                key.queued = false;
                self.unqueue(list);
            }
        }
    }

    /// Takes the oldest off a list.
    #[inline]
    fn unqueue(&mut self, list: usize) {
        let list = &mut self.lists[list];
        list.oldest = self.entries[list.oldest as usize].next;
        if list.oldest == NONE {
            list.youngest = NONE;
        }
    }

    /// The list whose head is older; it may be empty when both are.
    #[inline]
    fn older(&self, heads: Heads) -> usize {
        let age = |head: u32| self.entries.get(head as usize).map(Key::age);
        match (age(heads[0]), age(heads[1])) {
            (Some(first), Some(second)) => usize::from(second < first),
            (first, _) => usize::from(first.is_none()),
        }
    }

    /// The oldest entry of each list.
    #[inline]
    pub(crate) fn heads(&self) -> Heads {
        self.lists.map(|list| list.oldest)
    }

    /// The age of the id that goes next; there is one.
    fn oldest_age(&mut self) -> (i64, u128) {
        self.pass_open();
        let heads = self.heads();
        let queued = self.entries.get(heads[self.older(heads)] as usize);
        let both = queued.map(Key::age).into_iter().chain(self.oldest_late());
        both.min().expect("a closed id is in one of the two")
    }

    #[inline(never)]
    fn drop_oldest(&mut self) {
        self.pass_open();
        let late = self.oldest_late();
        let heads = self.heads();
        let list = self.older(heads);
        let queued = self.entries.get(heads[list] as usize);
        let from_list = queued.is_some_and(|key| late.is_none_or(|late| key.age() <= late));
        let entry = if from_list {
            self.unqueue(list);
            heads[list]
        } else {
            let late = self.late.as_mut().and_then(|late| late.pop());
            late.expect("a closed id is in one of the two").0.2
        };
        self.forget(entry);
    }

    fn forget(&mut self, entry: u32) {
        let key = &mut self.entries[entry as usize];
        let (id, sent_time_ns) = (key.id, key.sent_time_ns);
        key.next = self.free;
        self.free = entry;
        self.stale_floor_ns = self.stale_floor_ns.max(sent_time_ns);
        self.slots.remove(hash_of(id), entry);
        self.closed -= 1;
    }

    /// How many ids count against the capacity.
    #[must_use]
    pub fn closed(&self) -> u32 {
        self.closed
    }

    /// Asks for the slot of an id.
    #[inline]
    pub(crate) fn prefetch_slot(&self, id: Id) {
        self.slots.prefetch(hash_of(u128::from_be_bytes(id)));
    }

    /// Asks for the entries that an id touches when it comes: the youngest, and where it will be.
    #[inline]
    pub(crate) fn prefetch_ends(&self, forgets: bool) {
        for list in self.lists {
            prefetch(&self.entries, list.youngest as usize);
            if forgets {
                prefetch(&self.entries, list.oldest as usize);
            }
        }
        if !forgets {
            prefetch(&self.entries, self.free as usize);
        }
    }

    /// Asks for what forgetting the older of two heads takes, its slot and the entry behind it; steps behind it.
    #[inline]
    pub(crate) fn prefetch_oldest(&self, heads: &mut Heads) {
        let list = self.older(*heads);
        let Some(key) = self.entries.get(heads[list] as usize) else {
            return;
        };
        self.slots.prefetch(hash_of(key.id));
        prefetch(&self.entries, key.next as usize);
        heads[list] = key.next;
    }

    /// Asks for an entry.
    #[inline]
    pub(crate) fn prefetch_at(&self, entry: u32) {
        prefetch(&self.entries, entry as usize);
    }

    /// Asks for the entry that has an id, or seems to; gives it, `NONE` without one.
    #[inline]
    pub(crate) fn prefetch_entry(&self, id: Id) -> u32 {
        let entry = self.slots.find(hash_of(u128::from_be_bytes(id)), |_| true);
        let entry = entry.unwrap_or(NONE);
        prefetch(&self.entries, entry as usize);
        entry
    }

    /// The resting order of an entry, `NONE` without one.
    #[inline]
    pub(crate) fn handle_at(&self, entry: u32) -> u32 {
        let key = self.entries.get(entry as usize);
        key.map_or(NONE, |key| key.handle)
    }

    /// All ids in the order of their bytes.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Key> {
        let entries = self.slots.entries();
        let mut keys: Vec<&Key> = entries.map(|entry| &self.entries[entry as usize]).collect();
        keys.sort_unstable_by_key(|key| key.id);
        keys
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
