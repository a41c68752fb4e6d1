//! The active faults, and which of them apply to a request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::faults::{FaultKind, FaultSpec};

/// A fault that applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) kind: FaultKind,
    /// Text that must be in a file's name for the fault to apply; `None` for every file.
    pub(crate) part: Option<String>,
}

impl Strike {
    pub(crate) fn concerns(&self, name: &str) -> bool {
        self.part.as_ref().is_none_or(|part| name.contains(part.as_str()))
    }
}

/// The faults of one emulator process.
#[derive(Default)]
pub(crate) struct FaultBook {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    spec: FaultSpec,
    seen: u64,
    struck: u64,
}

/// What is known of a request when faults are chosen for it.
#[derive(Clone, Copy)]
pub(crate) enum About<'a> {
    /// No file is known: only faults without a `name` are considered.
    Request,
    /// Names of the request's files: only faults with a `name` are considered.
    Files(&'a [String]),
}

impl FaultBook {
    pub(crate) fn new(specs: Vec<FaultSpec>) -> Self {
        let book = Self::default();
        for spec in specs {
            book.add(spec);
        }
        book
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, spec: FaultSpec) {
        self.lock().push(Entry { spec, seen: 0, struck: 0 });
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn list(&self) -> Vec<FaultSpec> {
        self.lock().iter().map(|entry| entry.spec.clone()).collect()
    }

    /// Checks whether the names of an endpoint's files have to be found out at all.
    pub(crate) fn asks_for_names(&self, endpoint: &str) -> bool {
        self.lock().iter().any(|entry| entry.spec.name.is_some() && entry.spec.is_at(endpoint))
    }

    /// Returns the faults that apply now. Each call counts as one matching request.
    pub(crate) fn strike(&self, endpoint: &str, about: About<'_>) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for entry in self.lock().iter_mut() {
            let concerned = match (&entry.spec.name, about) {
                (None, About::Request) => true,
                (Some(part), About::Files(names)) => names.iter().any(|name| name.contains(part.as_str())),
                _ => false,
            };
            if !concerned || !entry.spec.is_at(endpoint) {
                continue;
            }
            entry.seen += 1;
            if entry.seen > entry.spec.after && entry.spec.times.is_none_or(|times| entry.struck < times) {
                entry.struck += 1;
                strikes.push(Strike { kind: entry.spec.kind.clone(), part: entry.spec.name.clone() });
            }
        }
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_and_times_count_matching_requests() {
        let book = FaultBook::new(vec!["endpoint=file/ls,kind=flood,after=2,times=1".parse().unwrap()]);
        let strikes: Vec<bool> = (0..5).map(|_| !book.strike("file/ls", About::Request).is_empty()).collect();
        assert_eq!(strikes, [false, false, true, false, false]);
        assert!(book.strike("file/rm", About::Request).is_empty());
    }

    #[test]
    fn names_restrict() {
        let book = FaultBook::new(vec!["kind=flood,name=big".parse().unwrap()]);
        assert!(book.asks_for_names("file/rm"));
        assert!(book.strike("file/rm", About::Request).is_empty());
        assert!(book.strike("file/rm", About::Files(&["small".to_owned()])).is_empty());
        let struck = book.strike("file/rm", About::Files(&["a big one".to_owned()]));
        assert_eq!(struck.len(), 1);
        assert!(
            struck[0].kind == FaultKind::Flood && struck[0].concerns("big") && !struck[0].concerns("small")
        );
    }
}
