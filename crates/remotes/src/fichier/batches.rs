//! Lists of items in one call, and of files in one upload: how long they may be, and what happens to one that is
//! refused.
//!
//! The service documents no length (API document, section 5). So the first list of a run has [`ITEMS_PER_CALL`], each
//! one that is taken lets the next be twice as long, and one that is refused without one of its items to blame is
//! halved, for the run and for those to come. No item is lost: each either goes in a list that is taken, or is alone in
//! one that is refused.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use fichier_api::{
    ErrorKind, FileLink,
    limits::{FILES_PER_UPLOAD, ITEMS_PER_CALL, MOST_ITEMS_PER_CALL},
};

/// Length of the next list, or number of files in the next upload; shared by all calls of a run.
#[derive(Debug)]
pub(super) struct BatchLength(Mutex<Length>);

#[derive(Debug, Clone, Copy)]
struct Length {
    next: usize,
    /// Upper limit of the length.
    ceiling: usize,
    /// Largest number of items that the service is known to take, if it refused more.
    limit: Option<usize>,
    /// Length of the longest list that was taken.
    taken: usize,
    /// Length that may be too long.
    doubted: Option<usize>,
}

impl Length {
    fn most(&self) -> usize {
        self.limit.map_or(self.ceiling, |limit| limit.min(self.ceiling)).max(1)
    }
}

impl BatchLength {
    /// Starts with the limit that is known of the account.
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self::up_to(MOST_ITEMS_PER_CALL, limit, 0)
    }

    /// Starts with the numbers of files in uploads, of which no more than `cap` are wanted and `taken` were taken
    /// before.
    pub(super) fn of_uploads(cap: usize, limit: Option<usize>, taken: usize) -> Self {
        Self::up_to(cap.clamp(1, FILES_PER_UPLOAD), limit, taken)
    }

    fn up_to(ceiling: usize, limit: Option<usize>, taken: usize) -> Self {
        let mut length = Length { next: 1, ceiling, limit, taken, doubted: None };
        length.next = ITEMS_PER_CALL.max(taken).min(length.most());
        Self(Mutex::new(length))
    }

    fn length(&self) -> MutexGuard<'_, Length> {
        // Plain numbers, which are sound at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the length of the next list.
    pub(super) fn next(&self) -> usize {
        self.length().next
    }

    /// Returns the largest length of a list, as far as is known.
    pub(super) fn most(&self) -> usize {
        self.length().most()
    }

    pub(super) fn taken(&self, items: usize) {
        let mut length = self.length();
        length.taken = length.taken.max(items);
        if items >= length.next && length.doubted.is_none() {
            length.next = items.saturating_mul(2).min(length.most());
        }
    }

    /// The service was found to take so many and no more.
    pub(super) fn found_limit(&self, most: usize) {
        self.too_long(most.saturating_add(1), most);
    }

    /// A list was refused for its length; `works` is a length that isn't.
    fn too_long(&self, items: usize, works: usize) {
        let mut length = self.length();
        if works.max(1) < length.most() {
            length.limit = Some(works.max(1));
            tracing::debug!(items, most = length.most(), "the service refuses lists of this length");
        }
        length.taken = length.taken.min(length.most());
        length.next = length.next.min(length.most());
    }

    /// Records that a list of this length may have been too long: the next ones are half as long until that is known.
    pub(super) fn doubt(&self, items: usize) {
        let mut length = self.length();
        if items < 2 {
            return;
        }
        length.doubted = length.doubted.max(Some(items));
        length.next = length.next.min(items / 2).max(1);
    }

    /// Records that the items of a list that may have been too long were taken one by one, so its length was the
    /// reason.
    pub(super) fn confirm_doubt(&self) {
        let doubted = self.length().doubted.take();
        if let Some(items) = doubted {
            self.too_long(items, items / 2);
        }
    }

    /// Records that the items of a list that may have been too long aren't taken one by one either, so its length
    /// wasn't the reason.
    pub(super) fn clear_doubt(&self) {
        let mut length = self.length();
        if let Some(items) = length.doubted.take() {
            length.next = length.next.max(items).min(length.most());
        }
    }

    /// Checks whether a list of this length was refused for its length, as far as the error says.
    pub(super) fn is_too_long(&self, items: usize, error: &ErrorKind) -> bool {
        let longer_than_ever = items > ITEMS_PER_CALL.max(self.length().taken);
        items > 1
            && match blame(error, longer_than_ever) {
                Refusal::Length => true,
                Refusal::ItemOrLength | Refusal::Item => longer_than_ever,
                Refusal::Neither => false,
            }
    }

    /// Returns the largest number of items that the service is known to take, if it refused more.
    pub(super) fn known_limit(&self) -> Option<usize> {
        self.length().limit
    }

    /// Returns the length of the longest list that was taken.
    pub(super) fn longest_taken(&self) -> usize {
        self.length().taken
    }
}

/// An item that goes in lists.
pub(super) trait Listed {
    /// Returns the link of the file that the item is about. No list names a file twice: the answer couldn't show which
    /// is which.
    fn link(&self) -> FileLink;
}

/// Items that wait to be sent in lists.
#[derive(Debug)]
pub(super) struct ShrinkingBatches<'a, T> {
    length: &'a BatchLength,
    waiting: VecDeque<T>,
    /// Parts of a list that was refused, the next one last.
    parts: Vec<Vec<T>>,
    inquiry: Option<Inquiry>,
}

/// Search for the reason of a refusal by a list's parts: an item, or the length.
#[derive(Debug, Clone, Copy)]
struct Inquiry {
    refused: usize,
    longest_taken: usize,
    found_an_item: bool,
}

impl<'a, T: Listed> ShrinkingBatches<'a, T> {
    pub(super) fn new(items: impl IntoIterator<Item = T>, length: &'a BatchLength) -> Self {
        Self { length, waiting: items.into_iter().collect(), parts: Vec::new(), inquiry: None }
    }

    /// Returns the next list to send. The caller then calls [`ShrinkingBatches::taken`] or
    /// [`ShrinkingBatches::refused`].
    pub(super) fn next(&mut self) -> Option<Vec<T>> {
        if let Some(part) = self.parts.pop() {
            return Some(part);
        }
        if let Some(inquiry) = self.inquiry.take()
            && !inquiry.found_an_item
        {
            self.length.too_long(inquiry.refused, inquiry.longest_taken);
        }
        let most = self.length.next();
        let mut list = Vec::with_capacity(most.min(self.waiting.len()));
        let mut named = HashSet::new();
        let mut twice = Vec::new();
        while list.len() < most
            && let Some(item) = self.waiting.pop_front()
        {
            if named.insert(item.link()) {
                list.push(item);
            } else {
                twice.push(item);
            }
        }
        for item in twice.into_iter().rev() {
            self.waiting.push_front(item);
        }
        (!list.is_empty()).then_some(list)
    }

    /// Records that a list of this length was taken.
    pub(super) fn taken(&mut self, items: usize) {
        self.length.taken(items);
        if let Some(inquiry) = &mut self.inquiry {
            inquiry.longest_taken = inquiry.longest_taken.max(items);
        }
    }

    /// Adds the items of a list that may have been taken without them: they are sent again.
    pub(super) fn left_over(&mut self, items: Vec<T>) {
        if !items.is_empty() {
            self.parts.push(items);
        }
    }

    /// Records that a list was refused. Returns it if its items failed with it; otherwise they are sent again in
    /// shorter lists.
    pub(super) fn refused(&mut self, mut list: Vec<T>, error: &ErrorKind) -> Option<Vec<T>> {
        let items = list.len();
        let blame = blame(error, items > ITEMS_PER_CALL.max(self.length.length().taken));
        if items < 2 || blame == Refusal::Neither {
            // An item that is alone and is refused was the reason, not the length of the list that it came from.
            if let Some(inquiry) = &mut self.inquiry {
                inquiry.found_an_item = true;
            }
            return Some(list);
        }
        match blame {
            Refusal::Length => self.length.too_long(items, items / 2),
            Refusal::Item | Refusal::ItemOrLength | Refusal::Neither => {
                let inquiry = self.inquiry.get_or_insert(Inquiry {
                    refused: items,
                    longest_taken: 0,
                    found_an_item: false,
                });
                inquiry.found_an_item |= blame == Refusal::Item;
            }
        }
        let second = list.split_off(items / 2);
        self.parts.push(second);
        self.parts.push(list);
        None
    }
}

/// Checks whether it is worth listing this number of folders to learn which of this number of files are gone.
///
/// Searching by halves takes two calls a file, and a listing may take as long as eight other calls (API document,
/// section 2). But where a file is known to be `missing`, each call that names one is refused, and refusals in number
/// bring a ban.
pub(super) fn is_worth_a_look(folders: usize, files: usize, missing: bool) -> bool {
    if missing { folders <= 8 || folders * 2 <= files } else { folders * 4 <= files }
}

/// Reason why a list was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// One of the items.
    Item,
    /// One of the items, or the length: it isn't known which words the service has for either.
    ItemOrLength,
    /// The length of the list.
    Length,
    /// Neither an item nor the length: the account, the service, or the network.
    Neither,
}

fn blame(error: &ErrorKind, longer_than_ever: bool) -> Refusal {
    match error {
        ErrorKind::NotFound { .. } | ErrorKind::NotAllowed { .. } => Refusal::Item,
        ErrorKind::Refused { .. } => Refusal::ItemOrLength,
        ErrorKind::Status { code: 400 | 413 | 414 | 422 | 431, .. } => Refusal::Length,
        // It failed as often as the pacer tries. A list of the usual length fails so when the service has problems.
        ErrorKind::Html { .. }
        | ErrorKind::Status { .. }
        | ErrorKind::Timeout { .. }
        | ErrorKind::Network(_)
        | ErrorKind::InvalidJson { .. }
        | ErrorKind::Truncated { .. }
            if longer_than_ever =>
        {
            Refusal::Length
        }
        _ => Refusal::Neither,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Listed for u32 {
        fn link(&self) -> FileLink {
            FileLink::from_code(&format!("code{self}")).unwrap()
        }
    }

    fn lengths(items: u32, length: &BatchLength, taken: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut lists = ShrinkingBatches::new(0..items, length);
        let mut sent = Vec::new();
        while let Some(list) = lists.next() {
            sent.push(list.len());
            if taken(list.len()) {
                lists.taken(list.len());
            } else {
                assert!(lists.refused(list, &refusal()).is_none());
            }
        }
        sent
    }

    fn refusal() -> ErrorKind {
        ErrorKind::Refused { text: "Invalid parameters: too many links".to_owned(), number: Some(100) }
    }

    #[test]
    fn lists_grow_to_five_hundred_and_go_on_there() {
        let length = BatchLength::new(None);
        assert_eq!(lengths(2000, &length, |_| true), [100, 200, 400, 500, 500, 300]);
        assert_eq!(lengths(700, &length, |_| true), [500, 200]);
        assert_eq!(length.known_limit(), None);
    }

    #[test]
    fn a_length_that_is_refused_is_not_tried_again() {
        let length = BatchLength::new(None);
        assert_eq!(
            lengths(1000, &length, |items| items <= 150),
            [100, 200, 100, 100, 100, 100, 100, 100, 100, 100, 100]
        );
        assert_eq!(length.known_limit(), Some(100));
        let later = BatchLength::new(length.known_limit());
        assert_eq!(lengths(250, &later, |items| items <= 150), [100, 100, 50]);
    }

    #[test]
    fn a_limit_below_the_first_list_is_found_too() {
        let length = BatchLength::new(None);
        assert_eq!(lengths(200, &length, |items| items <= 60), [100, 50, 50, 50, 50]);
        assert_eq!(length.known_limit(), Some(50));
    }

    #[test]
    fn an_item_that_is_refused_does_not_shorten_lists() {
        let length = BatchLength::new(None);
        let mut lists = ShrinkingBatches::new(0..300, &length);
        let mut failed = Vec::new();
        let mut calls = 0;
        while let Some(list) = lists.next() {
            calls += 1;
            if !list.contains(&77) {
                lists.taken(list.len());
            } else if let Some(list) = lists.refused(list, &refusal()) {
                failed.extend(list);
            }
        }
        assert_eq!(failed, [77]);
        assert_eq!(length.known_limit(), None);
        // 100 halved until one is left, and the rest.
        assert!(calls <= 1 + 2 * 7 + 2, "{calls}");
    }

    #[test]
    fn no_list_names_a_file_twice_and_all_go() {
        let length = BatchLength::new(None);
        let mut lists = ShrinkingBatches::new([1, 1, 2, 1, 3], &length);
        let mut sent = Vec::new();
        while let Some(list) = lists.next() {
            lists.taken(list.len());
            sent.push(list);
        }
        assert_eq!(sent, [vec![1, 2, 3], vec![1], vec![1]]);
    }

    #[test]
    fn uploads_begin_with_what_was_taken_before_and_keep_to_what_is_wanted() {
        let next = |cap, limit, taken| BatchLength::of_uploads(cap, limit, taken).next();
        assert_eq!(next(500, None, 0), 100);
        assert_eq!(next(9000, None, 500), 500);
        assert_eq!(next(30, None, 500), 30);
        assert_eq!(next(500, Some(50), 0), 50);
        // The length wanted now says nothing about the service.
        assert_eq!(BatchLength::of_uploads(1, Some(50), 0).known_limit(), Some(50));
        assert_eq!(BatchLength::of_uploads(1, None, 0).known_limit(), None);
    }

    #[test]
    fn a_doubted_length_is_halved_and_comes_back_if_it_was_not_to_blame() {
        let length = BatchLength::of_uploads(500, None, 400);
        length.doubt(400);
        assert_eq!(length.next(), 200);
        length.taken(200);
        assert_eq!(length.next(), 200, "nothing grows before the doubt is settled");
        length.clear_doubt();
        assert_eq!((length.next(), length.known_limit()), (400, None));
        length.doubt(400);
        length.confirm_doubt();
        assert_eq!((length.next(), length.known_limit(), length.longest_taken()), (200, Some(200), 200));
        length.taken(200);
        assert_eq!(length.next(), 200);
    }

    proptest! {
        #[test]
        fn whatever_is_refused_each_item_goes_once_or_fails_alone(
            items in 0..600_u32,
            limit in 1..300_usize,
            bad in proptest::collection::hash_set(0..600_u32, 0..4),
        ) {
            let length = BatchLength::new(None);
            let mut lists = ShrinkingBatches::new(0..items, &length);
            let mut gone = Vec::new();
            let mut failed = Vec::new();
            while let Some(list) = lists.next() {
                if list.len() <= limit && !list.iter().any(|item| bad.contains(item)) {
                    lists.taken(list.len());
                    gone.extend(list);
                } else if let Some(list) = lists.refused(list, &refusal()) {
                    prop_assert_eq!(list.len(), 1);
                    failed.extend(list);
                }
            }
            prop_assert!(failed.iter().all(|item| bad.contains(item)));
            gone.extend(failed);
            gone.sort_unstable();
            prop_assert_eq!(gone, (0..items).collect::<Vec<_>>());
        }
    }
}
