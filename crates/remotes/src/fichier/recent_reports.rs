//! Links that the reports of this run gave, and those that turned out to be other files'.

use std::collections::{HashMap, HashSet, VecDeque};

use fichier_api::FileLink;
use fichier_storage::RemotePath;

/// Number of links that are remembered to recognize one that a later report gives to another file.
const REMEMBERED: usize = 10_000;

/// What is known of the reports of this run.
#[derive(Debug, Default)]
pub(super) struct RecentReports {
    /// Links that were given most recently. No two reports give one link.
    links: HashSet<FileLink>,
    in_order: VecDeque<FileLink>,
    /// Files with links that turned out to be other files', each with its own link, if that is known.
    pub(super) wrong: HashMap<(RemotePath, FileLink), Option<FileLink>>,
}

impl RecentReports {
    /// Records the links of a report. Returns those that were given before, or that this report gives twice.
    pub(super) fn given_twice(&mut self, report: impl IntoIterator<Item = FileLink>) -> HashSet<FileLink> {
        let mut twice = HashSet::new();
        for link in report {
            if !self.links.insert(link) {
                twice.insert(link);
                continue;
            }
            self.in_order.push_back(link);
            if self.in_order.len() > REMEMBERED
                && let Some(oldest) = self.in_order.pop_front()
            {
                self.links.remove(&oldest);
            }
        }
        twice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(code: &str) -> FileLink {
        FileLink::from_code(code).unwrap()
    }

    #[test]
    fn a_link_that_is_given_to_two_files_is_told() {
        let mut recent = RecentReports::default();
        assert!(recent.given_twice([link("aaaaa"), link("bbbbb")]).is_empty());
        assert_eq!(recent.given_twice([link("ccccc"), link("ccccc")]), [link("ccccc")].into());
        assert_eq!(recent.given_twice([link("ddddd"), link("aaaaa")]), [link("aaaaa")].into());
        // What is remembered has a bound.
        for number in 0..REMEMBERED {
            recent.given_twice([link(&format!("code{number}"))]);
        }
        assert_eq!((recent.links.len(), recent.in_order.len()), (REMEMBERED, REMEMBERED));
        assert!(recent.given_twice([link("aaaaa")]).is_empty());
    }
}
