//! Uploads (API document, section 7): a node from the API, one request to the node, a report from the node.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use http::{Method, StatusCode};
use http_body::Body as _;
use tokio::time::{Instant, sleep_until};

use crate::answer::{Answer, known_text};
use crate::client::{Client, not_empty};
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::folder_id::FolderId;
use crate::key::{ApiKey, Password};
use crate::link::Domain;
use crate::message;
use crate::multipart::{Multipart, Progress, UploadFile, boundary};
use crate::pacer::CallClass;
use crate::page;
use crate::transport::{failure, page_of, status_error};
use crate::wire::upload::{Report, UploadNode, UploadedFile};

/// Number of times in a row that a report may have fewer files than were sent before it is accepted.
const SHORT_REPORTS: u32 = 3;

/// Message of a node when the request held no file.
const NO_FILE: &str = "Pas de fichier";

/// Files for one folder, sent in one request; at most
/// [`FILES_PER_UPLOAD`](crate::limits::FILES_PER_UPLOAD).
#[derive(Debug)]
pub struct Upload {
    /// Folder of the files. The service uses the root if the folder doesn't exist.
    pub folder: FolderId,
    /// Files to send.
    pub files: Vec<UploadFile>,
    /// Options for all files of the upload.
    pub options: UploadOptions,
}

/// Options for all files of an upload.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// Domain of the links.
    pub domain: Option<Domain>,
    /// Password of the files; `dpass` on the wire.
    pub password: Option<Password>,
    /// Address that the links are mailed to.
    pub mail: Option<String>,
    /// Addresses that the links are mailed to; `mails` on the wire.
    pub mails: Option<String>,
    /// Name of an account, used instead of the key's.
    pub user: Option<String>,
    /// Password of that account; `pass` on the wire.
    pub user_password: Option<Password>,
}

/// An upload that the node accepted; its report says what arrived. The receipt can be kept, and the report fetched
/// later, for some minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadReceipt {
    /// The node that accepted the upload.
    pub node: UploadNode,
    /// Id of the upload, with which its report is found.
    pub id: String,
    /// Number of files that were sent.
    pub files: usize,
    /// Text of the node's page, if a page came instead of the report's URL.
    pub words: Option<String>,
    /// How the node answered.
    pub answered: NodeAnswer,
}

/// How a node answered an upload. It decides how long to wait for the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeAnswer {
    /// The node gave the report's URL: there will be a report.
    Report,
    /// The node answered something else: an empty page, a page for people. Some nodes do so when all is well, and all
    /// of them when they are out of order.
    Vague {
        /// Time that the upload took.
        took: Duration,
    },
    /// The node's answer was lost.
    Lost,
}

impl Client {
    /// Fetches a node that accepts an upload. A node can be used for one upload.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn upload_node(&self) -> Result<UploadNode, ApiError> {
        let transport = &self.inner.transport;
        let call = self.call(Endpoint::GetUploadServer, CallClass::Plain);
        self.inner
            .pacer
            .run(call, || async {
                let path = Endpoint::GetUploadServer.path();
                transport.call(Method::GET, path, Bytes::new()).await?.read(transport.key())
            })
            .await
    }

    /// Sends files to a node in one request. Neither paced nor repeated, since streams can be read only once.
    ///
    /// # Errors
    /// `UploadSource` names the file that wasn't as declared. With [`ApiError::maybe_done`] the files may have
    /// arrived: fetch the report with the node's id, or list the folder, before sending them again.
    pub async fn upload(&self, node: &UploadNode, upload: Upload) -> Result<UploadReceipt, ApiError> {
        not_empty(Endpoint::Upload, &upload.files)?;
        if let Some(file) = upload.files.iter().find(|file| file.size == 0) {
            let kind = ErrorKind::Invalid(format!(
                "`{}` is empty, and the service can't store empty files",
                file.name
            ));
            return Err(ApiError::new(Endpoint::Upload, kind).with_history(0, false));
        }
        let files = upload.files.len();
        let call = self.call(Endpoint::Upload, CallClass::Node);
        let began = Instant::now();
        let Taken { id, words } = self.inner.pacer.once(call, self.send_upload(node, upload)).await?;
        let answered = match id {
            Some(_) => NodeAnswer::Report,
            None => NodeAnswer::Vague { took: began.elapsed() },
        };
        let id = id.unwrap_or_else(|| node.id.clone());
        Ok(UploadReceipt { node: node.clone(), id, files, words, answered })
    }

    async fn send_upload(&self, node: &UploadNode, upload: Upload) -> Result<Taken, ErrorKind> {
        let transport = &self.inner.transport;
        let idle = transport.settings().idle_timeout;
        let url = transport.node_url(&node.host, Endpoint::Upload.path(), ("id", &node.id))?;
        let boundary = boundary();
        let body = Multipart::new(&boundary, &fields(&upload), upload.files);
        let progress = body.progress();
        let length = body.size_hint().exact().unwrap_or_default();
        let pool = transport.upload_pool()?;
        let request = pool
            .request(Method::POST, url)
            .header(AUTHORIZATION, transport.key().bearer().map_err(ApiError::into_kind)?)
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header(CONTENT_LENGTH, length)
            .header(CONNECTION, "close")
            .body(reqwest::Body::wrap(body));
        let exchange = async {
            let (response, dump) = pool.exchange(request).await.map_err(|error| failure(error, idle))?;
            let location =
                response.headers().get(LOCATION).and_then(|value| value.to_str().ok().map(str::to_owned));
            let status = response.status();
            let after = crate::pacer::retry_after(response.headers(), std::time::SystemTime::now());
            // The header decides; a body that breaks off or never ends changes nothing.
            let body: Bytes = page_of(response, idle).await.into();
            if let Some(mut dump) = dump {
                dump.body(&body);
            }
            Ok((Answer { status, retry_after: after, body }, location))
        };
        let result = tokio::select! {
            result = exchange => result,
            () = standstill(&progress, idle) => Err(ErrorKind::Timeout { idle }),
        };
        // Whatever happened to the connection: the bad file is the cause.
        if let Some(failure) = progress.take_failure() {
            return Err(failure);
        }
        let (answer, location) = result?;
        let taken = taken(&answer, location.as_deref(), transport.key())?;
        if !progress.is_complete() {
            let words = taken.words.map(|words| format!(" and said: {words}")).unwrap_or_default();
            let snippet = format!("the node answered before it had all bytes{words}");
            return Err(ErrorKind::Truncated { snippet });
        }
        Ok(taken)
    }

    /// Returns the files that arrived. Asks repeatedly while the node isn't ready: every 3 s, later every 30 s, for 5
    /// minutes ([`ReportPacing`](crate::ReportPacing)). A report that still has fewer files than were sent is
    /// returned as it is.
    ///
    /// Where the node's answer was lost or gave no report, there may be none: it is asked for during 30 s then, or
    /// during 12 s but no longer than it would take to send everything again.
    ///
    /// # Errors
    /// `NoReport` when the node had none in time; list the folder then.
    pub async fn upload_report(&self, receipt: &UploadReceipt) -> Result<Vec<UploadedFile>, ApiError> {
        let pacing = self.inner.pacer.report_pacing();
        let give_up = match receipt.answered {
            NodeAnswer::Report => pacing.give_up,
            NodeAnswer::Vague { took } => took.max(pacing.vague_for).min(pacing.give_up),
            NodeAnswer::Lost => pacing.quick_for,
        };
        self.report_of(receipt, give_up).await
    }

    /// Returns the files that arrived, as the node knows them at this moment.
    ///
    /// # Errors
    /// `NoReport` when the node has none.
    pub async fn upload_report_now(&self, receipt: &UploadReceipt) -> Result<Vec<UploadedFile>, ApiError> {
        self.report_of(receipt, Duration::ZERO).await
    }

    /// Returns how long to wait before looking again for an upload that is in no report and no listing yet.
    pub fn look_again_after(&self) -> Duration {
        self.inner.pacer.report_pacing().quick
    }

    async fn report_of(
        &self,
        receipt: &UploadReceipt,
        give_up: Duration,
    ) -> Result<Vec<UploadedFile>, ApiError> {
        let transport = &self.inner.transport;
        let mut headers = HeaderMap::new();
        headers.insert("JSON", HeaderValue::from_static("1"));
        let path = Endpoint::UploadReport.path();
        let url = transport
            .node_url(&receipt.node.host, path, ("xid", &receipt.id))
            .map_err(|kind| ApiError::new(Endpoint::UploadReport, kind).with_history(0, false))?;
        let call = self.call(Endpoint::UploadReport, CallClass::Node);
        let short = AtomicU32::new(0);
        self.inner
            .pacer
            .poll(call, give_up, receipt.answered != NodeAnswer::Report, || async {
                let report: Report =
                    transport.node(url.clone(), headers.clone()).await?.read(transport.key())?;
                if report.incoming || report.links.is_empty() {
                    return Ok(None);
                }
                let seen = short.fetch_add(1, Ordering::Relaxed) + 1;
                let ready = report.links.len() >= receipt.files || seen >= SHORT_REPORTS;
                Ok(ready.then_some(report.links))
            })
            .await
            .map_err(|error| error.with_words(receipt.words.as_deref()))
    }
}

/// Returns the fields before the files.
fn fields(upload: &Upload) -> Vec<(&'static str, String)> {
    let options = &upload.options;
    let secret = |password: &Option<Password>| password.as_ref().map(|password| password.reveal().to_owned());
    let optional = [
        ("domain", options.domain.map(|domain| domain.number().to_string())),
        ("dpass", secret(&options.password)),
        ("mail", options.mail.clone()),
        ("mails", options.mails.clone()),
        ("user", options.user.clone()),
        ("pass", secret(&options.user_password)),
    ];
    let mut fields = vec![("did", upload.folder.to_string())];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    fields
}

/// Returns when no byte was sent or received for `idle`.
async fn standstill(progress: &Progress, idle: Duration) {
    if idle.is_zero() {
        std::future::pending::<()>().await;
    }
    loop {
        let deadline = progress.idle_since() + idle;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Answer of a node that accepted the upload.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    /// Id of the report, if the answer has it.
    id: Option<String>,
    /// Text of its page.
    words: Option<String>,
}

/// Reads a node's answer to an upload. A redirect to its report or a plain 200 means that the node accepted it.
fn taken(answer: &Answer, location: Option<&str>, key: &ApiKey) -> Result<Taken, ErrorKind> {
    if String::from_utf8_lossy(&answer.body).contains(NO_FILE) {
        return Err(ErrorKind::NoFileArrived);
    }
    let status = answer.status;
    if status.is_redirection()
        && let Some(id) = location.and_then(report_id)
    {
        return Ok(Taken { id: Some(id), words: None });
    }
    if status == StatusCode::OK {
        // JSON here would be a refusal; the usual page isn't read.
        if answer.body.trim_ascii_start().first() == Some(&b'{') {
            answer.read::<serde::de::IgnoredAny>(key)?;
        }
        if let Some(refusal) = known_text(&answer.body, key) {
            return Err(refusal);
        }
        // The usual page isn't read, but one that says why nothing was accepted is.
        let gist = page::gist(&answer.body, key);
        if let Some(refusal) = message::on_page(&page::all_words(&answer.body, key), &gist) {
            return Err(refusal);
        }
        return Ok(Taken { id: None, words: Some(gist).filter(|gist| !gist.is_empty()) });
    }
    let said = answer.read::<serde::de::IgnoredAny>(key).err();
    Err(said.unwrap_or_else(|| status_error(status, answer.retry_after, &answer.body, key)))
}

/// Returns the id in `/end.pl?xid=ID`.
fn report_id(location: &str) -> Option<String> {
    let (_, query) = location.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, id)| name == "xid" && !id.is_empty())
        .map(|(_, id)| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, location: Option<&str>, body: &'static str) -> Result<Taken, ErrorKind> {
        let status = StatusCode::from_u16(status).unwrap();
        taken(
            &Answer { status, retry_after: None, body: Bytes::from_static(body.as_bytes()) },
            location,
            &ApiKey::new("k"),
        )
    }

    #[test]
    fn the_answers_of_nodes() {
        for location in ["/end.pl?xid=AbC", "https://up2.1fichier.com/end.pl?a=b&xid=AbC"] {
            assert_eq!(answered(302, Some(location), "").unwrap().id.as_deref(), Some("AbC"));
        }
        assert_eq!(
            answered(200, None, "<html>done").unwrap(),
            Taken { id: None, words: Some("done".into()) }
        );
        assert_eq!(answered(200, None, "").unwrap(), Taken { id: None, words: None });
        let flood = answered(403, None, "Flood detected: IP Locked");
        assert!(matches!(flood, Err(ErrorKind::Flood { .. })), "{flood:?}");
        for text in ["Flood detected: IP Locked", "IP Locked", "Not authenticated #247"] {
            assert!(answered(200, None, text).is_err(), "{text}");
        }
        let full = answered(200, None, "<html><p>Your quota is exceeded.</p>");
        assert!(
            matches!(&full, Err(ErrorKind::QuotaExceeded { text }) if text == "Your quota is exceeded."),
            "{full:?}"
        );
        assert!(matches!(answered(200, None, "Pas de fichier"), Err(ErrorKind::NoFileArrived)));
        assert!(matches!(answered(302, Some("/"), ""), Err(ErrorKind::Status { code: 302, .. })));
        assert!(matches!(answered(403, None, ""), Err(ErrorKind::Status { code: 403, .. })));
        let flood = answered(200, None, r#"{"status":"KO","message":"Flood detected: IP Locked #1"}"#);
        assert!(matches!(flood, Err(ErrorKind::Flood { .. })), "{flood:?}");
    }
}
