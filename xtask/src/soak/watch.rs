//! Samples the memory and open descriptors of a process while it runs.

use std::{
    fmt, fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::trial::status_bytes;

/// Samples of one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    /// Resident memory in bytes, and number of descriptors, one sample after the other.
    samples: Vec<(u64, usize)>,
    pub(super) most_memory: u64,
    pub(super) most_open: usize,
}

/// Samples ten times a second, until it is stopped.
pub(super) fn watch(id: u32, stop: &AtomicBool) -> Watched {
    let mut watched = Watched::default();
    while !stop.load(Ordering::Relaxed) {
        let open = fs::read_dir(format!("/proc/{id}/fd")).map(Iterator::count);
        if let (Some(memory), Ok(open)) = (status_bytes(id, "VmRSS"), open) {
            watched.most_memory = watched.most_memory.max(memory);
            watched.most_open = watched.most_open.max(open);
            watched.samples.push((memory, open));
        }
        thread::sleep(Duration::from_millis(100));
    }
    watched
}

impl Watched {
    /// Returns the means of the second and of the last quarter; the first one belongs to the start.
    fn quarters(&self) -> [(u64, usize); 2] {
        let quarter = self.samples.len() / 4;
        [1, 3].map(|number| {
            let part = &self.samples[number * quarter..(number + 1) * quarter];
            let count = part.len().max(1);
            let memory: u64 = part.iter().map(|(memory, _)| memory).sum();
            let open: usize = part.iter().map(|(_, open)| open).sum();
            (memory / count as u64, open / count)
        })
    }

    /// Checks whether it takes more and more. Short runs can't show that.
    pub(super) fn grows(&self) -> bool {
        let [(memory, open), (later_memory, later_open)] = self.quarters();
        self.samples.len() > 200 && (later_memory > 2 * memory + (64 << 20) || later_open > 2 * open + 64)
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(memory, open), (later_memory, later_open)] = self.quarters();
        write!(
            f,
            "memory at most {} MiB ({} in the second quarter, {} in the last), descriptors at most {} ({open}, {later_open})",
            self.most_memory >> 20,
            memory >> 20,
            later_memory >> 20,
            self.most_open,
        )
    }
}
