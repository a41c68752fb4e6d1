//! Uploads: the choice of a node, and the node itself (API document, section 7).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use rand::RngExt as _;
use serde_json::json;
use tokio::task::JoinHandle;

use super::api::authenticate;
use super::call::{Call, Reply, check_new_password};
use super::report::ReportLine;
use super::{Origin, Service, Visit};
use crate::answer::{Abort, Answer, Refusal};
use crate::checksum::Checksums;
use crate::fault_book::{About, Strike};
use crate::faults::FaultKind;
use crate::links;
use crate::multipart::{Multipart, MultipartError, boundary};
use crate::names::stored_name_of_bytes;
use crate::readings::LongNames;
use crate::state::{AccountRow, BlobWriter, NewFile, Store, Stored, Tx, blocking};

/// A form's plain field is read up to here.
const LONGEST_FIELD: usize = 64 * 1024;

/// A refused upload of up to this size is read to its end, so that the client sees the answer rather than a
/// broken connection.
const DRAINED: u64 = 8 * 1024 * 1024;

pub(super) fn get_upload_server(call: &Call<'_>) -> Reply {
    let host = match call.origin {
        Origin::Direct => call.host.to_owned(),
        Origin::Proxied { .. } => format!("up{}.1fichier.com", rand::rng().random_range(1..=5)),
    };
    let id = call.tx.add_upload(call.account.id, &host)?;
    call.reply(&json!({"url": host, "id": id}))
}

/// Values of the form's fields.
#[derive(Default)]
struct Form {
    folder: Option<i64>,
    domain: u8,
    pass: Option<String>,
    files: Vec<(String, Received)>,
    /// How many files arrived, empty ones included.
    arrived: usize,
}

/// Content that is stored but not yet referred to. If it is dropped uncommitted, wherever that happens, it is
/// deleted.
struct Received {
    store: Arc<Store>,
    stored: Stored,
    committed: bool,
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.committed {
            self.store.blobs.delete(&self.stored.blob);
        }
    }
}

/// Why an upload stores nothing.
enum Failed {
    Refused(StatusCode, &'static str),
    Cut,
    Broken(String),
}

impl From<MultipartError> for Failed {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::Cut => Self::Cut,
            // A body that isn't a form holds no file.
            MultipartError::Malformed => Self::Refused(StatusCode::OK, "Pas de fichier"),
        }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Service {
    pub(crate) async fn upload(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            self.drain(request.into_body()).await;
            return Ok(answer);
        }
        let (head, body) = request.into_parts();
        let id = head.uri.query().and_then(|query| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == "id")
                .map(|(_, id)| id.into_owned())
        });
        let admitted = self.admit_upload(visit, &head.method, &head.headers, id.as_deref()).await;
        let (account, boundary) = match admitted {
            Ok(admitted) => admitted,
            Err(answer) => {
                self.drain(body).await;
                return Ok(answer);
            }
        };
        visit.pending.entry.account = account.as_ref().map(|account| account.email.clone());
        let cut = visit.struck(|kind| if let FaultKind::CutUpload(at) = kind { Some(*at) } else { None });
        let mut form = Multipart::new(body, &boundary, cut, self.read_timeout);
        let received = self.receive(visit, &mut form, account, id.unwrap_or_default());
        let outcome = tokio::time::timeout(self.upload_time, received).await.unwrap_or(Err(Failed::Cut));
        if matches!(outcome, Err(Failed::Refused(..))) && form.received < DRAINED {
            let _ = form.drain().await;
        }
        visit.pending.entry.bytes_in = form.received;
        match outcome {
            Ok(location) if visit.is_struck(&FaultKind::PlainUpload) => {
                tracing::trace!(location, "the redirection is held back");
                Ok(Answer::html(StatusCode::OK, "OK"))
            }
            Ok(location) => Ok(Answer::redirect(&location)),
            Err(Failed::Cut) => Err(Abort),
            Err(Failed::Refused(status, text)) => {
                visit.pending.entry.message = Some(text.to_owned());
                Ok(Answer::html(status, text))
            }
            Err(Failed::Broken(reason)) => Ok(self.refuse(visit, Refusal::Broken(reason))),
        }
    }

    /// Checks everything that can be checked before the body: the account (`None` without a key), and the boundary.
    async fn admit_upload(
        self: &Arc<Self>,
        visit: &mut Visit,
        method: &Method,
        headers: &HeaderMap,
        id: Option<&str>,
    ) -> Result<(Option<AccountRow>, String), Answer> {
        if *method != Method::POST {
            return Err(Answer::html(StatusCode::METHOD_NOT_ALLOWED, "Only POST is understood here."));
        }
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let Some(length) = length else {
            return Err(Answer::html(StatusCode::LENGTH_REQUIRED, "Content-Length is required."));
        };
        if length > self.largest_upload {
            return Err(Answer::html(StatusCode::PAYLOAD_TOO_LARGE, "The upload is too large."));
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let Some(boundary) = boundary(kind) else {
            return Err(Answer::html(StatusCode::OK, "Pas de fichier"));
        };
        let boundary = boundary.to_owned();
        let key =
            headers.contains_key(AUTHORIZATION).then(|| self.door.account_key(headers).unwrap_or_default());
        let (id, origin) = (id.unwrap_or_default().to_owned(), visit.origin.clone());
        let admitted = self.store.run(move |tx| {
            // An id can be used for one upload, at its own node.
            let upload = tx.upload(&id)?.filter(|upload| upload.report.is_none());
            let at_its_node = |node: &str| match &origin {
                Origin::Direct => true,
                Origin::Proxied { host, .. } => host == node,
            };
            if !upload.is_some_and(|upload| at_its_node(&upload.node)) {
                return Err(Refusal::forbidden("Unknown upload"));
            }
            let Some(key) = key else { return Ok(None) };
            let account = authenticate(tx, Some(&key))?;
            if tx.used(account.id)?.saturating_add(length) > account.quota {
                return Err(Refusal::forbidden("Storage quota exceeded #530"));
            }
            Ok(Some(account))
        });
        match admitted.await {
            Ok(account) => Ok((account, boundary)),
            Err(refusal) => Err(self.refuse(visit, refusal)),
        }
    }

    /// Reads the form and stores its files; returns the report's location. All files are stored, or none.
    async fn receive(
        self: &Arc<Self>,
        visit: &mut Visit,
        form: &mut Multipart<Incoming>,
        account: Option<AccountRow>,
        id: String,
    ) -> Result<String, Failed> {
        let mut read = Form::default();
        while let Some(head) = form.next_part().await? {
            let field = head.name.unwrap_or_default();
            match (field.as_slice(), head.filename) {
                (b"file[]", Some(filename)) => {
                    let name = stored_name_of_bytes(&filename);
                    let alter = self.file_faults(visit, form, &name).await?;
                    let sent_name = name;
                    let is_too_long =
                        self.longest_name.is_some_and(|longest| sent_name.chars().count() > longest);
                    let name = self.name_to_store(visit, &sent_name);
                    let received = self.receive_file(form, alter).await?;
                    read.arrived += 1;
                    let too_many = read.arrived > self.upload_files;
                    if too_many && !self.drops_excess {
                        return Err(Failed::Refused(StatusCode::FORBIDDEN, "Too many files"));
                    }
                    let is_left_out = too_many || is_too_long && self.long_names == LongNames::Drop;
                    let received = received.filter(|_| !is_left_out);
                    // An empty file can't be stored; a picker without a choice sends one without a name.
                    if let Some(received) = received.filter(|_| !self.is_dropped(visit, &sent_name)) {
                        read.files.push((name, received));
                    }
                }
                (field, None) => {
                    let value = read_field(form).await?;
                    match field {
                        b"did" => read.folder = value.trim().parse().ok(),
                        b"domain" => read.domain = value.trim().parse().unwrap_or(0),
                        b"dpass" => {
                            if check_new_password(Some(&value)).is_err() {
                                return Err(Failed::Refused(
                                    StatusCode::FORBIDDEN,
                                    "The password is too short",
                                ));
                            }
                            read.pass = Some(value).filter(|pass| !pass.is_empty());
                        }
                        // Mails aren't sent, and a login in the form isn't needed when there is a key.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        form.drain().await?;
        if read.files.is_empty() && !self.drops(visit) {
            return Err(Failed::Refused(StatusCode::OK, "Pas de fichier"));
        }
        visit.pending.entry.folder = read.folder;
        let location = format!("/end.pl?xid={id}");
        let store = Arc::clone(&self.store);
        // If the client disconnects now, the commit and the contents still stay together.
        blocking(move || {
            let done = store.transact(|tx| {
                // Another upload may have used the id meanwhile, and its report mustn't be lost.
                if tx.upload(&id)?.is_none_or(|upload| upload.report.is_some()) {
                    return Ok(false);
                }
                commit(tx, account.as_ref(), &id, &read).map(|()| true)
            });
            for (_, received) in &mut read.files {
                received.committed = matches!(done, Ok(true));
            }
            done
        })
        .await
        .map_err(|error: rusqlite::Error| Failed::Broken(error.to_string()))?
        .then_some(location)
        .ok_or(Failed::Refused(StatusCode::FORBIDDEN, "This upload was used"))
    }

    /// Applies faults that match a file by its name, and returns the position of the byte to change.
    async fn file_faults(
        &self,
        visit: &mut Visit,
        form: &mut Multipart<Incoming>,
        name: &str,
    ) -> Result<Option<u64>, Failed> {
        let strikes: Vec<Strike> = self.faults.strike("upload.cgi", About::Files(&[name.to_owned()]));
        for strike in &strikes {
            match &strike.kind {
                FaultKind::CutUpload(after) => form.cut_after(*after),
                FaultKind::Latency(time) => tokio::time::sleep(*time).await,
                FaultKind::Close => return Err(Failed::Cut),
                FaultKind::Status(code, _) => {
                    let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                    return Err(Failed::Refused(status, "The service is not available."));
                }
                FaultKind::Html => {
                    return Err(Failed::Refused(StatusCode::OK, "Our services are under maintenance."));
                }
                _ => {}
            }
        }
        visit.strikes.extend(strikes);
        Ok(visit.strikes.iter().find_map(|strike| match &strike.kind {
            FaultKind::CorruptUpload(at) if strike.concerns(name) => Some(*at),
            _ => None,
        }))
    }

    /// Checks whether a fault drops the file silently.
    #[expect(clippy::unused_self, reason = "beside the other faults of a file")]
    fn is_dropped(&self, visit: &Visit, name: &str) -> bool {
        visit.strikes.iter().any(|strike| strike.kind == FaultKind::DropUpload && strike.concerns(name))
    }

    #[expect(clippy::unused_self, reason = "beside the other faults of a file")]
    fn drops(&self, visit: &Visit) -> bool {
        visit.is_struck(&FaultKind::DropUpload)
    }

    /// Returns the name under which a file is stored: a different one than was sent if it is too long or a fault says so.
    fn name_to_store(&self, visit: &Visit, name: &str) -> String {
        let name: String = name.chars().take(self.longest_name.unwrap_or(usize::MAX)).collect();
        let name = &*name;
        let part = visit.strikes.iter().find_map(|strike| match &strike.kind {
            FaultKind::StoreAs(part) if strike.concerns(name) => Some(part.clone()),
            _ => None,
        });
        part.map_or_else(|| name.to_owned(), |part| name.replace(&part, "_"))
    }

    /// Stores one file's content; returns `None` if it is empty.
    async fn receive_file(
        &self,
        form: &mut Multipart<Incoming>,
        alter: Option<u64>,
    ) -> Result<Option<Received>, Failed> {
        let Some(first) = form.chunk().await? else { return Ok(None) };
        let mut writer = Writer::start(Arc::clone(&self.store), self.checksums, alter);
        let mut next = Some(first);
        let mut size = 0;
        while let Some(chunk) = next {
            size += chunk.len() as u64;
            if size > self.largest_file {
                return Err(Failed::Refused(StatusCode::PAYLOAD_TOO_LARGE, "The file is too large."));
            }
            writer.send(chunk).await?;
            next = form.chunk().await?;
        }
        writer.finish().await.map(Some)
    }
}

/// Hashes and writes what comes, a piece at a time. A thread is used only while it does so, so that clients which stand
/// still hold none. If it is dropped unfinished, it stores nothing.
struct Writer {
    store: Arc<Store>,
    checksums: Checksums,
    /// The byte to change.
    alter: Option<u64>,
    /// What came and isn't written yet.
    waiting: Vec<Bytes>,
    /// How many bytes that is, and how many came before.
    length: usize,
    position: u64,
    /// The piece that is being written.
    task: Option<JoinHandle<io::Result<BlobWriter>>>,
}

/// How many bytes are written at once.
const PIECE: usize = 256 * 1024;

impl Writer {
    fn start(store: Arc<Store>, checksums: Checksums, alter: Option<u64>) -> Self {
        Self { store, checksums, alter, waiting: Vec::new(), length: 0, position: 0, task: None }
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Failed> {
        self.length += bytes.len();
        self.waiting.push(bytes);
        if self.length >= PIECE {
            let writer = self.written().await?;
            let write = self.write_waiting(writer);
            self.task = Some(tokio::task::spawn_blocking(write));
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Received, Failed> {
        let writer = self.written().await?;
        let (write, store) = (self.write_waiting(writer), Arc::clone(&self.store));
        // Should the client go away now, what was stored goes, too.
        let stored = blocking(move || {
            let stored = write()?.finish()?;
            Ok::<_, io::Error>(Received { store, stored, committed: false })
        });
        Ok(stored.await?)
    }

    /// Waits for the piece before; `None` when there was none.
    async fn written(&mut self) -> Result<Option<BlobWriter>, Failed> {
        let Some(task) = self.task.take() else { return Ok(None) };
        match task.await {
            Ok(writer) => Ok(Some(writer?)),
            Err(_) => Err(Failed::Broken("the writer stopped".to_owned())),
        }
    }

    /// What writes all that waits.
    fn write_waiting(
        &mut self,
        writer: Option<BlobWriter>,
    ) -> impl FnOnce() -> io::Result<BlobWriter> + Send + 'static {
        let pieces = std::mem::take(&mut self.waiting);
        let length = std::mem::take(&mut self.length) as u64;
        let start = self.position;
        self.position += length;
        let (store, checksums) = (Arc::clone(&self.store), self.checksums);
        let alter = self.alter.and_then(|at| at.checked_sub(start)).filter(|at| *at < length);
        move || {
            let mut writer = match writer {
                Some(writer) => writer,
                None => store.blobs.writer(checksums)?,
            };
            let mut alter = alter.and_then(|at| usize::try_from(at).ok());
            for bytes in pieces {
                match alter.filter(|at| *at < bytes.len()) {
                    Some(at) => {
                        let mut altered = bytes.to_vec();
                        altered[at] ^= 0xff;
                        writer.write(&altered)?;
                        alter = None;
                    }
                    None => {
                        writer.write(&bytes)?;
                        alter = alter.map(|at| at - bytes.len());
                    }
                }
            }
            Ok(writer)
        }
    }
}

async fn read_field(form: &mut Multipart<Incoming>) -> Result<String, Failed> {
    let mut value = Vec::new();
    while let Some(chunk) = form.chunk().await? {
        if value.len() + chunk.len() > LONGEST_FIELD {
            return Err(Failed::Refused(StatusCode::FORBIDDEN, "A field is too long"));
        }
        value.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&value).into_owned())
}

impl Service {
    /// Reads the rest of a refused request, up to a limit.
    async fn drain(&self, mut body: Incoming) {
        let mut read = 0;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(self.read_timeout, body.frame()).await {
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > DRAINED {
                return;
            }
        }
    }
}

/// Writes the rows of an upload and its report. Without a key the files belong to no account: they have links, but
/// appear in no listing.
fn commit(tx: &Tx<'_>, account: Option<&AccountRow>, id: &str, form: &Form) -> rusqlite::Result<()> {
    let account = account.map_or(0, |account| account.id);
    // A folder that doesn't exist means the root.
    let folder = match form.folder {
        Some(folder) if account != 0 => tx.folder(account, folder)?.map_or(0, |folder| folder.id),
        _ => 0,
    };
    let domain = if usize::from(form.domain) < links::DOMAINS.len() { form.domain } else { 0 };
    let mut lines = Vec::with_capacity(form.files.len());
    for (name, received) in &form.files {
        let stored = &received.stored;
        let file = tx.add_file(&NewFile {
            account,
            folder,
            domain,
            name: name.clone(),
            size: stored.size,
            date: tx.now_seconds(),
            checksum: stored.checksum.clone(),
            blob: stored.blob.clone(),
            description: String::new(),
            pass: form.pass.clone(),
        })?;
        lines.push(ReportLine::of(&file));
    }
    let report = serde_json::to_string(&lines).unwrap_or_default();
    tx.put_report(id, &report)
}
