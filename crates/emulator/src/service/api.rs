//! API calls: rules of the transport, limits, authentication, and the choice of the call's handler (API document,
//! sections 1–3).

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::{Service, Visit, account, download, files, folders, listing, remote_upload, upload};
use crate::answer::{Abort, Answer, Refusal};
use crate::fault_book::About;
use crate::limits::Class;
use crate::state::{AccountRow, Tx};

type Handler = fn(&Call<'_>) -> Reply;

fn handler(call: &str) -> Option<Handler> {
    Some(match call {
        "folder/ls" => listing::folder_ls,
        "folder/mkdir" => folders::mkdir,
        "folder/mv" => folders::mv,
        "folder/rm" => folders::rm,
        "folder/share" => folders::share,
        "file/ls" => listing::file_ls,
        "file/info" => files::info,
        "file/rm" => files::rm,
        "file/mv" => files::mv,
        "file/cp" => files::cp,
        "file/rename" => files::rename,
        "file/chattr" => files::chattr,
        "file/scan" => files::scan,
        "download/get_token" => download::get_token,
        "upload/get_upload_server" => upload::get_upload_server,
        "user/info" => account::info,
        "remote/ls" => remote_upload::ls,
        "remote/info" => remote_upload::info,
        "remote/request" => remote_upload::request,
        _ => return None,
    })
}

impl Service {
    pub(crate) async fn api(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visit: &mut Visit,
        call: &str,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        let Some(handler) = handler(call) else {
            return Ok(Answer::html(StatusCode::NOT_FOUND, "No such page."));
        };
        // Without the content type the answer isn't JSON, not even for the one call that GET may make.
        let get = *request.method() == Method::GET && call == "upload/get_upload_server";
        if !is_json(request.headers()) || !(get || *request.method() == Method::POST) {
            return Ok(Answer::html(StatusCode::OK, "This page is for programs: send JSON."));
        }
        let key = self.door.account_key(request.headers());
        let Some(bytes) = self.read_small(request.into_body()).await else { return Err(Abort) };
        visit.pending.entry.bytes_in = bytes.len() as u64;
        let body = match serde_json::from_slice::<Value>(&bytes) {
            Ok(body @ Value::Object(_)) => body,
            // The document says `{}`, but rclone's account call sends nothing at all, and is served.
            _ if bytes.is_empty() => json!({}),
            _ => return Ok(self.refuse(visit, Refusal::ko("Invalid JSON #100"))),
        };
        visit.pending.entry.folder = body.get("folder_id").and_then(Value::as_i64);
        if self.faults.asks_for_names(call) {
            let asked = body.clone();
            let names = self.store.run(move |tx| Ok::<_, Refusal>(names_of(tx, &asked))).await;
            let names = names.unwrap_or_default();
            if !matches!(call, "folder/ls" | "file/ls")
                && let Some(answer) = self.before_faults(visit, About::Files(&names)).await?
            {
                return Ok(answer);
            }
        }
        let account = match self.admit(visit, call, key, &body).await {
            Ok(account) => account,
            Err(refusal) => return Ok(self.refuse(visit, refusal)),
        };
        let service = Arc::clone(self);
        let (origin, host, ip) = (visit.origin.clone(), visit.host.clone(), visit.ip.clone());
        let reply = self.store.run(move |tx| {
            let (account, body) = (&account, &body);
            handler(&Call { service: &service, tx, account, body, origin: &origin, host: &host, ip: &ip })
        });
        Ok(match reply.await {
            Ok(json) => Answer::json(json),
            Err(refusal) => self.refuse(visit, refusal),
        })
    }

    /// Makes an answer of a refusal, and keeps its text for the log.
    pub(crate) fn refuse(&self, visit: &mut Visit, refusal: Refusal) -> Answer {
        if let Refusal::Ko(_, message) = &refusal {
            visit.pending.entry.message = Some(message.clone());
        }
        refusal.into_answer()
    }

    /// Checks whether a call is allowed. In a transaction of its own, since what the limits record must outlive a
    /// failure.
    async fn admit(
        self: &Arc<Self>,
        visit: &mut Visit,
        call: &str,
        key: Option<String>,
        body: &Value,
    ) -> Result<AccountRow, Refusal> {
        let limits = self.limits;
        let (ip, class) = (visit.ip.clone(), class_of(call, body));
        let is_for_anybody = call == "upload/get_upload_server";
        let admitted = self.store.run(move |tx| {
            if !limits.admit_call(tx, &ip)? {
                return Ok(Err(Refusal::flood()));
            }
            // Anybody may upload; without a key to no account.
            if key.is_none() && is_for_anybody {
                return Ok(Ok(AccountRow::nobody()));
            }
            let account = match authenticate(tx, key.as_deref()) {
                Ok(account) => account,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if !limits.admit_class(tx, &ip, account.id, &class)? {
                return Ok(Err(Refusal::flood()));
            }
            Ok::<_, Refusal>(Ok(account))
        });
        let admitted = admitted.await?;
        match &admitted {
            Ok(account) if account.id == 0 => {}
            Ok(account) => visit.pending.entry.account = Some(account.email.clone()),
            Err(Refusal::Ko(_, message)) if message.starts_with("Flood") => self.counters.count_flood(),
            Err(_) => {}
        }
        admitted
    }
}

/// Returns the account of a key.
pub(super) fn authenticate(tx: &Tx<'_>, key: Option<&str>) -> Result<AccountRow, Refusal> {
    let key = key.filter(|key| !key.is_empty()).ok_or_else(Refusal::not_authenticated)?;
    let account = tx.account_by_key(key)?.ok_or_else(Refusal::no_such_user)?;
    if account.offer == 0 {
        return Err(Refusal::forbidden("Must be a customer (Premium, Access) #200"));
    }
    Ok(account)
}

fn class_of(call: &str, body: &Value) -> Class {
    let folder = || match body.get("folder_id") {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        other => other.and_then(Value::as_i64).unwrap_or(0),
    };
    match call {
        "file/ls" if folder() == -1 => Class::AllFiles,
        "file/ls" => Class::Folder { what: "files", folder: folder() },
        "folder/ls" => {
            let with_files =
                body.get("files").is_some_and(|files| *files == json!(1) || *files == json!("1"));
            Class::Folder { what: if with_files { "files" } else { "folders" }, folder: folder() }
        }
        "user/info" => Class::Info,
        _ => Class::Plain,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Returns the names in a call: its own strings, and the names of the files that its links lead to.
fn names_of(tx: &Tx<'_>, body: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut values = vec![body];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(inner) => values.extend(inner),
            Value::Object(inner) => values.extend(inner.values()),
            Value::String(text) => {
                let file = tx.file_by_link(text).ok().flatten();
                names.push(file.map_or_else(|| text.clone(), |file| file.name));
            }
            _ => {}
        }
    }
    names
}
