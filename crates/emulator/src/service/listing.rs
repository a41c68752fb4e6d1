//! The two listings: `folder/ls` and `file/ls` (API document, sections 4 and 5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{Call, Flag, Id, Reply};
use super::folders::shared_address;
use crate::answer::Refusal;
use crate::clock::{parse_wire_date, wire_date};
use crate::readings::Windows;
use crate::state::{FileRow, Window};

/// A file as listings describe it.
#[derive(Serialize)]
pub(super) struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    filename: String,
    size: u64,
    date: String,
    checksum: String,
    #[serde(rename = "content-type")]
    content_type: String,
    pass: u8,
    acl: u8,
    cdn: u8,
}

impl Item {
    pub(super) fn of(call: &Call<'_>, file: FileRow) -> Self {
        let kind = mime_guess::from_path(&file.name).first_or_octet_stream();
        Self {
            url: Some(file.link()),
            size: file.size,
            date: wire_date(file.date, &call.service.zone),
            content_type: kind.to_string(),
            pass: u8::from(file.pass.is_some()),
            acl: u8::from(file.acl.is_some()),
            cdn: u8::from(file.cdn),
            filename: file.name,
            checksum: file.checksum,
        }
    }
}

impl Item {
    /// Leaves the link out, where the owner of the folder hides links.
    fn without_link(self) -> Self {
        Self { url: None, ..self }
    }
}

#[derive(Serialize)]
struct SubFolder {
    id: i64,
    name: String,
    create_date: String,
    pass: u8,
}

#[derive(Serialize)]
struct FolderListing {
    status: &'static str,
    folder_id: i64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    pass: u8,
    /// Address of its page, if it has one.
    shared: String,
    shares: Value,
    /// Whose folder it is, and what may be done there: of another account's alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rw: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hide_links: Option<u8>,
    /// Null for the root, as recorded; the document allows it everywhere.
    size: Option<u64>,
    files: u64,
    sub_folders: Vec<SubFolder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct FolderLs {
    #[serde(default)]
    folder_id: Id,
    #[serde(default)]
    files: Flag,
    sharing_user: Option<String>,
}

pub(super) fn folder_ls(call: &Call<'_>) -> Reply {
    let params: FolderLs = call.params()?;
    let folder = call.listed_folder(params.folder_id, params.sharing_user.as_deref())?;
    let (account, id) = (folder.account, folder.id);
    let part = call.shared_part(&folder)?;
    // Another account's root shows what it shares, and nothing else.
    let is_foreign_root = part.is_some() && id == 0;
    let sub_folders =
        if is_foreign_root { call.shared_roots(account)? } else { call.tx.listed_folders(account, id)? };
    let sub_folders = sub_folders.into_iter().map(|folder| SubFolder {
        id: folder.id,
        create_date: wire_date(folder.created, &call.service.zone),
        pass: u8::from(folder.pass.is_some()),
        name: folder.name,
    });
    let items = if params.files.0 {
        let window = Window { cap: call.service.listing_cap, ..Window::default() };
        let files =
            if is_foreign_root { Vec::new() } else { call.tx.listed_files(account, Some(id), window)? };
        let hides = part.as_ref().is_some_and(|part| part.hide_links);
        let item = |file| if hides { Item::of(call, file).without_link() } else { Item::of(call, file) };
        Some(files.into_iter().map(item).collect())
    } else {
        None
    };
    call.reply(&FolderListing {
        status: "OK",
        folder_id: id,
        create_date: (id != 0).then(|| wire_date(folder.created, &call.service.zone)),
        pass: u8::from(folder.pass.is_some()),
        shared: folder.share.as_deref().map(shared_address).unwrap_or_default(),
        // Whom else it is shared with is the owner's business.
        shares: match &part {
            Some(_) => Value::Array(Vec::new()),
            None => serde_json::from_str(&folder.shares).unwrap_or_default(),
        },
        user: part.as_ref().map(|part| part.user.clone()),
        rw: part.as_ref().map(|part| u8::from(part.rw)),
        hide_links: part.as_ref().map(|part| u8::from(part.hide_links)),
        size: None,
        files: if is_foreign_root { 0 } else { call.tx.listed_count(account, id)? },
        name: folder.name,
        sub_folders: sub_folders.collect(),
        items,
    })
}

#[derive(Serialize)]
struct FileListing {
    status: &'static str,
    count: usize,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct FileLs {
    #[serde(default)]
    folder_id: Id,
    sharing_user: Option<String>,
    sent_before: Option<String>,
    sent_after: Option<String>,
}

/// Lists files. Whether `sent_before` and `sent_after` exclude files that were sent in that very second isn't documented;
/// a client that asks for a range of dates must expect either: [`Windows`].
pub(super) fn file_ls(call: &Call<'_>) -> Reply {
    let params: FileLs = call.params()?;
    let date = |text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => match parse_wire_date(text, &call.service.zone) {
            Some(date) => Ok(Some(date)),
            None => Err(Refusal::ko("Invalid parameters: dates are YYYY-MM-DD HH:MM:SS #100")),
        },
        None => Ok(None),
    };
    let (before, after) = match (date(&params.sent_before)?, date(&params.sent_after)?, call.service.windows)
    {
        (before, after, Windows::Exclusive) => (before, after),
        (before, after, Windows::Inclusive) => (before.map(|date| date + 1), after.map(|date| date - 1)),
        (.., Windows::Ignored) => (None, None),
    };
    let mut hides = false;
    let window = Window { before, after, cap: call.service.listing_cap };
    let files = if params.folder_id.0 == -1 {
        call.tx.listed_files(call.account.id, None, window)?
    } else {
        let folder = call.listed_folder(params.folder_id, params.sharing_user.as_deref())?;
        let part = call.shared_part(&folder)?;
        hides = part.as_ref().is_some_and(|part| part.hide_links);
        match part {
            Some(_) if folder.id == 0 => Vec::new(),
            _ => call.tx.listed_files(folder.account, Some(folder.id), window)?,
        }
    };
    let item = |file| if hides { Item::of(call, file).without_link() } else { Item::of(call, file) };
    let items: Vec<Item> = files.into_iter().map(item).collect();
    call.reply(&FileListing { status: "OK", count: items.len(), items })
}
