//! An API call being served: its account, its parameters, and the folders and files that it names.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Origin, Service};
use crate::answer::Refusal;
use crate::state::{AccountRow, FileRow, FolderRow, Tx};

/// A call that passed authentication and limits.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) tx: &'a Tx<'a>,
    pub(crate) account: &'a AccountRow,
    pub(crate) body: &'a Value,
    pub(crate) origin: &'a Origin,
    pub(crate) host: &'a str,
    pub(crate) ip: &'a str,
}

/// Result of a call: JSON, ready to send.
pub(crate) type Reply = Result<Vec<u8>, Refusal>;

/// Id of a folder: a number, or a string of digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) i64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
        .map(Self)
        .ok_or_else(|| D::Error::custom("not an id"))
    }
}

/// A flag: 0 or 1, or either as a string (API document, section 1). `true` isn't one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (value.as_i64(), value.as_str()) {
            (Some(0), _) | (_, Some("0")) => Ok(Self(false)),
            (Some(1), _) | (_, Some("1")) => Ok(Self(true)),
            _ => Err(D::Error::custom("neither 0 nor 1")),
        }
    }
}

impl<'a> Call<'a> {
    /// Returns the call's parameters. Unknown ones are ignored.
    pub(crate) fn params<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        T::deserialize(self.body).map_err(|error| Refusal::ko(format!("Invalid parameters: {error} #100")))
    }

    pub(crate) fn reply(&self, value: &impl Serialize) -> Reply {
        let written =
            if is_pretty(self.body) { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
        written.map_err(|error| Refusal::Broken(error.to_string()))
    }

    /// Returns a folder of the account itself.
    pub(crate) fn own_folder(&self, id: Id) -> Result<FolderRow, Refusal> {
        self.tx.folder(self.account.id, id.0)?.ok_or_else(Refusal::not_found)
    }

    /// Returns a folder of the account, or of `sharing_user` if that account shares it with this one.
    pub(crate) fn folder(
        &self,
        id: Id,
        sharing_user: Option<&str>,
        write: bool,
    ) -> Result<FolderRow, Refusal> {
        let Some(email) = sharing_user.filter(|email| !email.is_empty()) else { return self.own_folder(id) };
        let owner = self.tx.account_by_email(email)?.ok_or_else(Refusal::not_found)?;
        let folder = self.tx.folder(owner.id, id.0)?.ok_or_else(Refusal::not_found)?;
        let mut current = folder.clone();
        while current.id != 0 {
            if shares_with(&current, &self.account.email, write) {
                return Ok(folder);
            }
            let Some(parent) = self.tx.folder(owner.id, current.parent)? else { break };
            current = parent;
        }
        Err(Refusal::not_allowed())
    }

    /// Returns a folder to be listed: that of [`Call::folder`], or the root of an account that shares some.
    pub(crate) fn listed_folder(&self, id: Id, sharing_user: Option<&str>) -> Result<FolderRow, Refusal> {
        match sharing_user.filter(|email| !email.is_empty() && id.0 == 0) {
            Some(email) => {
                let owner = self.tx.account_by_email(email)?.ok_or_else(Refusal::not_found)?;
                Ok(self.tx.folder(owner.id, 0)?.ok_or_else(Refusal::not_found)?)
            }
            None => self.folder(id, sharing_user, false),
        }
    }

    /// Returns what of the folder the account may see; `None` for a folder of its own.
    pub(crate) fn shared_part(&self, folder: &FolderRow) -> Result<Option<SharedPart>, Refusal> {
        if folder.account == self.account.id {
            return Ok(None);
        }
        let owner = self.tx.account(folder.account)?.ok_or_else(Refusal::not_found)?;
        let mut part = SharedPart { user: owner.email, rw: false, hide_links: true };
        let mut current = folder.clone();
        while current.id != 0 {
            if let Some((rw, hide_links)) = share_with(&current, &self.account.email) {
                part.rw |= rw;
                part.hide_links &= hide_links;
            }
            let Some(parent) = self.tx.folder(folder.account, current.parent)? else { break };
            current = parent;
        }
        Ok(Some(part))
    }

    /// Returns the folders that an account shares with this one, which its root shows.
    pub(crate) fn shared_roots(&self, owner: i64) -> Result<Vec<FolderRow>, Refusal> {
        let mut folders = self.tx.all_folders(owner)?;
        folders.retain(|folder| shares_with(folder, &self.account.email, false));
        Ok(folders)
    }

    /// Returns a file of any account, by link.
    pub(crate) fn any_file(&self, url: &str) -> Result<FileRow, Refusal> {
        self.tx.file_by_link(url)?.ok_or_else(Refusal::not_found)
    }

    /// Returns a file of the account, by link.
    pub(crate) fn own_file(&self, url: &str) -> Result<FileRow, Refusal> {
        let file = self.any_file(url)?;
        if file.account == self.account.id { Ok(file) } else { Err(Refusal::not_allowed()) }
    }

    /// Returns a file by link, or by folder and name.
    pub(crate) fn file(&self, which: &Which) -> Result<FileRow, Refusal> {
        if let Some(url) = &which.url {
            return self.any_file(url);
        }
        let name = which
            .filename
            .as_deref()
            .ok_or_else(|| Refusal::ko("Invalid parameters: neither url nor filename #100"))?;
        let folder =
            self.folder(which.folder_id.unwrap_or_default(), which.sharing_user.as_deref(), false)?;
        self.tx.file_named(folder.account, folder.id, name)?.ok_or_else(Refusal::not_found)
    }

    /// Checks whether the file's access rules let this account have it, from this address. Its owner may always.
    pub(crate) fn check_access(&self, file: &FileRow) -> Result<(), Refusal> {
        let Some(acl) = file.acl.as_deref().filter(|_| file.account != self.account.id) else {
            return Ok(());
        };
        let rules: Value = serde_json::from_str(acl).unwrap_or_default();
        let names = |rule: &str| -> Vec<&str> {
            rules[rule].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (addresses, countries, mails) = (names("ip"), names("country"), names("email"));
        let lets = |list: &[&str], own: &str| list.is_empty() || list.contains(&own);
        // Who may use the API is a customer, so `premium` lets everybody pass here. In no country is this machine.
        if lets(&addresses, self.ip) && countries.is_empty() && lets(&mails, &self.account.email) {
            Ok(())
        } else {
            Err(Refusal::not_allowed())
        }
    }

    /// Checks whether the password is right for the file.
    pub(crate) fn check_password(file: &FileRow, given: Option<&str>) -> Result<(), Refusal> {
        match (file.pass.as_deref(), given.filter(|given| !given.is_empty())) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Refusal::forbidden("Password not provided. Resource not allowed #631")),
            (Some(pass), Some(given)) if pass == given => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::forbidden("Invalid password. Resource not allowed #631")),
        }
    }
}

/// A file by link, or by folder and name.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    pub(crate) url: Option<String>,
    pub(crate) folder_id: Option<Id>,
    pub(crate) filename: Option<String>,
    pub(crate) sharing_user: Option<String>,
    pub(crate) pass: Option<String>,
}

/// The least length of a password, in characters (API document, section 2).
const SHORTEST_PASSWORD: usize = 6;

/// Refuses a new password that is too short. An empty one takes the password away.
pub(crate) fn check_new_password(pass: Option<&str>) -> Result<(), Refusal> {
    match pass {
        Some(pass) if !pass.is_empty() && pass.chars().count() < SHORTEST_PASSWORD => {
            Err(Refusal::ko("Invalid parameters: the password is too short #100"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn is_pretty(body: &Value) -> bool {
    body.get("pretty").is_some_and(|pretty| pretty.as_i64() == Some(1) || pretty.as_str() == Some("1"))
}

/// What an account may do in a folder that another one shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedPart {
    /// Mail address of the owner.
    pub(crate) user: String,
    pub(crate) rw: bool,
    pub(crate) hide_links: bool,
}

/// The rights that a folder's own list gives an account: to write, and not to see links.
fn share_with(folder: &FolderRow, email: &str) -> Option<(bool, bool)> {
    let shares: Vec<Value> = serde_json::from_str(&folder.shares).unwrap_or_default();
    let share = shares.iter().find(|share| share.get("email").and_then(Value::as_str) == Some(email))?;
    let is_set = |name: &str| {
        share.get(name).is_some_and(|flag| flag.as_i64() == Some(1) || flag.as_str() == Some("1"))
    };
    Some((is_set("rw"), is_set("hide_links")))
}

fn shares_with(folder: &FolderRow, email: &str, write: bool) -> bool {
    share_with(folder, email).is_some_and(|(rw, _)| rw || !write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_flags_are_read_as_the_service_reads_them() {
        let id = |text: &str| serde_json::from_str::<Id>(text).ok().map(|id| id.0);
        assert_eq!(
            (id("12"), id("\"12\""), id("-1"), id("true"), id("\"x\"")),
            (Some(12), Some(12), Some(-1), None, None)
        );
        let flag = |text: &str| serde_json::from_str::<Flag>(text).ok().map(|flag| flag.0);
        assert_eq!(
            (flag("1"), flag("\"0\""), flag("true"), flag("2")),
            (Some(true), Some(false), None, None)
        );
    }
}
