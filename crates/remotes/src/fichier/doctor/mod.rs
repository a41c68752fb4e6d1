//! `doctor`: how the service behaves where its documentation doesn't say, tried on an account with few calls.
//!
//! All happens in a folder of its own, with files of some bytes. The calls go by the same pacer as all others, one after
//! the other, and none is repeated when the service objects: at the first sign of a lock the examination ends. Then the
//! folder goes, whatever happened. What was found out is kept for later runs, which act on it.

mod calls;
mod folder;
mod names;
mod questions;
mod transfers;
mod words;

use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use fichier_api::{
    ApiError, CancellationToken, Endpoint, FileItem, FileLink, FileOf, FilesOf, FolderId, ListFiles,
    ListFolder, MakeFolder, MoveFolder, WireDate, french_time,
};
use fichier_storage::{Examination, Examine, PlannedCall, RemotePath, Result};

use super::{
    FichierRemote,
    error::failed,
    findings::{APART, DATE_ZONE, FILES_IN_LISTING, FOLDER_MOVE, MOVES, UTC},
};
use calls::{Calls, Ended, is_refusal};
use folder::{is_leftover, remove_empty, remove_files, remove_whole};
use names::StoredProbe;
use questions::{
    ALL_FILES, EXISTING_FOLDER, FILE_BY_NAME, FOLDER_NAMES, LAG, LISTING_GAP, LISTS, Notes, WINDOWS,
};
use words::said;

/// Names of the folders in the examination's own.
const FIRST: &str = "first";
const SECOND: &str = "second";
const RENAMED: &str = "renamed";

/// The documented length of a folder's name (API document, section 2).
const FOLDER_NAME: usize = 250;

/// How long it is waited before a folder is removed whose content has just gone, at most.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// How often a folder is listed at most until it shows what was uploaded.
const LOOKS: usize = 3;

#[async_trait]
impl Examine for FichierRemote {
    fn planned_calls(&self) -> Vec<PlannedCall> {
        planned_calls()
    }

    async fn examine(&self, stop: &CancellationToken) -> Result<Examination> {
        examine(self, stop).await
    }
}

/// The calls when nothing unexpected happens.
fn planned_calls() -> Vec<PlannedCall> {
    let call = |call, purpose| PlannedCall { call, purpose };
    vec![
        call("folder/ls", "the root's directories, for what an earlier run may have left"),
        call("folder/mkdir", "a directory of its own, in the root"),
        call("folder/mkdir", "a directory in it"),
        call("folder/mkdir", "one of the same name"),
        call("folder/mkdir", "one with a name of 251 characters"),
        call("folder/mkdir", "one with a name of 250 characters, if that was refused"),
        call("upload/get_upload_server", "a node for an upload"),
        call("upload.cgi", "26 files of some bytes in one request, with odd names"),
        call("end.pl", "the report of the upload"),
        call("folder/ls", "the directory with its files"),
        call("file/ls", "its files that are older than they are, after the gap that is kept anyway"),
        call("folder/mv", "move that directory into another one and rename it"),
        call("file/info", "a file of it by directory and name, and where it is now"),
        call("download/get_token", "a token for several requests"),
        call("download", "some bytes of a file"),
        call("download", "others by the same token"),
        call("file/ls", "all files of the account of the last minute, if the hour allows it"),
        call("file/rm", "remove the files in one call"),
        call("folder/rm", "remove the renamed directory"),
        call("folder/rm", "remove the other one"),
        call("folder/rm", "remove the directory of its own"),
    ]
}

/// Tries out how the service behaves, and keeps what was found out.
///
/// # Errors
/// Nothing could be tried at all.
async fn examine(remote: &FichierRemote, stop: &CancellationToken) -> Result<Examination> {
    let mut doctor = Doctor {
        remote,
        calls: Calls::new(&remote.client, stop),
        notes: Notes::default(),
        own: OwnFolder::default(),
        stored: Vec::new(),
        uploaded: None,
        listed: Vec::new(),
        listed_at: None,
        lag: Duration::ZERO,
    };
    let ended = doctor.run().await.err();
    let left_behind = doctor.tidy(ended.as_ref()).await;
    let Doctor { calls, notes, .. } = doctor;
    if let Some(memory) = remote.tree.memory() {
        memory.keep_answers(notes.answers());
    }
    remote.tree.remember();
    let made = calls.made();
    let ended_early = ended.as_ref().map(Ended::told);
    if let Some(Ended::Fatal(error)) = ended
        && notes.answers().next().is_none()
    {
        return Err(failed("examine the service", &RemotePath::root(), error));
    }
    let otherwise = ended_early.as_deref().unwrap_or("what it needs wasn't there, or the calls were used up");
    let findings = notes.into_findings(&format!("not asked: {otherwise}"));
    Ok(Examination {
        findings,
        calls: made.calls,
        requests_to_nodes: made.to_nodes,
        of_the_service: remote.client.is_of_the_service(),
        ended_early,
        left_behind,
    })
}

/// The folder in which all is tried, as far as it is known.
#[derive(Debug, Default)]
struct OwnFolder {
    name: Option<String>,
    top: Option<FolderId>,
    first: Option<FolderId>,
    second: Option<FolderId>,
    /// The name of the second, as it is stored.
    second_name: String,
    /// A twin of the first, if the service makes such.
    twin: Option<FolderId>,
    /// Whether something may be there that isn't known here.
    in_doubt: bool,
}

impl OwnFolder {
    /// All folders that are known, the inner ones first.
    fn all(&self) -> impl Iterator<Item = FolderId> {
        [self.first, self.twin, self.second, self.top].into_iter().flatten()
    }
}

/// An examination under way.
#[derive(Debug)]
struct Doctor<'a> {
    remote: &'a FichierRemote,
    calls: Calls<'a>,
    notes: Notes,
    own: OwnFolder,
    /// The files that were stored.
    stored: Vec<StoredProbe>,
    /// When the upload began, when its report came, and by which clock.
    uploaded: Option<(SystemTime, SystemTime, Instant)>,
    /// The files as they are listed.
    listed: Vec<FileItem>,
    /// When the folder was listed last.
    listed_at: Option<Instant>,
    /// How long listings lag at most, if they do.
    lag: Duration,
}

impl Doctor<'_> {
    async fn run(&mut self) -> Result<(), Ended> {
        self.find_leftovers().await?;
        self.make_folders().await?;
        self.store_files().await?;
        self.look_at_the_listing().await?;
        self.look_at_a_window().await?;
        self.move_a_folder().await?;
        self.use_a_token().await?;
        self.list_all_files().await
    }

    /// How many calls are kept for tidying up.
    fn kept(&self) -> usize {
        1 + self.own.all().count()
    }

    /// Whether a call may be made that isn't planned.
    fn may_ask(&self) -> bool {
        self.calls.allow(self.kept())
    }

    async fn find_leftovers(&mut self) -> Result<(), Ended> {
        let root = ListFolder::folders_only(FolderId::ROOT);
        let listing = self.calls.ask(self.calls.client().list_folder(&root)).await?;
        let folders = listing.map_err(|error| self.no_way("the root can't be listed", &error))?.sub_folders;
        let known = self.remote.tree.memory().map(super::account_state::AccountState::doctors_folder);
        let before = self.calls.made();
        for folder in folders.unwrap_or_default() {
            if !is_leftover(&folder.name, known.as_ref().map(Option::as_deref)) {
                continue;
            }
            tracing::info!(name = %folder.name, "Removing a directory that an earlier run left");
            if let Err(why) = remove_whole(&self.calls.tidying(), folder.id).await {
                tracing::error!(name = %folder.name, "A directory of an earlier run stays: {why}");
            }
        }
        self.calls.extra_since(before);
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "beside the other ends")]
    fn no_way(&self, what: &str, error: &ApiError) -> Ended {
        Ended::Failed(format!("{what}: {}", said(error.kind())))
    }

    /// Makes a folder; what it says of its name goes with it.
    async fn make(
        &mut self,
        parent: FolderId,
        name: &str,
    ) -> Result<Result<(FolderId, Option<String>), ApiError>, Ended> {
        let made = self.calls.ask(self.calls.client().make_folder(&MakeFolder::new(parent, name))).await;
        // One of which nothing is known may be there all the same.
        self.own.in_doubt |= match &made {
            Ok(Ok(made)) => made.id.is_root(),
            Ok(Err(error)) => error.maybe_done(),
            Err(_) => true,
        };
        Ok(made?.map(|made| (made.id, made.name)))
    }

    async fn make_folders(&mut self) -> Result<(), Ended> {
        let name = folder::new_name();
        if let Some(memory) = self.remote.tree.memory() {
            memory.keep_doctors_folder(Some(&name));
        }
        self.own.name = Some(name.clone());
        let no_number = || Ended::Failed("the service gives no number for a new directory".to_owned());
        let what = "no directory can be made";
        let (top, _) = self.make(FolderId::ROOT, &name).await?.map_err(|error| self.no_way(what, &error))?;
        self.own.top = Some(top).filter(|top| !top.is_root());
        let top = self.own.top.ok_or_else(no_number)?;
        let (first, _) = self.make(top, FIRST).await?.map_err(|error| self.no_way(what, &error))?;
        self.own.first = Some(first).filter(|first| !first.is_root());
        let first = self.own.first.ok_or_else(no_number)?;
        match self.make(top, FIRST).await? {
            Ok((again, _)) if again == first => {
                self.notes.found(EXISTING_FOLDER, "same", "it answers with the directory that is there");
            }
            Ok((again, _)) if !again.is_root() => {
                self.own.twin = Some(again);
                self.notes.found(EXISTING_FOLDER, "second", "it makes a second directory of the name");
            }
            Ok(_) => self.notes.open(EXISTING_FOLDER, "the answer gives no number"),
            Err(error) if is_refusal(&error) => {
                self.notes.found(EXISTING_FOLDER, "refused", format!("it says {}", said(error.kind())));
            }
            Err(error) => self.notes.open(EXISTING_FOLDER, said(error.kind())),
        }
        self.make_second(top).await
    }

    /// Makes another folder, with the longest name that is taken.
    async fn make_second(&mut self, top: FolderId) -> Result<(), Ended> {
        let long =
            |length: usize| SECOND.chars().chain(std::iter::repeat('n')).take(length).collect::<String>();
        let mut refused = None;
        for length in [FOLDER_NAME + 1, FOLDER_NAME, SECOND.len()] {
            let name = long(length);
            match self.make(top, &name).await? {
                Ok((second, told)) if !second.is_root() => {
                    let kept = told.as_ref().map_or(length, |told| told.chars().count());
                    self.own.second = Some(second);
                    self.own.second_name = told.unwrap_or(name);
                    let (value, seen) = match refused {
                        _ if kept < length => {
                            (format!("cut at {kept}"), format!("of {length} characters it keeps {kept}"))
                        }
                        None => (format!("at least {length}"), format!("it takes {length} characters")),
                        Some((more, said)) if length == FOLDER_NAME => (
                            format!("{length}"),
                            format!("it takes {length} characters, and refuses {more}: {said}"),
                        ),
                        Some((less, said)) => {
                            (format!("less than {less}"), format!("it refuses {less} characters: {said}"))
                        }
                    };
                    self.notes.found(FOLDER_NAMES, value, seen);
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(error) if is_refusal(&error) => refused = Some((length, said(error.kind()))),
                Err(error) => {
                    self.notes.open(FOLDER_NAMES, said(error.kind()));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Lists the folder with the files until all are there: in the same call as the folder, how late, with which dates.
    async fn look_at_the_listing(&mut self) -> Result<(), Ended> {
        let (Some(first), Some((began, ended, clock))) = (self.own.first, self.uploaded) else {
            return Ok(());
        };
        let known_apart = self.calls.client().lists_files_apart();
        let mut missed_until = None;
        for look in 0..LOOKS {
            if look > 0 && !self.may_ask() {
                break;
            }
            let request = ListFolder::with_files(first);
            let listing = self.calls.ask(self.calls.client().list_folder(&request)).await?;
            let now = Instant::now();
            let items = match listing {
                Ok(listing) => listing.items.unwrap_or_default(),
                Err(error) => {
                    self.notes.open(LAG, said(error.kind()));
                    return Ok(());
                }
            };
            self.note_gap(now);
            match (self.calls.client().lists_files_apart(), items.is_empty()) {
                (true, _) if known_apart => {
                    self.notes.found(FILES_IN_LISTING, APART, "as an earlier run found");
                }
                (true, _) => self.notes.found(FILES_IN_LISTING, APART, "the files take a call of their own"),
                (false, false) => {
                    self.notes.found(FILES_IN_LISTING, "brought", "they come in the same answer");
                }
                (false, true) => {}
            }
            let is_listed = |stored: &StoredProbe| items.iter().any(|item| item.link == stored.file.link);
            let all = self.stored.iter().all(is_listed);
            let after = now.duration_since(clock);
            self.listed = items;
            if all {
                let (value, seen) = match missed_until {
                    None => (
                        "none".to_owned(),
                        format!("all files were listed {} after the report", about(after)),
                    ),
                    Some(missed) => {
                        self.lag = after;
                        let (from, to) = (about(missed), about(after));
                        (
                            format!("up to {to}"),
                            format!("not all files were listed after {from}, but after {to}"),
                        )
                    }
                };
                self.notes.found(LAG, value, seen);
                break;
            }
            missed_until = Some(after);
        }
        if let (Some(missed), None) = (missed_until, self.notes.answer(LAG)) {
            let seen = format!("not all files were listed {} after the report", about(missed));
            self.notes.found(LAG, format!("more than {}", about(missed)), seen);
        }
        let date = self.listed.iter().find_map(|item| item.date.as_ref()?.as_utc());
        match date {
            Some(date) => {
                let (value, seen) = zone(date, began, ended);
                match value {
                    Some(value) => self.notes.found(DATE_ZONE, value, seen),
                    None => self.notes.open(DATE_ZONE, seen),
                }
            }
            None => self.notes.open(DATE_ZONE, "no file with a date was listed"),
        }
        Ok(())
    }

    /// Notes how soon the folder was listed again without an objection.
    fn note_gap(&mut self, now: Instant) {
        if let Some(before) = self.listed_at.replace(now) {
            let gap = about(now.duration_since(before));
            let seen =
                format!("it was listed again {gap} later, which is what the client keeps; less wasn't tried");
            self.notes.found(LISTING_GAP, format!("at most {gap}"), seen);
        }
    }

    /// Asks for what is older than the oldest file that is listed.
    async fn look_at_a_window(&mut self) -> Result<(), Ended> {
        let dates = self.listed.iter().filter_map(|item| item.date.clone());
        let oldest = dates.min_by_key(WireDate::as_utc);
        let (Some(first), Some(oldest)) = (self.own.first, oldest) else {
            self.notes.open(WINDOWS, "no file with a date was listed");
            return Ok(());
        };
        let Some(of_oldest) = self.older_than(first, oldest.clone()).await? else { return Ok(()) };
        if of_oldest == 0 {
            self.notes.found(WINDOWS, "excludes its second", "nothing is older than the oldest file");
            return Ok(());
        }
        if of_oldest < self.listed.len() {
            self.notes.found(
                WINDOWS,
                "includes its second",
                "it brings the oldest file, and none that is newer",
            );
            return Ok(());
        }
        let day_before = oldest.as_utc().and_then(|date| date.checked_sub(Duration::from_secs(86_400)));
        let Some(day_before) = day_before.filter(|_| self.may_ask()) else {
            self.notes.open(WINDOWS, "it includes its second or is ignored; the calls are used up");
            return Ok(());
        };
        let Some(of_day_before) = self.older_than(first, WireDate::from_utc(day_before)).await? else {
            return Ok(());
        };
        if of_day_before == 0 {
            self.notes.found(
                WINDOWS,
                "includes its second",
                "it brings the oldest file, and nothing of a day before",
            );
        } else {
            self.notes.found(WINDOWS, "ignored", "it brings files that are a day newer");
        }
        Ok(())
    }

    /// How many files are told as sent before a date.
    async fn older_than(&mut self, folder: FolderId, date: WireDate) -> Result<Option<usize>, Ended> {
        let request = ListFiles { sent_before: Some(date), ..ListFiles::of(folder) };
        match self.calls.ask(self.calls.client().list_files(&request)).await? {
            Ok(listing) => {
                self.note_gap(Instant::now());
                Ok(Some(listing.items.unwrap_or_default().len()))
            }
            Err(error) if is_refusal(&error) => {
                self.notes.found(WINDOWS, "refused", format!("it says {}", said(error.kind())));
                Ok(None)
            }
            Err(error) => {
                self.notes.open(WINDOWS, said(error.kind()));
                Ok(None)
            }
        }
    }

    /// Moves a folder and renames it in one call, and looks where a file in it is then.
    async fn move_a_folder(&mut self) -> Result<(), Ended> {
        let (Some(first), Some(second)) = (self.own.first, self.own.second) else { return Ok(()) };
        let request = MoveFolder {
            folder: first,
            to: second,
            destination_user: None,
            rename: Some(RENAMED.to_owned()),
        };
        let moved = self.calls.ask(self.calls.client().move_folder(&request)).await;
        let refusal = match moved? {
            Ok(_) => None,
            Err(error) if is_refusal(&error) => Some(said(error.kind())),
            Err(error) => {
                self.notes.open(FOLDER_MOVE, said(error.kind()));
                return Ok(());
            }
        };
        let path = self.find_file_by_name(first).await?;
        if let Some(refusal) = refusal {
            self.notes.found(FOLDER_MOVE, "refused", format!("it says {refusal}"));
            return Ok(());
        }
        let place = match path {
            Some(path) => {
                let has = |name: &str| path.split('/').any(|part| part == name);
                Some((has(&self.own.second_name), has(RENAMED)))
            }
            None => self.look_into(second, first).await?,
        };
        let (value, seen) = match place {
            Some((true, true)) => (MOVES, "the directory is in its new place, under its new name"),
            Some((false, true)) => ("only renames", "the directory has its new name where it was"),
            Some((true, false)) => ("only moves", "the directory is in its new place, under its old name"),
            Some((false, false)) => ("does nothing", "the directory is where it was"),
            None => return Ok(()),
        };
        self.notes.found(FOLDER_MOVE, value, seen);
        Ok(())
    }

    /// Asks for a file by folder and name; tells where the service says that it lies.
    async fn find_file_by_name(&mut self, folder: FolderId) -> Result<Option<String>, Ended> {
        let Some(file) = self.stored.first().map(|stored| stored.file.clone()) else { return Ok(None) };
        let named = FileOf::Named { folder, filename: file.name.clone(), sharing_user: None };
        let link = match self.calls.ask(self.calls.client().file_info(&named)).await? {
            Ok(info) if info.link == Some(file.link) => {
                self.notes.found(FILE_BY_NAME, "works", "it tells the file's link");
                return Ok(info.path);
            }
            Ok(_) => {
                self.notes.found(FILE_BY_NAME, "another", "it tells of another file, or of none");
                file.link
            }
            Err(error) if is_refusal(&error) => {
                self.notes.found(FILE_BY_NAME, "refused", format!("it says {}", said(error.kind())));
                file.link
            }
            Err(error) => {
                self.notes.open(FILE_BY_NAME, said(error.kind()));
                file.link
            }
        };
        if !self.may_ask() {
            return Ok(None);
        }
        let info = self.calls.ask(self.calls.client().file_info(&FileOf::from(link))).await?;
        Ok(info.ok().and_then(|info| info.path))
    }

    /// Lists a folder to see whether another one is in it: whether it is, and whether it has its new name.
    async fn look_into(&mut self, parent: FolderId, folder: FolderId) -> Result<Option<(bool, bool)>, Ended> {
        if !self.may_ask() {
            return Ok(None);
        }
        let request = ListFolder::folders_only(parent);
        match self.calls.ask(self.calls.client().list_folder(&request)).await? {
            Ok(listing) => {
                let folders = listing.sub_folders.unwrap_or_default();
                let found = folders.iter().find(|child| child.id == folder);
                // Where it isn't, it was renamed in its place, by the witness who says so.
                Ok(Some(found.map_or((false, true), |found| (true, found.name == RENAMED))))
            }
            Err(error) => {
                self.notes.open(FOLDER_MOVE, said(error.kind()));
                Ok(None)
            }
        }
    }

    /// Lists what of the whole account was sent lately.
    async fn list_all_files(&mut self) -> Result<(), Ended> {
        let oldest = self.listed.iter().filter_map(|item| item.date.as_ref()?.as_utc()).min();
        let after = oldest.and_then(|oldest| oldest.checked_sub(Duration::from_secs(60)));
        let Some(after) = after.filter(|_| !self.stored.is_empty()) else { return Ok(()) };
        if self.notes.answer(WINDOWS).is_none_or(|answer| answer == "ignored" || answer == "refused") {
            let why = "without a window the whole account might come, which is too much";
            self.notes.left_open(ALL_FILES, why);
            return Ok(());
        }
        if !self.may_ask() {
            return Ok(());
        }
        let request =
            ListFiles { sent_after: Some(WireDate::from_utc(after)), ..ListFiles::of(FilesOf::WholeAccount) };
        match self.calls.ask(self.calls.client().list_files(&request)).await? {
            Ok(listing) => {
                let items = listing.items.unwrap_or_default();
                let is_ours =
                    |item: &&FileItem| self.stored.iter().any(|stored| stored.file.link == item.link);
                let ours = items.iter().filter(is_ours).count();
                let of = self.stored.len();
                let seen = format!(
                    "it tells {ours} of {of} files of the last minute, and {} others",
                    items.len() - ours
                );
                let value = if ours == of { "works" } else { "incomplete" };
                self.notes.found(ALL_FILES, value, seen);
            }
            Err(error) if is_refusal(&error) => {
                self.notes.found(ALL_FILES, "refused", format!("it says {}", said(error.kind())));
            }
            Err(error) if error.attempts() == 0 => {
                self.notes.open(ALL_FILES, "all files were listed less than an hour ago: try again later");
            }
            Err(error) => self.notes.open(ALL_FILES, said(error.kind())),
        }
        Ok(())
    }

    /// Removes all that was made; tells what is left.
    async fn tidy(&mut self, ended: Option<&Ended>) -> Option<String> {
        let name = self.own.name.clone()?;
        let told =
            |why: String| Some(format!("the directory {name:?} in the root: {why}; the next run removes it"));
        if let Some(Ended::Locked { address: true, .. }) = ended {
            return told("the address is locked".to_owned());
        }
        let client = self.calls.tidying();
        let mut whole = self.own.in_doubt;
        let links: Vec<FileLink> = self.stored.iter().map(|stored| stored.file.link).collect();
        match remove_files(&client, &links).await {
            Ok((0, None)) => {}
            Ok((taken, refused)) => self.note_lists(taken, refused),
            Err(error) => {
                self.notes.open(LISTS, said(error.kind()));
                whole = true;
            }
        }
        if !whole {
            // Where listings lag, a folder counts as full as long; to ask again and again costs calls.
            let rest = self.lag.min(LONGEST_REST);
            for folder in self.own.all() {
                let rested = match rest.is_zero() {
                    true => Ok(()),
                    false => client.rest(Endpoint::FolderRm, rest).await,
                };
                if rested.is_err() || remove_empty(&client, folder).await.is_err() {
                    whole = true;
                    break;
                }
            }
        }
        if whole && let Err(why) = self.remove_in_doubt(&client, &name).await {
            return told(why);
        }
        if let Some(memory) = self.remote.tree.memory() {
            memory.keep_doctors_folder(None);
        }
        None
    }

    fn note_lists(&mut self, taken: usize, refused: Option<usize>) {
        match refused {
            None => {
                self.remote.tree.lists.taken(taken);
                let seen = format!("file/rm takes {taken} links; more weren't there to be tried");
                self.notes.found(LISTS, format!("at least {taken}"), seen);
            }
            Some(refused) => {
                self.remote.tree.lists.found_limit(taken.max(1));
                let seen = format!("file/rm takes {taken} links, and refuses {refused}");
                self.notes.found(LISTS, format!("at least {taken}, not {refused}"), seen);
            }
        }
    }

    /// Removes the folder by what its listings tell.
    async fn remove_in_doubt(&self, client: &fichier_api::Client, name: &str) -> Result<(), String> {
        let top = match self.own.top {
            Some(top) => Some(top),
            None => {
                let root = ListFolder::folders_only(FolderId::ROOT);
                let listing = client.list_folder(&root).await.map_err(|error| said(error.kind()))?;
                let folders = listing.sub_folders.unwrap_or_default();
                folders.iter().find(|folder| folder.name == name).map(|folder| folder.id)
            }
        };
        match top {
            Some(top) => remove_whole(client, top).await,
            None => Ok(()),
        }
    }
}

/// In which time a date is written, of a file that was sent between two moments; `None` when it doesn't tell.
fn zone(date: SystemTime, began: SystemTime, ended: SystemTime) -> (Option<String>, String) {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or_default()
    };
    let middle = i64::midpoint(seconds(began), seconds(ended));
    let ahead = seconds(date) - middle;
    // Zones differ by quarters of an hour.
    let quarters = (ahead + 450).div_euclid(900);
    if (ahead - quarters * 900).abs() > 300 || quarters.abs() > 56 {
        return (None, "the dates fit no zone: is this computer's clock right?".to_owned());
    }
    let minutes = quarters * 15;
    let shown =
        format!("{}{}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
    let french = i64::try_from(french_time::ahead(date).as_secs()).unwrap_or_default();
    let value = match quarters * 900 {
        0 => UTC.to_owned(),
        ahead if ahead == french => "french".to_owned(),
        _ => format!("UTC{shown}"),
    };
    (Some(value), format!("a file just sent has a date that is {shown} of UTC"))
}

/// A time in a report.
fn about(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_a_date_is_told_by_when_its_file_was_sent() {
        let hour = Duration::from_secs(3600);
        for (sent, ahead_in_france) in [(1_700_000_000, 1), (1_690_000_000, 2)] {
            let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(sent);
            let ended = sent + Duration::from_secs(4);
            let of = |date| zone(date, sent, ended).0;
            assert_eq!(of(sent).as_deref(), Some(UTC));
            assert_eq!(of(sent + hour * ahead_in_france).as_deref(), Some("french"));
            assert_eq!(of(sent - 5 * hour).as_deref(), Some("UTC-5:00"));
            assert_eq!(of(sent + Duration::from_secs(400)), None, "a clock that is wrong");
        }
    }
}
