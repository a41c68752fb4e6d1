//! Pages for people, and the check of many links (API document, section 11).

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;

use super::{Service, Visit};
use crate::answer::{Abort, Answer, Refusal};
use crate::fault_book::About;
use crate::links;
use crate::state::Tx;

impl Service {
    /// Returns a file's page.
    pub(crate) async fn page(self: &Arc<Self>, visit: &mut Visit, code: String) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        let found = self.store.run(move |tx| Ok::<_, Refusal>(tx.file(&code)?)).await;
        Ok(match found {
            Ok(Some(file)) if file.pass.is_some() => {
                Answer::html(StatusCode::OK, "This file asks for a password.")
            }
            Ok(Some(file)) => Answer::html(StatusCode::OK, &format!("{} ({} bytes)", file.name, file.size)),
            Ok(None) => Answer::html(StatusCode::NOT_FOUND, "The requested file could not be found."),
            Err(refusal) => self.refuse(visit, refusal),
        })
    }

    /// Removes a file by the link that its upload was told.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        visit: &mut Visit,
        code: String,
        remove_code: String,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        let removed = self.store.run(move |tx| {
            let file = tx.file(&code)?.filter(|file| file.remove_code == remove_code);
            match &file {
                Some(file) => tx.remove_file(file).map(|()| true),
                None => Ok(false),
            }
            .map_err(Refusal::from)
        });
        Ok(match removed.await {
            Ok(true) => Answer::html(StatusCode::OK, "The file has been removed."),
            Ok(false) => Answer::html(StatusCode::NOT_FOUND, "The requested file could not be found."),
            Err(refusal) => self.refuse(visit, refusal),
        })
    }

    pub(crate) async fn check_links(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visit: &mut Visit,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        if *request.method() != Method::POST {
            return Ok(Answer::html(StatusCode::OK, "Send links to check."));
        }
        let form = self.read_small(request.into_body()).await.ok_or(Abort)?;
        // A longer list is answered in part, and nothing says so.
        let most = self.most_items.unwrap_or(usize::MAX);
        let urls: Vec<String> = url::form_urlencoded::parse(&form)
            .filter(|(key, _)| key == "links[]")
            .map(|(_, url)| url.into_owned())
            .take(most)
            .collect();
        let lines = self
            .store
            .run(move |tx| urls.iter().map(|url| check(tx, url)).collect::<Result<String, Refusal>>());
        Ok(match lines.await {
            Ok(lines) => Answer::text(lines),
            Err(refusal) => self.refuse(visit, refusal),
        })
    }
}

/// Returns one line of the check. Files with a password or access rules are private.
fn check(tx: &Tx<'_>, url: &str) -> Result<String, Refusal> {
    if links::parts_of(url).is_none() {
        return Ok(format!("{url};;;BAD LINK\n"));
    }
    Ok(match tx.file_by_link(url)? {
        None => format!("{url};;;NOT FOUND\n"),
        Some(file) if file.pass.is_some() || file.acl.is_some() => format!("{url};;;PRIVATE\n"),
        Some(file) => format!("{url};{};{}\n", file.name, file.size),
    })
}
