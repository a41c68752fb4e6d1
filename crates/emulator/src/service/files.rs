//! Files: information, removal, moving, copying, renaming, attributes (API document, section 5).
//!
//! Lists are done whole or not at all, unless [`Lists::Partial`] is set: the first file that can't be served refuses
//! the call, and nothing is done. The document doesn't know. A client has to find out what remains to be done either
//! way.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Flag, Id, Reply, Which, check_new_password};
use super::listing::Item;
use crate::answer::Refusal;
use crate::builder::Lists;
use crate::clock::wire_date;
use crate::names::stored_name;
use crate::state::{FileRow, NewFile};

pub(super) fn info(call: &Call<'_>) -> Reply {
    let which: Which = call.params()?;
    let by_name = which.url.is_none() && which.sharing_user.as_deref().is_none_or(str::is_empty);
    if by_name && which.filename.is_some() && !call.service.file_by_name {
        return Err(Refusal::ko("Invalid parameters: url is missing #100"));
    }
    let file = call.file(&which)?;
    let own = file.account == call.account.id;
    if !own && file.pass.is_some() && which.pass != file.pass {
        // Without details, as the document says about a protected file of another account.
        return Err(Refusal::not_allowed());
    }
    call.check_access(&file)?;
    let mut answer = serde_json::to_value(Item::of(call, file.clone()))
        .map_err(|error| Refusal::Broken(error.to_string()))?;
    answer["status"] = json!("OK");
    answer["description"] = json!(file.description);
    answer["inline"] = json!(u8::from(file.inline));
    answer["no_ssl"] = json!(u8::from(file.no_ssl));
    answer["content_type"] = answer["content-type"].clone();
    if own {
        // The folder alone, without the file.
        let folder = call.tx.folder_path(file.account, file.folder)?;
        answer["folder_id"] = json!(file.folder);
        answer["path"] = json!(folder.trim_start_matches('/'));
    }
    let set = file.acl.as_deref().and_then(|acl| serde_json::from_str::<Value>(acl).ok());
    let mut acl = json!({"ip": [], "country": [], "email": [], "premium": 0});
    for (rule, value) in set.as_ref().and_then(Value::as_object).into_iter().flatten() {
        acl[rule] = value.clone();
    }
    answer["acl"] = acl;
    call.reply(&answer)
}

/// Refuses a list that is empty, or longer than one call allows.
fn check_length(call: &Call<'_>, links: usize) -> Result<(), Refusal> {
    if links == 0 {
        return Err(Refusal::ko("Invalid parameters: no links #100"));
    }
    if call.service.most_items.is_some_and(|most| links > most) {
        return Err(Refusal::ko("Invalid parameters: too many links #100"));
    }
    Ok(())
}

/// Returns `None` for an item that can't be served, where lists are done in part.
fn or_left_out<T>(call: &Call<'_>, item: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match item {
        Err(Refusal::Ko(..)) if call.service.lists == Lists::Partial => Ok(None),
        item => item.map(Some),
    }
}

#[derive(Deserialize)]
struct Rm {
    files: Vec<RmFile>,
}

#[derive(Deserialize)]
struct RmFile {
    url: String,
    code: Option<String>,
}

pub(super) fn rm(call: &Call<'_>) -> Reply {
    let params: Rm = call.params()?;
    check_length(call, params.files.len())?;
    let mut removed = 0;
    for wanted in &params.files {
        let file = call.any_file(&wanted.url).and_then(|file| {
            let may = file.account == call.account.id || wanted.code.as_ref() == Some(&file.remove_code);
            if may { Ok(file) } else { Err(Refusal::not_allowed()) }
        });
        let Some(file) = or_left_out(call, file)? else { continue };
        call.tx.remove_file(&file)?;
        removed += 1;
    }
    call.reply(&json!({"status": "OK", "removed": removed}))
}

#[derive(Deserialize)]
struct Mv {
    urls: Vec<String>,
    destination_folder_id: Id,
    destination_user: Option<String>,
    rename: Option<String>,
}

/// Returns the new name, which only a list of one link may have.
fn only_rename(rename: Option<String>, links: usize) -> Result<Option<String>, Refusal> {
    let rename = rename.filter(|name| !name.is_empty());
    match (rename, links) {
        (Some(_), 2..) => Err(Refusal::ko("Invalid parameters: rename goes with one link only #100")),
        (rename, _) => Ok(rename.map(|name| stored_name(&name))),
    }
}

pub(super) fn mv(call: &Call<'_>) -> Reply {
    let params: Mv = call.params()?;
    check_length(call, params.urls.len())?;
    let rename = only_rename(params.rename, params.urls.len())?;
    let folder = call.folder(params.destination_folder_id, params.destination_user.as_deref(), true)?;
    let mut urls = Vec::with_capacity(params.urls.len());
    for url in &params.urls {
        let Some(file) = or_left_out(call, call.own_file(url))? else { continue };
        call.tx.move_file(file.id, folder.account, folder.id, rename.as_deref().unwrap_or(&file.name))?;
        urls.push(file.link());
    }
    call.reply(&json!({"status": "OK", "moved": urls.len(), "urls": urls}))
}

#[derive(Deserialize)]
struct Cp {
    urls: Vec<String>,
    folder_id: Option<Id>,
    destination_folder_id: Option<Id>,
    sharing_user: Option<String>,
    pass: Option<String>,
    rename: Option<String>,
}

pub(super) fn cp(call: &Call<'_>) -> Reply {
    let params: Cp = call.params()?;
    check_length(call, params.urls.len())?;
    let rename = only_rename(params.rename, params.urls.len())?;
    let id = params.folder_id.or(params.destination_folder_id).unwrap_or_default();
    let folder = call.folder(id, params.sharing_user.as_deref(), true)?;
    let owner = call.tx.account(folder.account)?.ok_or_else(Refusal::not_found)?;
    let mut used = call.tx.used(owner.id)?;
    let mut urls = Vec::with_capacity(params.urls.len());
    for url in &params.urls {
        let file = call.any_file(url).and_then(|file| {
            if file.account != call.account.id {
                Call::check_password(&file, params.pass.as_deref())?;
                call.check_access(&file)?;
            }
            Ok(file)
        });
        let Some(file) = or_left_out(call, file)? else { continue };
        used = used.saturating_add(file.size);
        if used > owner.quota {
            return Err(Refusal::forbidden("Storage quota exceeded #530"));
        }
        let name = rename.clone().unwrap_or_else(|| file.name.clone());
        let copy =
            call.tx.add_file(&copy_of(&file, folder.account, folder.id, name, call.tx.now_seconds()))?;
        urls.push(json!({"from_url": file.link(), "to_url": copy.link()}));
    }
    call.reply(&json!({"status": "OK", "copied": urls.len(), "urls": urls}))
}

/// Returns a copy of a file. It shares the content, but nothing else that the owner may have set.
pub(super) fn copy_of(file: &FileRow, account: i64, folder: i64, name: String, date: i64) -> NewFile {
    NewFile {
        account,
        folder,
        domain: file.domain,
        name,
        size: file.size,
        date,
        checksum: file.checksum.clone(),
        blob: file.blob.clone(),
        description: String::new(),
        pass: None,
    }
}

#[derive(Deserialize)]
struct Rename {
    urls: Vec<RenameFile>,
}

#[derive(Deserialize)]
struct RenameFile {
    url: String,
    filename: String,
}

pub(super) fn rename(call: &Call<'_>) -> Reply {
    let params: Rename = call.params()?;
    check_length(call, params.urls.len())?;
    let mut urls = Vec::with_capacity(params.urls.len());
    for wanted in &params.urls {
        let Some(file) = or_left_out(call, call.own_file(&wanted.url))? else { continue };
        let name = stored_name(&wanted.filename);
        if name == file.name {
            continue;
        }
        call.tx.move_file(file.id, file.account, file.folder, &name)?;
        urls.push(json!({"url": file.link(), "old_filename": file.name, "new_filename": name}));
    }
    if urls.is_empty() && call.service.lists == Lists::Whole {
        return Err(Refusal::ko("No file has been renamed #312"));
    }
    call.reply(&json!({"status": "OK", "renamed": urls.len(), "urls": urls}))
}

#[derive(Deserialize)]
struct Chattr {
    urls: Vec<String>,
    filename: Option<String>,
    description: Option<String>,
    pass: Option<String>,
    no_ssl: Option<Flag>,
    inline: Option<Flag>,
    cdn: Option<Flag>,
    acl: Option<Value>,
}

pub(super) fn chattr(call: &Call<'_>) -> Reply {
    let params: Chattr = call.params()?;
    check_length(call, params.urls.len())?;
    let rename = only_rename(params.filename, params.urls.len())?;
    let acl = match &params.acl {
        None => None,
        Some(Value::Object(fields)) => {
            // Rules that name nobody let everybody have the file.
            let names_somebody = fields.values().any(|rule| match rule {
                Value::Array(names) => !names.is_empty(),
                Value::Null => false,
                Value::String(text) => !text.is_empty() && text != "0",
                Value::Number(number) => number.as_i64() != Some(0),
                Value::Bool(_) | Value::Object(_) => true,
            });
            Some(names_somebody.then(|| Value::Object(fields.clone()).to_string()))
        }
        Some(_) => return Err(Refusal::ko("Invalid parameters: acl is an object #100")),
    };
    check_new_password(params.pass.as_deref())?;
    let mut urls = Vec::with_capacity(params.urls.len());
    for url in &params.urls {
        let Some(mut file) = or_left_out(call, call.own_file(url))? else { continue };
        if let Some(name) = &rename {
            call.tx.move_file(file.id, file.account, file.folder, name)?;
        }
        if let Some(description) = &params.description {
            file.description.clone_from(description);
        }
        if let Some(pass) = &params.pass {
            file.pass = Some(pass.clone()).filter(|pass| !pass.is_empty());
        }
        if let Some(acl) = &acl {
            file.acl.clone_from(acl);
        }
        file.no_ssl = params.no_ssl.map_or(file.no_ssl, |flag| flag.0);
        file.inline = params.inline.map_or(file.inline, |flag| flag.0);
        file.cdn = params.cdn.map_or(file.cdn, |flag| flag.0);
        call.tx.update_attributes(&file)?;
        urls.push(file.link());
    }
    call.reply(&json!({"status": "OK", "updated": urls.len(), "urls": urls}))
}

/// Larger files aren't scanned (API document, section 5: below 5 GB).
const LARGEST_SCAN: u64 = 5_000_000_000;

#[derive(Deserialize)]
struct Scan {
    url: String,
}

pub(super) fn scan(call: &Call<'_>) -> Reply {
    let params: Scan = call.params()?;
    let file = call.own_file(&params.url)?;
    if file.size >= LARGEST_SCAN {
        return Err(Refusal::ko("File too large to be scanned #640"));
    }
    let date = wire_date(call.tx.now_seconds(), &call.service.zone);
    // As with the harmless file by which scanners are tried, but by its name: contents may be large.
    let infected = file.name.to_lowercase().contains("eicar");
    if infected {
        call.tx.remove_file(&file)?;
    }
    let message = if infected { "Infected: Eicar-Test-Signature" } else { "No threat found" };
    call.reply(&json!({"status": "OK", "message": message, "date": date}))
}
