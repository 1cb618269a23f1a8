//! No order allocates once the buffers have grown.

mod echo;

use cambist_codec::Kernel;
use echo::{Echo, batch};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_batch_like_the_ones_before_allocates_nothing() {
    let mut kernel = Kernel::<Echo>::new(1);
    let batches: Vec<_> = (0..4_u64)
        .map(|number| batch(number * 5_000 + 1, 5, 50, 100))
        .collect();
    for bytes in &batches[..3] {
        kernel.apply(bytes).expect("well formed");
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    kernel.apply(&batches[3]).expect("well formed");
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
}
