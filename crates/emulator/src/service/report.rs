//! The report after an upload (API document, section 7).

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderName;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Origin, Service, Visit};
use crate::answer::{Abort, Answer, Refusal, escaped};
use crate::fault_book::About;
use crate::faults::FaultKind;
use crate::links::DOMAINS;
use crate::state::FileRow;

/// How long a report is available, scaled with the limits.
const REPORT_LIFE: Duration = Duration::from_secs(2 * 3600);

/// One file of a report.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportLine {
    filename: String,
    size: u64,
    code: String,
    remove_code: String,
    domain: u8,
    whirlpool: String,
}

impl ReportLine {
    pub(super) fn of(file: &FileRow) -> Self {
        Self {
            filename: file.name.clone(),
            size: file.size,
            code: file.code.clone(),
            remove_code: file.remove_code.clone(),
            domain: file.domain,
            whirlpool: file.checksum.clone(),
        }
    }

    fn json(&self) -> Value {
        let domain = DOMAINS.get(usize::from(self.domain)).unwrap_or(&DOMAINS[0]);
        json!({
            "download": format!("https://{domain}/?{}", self.code),
            "filename": self.filename,
            "remove": format!("https://{domain}/remove/{}/{}", self.code, self.remove_code),
            // A string here, but a number in listings.
            "size": self.size.to_string(),
            "whirlpool": self.whirlpool,
        })
    }

    fn csv(&self) -> String {
        let Self { filename, size, code, remove_code, domain, whirlpool } = self;
        // What divides the fields can't stand in one.
        let filename = filename.replace('%', "%25").replace(';', "%3B");
        format!("{filename};{size};{code};{remove_code};{domain};{whirlpool}\n")
    }

    /// One row of the page for people.
    fn row(&self) -> String {
        let json = self.json();
        let link = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let (download, remove) = (link("download"), link("remove"));
        format!(
            "<tr><td>{}</td><td>{}</td><td><a href=\"{download}\">{download}</a></td>\
             <td><a href=\"{remove}\">{remove}</a></td></tr>",
            escaped(&self.filename),
            self.size
        )
    }
}

fn please_wait() -> Answer {
    Answer::html(StatusCode::OK, "Please wait")
}

impl Service {
    pub(crate) async fn report(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visit: &mut Visit,
    ) -> Result<Answer, Abort> {
        let query = request.uri().query().unwrap_or_default();
        let in_query = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.any(|(key, value)| key.eq_ignore_ascii_case(name) && value == "1")
        };
        let asks = |name: &'static str| {
            let header = request.headers().get(HeaderName::from_static(name));
            header.is_some_and(|value| value.as_bytes() == b"1") || in_query(name)
        };
        let (as_json, as_csv) = (asks("json"), asks("export"));
        // A client that follows the upload's redirection gets the page for people. It doesn't read the report, so
        // this uses up no fault.
        if (as_json || as_csv)
            && let Some(answer) = self.before_faults(visit, About::Request).await?
        {
            return Ok(answer);
        }
        let id = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "xid");
        let id = id.map(|(_, id)| id.into_owned()).unwrap_or_default();
        let life = self.limits.micros(REPORT_LIFE);
        let found =
            self.store.run(move |tx| Ok::<_, Refusal>((tx.upload(&id)?, tx.oldest_file()?, tx.now))).await;
        let (upload, oldest, now) = match found {
            Ok(found) => found,
            Err(refusal) => return Ok(self.refuse(visit, refusal)),
        };
        let at_its_node = |node: &str| match &visit.origin {
            Origin::Direct => true,
            Origin::Proxied { host, .. } => host == node,
        };
        let Some(upload) = upload.filter(|upload| at_its_node(&upload.node)) else {
            return Ok(Answer::html(StatusCode::NOT_FOUND, "No such upload"));
        };
        let (Some(report), Some(reported)) = (upload.report, upload.reported) else {
            return Ok(please_wait());
        };
        if now - reported > life {
            return Ok(Answer::html(StatusCode::NOT_FOUND, "No such upload"));
        }
        if visit.struck(|kind| matches!(kind, FaultKind::WaitReport(_)).then_some(())).is_some() {
            return Ok(please_wait());
        }
        let lines: Vec<ReportLine> = serde_json::from_str(&report).unwrap_or_default();
        if as_json {
            let empty =
                visit.struck(|kind| matches!(kind, FaultKind::EmptyReport(_)).then_some(())).is_some();
            let mut links: Vec<Value> =
                if empty { Vec::new() } else { lines.iter().map(ReportLine::json).collect() };
            if visit.is_struck(&FaultKind::WrongLink)
                && let Some(oldest) = oldest
            {
                links.iter_mut().for_each(|link| link["download"] = oldest.link().into());
            }
            return Ok(Answer::value(&json!({"incoming": u8::from(empty), "links": links})));
        }
        if as_csv {
            return Ok(Answer::text(lines.iter().map(ReportLine::csv).collect::<String>()));
        }
        let rows: String = lines.iter().map(ReportLine::row).collect();
        let table = format!(
            "<table><tr><th>File name</th><th>Size</th><th>Download link</th><th>Remove link</th></tr>{rows}</table>"
        );
        Ok(Answer::page(StatusCode::OK, &table))
    }
}
