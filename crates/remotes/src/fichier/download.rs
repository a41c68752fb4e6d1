//! Downloads: one token for all requests of a file while it is valid, and a stream that is cut continues where it was.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt as _, stream};

use fichier_api::{
    ApiError, ByteRange as WireRange, Client, Connection, Download, DownloadToken, Endpoint, ErrorKind,
    FileLink, FileOf, Password, TokenRequest,
};
use fichier_storage::{
    Blame, ByteRange, ByteStream, File, FileReader, RemotePath, Result, Retry, StorageError,
};

use super::{CdnUse, FichierOptions, error::reading_failed, tree::Tree};

/// Time for which a token is used. The service keeps it for 5 minutes (API document, section 6).
const TOKEN_LIFE: Duration = Duration::from_secs(240);

/// Age below which a token is surely not too old.
const YOUNG: Duration = Duration::from_secs(60);

/// Number of tokens above which those past their time are dropped.
const TOKENS_KEPT: usize = 256;

/// Reads files of the account, or anyone's by their links.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    client: Client,
    cdn: CdnUse,
    /// Whether the service has refused a download without its CDN.
    needs_cdn: Arc<AtomicBool>,
    password: Option<Password>,
    resumes: u32,
    tokens: Arc<Mutex<HashMap<FileLink, Slot>>>,
    leave: Arc<Leave>,
}

/// Reads one file by its link.
#[derive(Debug)]
pub(super) struct LinkReader {
    pub(super) reader: Reader,
    /// Link of the file; `None`: the file has none, so nobody can read it.
    pub(super) link: Option<FileLink>,
    pub(super) file: File,
    /// Tree that may know the file from an earlier run, and is informed when it is gone.
    pub(super) tree: Option<Weak<Tree>>,
}

#[async_trait]
impl FileReader for LinkReader {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        let link = self.link.ok_or_else(|| StorageError::FileNotFound(self.file.path.clone()))?;
        let stream = self.reader.read(link, &self.file, range)?;
        let Some(tree) = self.tree.clone() else { return Ok(stream) };
        let path = self.file.path.clone();
        let look = move |error: &StorageError| {
            if let (StorageError::FileNotFound(_), Some(tree)) = (error, tree.upgrade()) {
                tree.missed(&path);
            }
        };
        Ok(stream.inspect_err(look).boxed())
    }

    async fn prepare(&self) {
        if let Some(link) = self.link {
            self.reader.prepare(link, &self.file.path).await;
        }
    }
}

/// Whether the service lets this address download at all. A service that takes the address for a VPN refuses every
/// file, and many refusals get accounts banned. So files go one by one until the first has come. Words that are known
/// to be about the address hold for the run at once; others may be about one file, so it takes refusals of several.
#[derive(Debug, Default)]
struct Leave {
    /// Lock of the first download, held until its first bytes have come.
    first: tokio::sync::Mutex<()>,
    /// Whether a file has come.
    given: AtomicBool,
    /// Files refused since the last one came.
    refused: Mutex<HashSet<FileLink>>,
    /// Reason why no more files are requested.
    taken: OnceLock<Refusal>,
}

/// Reason why no file is given.
#[derive(Debug, Clone)]
struct Refusal {
    words: String,
    hint: Option<&'static str>,
}

/// Number of files refused in a row after which no more are requested.
const REFUSED_IN_A_ROW: usize = 3;

/// Advice about a file that the node refuses while it isn't known to refuse others.
const SEE_THE_FILE: &str = "look at the file on the service's site, or try again later";

/// Advice where the node gives nothing.
const ALL_REFUSED: &str = "nothing more is asked of it in this run; try again later, or from another address";

impl Refusal {
    fn error(&self, path: &RemotePath) -> StorageError {
        StorageError::Service {
            action: format!("read {path:?}"),
            retry: Retry::Useless,
            blame: Blame::Service,
            hint: self.hint.map(str::to_owned),
            source: self.words.clone().into(),
        }
    }
}

impl Leave {
    /// Records that a file was refused for a reason that may be its own, and returns the refusal.
    fn refuse(&self, link: FileLink, refusal: Refusal) -> Refusal {
        let in_a_row = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.insert(link);
            refused.len()
        };
        if in_a_row < REFUSED_IN_A_ROW {
            return refusal;
        }
        let words = format!("{} (so it said of {in_a_row} files in a row)", refusal.words);
        self.refuse_all(Refusal { words, hint: Some(ALL_REFUSED) })
    }

    /// Records that no file is given, and returns the refusal.
    fn refuse_all(&self, refusal: Refusal) -> Refusal {
        let _ = self.taken.set(refusal.clone());
        refusal
    }

    fn give(&self) {
        self.given.store(true, Ordering::Relaxed);
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Token of one file. It is locked while it is requested, so that streams that need it at the same time share it.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// A token, and since when there is one.
#[derive(Debug)]
struct Kept {
    token: DownloadToken,
    /// Whether it leads to the CDN.
    cdn: bool,
    since: Instant,
}

impl Kept {
    fn is_alive(&self) -> bool {
        self.since.elapsed() < TOKEN_LIFE
    }
}

/// One stream in progress.
struct Reading {
    reader: Reader,
    link: FileLink,
    path: RemotePath,
    /// Size in bytes that the listing said.
    size: u64,
    /// Offset of the next byte wanted, and of the one after the last.
    at: u64,
    end: u64,
    /// Whether nothing else of the file is read: at its end, its token is no longer needed.
    whole: bool,
    open: Option<Download>,
    /// The account's permit for a connection, from the first one on.
    connection: Option<Connection>,
    /// Number of bytes of the open answer before the next one wanted.
    skip: u64,
    resumes: u32,
    /// Number of tokens refused since the last good one.
    stale: u32,
}

/// Number of new tokens that a file gets in a row. Many refusals bring a ban (API document, section 1).
const NEW_TOKENS: u32 = 1;

/// The same where a token that was requested just now is refused without a word: the service has bad moments.
const NEW_TOKENS_AFTER_A_REST: u32 = 2;

/// Checks whether a refusal is about this address, so that it holds for all files.
fn holds_for_all(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NeedsCdn { .. } | ErrorKind::AddressRefused { .. })
}

fn refusal_of(error: &ApiError) -> Refusal {
    match error.kind() {
        ErrorKind::TokenRefused { status, words } => Refusal {
            words: format!(
                "the download node refuses (HTTP {status}): {}",
                words.as_deref().unwrap_or("it doesn't say why")
            ),
            hint: Some(SEE_THE_FILE),
        },
        _ => Refusal { words: error.to_string(), hint: error.hint() },
    }
}

impl Reader {
    pub(super) fn new(client: Client, options: &FichierOptions) -> Self {
        Self {
            client,
            cdn: options.cdn,
            needs_cdn: Arc::default(),
            password: options.file_password.clone(),
            resumes: options.download_resumes,
            tokens: Arc::default(),
            leave: Arc::default(),
        }
    }

    /// Returns the same reader for a file with this password, if it has one of its own.
    pub(super) fn with_password(&self, password: Option<Password>) -> Self {
        let password = password.or_else(|| self.password.clone());
        Self { password, ..self.clone() }
    }

    /// Returns the bytes of a file. The service isn't called before the first byte is needed.
    pub(super) fn read(&self, link: FileLink, file: &File, range: ByteRange) -> Result<ByteStream> {
        let at = range.start.min(file.size);
        let reading = Reading {
            reader: self.clone(),
            link,
            path: file.path.clone(),
            size: file.size,
            at,
            end: at + range.length(file.size),
            whole: range == ByteRange::WHOLE,
            open: None,
            connection: None,
            skip: 0,
            resumes: 0,
            stale: 0,
        };
        Ok(stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|chunk| (chunk, reading)))
        })
        .boxed())
    }

    /// Requests a file's token ahead of need.
    pub(super) async fn prepare(&self, link: FileLink, path: &RemotePath) {
        // Until the first file has come, it isn't known whether any will.
        if !self.leave.given.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.token(link, path).await.map(drop) {
            tracing::debug!(path = %path, "no token ahead of need: {error}");
        }
    }

    /// Returns a token, and whether it leads to the CDN.
    async fn token(&self, link: FileLink, path: &RemotePath) -> Result<(DownloadToken, bool)> {
        if let Some(refusal) = self.leave.taken.get() {
            return Err(refusal.error(path));
        }
        let slot = self.slot(link);
        let mut kept = slot.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_alive()) {
            return Ok((kept.token.clone(), kept.cdn));
        }
        loop {
            let cdn = match self.cdn {
                CdnUse::Never => false,
                CdnUse::Always => true,
                CdnUse::WhenRefused => self.needs_cdn.load(Ordering::Relaxed),
            };
            let request =
                TokenRequest { cdn, ..TokenRequest::new(FileOf::Link { link, pass: self.password.clone() }) };
            let error = match self.client.download_token(&request).await {
                Ok(token) => {
                    *kept = Some(Kept { token: token.clone(), cdn, since: Instant::now() });
                    return Ok((token, cdn));
                }
                Err(error) => error,
            };
            if self.turns_to_cdn(error.kind(), cdn) {
                continue;
            }
            if holds_for_all(error.kind()) {
                self.leave.refuse_all(refusal_of(&error));
            }
            return Err(reading_failed(path, error));
        }
    }

    /// Checks whether a refused download is to be requested again through the CDN, as all are from then on.
    fn turns_to_cdn(&self, refusal: &ErrorKind, cdn: bool) -> bool {
        let turns = self.cdn == CdnUse::WhenRefused && !cdn && matches!(refusal, ErrorKind::NeedsCdn { .. });
        if turns && !self.needs_cdn.swap(true, Ordering::Relaxed) {
            tracing::warn!("{refusal}: from here on downloads use the CDN, and its credit");
        }
        turns
    }

    fn slot(&self, link: FileLink) -> Slot {
        let mut tokens = self.tokens();
        if tokens.len() >= TOKENS_KEPT {
            // A locked one is being requested.
            tokens.retain(|_, slot| {
                slot.try_lock().map_or(true, |kept| kept.as_ref().is_some_and(Kept::is_alive))
            });
        }
        tokens.entry(link).or_default().clone()
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<FileLink, Slot>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops a token that was refused, unless another stream of the file has got a new one since. Returns whether it
    /// was young.
    async fn refuse(&self, link: FileLink, refused: &DownloadToken) -> bool {
        let mut kept = self.slot(link).lock_owned().await;
        let held = kept.take_if(|kept| kept.token == *refused);
        held.is_some_and(|kept| kept.since.elapsed() < YOUNG)
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.at >= self.end {
                if self.whole {
                    self.reader.tokens().remove(&self.link);
                }
                return Ok(None);
            }
            let mut download = match self.open.take() {
                Some(download) => download,
                None => match self.connect().await? {
                    Some(download) => download,
                    None => continue,
                },
            };
            match download.next().await {
                Some(Ok(chunk)) => {
                    self.connection.iter().for_each(Connection::moved);
                    self.open = Some(download);
                    if let Some(chunk) = self.accept(chunk) {
                        return Ok(Some(chunk));
                    }
                }
                Some(Err(error)) if error.kind().may_pass() && self.resumes < self.reader.resumes => {
                    self.resumes += 1;
                    tracing::info!(path = %self.path, at = self.at, "Download cut ({error}): going on");
                }
                Some(Err(error)) => return Err(reading_failed(&self.path, error)),
                None => {
                    return Err(StorageError::SizeMismatch {
                        path: self.path.clone(),
                        expected: self.size,
                        actual: self.at,
                    });
                }
            }
        }
    }

    /// Takes the part of a chunk that belongs to the range.
    fn accept(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        self.skip -= skipped as u64;
        let mut chunk = chunk.split_off(skipped);
        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        chunk.truncate(wanted);
        self.at += chunk.len() as u64;
        (!chunk.is_empty()).then_some(chunk)
    }

    /// Opens the file at the next byte wanted; `None` when that should be tried once more.
    async fn connect(&mut self) -> Result<Option<Download>> {
        // This comes before the token is requested, which would grow old while others download.
        if self.connection.is_none() {
            let taken = self.reader.client.download_connection().await;
            self.connection = Some(taken.map_err(|error| reading_failed(&self.path, error))?);
        }
        let leave = self.reader.leave.clone();
        let _alone = match leave.given.load(Ordering::Relaxed) {
            true => None,
            false => Some(leave.first.lock().await),
        };
        let (token, cdn) = self.reader.token(self.link, &self.path).await?;
        let range = match (self.at, self.end == self.size) {
            (0, true) => None,
            (start, true) => Some(WireRange::From(start)),
            (start, false) => Some(WireRange::Span { start, length: self.end - start }),
        };
        match self.reader.client.open_download(&token, range).await {
            Ok(download) => {
                leave.give();
                self.stale = 0;
                self.check(&download)?;
                Ok(Some(download))
            }
            Err(error) => {
                let stale = matches!(error.kind(), ErrorKind::TokenRefused { .. });
                let young = self.reader.refuse(self.link, &token).await;
                if self.reader.turns_to_cdn(error.kind(), cdn) {
                    return Ok(None);
                }
                if holds_for_all(error.kind()) {
                    return Err(leave.refuse_all(refusal_of(&error)).error(&self.path));
                }
                // A token that was requested just now can't be too old: the node refuses the download itself.
                if young && matches!(error.kind(), ErrorKind::TokenRefused { status: 403, words: Some(_) }) {
                    return Err(leave.refuse(self.link, refusal_of(&error)).error(&self.path));
                }
                let wordless =
                    young && matches!(error.kind(), ErrorKind::TokenRefused { status: 403, words: None });
                if wordless && self.stale < NEW_TOKENS_AFTER_A_REST {
                    self.stale += 1;
                    let wait = self.reader.client.look_again_after() * self.stale;
                    let rested = self.reader.client.rest(Endpoint::Download, wait).await;
                    rested.map_err(|error| reading_failed(&self.path, error))?;
                    return Ok(None);
                }
                if matches!(error.kind(), ErrorKind::RangeNotSatisfiable) {
                    return Err(StorageError::SizeMismatch {
                        path: self.path.clone(),
                        expected: self.size,
                        actual: self.at,
                    });
                }
                if stale && !wordless && self.stale < NEW_TOKENS {
                    self.stale += 1;
                    return Ok(None);
                }
                if stale {
                    return Err(leave.refuse(self.link, refusal_of(&error)).error(&self.path));
                }
                Err(reading_failed(&self.path, error))
            }
        }
    }

    /// Compares the answer's head with the listing.
    fn check(&mut self, download: &Download) -> Result<()> {
        let wrong = match download.total() {
            Some(total) if total != self.size => Some(total),
            _ if download.start() > self.at => Some(download.start()),
            _ => None,
        };
        if let Some(actual) = wrong {
            return Err(StorageError::SizeMismatch { path: self.path.clone(), expected: self.size, actual });
        }
        // A node may answer a range with the whole file.
        self.skip = self.at - download.start();
        Ok(())
    }
}
