//! An allocator that knows how many bytes the process holds, and the most it held.
#![allow(unsafe_code, unreachable_pub)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counted.
pub struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// How many bytes are held now. The most is counted from here on.
pub fn start() -> usize {
    let held = HELD.load(Ordering::SeqCst);
    MOST.store(held, Ordering::SeqCst);
    held
}

/// The most bytes that were held since the start.
pub fn most() -> usize {
    MOST.load(Ordering::SeqCst)
}

fn add(size: usize) {
    let held = HELD.fetch_add(size, Ordering::SeqCst) + size;
    MOST.fetch_max(held, Ordering::SeqCst);
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller keeps the contract of `dealloc`, and the block is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}
