//! Uploads: several files of a folder in one request, each hashed on its way, each verified by the report's
//! checksum, and old versions removed only after that.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::oneshot;

use fichier_api::{
    ApiError, BoxError, Endpoint, ErrorKind, FileLink, FileOf, FolderId, NodeAnswer, RenameFile,
    SourceProblem, Upload, UploadFile, UploadOptions, UploadReceipt, UploadedFile,
};
use fichier_storage::{
    ByteStream, Content, File, FileId, MemoryContent, Name, Outcome, RemotePath, Result, StorageError,
    Whirlpool, WriteBatch, WriteItem,
};

use super::{
    BATCH_BYTES, EmptyFiles, FichierRemote,
    catalogue::{KnownFile, Marks},
    confirm::LOOKED_UP_SINGLY,
    dropped::{dropped_before, dropped_now},
    error::{failed, unconfirmed},
    link_of,
    names::STAND_IN_BYTES,
    reported::NotSeen,
};

/// Number of listings of a folder to find files that no report names.
const LOOKS: u32 = 3;

/// A file that is to be sent.
struct Pending {
    /// Index of the file in the batch.
    index: usize,
    path: RemotePath,
    name: Name,
    /// Name on the wire.
    stored: String,
    size: u64,
    content: Arc<dyn Content>,
    expected: Option<Whirlpool>,
    replaces: Vec<File>,
    stands_for_empty: bool,
}

/// Number of times that files are sent again that a node surely didn't take.
const SENT_AGAIN: u32 = 3;

/// Number of times that files are sent again that no answer mentions and that aren't in their folder.
const LOST_SENT_AGAIN: u32 = 2;

/// Result of one request.
enum Sent {
    /// The node reported; a checksum computed on the way for each file sent.
    Reported(Vec<UploadedFile>, Vec<Option<Whirlpool>>),
    /// One file couldn't be read as announced, so nothing arrived.
    BadSource(usize, StorageError),
    /// There is no answer: the files may have arrived.
    Lost(Box<Unsettled>),
    /// The node took nothing.
    NotTaken(ApiError),
    /// Nothing arrived.
    Failed(ApiError),
}

/// An upload whose result isn't known yet.
struct Unsettled {
    error: ApiError,
    sums: Vec<Option<Whirlpool>>,
    /// Receipt by which its report is found; `None` when there can't be one.
    receipt: Option<UploadReceipt>,
    /// Whether its files were searched for, so that those not found surely aren't there.
    looked: bool,
}

impl Unsettled {
    /// Checks whether the node had promised a report that never came, and the files aren't there.
    fn was_promised(&self) -> bool {
        let answered = self.receipt.as_ref().map(|receipt| receipt.answered);
        self.looked
            && answered == Some(NodeAnswer::Report)
            && matches!(self.error.kind(), ErrorKind::NoReport { .. })
    }

    /// Checks whether the files that aren't there may be sent again together. A file whose sending broke off is tried
    /// again by the caller, who counts the tries.
    fn may_go_again(&self) -> bool {
        let broke_off = self.sums.len() == 1 && self.sums[0].is_none();
        self.looked && !broke_off && !self.error.is_fatal()
    }

    /// Returns how often to search for its files. A node that answered had them all, and its report was requested for
    /// longer than listings lag behind.
    fn looks(&self) -> u32 {
        match self.receipt.as_ref().map(|receipt| receipt.answered) {
            Some(NodeAnswer::Vague { .. }) => 1,
            _ => LOOKS,
        }
    }
}

/// Outcomes for a batch, filled in as they come; and the indexes of files that may arrive, whatever was answered.
struct Answers(Vec<Outcome<File>>, HashSet<usize>);

impl Answers {
    /// Records that it isn't known whether these files arrived.
    fn may_arrive(&mut self, pending: &[Pending]) {
        self.1.extend(pending.iter().map(|item| item.index));
    }

    /// Checks whether there is nothing beside the old versions of a file, and won't be.
    fn failed_for_sure(&self, index: usize) -> bool {
        match &self.0[index] {
            Outcome::Done(_) | Outcome::DoneBefore(_) => false,
            Outcome::Failed(StorageError::OldVersionStays { .. }) => false,
            Outcome::Failed(_) | Outcome::NotTried => !self.1.contains(&index),
        }
    }

    fn put(&mut self, pending: &Pending, outcome: impl Into<Outcome<File>>) {
        self.0[pending.index] = outcome.into();
    }

    /// Returns the files that are stored, by their links.
    fn kept(&self) -> HashMap<FileLink, Whirlpool> {
        let done = self.0.iter().filter_map(|outcome| match outcome {
            Outcome::Done(file) => Some((link_of(file).ok()?, file.whirlpool?)),
            _ => None,
        });
        done.collect()
    }

    /// Records that a second copy of a stored file stays beside it.
    fn leave_double(&mut self, sum: Whirlpool, why: String) {
        let of_it = |outcome: &&mut Outcome<File>| matches!(outcome, Outcome::Done(file) if file.whirlpool == Some(sum));
        if let Some(outcome) = self.0.iter_mut().find(of_it)
            && let Outcome::Done(file) = outcome
        {
            let path = file.path.clone();
            let cause = Box::new(unconfirmed(None, "remove the second copy of", &path, why));
            *outcome = Outcome::Failed(StorageError::OldVersionStays { path, cause });
        }
    }

    /// Fails all items with one error.
    fn fail_all(&mut self, pending: &[Pending], action: &str, error: ApiError) {
        let error = Arc::new(error);
        for item in pending {
            self.put(item, Err(failed(action, &item.path, error.clone())));
        }
    }
}

impl FichierRemote {
    pub(super) async fn upload(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let WriteBatch { folder, items } = batch;
        let mut answers = Answers(items.iter().map(|_| Outcome::NotTried).collect(), HashSet::new());
        let old: Vec<Vec<FileLink>> = items.iter().map(|item| links_of(&item.replaces)).collect();
        let mut pending = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match self.prepare(index, &folder, item) {
                Ok(item) => pending.push(item),
                Err(error) => answers.0[index] = Outcome::Failed(error),
            }
        }
        pending = self.without_unseen(pending, &mut answers).await;
        pending = self.without_dropped(pending, &mut answers).await;
        if pending.is_empty() {
            return answers.0;
        }
        match self.tree.ensure_to_fill(&folder).await {
            Ok((id, meanwhile)) => {
                // What bears a name is sent all the same: it may come from a pipe, and can't be had again.
                pending.retain(|item| match self.tree.unread_at(&folder, &folder) {
                    Some(error) => {
                        answers.put(item, Err(error));
                        false
                    }
                    None => true,
                });
                if meanwhile {
                    pending = self.without_namesakes(id, pending, &mut answers).await;
                }
                self.send_all(id, &folder, pending, &mut answers).await;
            }
            Err(error) => answers.put(&pending[0], Err(error)),
        }
        let stay = old.into_iter().enumerate().filter(|(index, _)| answers.failed_for_sure(*index));
        self.tree.forget_old_versions(&stay.flat_map(|(_, links)| links).collect::<Vec<_>>());
        answers.0
    }

    /// Removes files that would replace something that isn't what it was reported to be: what is there has to be listed
    /// first.
    async fn without_unseen(&self, items: Vec<Pending>, answers: &mut Answers) -> Vec<Pending> {
        let replaced: Vec<&File> = items.iter().flat_map(|item| &item.replaces).collect();
        let unseen = self.see_reported(&replaced).await;
        if unseen.is_empty() {
            return items;
        }
        let mut left = Vec::new();
        for mut item in items {
            let mut failure = None;
            item.replaces.retain_mut(|old| {
                let Some(problem) = link_of(old).ok().and_then(|link| unseen.get(&link)) else { return true };
                match problem.own_link() {
                    Some(own) => old.id = Some(FileId::new(own.to_string())),
                    None => failure = problem.error().or(failure.take()),
                }
                !matches!(problem, NotSeen::Gone)
            });
            match failure {
                Some(error) => answers.put(&item, Err(error)),
                None => left.push(item),
            }
        }
        left
    }

    /// Removes files that the service wouldn't keep.
    async fn without_dropped(&self, items: Vec<Pending>, answers: &mut Answers) -> Vec<Pending> {
        if self.options.send_dropped {
            return items;
        }
        let mut left = Vec::new();
        for item in items {
            if self.dropped.has_size(&self.tree, item.size).await
                && let Some(sum) = self.content_sum(&item).await
                && let Some(at) = self.dropped.at(&sum)
            {
                answers.put(&item, Err(dropped_before(&item.path, at)));
                continue;
            }
            left.push(item);
        }
        left
    }

    /// Drops items from the list that someone else has put there since the run looked: nothing is sent beside them.
    async fn without_namesakes(
        &self,
        folder: FolderId,
        items: Vec<Pending>,
        answers: &mut Answers,
    ) -> Vec<Pending> {
        let mut left = Vec::new();
        for item in items {
            let Some(there) = self.tree.namesake(folder, &item.name, None) else {
                left.push(item);
                continue;
            };
            let sum = if there.size == item.size { self.content_sum(&item).await } else { None };
            let same = self.tree.namesake(folder, &item.name, sum);
            match same.filter(|same| sum.is_some() && same.whirlpool == sum) {
                Some(same) => {
                    answers.put(&item, Outcome::DoneBefore(self.tree.as_file(&same, item.path.clone())));
                }
                None => answers.put(&item, Err(came_meanwhile(&item.path))),
            }
        }
        left
    }

    /// Returns the checksum of what is to be sent: known, or read.
    async fn content_sum(&self, item: &Pending) -> Option<Whirlpool> {
        if item.expected.is_some() {
            return item.expected;
        }
        let (mut stream, sum) = self.hashing.stream(item.content.open().await.ok()?, item.size);
        while let Some(piece) = stream.next().await {
            piece.ok()?;
        }
        drop(stream);
        sum.await.ok().map(|(_, sum)| sum)
    }

    /// Checks what can be said before any byte is sent.
    fn prepare(&self, index: usize, folder: &RemotePath, item: WriteItem) -> Result<Pending> {
        let path = folder.join(&item.name);
        let limit = fichier_api::limits::MAX_FILE_SIZE;
        if item.size > limit {
            return Err(StorageError::TooLarge { path, size: item.size, limit });
        }
        self.upload_time.check(&path, item.size)?;
        let names = self.tree.names();
        let pending = Pending {
            index,
            stored: names.encode(&item.name),
            path,
            name: item.name,
            size: item.size,
            content: item.content,
            expected: item.expected,
            replaces: item.replaces,
            stands_for_empty: false,
        };
        if let Some(character) = self.tree.refused_character(&pending.stored) {
            let what = format!(
                "the service stores {character:?} in names as something else, and doesn't rename such files"
            );
            return Err(refused_name(&pending.path, what));
        }
        if pending.size > 0 {
            return Ok(pending);
        }
        match self.options.empty_files {
            EmptyFiles::Error | EmptyFiles::Skip => Err(StorageError::EmptyFile(pending.path)),
            EmptyFiles::Marker => Ok(Pending {
                stored: names.encode_stand_in(&pending.name),
                size: STAND_IN_BYTES.len() as u64,
                content: Arc::new(MemoryContent(Bytes::from_static(STAND_IN_BYTES))),
                expected: None,
                stands_for_empty: true,
                ..pending
            }),
        }
    }

    async fn send_all(
        &self,
        id: FolderId,
        folder: &RemotePath,
        pending: Vec<Pending>,
        answers: &mut Answers,
    ) {
        let mut waiting: VecDeque<Pending> = pending.into();
        // Files to be sent again, the next part last.
        let mut parts: Vec<Vec<Pending>> = Vec::new();
        loop {
            let part = parts.pop();
            let again = part.is_some();
            let group = part.unwrap_or_else(|| self.next_group(&mut waiting));
            if group.is_empty() {
                break;
            }
            let left = self.send_group((id, folder), group, again, answers).await;
            parts.extend(left.into_iter().rev());
        }
    }

    /// Takes the files for the next request: small ones together, others alone.
    fn next_group(&self, waiting: &mut VecDeque<Pending>) -> Vec<Pending> {
        let most = self.tree.uploads.next();
        let mut group: Vec<Pending> = Vec::new();
        let most_bytes = BATCH_BYTES.min(self.upload_time.most_bytes());
        let mut bytes = 0;
        while let Some(item) = waiting.front()
            && group.len() < most
            && (group.is_empty() || bytes + item.size <= most_bytes)
        {
            bytes += item.size;
            group.extend(waiting.pop_front());
        }
        group
    }

    /// Sends one group; a file that can't be read doesn't make the others fail. Returns the files that the report left
    /// out and that aren't in the folder either: they have to be sent again, in these smaller groups.
    async fn send_group(
        &self,
        (id, folder): (FolderId, &RemotePath),
        mut group: Vec<Pending>,
        goes_again: bool,
        answers: &mut Answers,
    ) -> Vec<Vec<Pending>> {
        let mut refused = 0;
        let mut sent_again = 0;
        let mut unsettled = Vec::new();
        loop {
            // All files are opened first: one that can't be read is reported before a call is made.
            let mut streams = Vec::with_capacity(group.len());
            let mut readable = Vec::with_capacity(group.len());
            for item in group {
                match item.content.open().await {
                    Ok(stream) => {
                        streams.push(stream);
                        readable.push(item);
                    }
                    Err(error) => answers.put(&item, Err(error)),
                }
            }
            group = readable;
            if group.is_empty() {
                return Vec::new();
            }
            self.tree.catalogue().expect_into(id);
            let old = group.iter().flat_map(|item| links_of(&item.replaces)).map(|link| (link, None));
            self.tree.note_old_versions(&old.collect::<Vec<_>>());
            let before = self.known_links(id);
            let again = match self.send(id, &group, streams).await {
                Sent::Reported(report, sums) => {
                    let sent = group.len();
                    let left = self.take_report((id, folder), &before, group, report, sums, answers).await;
                    if left.is_empty() {
                        if goes_again {
                            self.tree.uploads.confirm_doubt();
                        }
                        self.tree.uploads.taken(sent);
                        Vec::new()
                    } else if goes_again && sent == 1 {
                        self.tree.uploads.clear_doubt();
                        left.iter().for_each(|item| {
                            answers.put(item, Err(StorageError::Unverified(item.path.clone())));
                        });
                        Vec::new()
                    } else {
                        halves(left, sent)
                    }
                }
                Sent::BadSource(index, error) => {
                    let item = group.remove(index);
                    answers.put(&item, Err(error));
                    self.tree.catalogue().arrived_in(id);
                    continue;
                }
                Sent::Lost(lost) => {
                    let (missing, lost) = self.look_for(id, folder, group, *lost, answers).await;
                    if missing.is_empty() {
                        Vec::new()
                    } else if lost.was_promised() {
                        // It took the files, and they aren't kept. Which of them is the reason shows when each goes
                        // alone.
                        self.take_dropped(missing, &lost, answers)
                    } else if lost.may_go_again() && sent_again < LOST_SENT_AGAIN {
                        tracing::warn!(folder = %folder, files = missing.len(), "Nothing arrived: sending it again");
                        sent_again += 1;
                        unsettled.extend(lost.receipt.map(|receipt| (receipt, before)));
                        self.tree.catalogue().arrived_in(id);
                        group = missing;
                        continue;
                    } else if lost.looked && self.tree.uploads.is_too_long(missing.len(), lost.error.kind()) {
                        self.send_fewer(folder, missing, &lost.error)
                    } else {
                        answers.may_arrive(&missing);
                        answers.fail_all(&missing, "upload", lost.error);
                        Vec::new()
                    }
                }
                // Nothing arrived, and the node may take it now or after its pause, which the client keeps.
                Sent::NotTaken(error)
                    if error.kind().may_pass()
                        && refused < if error.kind().is_dangerous() { 1 } else { SENT_AGAIN } =>
                {
                    refused += 1;
                    tracing::info!(folder = %folder, "The upload wasn't taken ({error}): trying again");
                    self.tree.catalogue().arrived_in(id);
                    continue;
                }
                Sent::NotTaken(error) if self.tree.uploads.is_too_long(group.len(), error.kind()) => {
                    self.send_fewer(folder, group, &error)
                }
                Sent::NotTaken(error) | Sent::Failed(error) => {
                    answers.fail_all(&group, "upload", error);
                    Vec::new()
                }
            };
            self.tree.catalogue().arrived_in(id);
            self.settle(id, &unsettled, answers).await;
            return again;
        }
    }

    /// Records that an upload with this number of files wasn't taken, and returns the files in two halves.
    fn send_fewer(&self, folder: &RemotePath, group: Vec<Pending>, error: &ApiError) -> Vec<Vec<Pending>> {
        let files = group.len();
        tracing::info!(folder = %folder, files, "The upload wasn't taken ({error}): sending fewer files at once");
        self.tree.uploads.doubt(files);
        halves(group, files)
    }

    /// Handles files that a node took and that neither its report nor a listing shows: one that went alone was dropped.
    /// Returns the files that have to go alone.
    fn take_dropped(
        &self,
        missing: Vec<Pending>,
        lost: &Unsettled,
        answers: &mut Answers,
    ) -> Vec<Vec<Pending>> {
        let [sum] = lost.sums[..] else { return missing.into_iter().map(|item| vec![item]).collect() };
        for item in &missing {
            match sum {
                Some(sum) => {
                    self.dropped.note(&self.tree, sum, item.size);
                    answers.put(item, Err(dropped_now(&item.path)));
                }
                None => answers.put(item, Err(StorageError::Unverified(item.path.clone()))),
            }
        }
        // A report left out this one file, not a batch.
        self.tree.uploads.clear_doubt();
        Vec::new()
    }

    /// Requests once more the reports of uploads that didn't arrive in time and were sent again. Files that arrived
    /// after all are duplicates, and are removed.
    async fn settle(&self, id: FolderId, unsettled: &[(UploadReceipt, Before)], answers: &mut Answers) {
        let kept = answers.kept();
        for (receipt, before) in unsettled {
            let Ok(report) = self.client.upload_report_now(receipt).await else { continue };
            for file in report {
                let same = file.whirlpool.is_some_and(|sum| kept.values().any(|kept| *kept == sum));
                if same && !kept.contains_key(&file.link) && !before.links.contains(&file.link) {
                    tracing::warn!(link = %file.link, "An upload arrived after it was sent again: removing its copy");
                    if let (Err(why), Some(sum)) =
                        (self.discard(file.link, &file.name, id, before).await, file.whirlpool)
                    {
                        answers.leave_double(sum, why);
                    }
                }
            }
        }
    }

    /// Returns the links that a folder is known to hold, and whether these are all.
    fn known_links(&self, folder: FolderId) -> Before {
        let mut catalogue = self.tree.catalogue();
        let complete = catalogue.is_complete(folder);
        match catalogue.links(folder) {
            Ok(links) => Before { links, complete },
            Err(_) => Before { links: HashSet::new(), complete: false },
        }
    }

    /// Sends one request to one node and waits for its report.
    async fn send(&self, folder: FolderId, group: &[Pending], streams: Vec<ByteStream>) -> Sent {
        let node = match self.client.because("upload").upload_node().await {
            Ok(node) => node,
            Err(error) => return Sent::Failed(error),
        };
        let mut files = Vec::with_capacity(group.len());
        let mut sums = Vec::with_capacity(group.len());
        for (item, stream) in group.iter().zip(streams) {
            let (hashed, sum) = self.hashing.stream(stream, item.size);
            let body = hashed.map_err(|error| Box::new(error) as BoxError).boxed();
            files.push(UploadFile { name: item.stored.clone(), size: item.size, body });
            sums.push(sum);
        }
        let upload = Upload { folder, files, options: UploadOptions::default() };
        let sent_files = group.len();
        let began = Instant::now();
        let under_way = self.upload_time.begin(group.iter().map(|item| item.size).sum());
        let sent = self.client.upload(&node, upload).await;
        let (receipt, error) = match sent {
            Ok(receipt) => {
                under_way.arrived();
                (receipt, None)
            }
            Err(error) if matches!(error.kind(), ErrorKind::UploadSource { .. }) => {
                return bad_source(group, error);
            }
            Err(error) if error.maybe_done() => {
                let answered = match error.kind() {
                    ErrorKind::Network(_) | ErrorKind::Timeout { .. } | ErrorKind::Canceled => {
                        NodeAnswer::Lost
                    }
                    _ => NodeAnswer::Vague { took: began.elapsed() },
                };
                let id = node.id.clone();
                (UploadReceipt { node, id, files: sent_files, words: None, answered }, Some(error))
            }
            Err(error) => return Sent::NotTaken(error),
        };
        let sums = collect_sums(sums).await;
        if let Some(error) = error {
            // If a file wasn't sent whole, the request wasn't complete: there is no report to request.
            if sums.iter().any(Option::is_none) || error.is_fatal() {
                return Sent::Lost(Box::new(Unsettled { error, sums, receipt: None, looked: false }));
            }
            tracing::warn!("No answer to an upload ({error}): asking for its report");
            return match self.client.upload_report(&receipt).await {
                Ok(report) => Sent::Reported(report, sums),
                Err(_) => {
                    Sent::Lost(Box::new(Unsettled { error, sums, receipt: Some(receipt), looked: false }))
                }
            };
        }
        match self.client.upload_report(&receipt).await {
            Ok(report) => Sent::Reported(report, sums),
            Err(error) => {
                let receipt = Some(receipt).filter(|_| !error.is_fatal());
                Sent::Lost(Box::new(Unsettled { error, sums, receipt, looked: false }))
            }
        }
    }

    /// Compares the report with what was sent: verified files are done, wrong ones are removed, and those that it
    /// leaves out are looked up. Returns the files that must be sent again, in smaller groups.
    async fn take_report(
        &self,
        (id, folder): (FolderId, &RemotePath),
        before: &Before,
        group: Vec<Pending>,
        mut report: Vec<UploadedFile>,
        sums: Vec<Option<Whirlpool>>,
        answers: &mut Answers,
    ) -> Vec<Pending> {
        let sent = group.len();
        let mut left_out = Vec::new();
        let mut stored = Vec::new();
        let mut misnamed = Vec::new();
        // A link that was there before the upload is no file of this upload.
        report.retain(|file| {
            let is_new = !before.links.contains(&file.link);
            if !is_new {
                tracing::warn!(folder = %folder, link = %file.link, "The upload report names a file that was there before");
            }
            is_new
        });
        // Nor is one that is given to two files: which of them it is shows a listing.
        let twice = self.recent_reports().given_twice(report.iter().map(|file| file.link));
        report.retain(|file| {
            let is_once = !twice.contains(&file.link);
            if !is_once {
                tracing::warn!(folder = %folder, link = %file.link, "Upload reports give one link to two files");
            }
            is_once
        });
        for (item, sum) in group.into_iter().zip(sums) {
            let Some(uploaded) = take_match(&mut report, &item, sum) else {
                left_out.push((item, sum));
                continue;
            };
            match self.verify(&item, sum, &uploaded).await {
                Ok(sum) if uploaded.name == item.stored => stored.push((item, reported(uploaded.link, sum))),
                Ok(sum) => misnamed.push((item, reported(uploaded.link, sum), uploaded.name)),
                Err(error) => {
                    // It fails anyway, and what stays was reported.
                    let _ = self.discard(uploaded.link, &uploaded.name, id, before).await;
                    answers.put(&item, Err(error));
                }
            }
        }
        let (misnamed, elsewhere) = self.seen_misnamed(id, folder, misnamed).await;
        left_out.extend(elsewhere);
        stored.extend(self.give_names(id, before, misnamed, answers).await);
        self.finish(id, stored, answers).await;
        if left_out.is_empty() {
            return Vec::new();
        }
        tracing::warn!(
            folder = %folder,
            files = left_out.len(),
            "The upload report leaves files out: sending fewer at once from here on"
        );
        self.tree.uploads.doubt(sent);
        let (items, sums): (Vec<_>, Vec<_>) = left_out.into_iter().unzip();
        match self.found(id, folder, items, sums, LOOKS, answers).await {
            Ok(missing) => missing,
            Err((items, error)) => {
                answers.may_arrive(&items);
                if let Some(first) = items.first() {
                    answers.put(first, Err(error));
                }
                Vec::new()
            }
        }
    }

    /// Searches for files that no answer mentions: those that the folder holds are done. Returns the others.
    async fn look_for(
        &self,
        id: FolderId,
        folder: &RemotePath,
        group: Vec<Pending>,
        mut lost: Unsettled,
        answers: &mut Answers,
    ) -> (Vec<Pending>, Unsettled) {
        let sums = lost.sums.clone();
        if sums.iter().all(Option::is_none) {
            // No file was sent whole, so none can be there.
            lost.looked = true;
            return (group, lost);
        }
        tracing::warn!(folder = %folder, "No word of an upload ({}): looking whether it arrived", lost.error);
        match self.found(id, folder, group, sums, lost.looks(), answers).await {
            Ok(missing) => {
                lost.looked = true;
                (missing, lost)
            }
            Err((group, _)) => (group, lost),
        }
    }

    /// Lists the folder to learn which of these files arrived; records their outcomes, and returns the others.
    async fn found(
        &self,
        id: FolderId,
        folder: &RemotePath,
        items: Vec<Pending>,
        sums: Vec<Option<Whirlpool>>,
        looks: u32,
        answers: &mut Answers,
    ) -> Result<Vec<Pending>, (Vec<Pending>, StorageError)> {
        // Files known now were there before the upload, or came by another one of ours.
        let before = self.tree.catalogue().links(id);
        let mut missing: Vec<_> = items.into_iter().zip(sums).collect();
        let mut stored = Vec::new();
        for look in 0..looks {
            // A listing may lag behind an upload. Files that weren't sent whole needn't be waited for.
            if look > 0 && missing.iter().all(|(_, sum)| sum.is_none()) {
                break;
            }
            let wait = self.client.look_again_after() * look;
            if look > 0
                && let Err(error) = self.client.rest(Endpoint::FolderLs, wait).await
            {
                // It isn't known what arrived since.
                self.tree.catalogue().expect_into(id);
                self.finish(id, stored, answers).await;
                let items = missing.into_iter().map(|(item, _)| item).collect();
                return Err((items, failed("look for what was sent to", folder, error)));
            }
            let listed = self.tree.refresh(id, folder).await;
            let new = before.as_ref().map(|before| self.tree.catalogue().files_but(id, before));
            let mut new = match (listed, new) {
                (Ok(()), Ok(Ok(new))) => new,
                (listed, _) => {
                    // It isn't known what arrived.
                    self.tree.catalogue().expect_into(id);
                    let lost = || StorageError::Unverified(folder.clone());
                    self.finish(id, stored, answers).await;
                    let items = missing.into_iter().map(|(item, _)| item).collect();
                    return Err((items, listed.err().unwrap_or_else(lost)));
                }
            };
            missing = self.take_found(missing, &mut new, &mut stored);
            if missing.is_empty() {
                break;
            }
        }
        self.finish(id, stored, answers).await;
        Ok(missing.into_iter().map(|(item, _)| item).collect())
    }

    /// Takes the files of these that a listing shows; returns the others.
    #[expect(clippy::unused_self, reason = "a part of the look for files")]
    fn take_found(
        &self,
        items: Vec<(Pending, Option<Whirlpool>)>,
        new: &mut Vec<KnownFile>,
        stored: &mut Vec<(Pending, Stored)>,
    ) -> Vec<(Pending, Option<Whirlpool>)> {
        let mut missing = Vec::new();
        for (item, sum) in items {
            let place = new.iter().position(|file| {
                file.name == item.name
                    && file.size == item.size
                    && file.stands_for_empty == item.stands_for_empty
                    && sum.is_some()
                    && file.whirlpool == sum
                    && item.expected.is_none_or(|expected| sum == Some(expected))
            });
            match place {
                Some(place) => {
                    let file = new.swap_remove(place);
                    stored.push((item, listed(file.link, file.whirlpool)));
                }
                None => missing.push((item, sum)),
            }
        }
        missing
    }

    /// Checks whether the service stored what was sent. Returns its checksum.
    async fn verify(
        &self,
        item: &Pending,
        sum: Option<Whirlpool>,
        uploaded: &UploadedFile,
    ) -> Result<Option<Whirlpool>> {
        let Some(sent) = sum else { return Err(StorageError::Unverified(item.path.clone())) };
        let differs = |expected: Whirlpool, actual: Whirlpool| StorageError::Corrupted {
            path: item.path.clone(),
            expected: Box::new(expected),
            actual: Box::new(actual),
        };
        if let Some(expected) = item.expected
            && expected != sent
        {
            return Err(differs(expected, sent));
        }
        let reported = match uploaded.whirlpool {
            Some(sum) => Some(sum),
            None => {
                let ask = FileOf::from(uploaded.link);
                self.client
                    .because("checksum that the report left out")
                    .file_info(&ask)
                    .await
                    .map_err(|error| failed("verify", &item.path, error))?
                    .checksum
            }
        };
        match reported {
            Some(stored) if stored == sent => Ok(Some(sent)),
            Some(stored) => Err(differs(sent, stored)),
            None => Err(StorageError::Unverified(item.path.clone())),
        }
    }

    /// Splits files that were stored under another name by whether their links are in the folder: a file is renamed only
    /// where it was seen. The others are looked for, as those that the report leaves out.
    async fn seen_misnamed(
        &self,
        folder: FolderId,
        path: &RemotePath,
        misnamed: Vec<(Pending, Stored, String)>,
    ) -> (Vec<(Pending, Stored, String)>, Vec<(Pending, Option<Whirlpool>)>) {
        let links: Vec<FileLink> = misnamed.iter().map(|(_, stored, _)| stored.link).collect();
        let mut there = HashSet::new();
        if links.len() <= LOOKED_UP_SINGLY {
            for (_, stored, name) in &misnamed {
                if self.lies_in(stored.link, name, folder).await {
                    there.insert(stored.link);
                }
            }
        } else if self.tree.refresh(folder, path).await.is_ok() {
            let mut catalogue = self.tree.catalogue();
            there
                .extend(links.into_iter().filter(|link| matches!(catalogue.file(folder, link), Ok(Some(_)))));
        }
        let (seen, elsewhere): (Vec<_>, Vec<_>) =
            misnamed.into_iter().partition(|(_, stored, _)| there.contains(&stored.link));
        (seen, elsewhere.into_iter().map(|(item, stored, _)| (item, stored.whirlpool)).collect())
    }

    /// Renames files that the service stored under another name than was sent. A file that can't be renamed is removed
    /// and reported: the next run would send it again beside the one that is there.
    async fn give_names(
        &self,
        folder: FolderId,
        before: &Before,
        misnamed: Vec<(Pending, Stored, String)>,
        answers: &mut Answers,
    ) -> Vec<(Pending, Stored)> {
        if misnamed.is_empty() {
            return Vec::new();
        }
        let renames = misnamed
            .iter()
            .map(|(item, stored, _)| RenameFile { link: stored.link, filename: item.stored.clone() })
            .collect();
        let failed = self.rename_all(renames).await;
        let mut named = Vec::new();
        for (item, stored, name) in misnamed {
            let Some(error) = failed.get(&stored.link) else {
                named.push((item, Stored { reported: false, ..stored }));
                continue;
            };
            // It fails anyway, and what stays was reported.
            let _ = self.discard(stored.link, &name, folder, before).await;
            if matches!(error.kind(), ErrorKind::Refused { .. } | ErrorKind::Unconfirmed { .. }) {
                self.tree.refuse_characters(&item.stored, &name);
            }
            let what = format!("the service stores it as {name:?} and doesn't rename it: {error}");
            answers.put(&item, Err(refused_name(&item.path, what)));
        }
        named
    }

    /// Removes a file that was stored wrongly. If that fails, it is reported to the user. Only a file that surely came
    /// by the upload is removed: a report may be wrong.
    async fn discard(
        &self,
        link: FileLink,
        name: &str,
        folder: FolderId,
        before: &Before,
    ) -> Result<(), String> {
        let is_ours =
            before.complete && !before.links.contains(&link) && self.lies_in(link, name, folder).await;
        if !is_ours {
            tracing::error!(%link, "A badly stored file stays: it isn't sure that the link is of this upload");
            return Err(format!("it isn't sure that {link} is of this upload"));
        }
        match self.remove_links(&[link]).await {
            Ok(true) => Ok(()),
            Ok(false) => match self.gone(&[link]).await {
                Some(gone) if gone.contains(&link) => Ok(()),
                _ => {
                    tracing::error!(%link, "A badly stored file may still be there: its removal isn't confirmed");
                    Err(format!("the removal of {link} isn't confirmed"))
                }
            },
            Err(error) => {
                tracing::error!(%link, "Can't remove a badly stored file: {error}");
                Err(error.to_string())
            }
        }
    }

    /// Records stored files, removes the versions that they replace, and fills in the outcomes.
    async fn finish(&self, folder: FolderId, stored: Vec<(Pending, Stored)>, answers: &mut Answers) {
        // As a listing will tell it.
        let now = self.tree.dates.written(SystemTime::now());
        let mut old = Vec::new();
        for (item, stored) in stored {
            let file = KnownFile {
                link: stored.link,
                name: item.name.clone(),
                size: item.size,
                whirlpool: stored.whirlpool,
                date: Some(now),
                media_type: None,
                stands_for_empty: item.stands_for_empty,
                marks: Marks::default(),
                reported: stored.reported,
            };
            let done = self.tree.as_file(&file, item.path.clone());
            self.tree.catalogue().note_file(folder, file);
            answers.put(&item, Outcome::Done(done));
            let others = item.replaces.into_iter().filter(|old| link_of(old).ok() != Some(stored.link));
            old.extend(others.map(|old| (item.index, old)));
        }
        for (index, error) in self.remove_replaced(old).await {
            answers.0[index] = Outcome::Failed(error);
        }
    }
}

/// Returns the links of files, as far as they have one.
fn links_of(files: &[File]) -> Vec<FileLink> {
    files.iter().filter_map(|file| link_of(file).ok()).collect()
}

/// Splits the rest of a request of `sent` files into parts of at most half as many.
fn halves(left: Vec<Pending>, sent: usize) -> Vec<Vec<Pending>> {
    let most = (sent / 2).max(1);
    let mut parts: Vec<Vec<Pending>> = Vec::new();
    for item in left {
        match parts.last_mut() {
            Some(part) if part.len() < most => part.push(item),
            _ => parts.push(vec![item]),
        }
    }
    parts
}

/// Known contents of a folder before an upload.
struct Before {
    links: HashSet<FileLink>,
    /// Whether these are all files.
    complete: bool,
}

/// Returns the error that someone else has put another version there.
fn came_meanwhile(path: &RemotePath) -> StorageError {
    StorageError::Service {
        action: format!("upload {path:?}"),
        retry: fichier_storage::Retry::Useless,
        blame: fichier_storage::Blame::User,
        hint: Some("run the same again: it compares with what is there now".to_owned()),
        source: "somebody else has put another version there meanwhile".into(),
    }
}

/// Returns the error that the service doesn't keep a file under its name.
fn refused_name(path: &RemotePath, what: String) -> StorageError {
    StorageError::Service {
        action: format!("upload {path:?}"),
        retry: fichier_storage::Retry::Useless,
        blame: fichier_storage::Blame::Service,
        hint: Some("give the file another name".to_owned()),
        source: what.into(),
    }
}

/// A file as the service stored it.
struct Stored {
    link: FileLink,
    whirlpool: Option<Whirlpool>,
    /// Whether the link is known from a report alone.
    reported: bool,
}

/// Returns a file that a listing shows.
fn listed(link: FileLink, whirlpool: Option<Whirlpool>) -> Stored {
    Stored { link, whirlpool, reported: false }
}

/// Returns a file that a report names.
fn reported(link: FileLink, whirlpool: Option<Whirlpool>) -> Stored {
    Stored { link, whirlpool, reported: true }
}

/// Returns the checksums of the files that were sent whole.
async fn collect_sums(sums: Vec<oneshot::Receiver<(u64, Whirlpool)>>) -> Vec<Option<Whirlpool>> {
    let mut collected = Vec::with_capacity(sums.len());
    for sum in sums {
        collected.push(sum.await.ok().map(|(_, sum)| sum));
    }
    collected
}

/// Takes the report's line for a file: by name and checksum; otherwise by name; otherwise, when the service altered the
/// name, by checksum and size.
fn take_match(
    report: &mut Vec<UploadedFile>,
    item: &Pending,
    sum: Option<Whirlpool>,
) -> Option<UploadedFile> {
    let same_sum = |file: &UploadedFile| sum.is_some() && file.whirlpool == sum;
    let place = report
        .iter()
        .position(|file| file.name == item.stored && same_sum(file))
        .or_else(|| report.iter().position(|file| file.name == item.stored))
        .or_else(|| report.iter().position(|file| file.size == item.size && same_sum(file)))?;
    Some(report.swap_remove(place))
}

/// Returns which file broke the upload, with its own error.
fn bad_source(group: &[Pending], error: ApiError) -> Sent {
    match error.into_kind() {
        ErrorKind::UploadSource { index, problem, .. } if index < group.len() => {
            let path = group[index].path.clone();
            let error = match problem {
                SourceProblem::TooShort { declared, got } => {
                    StorageError::SizeMismatch { path, expected: declared, actual: got }
                }
                SourceProblem::TooLong { declared } => {
                    StorageError::SizeMismatch { path, expected: declared, actual: declared + 1 }
                }
                SourceProblem::Failed(source) => match source.downcast::<StorageError>() {
                    Ok(error) => *error,
                    Err(source) => StorageError::Service {
                        action: format!("read the source of {path:?}"),
                        retry: fichier_storage::Retry::Worthwhile,
                        blame: fichier_storage::Blame::User,
                        hint: None,
                        source,
                    },
                },
            };
            Sent::BadSource(index, error)
        }
        // This can't happen: the caller checked for this kind, with an index of this group.
        _ => Sent::BadSource(0, StorageError::NotTried),
    }
}
