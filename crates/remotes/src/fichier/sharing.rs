//! How folders are shared: read from listings, changed as a whole set (API document, section 4: `folder/share`).

use fichier_api::{Endpoint, FolderId, ListFolder, Password, Share, ShareFolder};
use fichier_storage::{RemotePath, Result, ShareRights, SharedWith, Sharing, SharingChange, StorageError};

use super::{
    FichierRemote,
    confirm::says_nothing,
    error::{failed, listing_failed, unconfirmed},
    shared_folders::sharing_in,
};

fn share_of(user: &SharedWith) -> Share {
    let (rw, hide_links) = match user.rights {
        ShareRights::Read => (false, false),
        ShareRights::Write => (true, false),
        ShareRights::HiddenLinks => (false, true),
        ShareRights::WriteHiddenLinks => (true, true),
    };
    Share { email: user.mail.clone(), rw, hide_links }
}

/// Whether two mail addresses are of one account.
fn is_same_mail(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

impl FichierRemote {
    /// How the folder of a path is shared. Of several of one path, the first one that is.
    pub(super) async fn sharing_of(&self, path: &RemotePath) -> Result<Sharing> {
        let mut found = Sharing::default();
        for folder in self.tree.require(path).await? {
            let known = self.tree.sharing(folder);
            let sharing = match known {
                Some(sharing) => sharing,
                None => self.look_how_shared(folder, path).await?,
            };
            if sharing.is_shared() && !found.is_shared() {
                found = sharing;
            }
        }
        Ok(found)
    }

    /// Asks how a folder is shared. It is listed without its files, which has a pause of its own at the service.
    async fn look_how_shared(&self, folder: FolderId, path: &RemotePath) -> Result<Sharing> {
        let client = self.client.because("look how it is shared");
        let listing = client.list_folder(&ListFolder::folders_only(folder)).await;
        let listing = listing.map_err(|error| listing_failed(path, error))?;
        let sharing = sharing_in(&listing);
        self.tree.note_sharing(folder, sharing.clone());
        Ok(sharing)
    }

    /// Changes how a folder is shared; the others that it is shared with keep their rights.
    pub(super) async fn change_sharing(
        &self,
        path: &RemotePath,
        change: &SharingChange,
    ) -> Result<Option<String>> {
        if path.is_root() {
            let (remote, operation) = (self.info.name.clone(), "share its root directory");
            return Err(StorageError::Unsupported { remote, operation });
        }
        // Of an earlier run's word it might become another folder's.
        self.tree.see_if_recalled(path).await?;
        let folders = self.tree.require(path).await?;
        let mut url = None;
        let targets = match change {
            SharingChange::Share { .. } => &folders[..1.min(folders.len())],
            SharingChange::StopWith(_) | SharingChange::Stop => &folders[..],
        };
        for folder in targets {
            url = self.change_sharing_of(*folder, path, change).await?;
        }
        Ok(url)
    }

    async fn change_sharing_of(
        &self,
        folder: FolderId,
        path: &RemotePath,
        change: &SharingChange,
    ) -> Result<Option<String>> {
        // The set is written as a whole, so what is there is read first, and not from an earlier run.
        let before = match self.tree.sharing(folder) {
            Some(sharing) => sharing,
            None => self.look_how_shared(folder, path).await?,
        };
        let after = changed(&before, change);
        let pass = match change {
            SharingChange::Share { password: Some(password), .. } => Some(Password::new(password.expose())),
            _ => None,
        };
        let request = ShareFolder {
            folder,
            share: after.page,
            pass,
            shares: Some(after.users.iter().map(share_of).collect()),
        };
        self.tree.forget_sharing(folder);
        let shared = match self.client.share_folder(&request).await {
            Ok(shared) => shared,
            // Nothing is known of it: it is looked at.
            Err(error) if says_nothing(&error) || error.maybe_done() => {
                let seen = self.look_how_shared(folder, path).await?;
                let same = seen.page == after.page && same_users(&seen, &after);
                // Whether the password is the new one, or whether the address is this one, no listing tells.
                if !same || after.page {
                    return Err(failed("share directory", path, error));
                }
                return Ok(None);
            }
            Err(error) => return Err(failed("share directory", path, error)),
        };
        self.tree.note_sharing(folder, after.clone());
        match shared.url.filter(|url| !url.is_empty()) {
            Some(url) if after.page => Ok(Some(url)),
            Some(_) => {
                let what = "the service still tells an address of its page";
                Err(unconfirmed(self.client.remote(), "stop sharing directory", path, what))
            }
            None if after.page => {
                let what = format!("the answer of {} tells no address", Endpoint::FolderShare);
                Err(unconfirmed(self.client.remote(), "share directory", path, what))
            }
            None => Ok(None),
        }
    }
}

/// How a folder is shared after a change.
fn changed(before: &Sharing, change: &SharingChange) -> Sharing {
    let mut after = before.clone();
    match change {
        SharingChange::Share { password, with } => {
            after.page = true;
            if let Some(password) = password {
                after.password = !password.is_empty();
            }
            for user in with {
                match after.users.iter_mut().find(|known| is_same_mail(&known.mail, &user.mail)) {
                    Some(known) => known.rights = user.rights,
                    None => after.users.push(user.clone()),
                }
            }
        }
        SharingChange::StopWith(mails) => {
            after.users.retain(|user| !mails.iter().any(|mail| is_same_mail(mail, &user.mail)));
        }
        SharingChange::Stop => after = Sharing::default(),
    }
    after
}

fn same_users(one: &Sharing, other: &Sharing) -> bool {
    one.users.len() == other.users.len()
        && one.users.iter().all(|user| {
            other
                .users
                .iter()
                .any(|known| is_same_mail(&known.mail, &user.mail) && known.rights == user.rights)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_named_keeps_his_rights() {
        let user = |mail: &str, rights| SharedWith { mail: mail.to_owned(), rights };
        let before = Sharing {
            page: true,
            password: true,
            users: vec![user("a@x", ShareRights::Read), user("b@x", ShareRights::Write)],
        };
        let with = vec![user("B@x", ShareRights::HiddenLinks), user("c@x", ShareRights::Read)];
        let after = changed(&before, &SharingChange::Share { password: None, with });
        assert!(after.page && after.password);
        assert_eq!(
            after.users,
            [
                user("a@x", ShareRights::Read),
                user("b@x", ShareRights::HiddenLinks),
                user("c@x", ShareRights::Read)
            ]
        );
        let without = changed(&after, &SharingChange::StopWith(vec!["a@X".into()]));
        assert_eq!(without.users.len(), 2);
        assert!(!changed(&after, &SharingChange::Stop).is_shared());
    }
}
