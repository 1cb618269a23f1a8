//! How long something took: by the clock on the wall or, to see past other programs, by this thread's processor.

use std::sync::OnceLock;
use std::time::Instant;

static BY_PROCESSOR: OnceLock<bool> = OnceLock::new();

/// Which of the two counts from now on.
pub fn by_processor(wanted: bool) {
    BY_PROCESSOR.set(wanted).expect("said once");
}

/// A time that has begun.
pub struct Clock {
    wall: Instant,
    processor_ns: u64,
}

/// What the kernel says that this thread spent on a processor; 0 where it does not say.
fn processor_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().unwrap_or(0)
}

impl Clock {
    pub fn start() -> Self {
        Self {
            wall: Instant::now(),
            processor_ns: processor_ns(),
        }
    }

    pub fn seconds(&self) -> f64 {
        let spent_ns = processor_ns().saturating_sub(self.processor_ns);
        if BY_PROCESSOR.get() == Some(&true) && spent_ns > 0 {
            return spent_ns as f64 / 1e9;
        }
        self.wall.elapsed().as_secs_f64()
    }
}
