//! The questions, and the book of what came of them.

use std::collections::BTreeMap;

use fichier_storage::{Finding, FoundOut};

use crate::fichier::findings::{DATE_ZONE, FILES_IN_LISTING, FOLDER_MOVE};

/// What making a folder does whose name exists.
pub(super) const EXISTING_FOLDER: &str = "existing-folder";
/// How long the name of a folder may be.
pub(super) const FOLDER_NAMES: &str = "folder-name-length";
/// Whether one upload may bring several files.
pub(super) const UPLOAD_FILES: &str = "files-in-an-upload";
/// How long the name of a file may be.
pub(super) const FILE_NAMES: &str = "file-name-length";
/// Which characters of a file's name are stored otherwise.
pub(super) const CHARACTERS: &str = "changed-characters";
/// How long after an upload a listing shows it.
pub(super) const LAG: &str = "listing-lag";
/// After which time the same folder may be listed again.
pub(super) const LISTING_GAP: &str = "same-folder-gap";
/// What `sent_before` does.
pub(super) const WINDOWS: &str = "sent-before";
/// Whether a file of the account is found by folder and name.
pub(super) const FILE_BY_NAME: &str = "file-info-by-name";
/// Whether a token that isn't single serves several requests.
pub(super) const TOKEN: &str = "download-token";
/// Whether all files of the account can be listed.
pub(super) const ALL_FILES: &str = "all-files-listing";
/// How many links one call may name.
pub(super) const LISTS: &str = "links-in-a-call";

/// All questions, in the order of a report, each with the section of the API document (docs/api.md) that leaves it open.
const QUESTIONS: [(&str, &str); 15] = [
    (EXISTING_FOLDER, "What does folder/mkdir do with a name that exists? (4)"),
    (FOLDER_NAMES, "How long may the name of a folder be? (2)"),
    (UPLOAD_FILES, "May one upload bring several files? (7)"),
    (FILE_NAMES, "How long may the name of a file be? (2)"),
    (CHARACTERS, "Which characters of a name does the service store otherwise? (7)"),
    (FILES_IN_LISTING, "Does folder/ls with files: 1 bring the files? (4)"),
    (LAG, "How long does a listing lag behind an upload? (7)"),
    (DATE_ZONE, "In which time are dates written? (1)"),
    (LISTING_GAP, "After which time may the same folder be listed again? (2)"),
    (WINDOWS, "What does sent_before of file/ls do? (5)"),
    (FOLDER_MOVE, "Does folder/mv move and rename in one call? (4)"),
    (FILE_BY_NAME, "Does file/info find an own file by folder and name? (5)"),
    (TOKEN, "Does a download token with single: 0 serve several requests? (6)"),
    (ALL_FILES, "Does file/ls list all files of the account? (5)"),
    (LISTS, "How many links may a call name? (5)"),
];

/// What was found out so far.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<&'static str, FoundOut>);

impl Notes {
    /// Notes an answer.
    pub(super) fn found(&mut self, id: &'static str, value: impl Into<String>, seen: impl Into<String>) {
        let (value, seen) = (value.into(), seen.into());
        tracing::info!("{id}: {value}: {seen}");
        self.0.insert(id, FoundOut::Answer { value, seen });
    }

    /// Notes that a question stays open, and why; a later run may settle it.
    pub(super) fn open(&mut self, id: &'static str, why: impl Into<String>) {
        self.0.insert(id, FoundOut::Open { why: why.into(), later: true });
    }

    /// Notes that a question stays open, and that a later run won't settle it either.
    pub(super) fn left_open(&mut self, id: &'static str, why: impl Into<String>) {
        self.0.insert(id, FoundOut::Open { why: why.into(), later: false });
    }

    /// The answer to a question, if it is known.
    pub(super) fn answer(&self, id: &str) -> Option<&str> {
        match self.0.get(id) {
            Some(FoundOut::Answer { value, .. }) => Some(value),
            _ => None,
        }
    }

    /// The answers that are known.
    pub(super) fn answers(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(id, found)| match found {
            FoundOut::Answer { value, .. } => Some((*id, value.clone())),
            FoundOut::Open { .. } => None,
        })
    }

    /// All questions with what came of them. Those that nobody came to are open for this reason.
    pub(super) fn into_findings(mut self, otherwise: &str) -> Vec<Finding> {
        let finding = |(id, question)| {
            let answer = self.0.remove(id);
            let answer = answer.unwrap_or_else(|| FoundOut::Open { why: otherwise.to_owned(), later: true });
            Finding { id, question, answer }
        };
        QUESTIONS.into_iter().map(finding).collect()
    }
}
