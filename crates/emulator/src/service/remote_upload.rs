//! Remote upload: the service fetches links itself (API document, section 10). The emulator never connects to other
//! machines: it fetches its own links and records every other one as failed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Id, Reply};
use super::files::copy_of;
use crate::answer::Refusal;
use crate::clock::wire_date;

pub(super) fn ls(call: &Call<'_>) -> Reply {
    let zone = &call.service.zone;
    let data: Vec<Value> = call
        .tx
        .remotes(call.account.id)?
        .into_iter()
        .map(|(id, date)| {
            let date = wire_date(date, zone);
            json!({"id": id, "request_date": date, "execution_date": date})
        })
        .collect();
    call.reply(&json!({"status": "OK", "data": data}))
}

#[derive(Deserialize)]
struct Info {
    id: Id,
}

pub(super) fn info(call: &Call<'_>) -> Reply {
    let params: Info = call.params()?;
    let (urls, result) = call.tx.remote(call.account.id, params.id.0)?.ok_or_else(Refusal::not_found)?;
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    call.reply(&json!({"status": "OK", "links": parse(&urls), "result": parse(&result)}))
}

#[derive(Deserialize)]
struct Request {
    urls: Vec<String>,
    #[serde(default)]
    folder_id: Id,
}

pub(super) fn request(call: &Call<'_>) -> Reply {
    let params: Request = call.params()?;
    if params.urls.is_empty() {
        return Err(Refusal::ko("Invalid parameters: no links #100"));
    }
    let folder = call.own_folder(params.folder_id)?;
    let mut results = Vec::with_capacity(params.urls.len());
    for url in &params.urls {
        let fetched = call.any_file(url).and_then(|file| {
            Call::check_password(&file, None)?;
            call.check_access(&file)?;
            if call.tx.used(call.account.id)?.saturating_add(file.size) > call.account.quota {
                return Err(Refusal::ko("Storage quota exceeded #530"));
            }
            let new = copy_of(&file, folder.account, folder.id, file.name.clone(), call.tx.now_seconds());
            Ok(call.tx.add_file(&new)?)
        });
        results.push(match fetched {
            Ok(copy) => json!({"status": "OK", "url": url, "download_link": copy.link(), "message": ""}),
            Err(Refusal::Ko(_, message)) => {
                json!({"status": "KO", "url": url, "download_link": "", "message": message})
            }
            Err(broken) => return Err(broken),
        });
    }
    let id =
        call.tx.add_remote(call.account.id, &json!(params.urls).to_string(), &json!(results).to_string())?;
    let date = wire_date(call.tx.now_seconds(), &call.service.zone);
    call.reply(&json!({"status": "OK", "id": id, "date": date}))
}
