//! What an upload may bring, and what a download token serves.

use std::time::{Instant, SystemTime};

use fichier_api::{
    ApiError, ByteRange, DownloadToken, Endpoint, ErrorKind, FolderId, RenameFile, TokenRequest, Upload,
    UploadFile, UploadOptions, UploadedFile,
};
use futures::TryStreamExt as _;

use super::{
    Doctor,
    calls::{Ended, is_refusal, is_refused_upload},
    names::{Probe, changed_unexpectedly, judge, probes, stored},
    questions::{CHARACTERS, FILE_NAMES, TOKEN, UPLOAD_FILES},
    words::said,
};

impl Doctor<'_> {
    /// Stores files: all in one request, or fewer if that is refused.
    pub(super) async fn store_files(&mut self) -> Result<(), Ended> {
        let Some(folder) = self.own.first else { return Ok(()) };
        let probes = probes();
        let mut refused: Option<(usize, String)> = None;
        for files in [probes.len(), 2, 1] {
            if refused.is_some() && !self.may_ask() {
                break;
            }
            let sent = &probes[..files];
            match self.store(folder, sent).await? {
                Ok(report) => {
                    self.judge_upload(sent, &report, refused);
                    return self.rename_back().await;
                }
                Err(error) if is_refused_upload(&error) => refused = Some((files, said(error.kind()))),
                Err(error) => {
                    self.notes.open(UPLOAD_FILES, said(error.kind()));
                    return Ok(());
                }
            }
        }
        if let Some((files, said)) = refused {
            self.notes.open(UPLOAD_FILES, format!("an upload of {files} is refused: {said}"));
        }
        Ok(())
    }

    /// Sends files in one request; what the report tells of them.
    async fn store(
        &mut self,
        folder: FolderId,
        sent: &[Probe],
    ) -> Result<Result<Vec<UploadedFile>, ApiError>, Ended> {
        let client = self.calls.client().clone();
        let node = match self.calls.ask(client.upload_node()).await? {
            Ok(node) => node,
            Err(error) => return Ok(Err(error)),
        };
        let files: Vec<UploadFile> = sent.iter().map(Probe::to_send).collect();
        let upload = Upload { folder, files, options: UploadOptions::default() };
        let (began, clock) = (SystemTime::now(), Instant::now());
        // Until the report tells them, they are there and not known.
        let in_doubt = std::mem::replace(&mut self.own.in_doubt, true);
        let receipt = match self.calls.ask(client.upload(&node, upload)).await? {
            Ok(receipt) => receipt,
            Err(error) => {
                self.own.in_doubt = in_doubt || error.maybe_done();
                return Ok(Err(error));
            }
        };
        let report = match self.calls.ask(client.upload_report(&receipt)).await? {
            Ok(report) => report,
            Err(error) => return Ok(Err(error)),
        };
        self.own.in_doubt = in_doubt;
        self.uploaded = Some((began, SystemTime::now(), Instant::now().max(clock)));
        Ok(Ok(report))
    }

    fn judge_upload(&mut self, sent: &[Probe], report: &[UploadedFile], refused: Option<(usize, String)>) {
        let uploads = &self.remote.tree.uploads;
        self.stored = stored(sent, report);
        let (of, arrived) = (sent.len(), self.stored.len());
        // What lacks at the end was beyond a number; what lacks elsewhere has a name that isn't taken.
        let last = sent.iter().rposition(|probe| self.stored.iter().any(|stored| stored.probe == *probe));
        let counted = last.map_or(0, |last| last + 1);
        match refused {
            Some((more, said)) if of == 1 => {
                uploads.found_limit(1);
                let seen = format!("it takes one file, and refuses {more}: {said}");
                self.notes.found(UPLOAD_FILES, "one", seen);
            }
            Some((more, said)) => {
                let seen =
                    format!("it takes {of} files, and refuses {more}, of which some have odd names: {said}");
                self.notes.found(UPLOAD_FILES, format!("at least {of}, not {more}"), seen);
            }
            None if arrived < of && counted == arrived && arrived > 0 => {
                uploads.found_limit(arrived);
                let value = if arrived == 1 { "one".to_owned() } else { arrived.to_string() };
                self.notes.found(
                    UPLOAD_FILES,
                    value,
                    format!("of {of} files the first {arrived} are stored"),
                );
            }
            None if arrived == 0 => {
                self.notes.open(UPLOAD_FILES, "the report names none of the files");
                self.own.in_doubt = true;
                return;
            }
            None => {
                uploads.taken(arrived);
                let seen = format!("of {of} files in one request {arrived} are stored");
                self.notes.found(UPLOAD_FILES, format!("at least {arrived}"), seen);
            }
        }
        if report.len() != arrived {
            self.own.in_doubt = true;
        }
        judge(&sent[..counted], &self.stored, &mut self.notes);
        if counted < of || of < 3 {
            for question in [FILE_NAMES, CHARACTERS] {
                if self.notes.answer(question).is_none() {
                    self.notes.left_open(question, "one upload takes too few files to try it");
                }
            }
        }
    }

    /// Gives files whose names were changed unexpectedly their own names back. Characters with which that fails aren't
    /// tried any more by later runs.
    async fn rename_back(&mut self) -> Result<(), Ended> {
        let changed: Vec<_> = changed_unexpectedly(&self.stored);
        if changed.is_empty() || !self.may_ask() {
            return Ok(());
        }
        let wanted: Vec<RenameFile> = changed
            .iter()
            .map(|(_, stored)| RenameFile { link: stored.file.link, filename: stored.probe.name.clone() })
            .collect();
        let Ok(renamed) = self.calls.ask(self.calls.client().rename_files(&wanted)).await? else {
            return Ok(());
        };
        let mut in_vain = Vec::new();
        for (text, stored) in changed {
            let now = renamed.files.iter().find(|file| file.link == stored.file.link);
            match now.and_then(|file| file.new_filename.clone()) {
                Some(name) if name == stored.probe.name => {}
                Some(name) => {
                    self.remote.tree.refuse_characters(&stored.probe.name, &name);
                    in_vain.push(text);
                }
                None => {}
            }
        }
        if let Some(answer) = self.notes.answer(CHARACTERS).map(str::to_owned) {
            let seen = if in_vain.is_empty() {
                "a new name brings back those that clients send as they are".to_owned()
            } else {
                format!("a new name doesn't bring back: {}", in_vain.join("  "))
            };
            self.notes.found(CHARACTERS, answer.clone(), format!("changed: {answer}; {seen}"));
        }
        Ok(())
    }

    /// Reads two parts of a file with one token.
    pub(super) async fn use_a_token(&mut self) -> Result<(), Ended> {
        let Some(file) = self.stored.first().cloned() else { return Ok(()) };
        let client = self.calls.client().clone();
        let _connection = match self.calls.ask(client.download_connection()).await? {
            Ok(connection) => connection,
            Err(error) => {
                self.notes.open(TOKEN, said(error.kind()));
                return Ok(());
            }
        };
        let token = match self.calls.ask(client.download_token(&TokenRequest::new(file.file.link))).await? {
            Ok(token) => token,
            Err(error) => {
                self.notes.open(TOKEN, format!("no token: {}", said(error.kind())));
                return Ok(());
            }
        };
        let content = file.probe.content();
        match self.read(&token, 0).await? {
            Ok(bytes) if content.starts_with(&bytes) => {}
            Ok(_) => {
                self.notes.open(TOKEN, "the first request brought other bytes");
                return Ok(());
            }
            Err(error) => {
                self.notes.open(TOKEN, format!("the first request failed: {}", said(error.kind())));
                return Ok(());
            }
        }
        match self.read(&token, PART).await? {
            Ok(bytes) if content[usize::try_from(PART).unwrap_or(0)..].starts_with(&bytes) => {
                self.notes.found(TOKEN, "several", "a second request with the token brings another part");
            }
            Ok(_) => {
                self.notes.found(TOKEN, "no ranges", "a second request with the token brings other bytes");
            }
            Err(error) if matches!(error.kind(), ErrorKind::TokenRefused { .. }) || is_refusal(&error) => {
                let seen = format!("a second request with the token: {}", said(error.kind()));
                self.notes.found(TOKEN, "one", seen);
            }
            Err(error) => self.notes.open(TOKEN, said(error.kind())),
        }
        Ok(())
    }

    /// Reads a part of a file.
    async fn read(&self, token: &DownloadToken, start: u64) -> Result<Result<Vec<u8>, ApiError>, Ended> {
        let client = self.calls.client();
        let read = async {
            let download = client.open_download(token, Some(ByteRange::Span { start, length: PART })).await?;
            // No more than a file has, whatever comes.
            let mut bytes = Vec::new();
            let mut download = std::pin::pin!(download);
            while let Some(chunk) = download.try_next().await? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > LARGEST {
                    let kind = "a part of a file is larger than the file";
                    return Err(ApiError::unusable(Endpoint::Download, kind));
                }
            }
            Ok(bytes)
        };
        self.calls.ask(read).await
    }
}

/// How many bytes are read at a time.
const PART: u64 = 4;

/// The most bytes that are read.
const LARGEST: usize = 4096;
