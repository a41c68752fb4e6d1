//! Shared folders as the public sees them (API document, section 8).

use std::collections::HashMap;
use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{Service, Visit};
use crate::answer::{Abort, Answer, Refusal};
use crate::fault_book::About;
use crate::state::Window;

impl Service {
    pub(crate) async fn shared(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visit: &mut Visit,
        share: String,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        let form = if *request.method() == Method::POST {
            self.read_small(request.into_body()).await.ok_or(Abort)?
        } else {
            request.uri().query().unwrap_or_default().as_bytes().to_vec()
        };
        let form: HashMap<String, String> = url::form_urlencoded::parse(&form).into_owned().collect();
        let given = form.get("pass").cloned();
        let found = self.store.run(move |tx| {
            let Some(folder) = tx.folder_by_share(share.trim_end_matches('/'))? else { return Ok(None) };
            if folder.pass.is_some() && folder.pass != given {
                return Ok(Some(None));
            }
            let files = tx.listed_files(folder.account, Some(folder.id), Window::default())?;
            Ok::<_, Refusal>(Some(Some(files)))
        });
        let files = match found.await {
            Ok(Some(Some(files))) => files,
            Ok(Some(None)) => return Ok(Answer::html(StatusCode::OK, "This folder asks for a password.")),
            Ok(None) => return Ok(Answer::html(StatusCode::NOT_FOUND, "This folder doesn't exist.")),
            Err(refusal) => return Ok(self.refuse(visit, refusal)),
        };
        let is = |key: &str| form.get(key).is_some_and(|value| value == "1");
        if is("json") {
            let files: Vec<Value> = files
                .iter()
                .map(|file| json!({"filename": file.name, "link": file.link(), "size": file.size}))
                .collect();
            return Ok(Answer::value(&Value::Array(files)));
        }
        if is("e") {
            let lines = files.iter().map(|file| format!("{};{};{}\n", file.link(), file.name, file.size));
            return Ok(Answer::text(lines.collect::<String>()));
        }
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        Ok(Answer::html(StatusCode::OK, &names.join("\n")))
    }
}
