//! Folders: making, moving, removing, sharing (API document, section 4).

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Flag, Id, Reply, check_new_password};
use crate::answer::Refusal;
use crate::builder::{FolderRename, MkdirExisting};
use crate::links;
use crate::names::stored_name;

#[derive(Deserialize)]
struct Mkdir {
    name: String,
    #[serde(default)]
    folder_id: Id,
    sharing_user: Option<String>,
}

fn exists() -> Refusal {
    Refusal::ko("Folder already exists #520")
}

/// The longest name of a folder, in characters (API document, section 2).
const LONGEST_NAME: usize = 250;

fn check_length(name: &str) -> Result<(), Refusal> {
    if name.chars().count() > LONGEST_NAME {
        return Err(Refusal::ko("Invalid parameters: the name is too long #100"));
    }
    Ok(())
}

pub(super) fn mkdir(call: &Call<'_>) -> Reply {
    let params: Mkdir = call.params()?;
    if params.name.trim_matches(' ').is_empty() {
        return Err(Refusal::ko("Invalid parameters: a folder needs a name #100"));
    }
    let parent = call.folder(params.folder_id, params.sharing_user.as_deref(), true)?;
    let name = stored_name(&params.name);
    check_length(&name)?;
    let existing = call.tx.folder_named(parent.account, parent.id, &name)?;
    let id = match (existing, call.service.mkdir_existing) {
        (Some(_), MkdirExisting::Refuse) => return Err(exists()),
        (Some(folder), MkdirExisting::Same) => folder.id,
        _ => call.tx.make_folder(parent.account, parent.id, &name)?,
    };
    call.reply(
        &json!({"status": "OK", "folder_id": id, "name": name, "message": "Folder successfully created"}),
    )
}

#[derive(Deserialize)]
struct Mv {
    folder_id: Id,
    /// The root if missing: rclone leaves it out for the root.
    #[serde(default)]
    destination_folder_id: Id,
    destination_user: Option<String>,
    rename: Option<String>,
}

pub(super) fn mv(call: &Call<'_>) -> Reply {
    let params: Mv = call.params()?;
    let folder = call.own_folder(params.folder_id)?;
    if folder.id == 0 {
        return Err(Refusal::ko("The root can't be moved #521"));
    }
    let rename = params.rename.filter(|name| !name.trim_matches(' ').is_empty());
    let target = match (&rename, call.service.folder_rename) {
        (Some(_), FolderRename::Stays) => call.own_folder(Id(folder.parent))?,
        _ => call.folder(params.destination_folder_id, params.destination_user.as_deref(), true)?,
    };
    if target.account == folder.account && call.tx.is_within(folder.account, target.id, folder.id)? {
        return Err(Refusal::ko("A folder can't be moved into itself #522"));
    }
    let name = rename.as_deref().map_or_else(|| folder.name.clone(), stored_name);
    check_length(&name)?;
    let stays = target.account == folder.account && target.id == folder.parent;
    // A folder of the same name at the destination is treated as in `folder/mkdir`, except that nothing is merged.
    let namesake = call.tx.folder_named(target.account, target.id, &name)?;
    if namesake.is_some_and(|other| other.id != folder.id)
        && call.service.mkdir_existing != MkdirExisting::Duplicate
    {
        return Err(exists());
    }
    // To move and rename in one call can overwrite a folder of that name in the source folder. It does so here, so
    // that tests find a client that does this.
    if rename.is_some()
        && !stays
        && let Some(victim) = call.tx.folder_named(folder.account, folder.parent, &name)?
        && victim.id != folder.id
    {
        let holds_target =
            target.account == victim.account && call.tx.is_within(victim.account, target.id, victim.id)?;
        if !holds_target {
            call.tx.remove_folder_tree(victim.account, victim.id)?;
        }
    }
    call.tx.move_folder(folder.id, target.account, target.id, &name)?;
    if target.account != folder.account {
        call.tx.give_away(folder.id, folder.account, target.account)?;
    }
    call.reply(&json!({
        "status": "OK", "message": "Folder successfully moved", "old_name": folder.name, "new_name": name,
    }))
}

#[derive(Deserialize)]
struct Rm {
    folder_id: Id,
}

pub(super) fn rm(call: &Call<'_>) -> Reply {
    let params: Rm = call.params()?;
    let folder = call.own_folder(params.folder_id)?;
    if folder.id == 0 {
        return Err(Refusal::ko("The root can't be removed #523"));
    }
    if !call.tx.is_folder_empty(folder.account, folder.id)? {
        return Err(Refusal::ko("Folder is not empty #524"));
    }
    call.tx.remove_folder(folder.id)?;
    call.reply(&json!({"status": "OK", "message": "Folder successfully removed"}))
}

/// Returns the address of a shared folder's page.
pub(super) fn shared_address(share: &str) -> String {
    format!("https://1fichier.com/dir/{share}")
}

#[derive(Deserialize)]
struct Share {
    folder_id: Id,
    /// Missing: as it is.
    share: Option<Flag>,
    pass: Option<String>,
    shares: Option<Value>,
}

pub(super) fn share(call: &Call<'_>) -> Reply {
    let params: Share = call.params()?;
    let folder = call.own_folder(params.folder_id)?;
    if folder.id == 0 {
        return Err(Refusal::ko("The root can't be shared #525"));
    }
    let shares = match params.shares {
        None => folder.shares,
        Some(shares @ Value::Array(_)) => shares.to_string(),
        Some(_) => return Err(Refusal::ko("Invalid parameters: shares is a list #100")),
    };
    // A folder that is shared again keeps its URL.
    let share = match params.share {
        Some(Flag(true)) => folder.share.or_else(|| Some(links::random_code(8))),
        Some(Flag(false)) => None,
        None => folder.share,
    };
    check_new_password(params.pass.as_deref())?;
    let pass = match params.pass {
        Some(pass) => Some(pass).filter(|pass| !pass.is_empty()),
        None => folder.pass,
    };
    let pass = if share.is_some() { pass } else { None };
    call.tx.share_folder(folder.id, share.as_deref(), pass.as_deref(), &shares)?;
    let mut answer = json!({"status": "OK", "message": "Folder sharing updated"});
    if let Some(share) = share {
        answer["url"] = Value::String(shared_address(&share));
    }
    call.reply(&answer)
}
