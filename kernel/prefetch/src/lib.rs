//! Asks the processor for memory before it is needed. A crate of its own, since the engine forbids `unsafe`.
//!
//! It changes nothing that a program can see but the time that it takes. On processors without a stable intrinsic it
//! does nothing.

#![no_std]

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// Asks for the lines of one item; nothing happens when there is none at that place.
#[inline]
pub fn prefetch<T>(items: &[T], at: usize) {
    prefetch_start(items, at, size_of::<T>());
}

/// The same for the lines of its first `bytes` bytes.
#[inline]
pub fn prefetch_start<T>(items: &[T], at: usize, bytes: usize) {
    let Some(item) = items.get(at) else {
        return;
    };
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = core::ptr::from_ref(item).cast::<i8>();
        let into_line = first.addr() % LINE_BYTES;
        let mut offset = 0;
        while offset < into_line + bytes {
            let line = first.wrapping_sub(into_line).wrapping_add(offset);
            // SAFETY: a prefetch is a hint: it reads nothing, and never faults, whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
            offset += LINE_BYTES;
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (item, bytes);
}

#[cfg(test)]
mod tests {
    use super::prefetch;

    #[test]
    fn any_place_may_be_asked_for() {
        let items = [[7_u8; 200]; 3];
        for at in [0, 2, 3, usize::MAX] {
            prefetch(&items, at);
        }
        prefetch::<u64>(&[], 0);
        assert_eq!(items, [[7; 200]; 3]);
    }
}
