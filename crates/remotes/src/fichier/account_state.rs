//! Keeps what was learned about an account (that its listings are limited, what was listed when) in a file between
//! runs, so that one account provokes at most one flood answer.
//!
//! The file is named after a digest of the key, which isn't in it.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use fichier_api::Learned;
use fichier_state::{read_small, replace};

/// Largest part of a file that is read, in bytes. The contents take some hundred bytes, and a few for each folder
/// listed lately.
const LARGEST: u64 = 16 << 20;

/// Shortest time between two writes of the file while calls go on. Losing less than this costs a flood answer at worst.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Time for which a list length that was found too long isn't tried again.
const LISTS_STAY_SHORT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Time for which a character that the service refused isn't tried again.
const CHARACTERS_STAY_REFUSED_FOR: Duration = Duration::from_secs(7 * 86_400);

/// How long what `doctor` found out counts. The service may change.
const FOUND_OUT_HOLDS_FOR: Duration = Duration::from_secs(30 * 86_400);

/// The name under which the folder is kept in which `doctor` works, or was stopped.
const DOCTORS_FOLDER: &str = "doctors-folder";

/// How many old versions that should have gone are remembered at most, the latest ones.
const MOST_OLD_VERSIONS: usize = 4000;

/// Returns the name of files about an account, made from these parts, of which the key is one: a digest that reveals
/// none of them. The endpoint counts too, since an emulator may know the same key.
pub(super) fn account_name(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            digest.update([0]);
        }
        digest.update(part);
    }
    base16ct::lower::encode_string(&digest.finalize()[..16])
}

/// State that is kept of one account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedState {
    /// What the wire client learned.
    #[serde(flatten)]
    pub(super) learned: Learned,
    /// Longest possible list, if longer ones were refused.
    #[serde(default)]
    pub(super) longest_list: Option<LongestList>,
    /// Largest possible number of files in an upload, if more weren't taken.
    #[serde(default)]
    longest_upload: Option<LongestList>,
    /// Largest number of files in an upload that was taken.
    #[serde(default)]
    upload_taken: usize,
    /// Characters that the service stores otherwise and doesn't take by a new name either, and when that was found out.
    #[serde(default)]
    refused_characters: Vec<(char, SystemTime)>,
    /// Old versions that are to be removed when newer ones are there.
    #[serde(default)]
    old_versions: Vec<OldVersion>,
    /// What `doctor` found out, by question.
    #[serde(default)]
    found_out: BTreeMap<String, KeptAnswer>,
}

/// An answer that `doctor` found, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KeptAnswer {
    value: String,
    at: SystemTime,
}

/// An old version that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OldVersionForm")]
pub(super) struct OldVersion {
    /// Link of the old version.
    pub(super) old: String,
    /// Link of the file that is moved to its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<String>,
}

/// Forms in which an old version was written, now and before.
#[derive(Deserialize)]
#[serde(untagged)]
enum OldVersionForm {
    Link(String),
    Both {
        old: String,
        #[serde(default)]
        new: Option<String>,
    },
}

impl From<OldVersionForm> for OldVersion {
    fn from(form: OldVersionForm) -> Self {
        match form {
            OldVersionForm::Link(old) => Self { old, new: None },
            OldVersionForm::Both { old, new } => Self { old, new },
        }
    }
}

/// Longest possible list, and when that was found out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct LongestList {
    items: usize,
    at: SystemTime,
}

impl LongestList {
    fn lately(&self) -> Option<usize> {
        self.at.elapsed().is_ok_and(|age| age < LISTS_STAY_SHORT_FOR).then_some(self.items)
    }

    /// Returns the limit to keep, given the one that holds now. One that is only used, and not found out again, keeps
    /// its date.
    fn after(kept: Option<Self>, limit: Option<usize>) -> Option<Self> {
        match limit {
            limit if limit == kept.and_then(|kept| kept.lately()) => kept.filter(|_| limit.is_some()),
            limit => limit.map(|items| Self { items, at: SystemTime::now() }),
        }
    }
}

/// Limits on lists and uploads, as far as a run has found them out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lengths {
    /// Largest number of items in a list, if longer ones were refused.
    pub(super) list: Option<usize>,
    /// Largest number of files in an upload, if more weren't taken.
    pub(super) upload: Option<usize>,
    /// Largest number of files in an upload that was taken.
    pub(super) upload_taken: usize,
}

impl SavedState {
    /// Returns the limits on lists and uploads, as far as they were found out lately.
    pub(super) fn lengths(&self) -> Lengths {
        Lengths {
            list: self.longest_list.and_then(|longest| longest.lately()),
            upload: self.longest_upload.and_then(|longest| longest.lately()),
            upload_taken: self.upload_taken,
        }
    }

    /// Returns the characters that the service refused in names lately.
    pub(super) fn refused_characters(&self) -> impl Iterator<Item = char> + '_ {
        let lately = |at: &SystemTime| at.elapsed().is_ok_and(|age| age < CHARACTERS_STAY_REFUSED_FOR);
        self.refused_characters.iter().filter(move |(_, at)| lately(at)).map(|(character, _)| *character)
    }

    /// Returns the state to keep now.
    fn after(&self, learned: Learned, lengths: Lengths) -> Self {
        Self {
            learned,
            longest_list: LongestList::after(self.longest_list, lengths.list),
            longest_upload: LongestList::after(self.longest_upload, lengths.upload),
            upload_taken: lengths.upload_taken,
            refused_characters: self.refused_characters.clone(),
            old_versions: self.old_versions.clone(),
            found_out: self.found_out.clone(),
        }
    }

    /// The answer that `doctor` found to a question, if that isn't long ago.
    pub(super) fn found_out(&self, question: &str) -> Option<&str> {
        let kept = self.found_out.get(question)?;
        kept.at.elapsed().is_ok_and(|age| age < FOUND_OUT_HOLDS_FOR).then_some(&*kept.value)
    }

    /// Takes in what another program found out later.
    fn add_found_out(&mut self, others: BTreeMap<String, KeptAnswer>) {
        for (question, other) in others {
            if self.found_out.get(&question).is_none_or(|own| own.at < other.at) {
                self.found_out.insert(question, other);
            }
        }
    }

    /// Returns the old versions that an earlier run left to be removed.
    pub(super) fn old_versions(&self) -> impl Iterator<Item = &OldVersion> {
        self.old_versions.iter()
    }

    /// Adds the old versions that another program recorded meanwhile, except those that were removed in this one.
    fn add_old_versions(&mut self, noted: Vec<OldVersion>, gone: &HashSet<String>) {
        let known: HashSet<String> = self.old_versions.iter().map(|known| known.old.clone()).collect();
        let is_new = |noted: &OldVersion| !gone.contains(&noted.old) && !known.contains(&noted.old);
        self.old_versions.extend(noted.into_iter().filter(is_new));
        let over = self.old_versions.len().saturating_sub(MOST_OLD_VERSIONS);
        self.old_versions.drain(..over);
    }
}

/// State of one account.
#[derive(Debug)]
pub(super) struct AccountState {
    file: PathBuf,
    saved: Mutex<(Instant, SavedState)>,
    /// Old versions that were removed in this run.
    gone: Mutex<HashSet<String>>,
}

impl AccountState {
    /// Opens the state of the account with this key in a directory, and reads what is kept. A file that can't be read
    /// counts as missing.
    pub(super) fn open(directory: &Path, endpoint: &str, key: &str) -> (Self, SavedState) {
        let file = directory.join(account_name(&[endpoint, key]) + ".json");
        let kept = read(&file);
        (Self { file, saved: Mutex::new((Instant::now(), kept.clone())), gone: Mutex::default() }, kept)
    }

    /// Records old versions before something replaces them: if their removal fails, or the program ends before, a later
    /// run removes them.
    pub(super) fn note_old_versions(&self, versions: impl Iterator<Item = OldVersion>) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut saved.1;
        kept.add_old_versions(versions.collect(), &HashSet::new());
        self.try_to_write(kept);
    }

    /// Records that old versions are gone. The file is written together with other changes.
    pub(super) fn forget_old_versions(&self, links: impl Iterator<Item = String>) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.extend(links);
        saved.1.old_versions.retain(|known| !gone.contains(&known.old));
    }

    /// Saves what was learned, unless that was done a moment ago and nothing important is new.
    pub(super) fn note(&self, learned: Learned, lengths: Lengths) {
        {
            let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            let before = &saved.1.learned;
            let weighty = before.listings_are_limited != learned.listings_are_limited
                || before.all_files_listed_at != learned.all_files_listed_at
                || before.account != learned.account
                || saved.1.lengths() != lengths;
            if !weighty && saved.0.elapsed() < SAVE_EVERY {
                return;
            }
        }
        self.save(learned, lengths);
    }

    /// Keeps what `doctor` found out, by question.
    pub(super) fn keep_answers<'a>(&self, answers: impl Iterator<Item = (&'a str, String)>) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let at = SystemTime::now();
        let answers = answers.map(|(question, value)| (question.to_owned(), KeptAnswer { value, at }));
        saved.1.found_out.extend(answers);
        self.try_to_write(&mut saved.1);
    }

    /// Keeps the name of the folder in which `doctor` works; `None` when it is gone.
    pub(super) fn keep_doctors_folder(&self, name: Option<&str>) {
        self.keep_answers([(DOCTORS_FOLDER, name.unwrap_or_default().to_owned())].into_iter());
    }

    /// The folder in which `doctor` was stopped, as far as this computer knows.
    pub(super) fn doctors_folder(&self) -> Option<String> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        saved.1.found_out.get(DOCTORS_FOLDER).map(|kept| kept.value.clone()).filter(|name| !name.is_empty())
    }

    /// Keeps characters that the service wouldn't take in a name.
    pub(super) fn refuse_characters(&self, characters: &[char]) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut saved.1;
        kept.refused_characters.retain(|(known, _)| !characters.contains(known));
        kept.refused_characters.extend(characters.iter().map(|character| (*character, SystemTime::now())));
        self.try_to_write(kept);
    }

    /// Saves what was learned.
    pub(super) fn save(&self, learned: Learned, lengths: Lengths) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = saved.1.after(learned, lengths);
        self.try_to_write(&mut kept);
        *saved = (Instant::now(), kept);
    }

    fn try_to_write(&self, kept: &mut SavedState) {
        {
            let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            let others = read(&self.file);
            kept.add_old_versions(others.old_versions, &gone);
            kept.add_found_out(others.found_out);
        }
        if let Err(error) = self.write(kept) {
            tracing::debug!(file = %self.file.display(), "can't keep what was learned: {error}");
        }
    }

    fn write(&self, kept: &SavedState) -> io::Result<()> {
        replace(&self.file, &serde_json::to_vec(kept)?)
    }
}

/// Reads what is kept. A file that can't be read counts as missing.
fn read(file: &Path) -> SavedState {
    let bytes = read_small(file, LARGEST).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_saved_is_there_at_the_next_opening_and_the_key_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("accounts");
        let (memory, nothing) = AccountState::open(&place, "https://api", "secret-key");
        assert_eq!(nothing, SavedState::default());
        let learned = Learned { listings_are_limited: true, ..Learned::default() };
        let lengths = Lengths { list: Some(50), upload: Some(200), upload_taken: 150 };
        memory.save(learned.clone(), lengths);
        let kept = AccountState::open(&place, "https://api", "secret-key").1;
        assert_eq!((&kept.learned, kept.lengths()), (&learned, lengths));
        assert_eq!(AccountState::open(&place, "https://api", "other-key").1, SavedState::default());
        assert_eq!(AccountState::open(&place, "http://emulator", "secret-key").1, SavedState::default());
        let files: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert!(!fs::read_to_string(&files[0]).unwrap().contains("secret-key"));
        assert!(!files[0].display().to_string().contains("secret"));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let (memory, _) = AccountState::open(directory.path(), "e", "k");
        fs::write(&memory.file, "{\"listings_are").unwrap();
        assert_eq!(AccountState::open(directory.path(), "e", "k").1, SavedState::default());
    }

    #[test]
    fn old_versions_are_known_until_they_are_gone_and_other_programs_keep_theirs() {
        let directory = tempfile::tempdir().unwrap();
        let open = || AccountState::open(directory.path(), "e", "k");
        let known = || open().1.old_versions().map(|known| known.old.clone()).collect::<Vec<_>>();
        let version = |old: &str| OldVersion { old: old.to_owned(), new: None };
        let ((one, _), (other, _)) = (open(), open());
        one.note_old_versions(["a", "b"].into_iter().map(version));
        other.note_old_versions(["c"].into_iter().map(version));
        one.forget_old_versions(["a".to_owned()].into_iter());
        one.save(Learned::default(), Lengths::default());
        let mut left = known();
        left.sort();
        assert_eq!(left, ["b", "c"]);
        one.note_old_versions((0..MOST_OLD_VERSIONS).map(|n| version(&n.to_string())));
        assert_eq!(known().len(), MOST_OLD_VERSIONS);
    }

    #[test]
    fn what_doctor_found_out_outlives_other_programs_and_ends_after_a_month() {
        let directory = tempfile::tempdir().unwrap();
        let open = || AccountState::open(directory.path(), "e", "k");
        let ((one, _), (other, _)) = (open(), open());
        one.keep_answers([("zone", "utc".to_owned())].into_iter());
        one.keep_doctors_folder(Some("doctor-1"));
        other.save(Learned::default(), Lengths::default());
        let (memory, mut kept) = open();
        assert_eq!((kept.found_out("zone"), kept.found_out("other")), (Some("utc"), None));
        assert_eq!(memory.doctors_folder().as_deref(), Some("doctor-1"));
        one.keep_doctors_folder(None);
        other.save(Learned::default(), Lengths::default());
        assert_eq!(open().0.doctors_folder(), None);
        kept.found_out.get_mut("zone").unwrap().at -= FOUND_OUT_HOLDS_FOR;
        assert_eq!(kept.found_out("zone"), None);
    }

    #[test]
    fn old_versions_are_read_as_they_were_written_before() {
        let kept: SavedState =
            serde_json::from_str(r#"{"old_versions": ["a", {"old": "b", "new": "c"}]}"#).unwrap();
        let known: Vec<_> = kept.old_versions().map(|known| (&*known.old, known.new.as_deref())).collect();
        assert_eq!(known, [("a", None), ("b", Some("c"))]);
    }

    #[test]
    fn short_lists_are_tried_longer_after_a_week() {
        let long_ago = SystemTime::now() - LISTS_STAY_SHORT_FOR;
        let kept = SavedState {
            longest_list: Some(LongestList { items: 50, at: long_ago }),
            ..SavedState::default()
        };
        assert_eq!(kept.lengths(), Lengths::default());
        assert_eq!(kept.after(Learned::default(), Lengths::default()).longest_list, None);
        let fifty = Lengths { list: Some(50), ..Lengths::default() };
        let found_again = kept.after(Learned::default(), fifty);
        assert_eq!(found_again.lengths(), fifty);
        // The limit is used, but not found out again: the week goes on.
        assert_eq!(found_again.after(Learned::default(), fifty), found_again);
    }
}
