//! The account: its usage, and public links.

use fichier_api::{ErrorKind, ShareFolder, UserInfo, shown};
use fichier_storage::{AccountInfo, Entry, LinkRequest, RemotePath, Result, StorageError, Usage};

use super::{FichierRemote, error::failed, link_of};

fn usage_of(info: &UserInfo) -> Usage {
    let used = info.cold_storage;
    // Where the service states the subscription's storage, `available` may be what is left of it (API document, section
    // 9).
    let total = info.allowed_cold_storage.filter(|allowed| *allowed > 0).or(info.available_cold_storage);
    let free = total.zip(used).map(|(total, used)| total.saturating_sub(used));
    Usage { total, used, free, files: None }
}

impl FichierRemote {
    /// Returns the account's usage. Used is what is in cold storage, total is the limit there (API document, section
    /// 9).
    pub(super) async fn account_usage(&self) -> Result<Usage> {
        Ok(usage_of(&self.user_info("tell the usage").await?))
    }

    /// Returns the account's owner, offer and usage.
    pub(super) async fn account_info(&self) -> Result<AccountInfo> {
        let info = self.user_info("tell the account").await?;
        // API document, section 9: 0 is free, from 1 on there is a subscription.
        let offer = info.offer.map(|offer| if offer == 0 { "Free" } else { "Premium or Access" });
        Ok(AccountInfo {
            usage: usage_of(&info),
            offer: offer.map(str::to_owned),
            valid_until: info.subscription_end.map(|date| shown(&date.to_string())),
            mail: info.email.map(|mail| shown(&mail)),
        })
    }

    async fn user_info(&self, action: &'static str) -> Result<UserInfo> {
        let account = self.client.account().await;
        self.tree.remember();
        Ok(account.map_err(|error| failed(action, &RemotePath::root(), error))?.info)
    }

    /// Returns the link of an entry. A file's link is public by nature; a folder's page is made and removed.
    pub(super) async fn public_link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        let unsupported = |operation| StorageError::Unsupported { remote: self.info.name.clone(), operation };
        if request.expire.is_some() {
            return Err(unsupported("make links that expire"));
        }
        match entry {
            Entry::File(_) if request.unlink => Err(unsupported("take back the link of a file")),
            Entry::File(file) => Ok(link_of(file)?.to_string()),
            Entry::Folder(folder) => {
                // If the folder is known only from an earlier run, the page might become another folder's.
                self.tree.see_if_recalled(&folder.path).await?;
                let Some(id) = self.tree.require(&folder.path).await?.first().copied() else {
                    return Err(StorageError::FolderNotFound(folder.path.clone()));
                };
                let share =
                    ShareFolder { folder: id, share: !request.unlink, pass: None, shares: Vec::new() };
                let told = |error| failed("share directory", &folder.path, error);
                let shared = self.client.share_folder(&share).await.map_err(told)?;
                match shared.url {
                    Some(url) => Ok(url),
                    None if request.unlink => Ok(String::new()),
                    None => Err(StorageError::Service {
                        action: format!("share directory {:?}", self.info.shown(&folder.path)),
                        retry: fichier_storage::Retry::Useless,
                        blame: fichier_storage::Blame::Service,
                        hint: None,
                        source: Box::new(ErrorKind::Invalid("the service gave no address".into())),
                    }),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storage_of_the_subscription_is_the_total() {
        let mut info = UserInfo::default();
        info.cold_storage = Some(30);
        info.available_cold_storage = Some(70);
        let usage = usage_of(&info);
        assert_eq!((usage.total, usage.free), (Some(70), Some(40)));
        info.allowed_cold_storage = Some(100);
        let usage = usage_of(&info);
        assert_eq!((usage.total, usage.free), (Some(100), Some(70)));
    }
}
