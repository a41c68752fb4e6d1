//! The account: its usage and settings, and public links.

use std::time::SystemTime;

use fichier_api::{
    AccountSnapshot, ErrorKind, SetAccount, ShareFolder, UserInfo, WireDate, french_time, shown,
};
use fichier_storage::{
    AccountChange, AccountDetails, AccountInfo, Entry, LinkRequest, RemotePath, Result, StorageError, Usage,
};

use super::{
    FichierRemote,
    error::{failed, unconfirmed},
    link_of,
};

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
        Ok(AccountInfo { offer: offer.map(str::to_owned), ..info_of(&info) })
    }

    /// All that the service tells of the account.
    pub(super) async fn details_of_account(&self) -> Result<AccountDetails> {
        let told = self.account_snapshot("tell the account").await?;
        Ok(AccountDetails { told_at: Some(told.at), ..details_of(&told.info) })
    }

    /// What it told last.
    pub(super) fn details_known(&self) -> Option<AccountDetails> {
        let told = self.client.known_account()?;
        Some(AccountDetails { told_at: Some(told.at), ..details_of(&told.info) })
    }

    /// Sets what the account's owner may set.
    pub(super) async fn change_account(&self, change: &AccountChange) -> Result<()> {
        let request = SetAccount {
            use_cdn: change.use_cdn,
            default_domain: change.default_domain,
            default_port: change.default_port,
            page_limit: change.page_limit,
            download_menu: change.download_menu,
            mail_rm: change.mail_removals,
            ru_report: change.mail_fetches,
            ftp_report: change.mail_ftp,
        };
        let action = "set the account's settings";
        let told = self.client.set_account(&request).await;
        self.tree.remember();
        let told = told.map_err(|error| failed(action, &RemotePath::root(), error))?;
        if !is_set(change, &told.info) {
            let what = "the answer doesn't say that they are set";
            return Err(unconfirmed(self.client.remote(), action, &RemotePath::root(), what));
        }
        Ok(())
    }

    async fn user_info(&self, action: &'static str) -> Result<UserInfo> {
        Ok(self.account_snapshot(action).await?.info)
    }

    async fn account_snapshot(&self, action: &'static str) -> Result<AccountSnapshot> {
        let account = self.client.account().await;
        self.tree.remember();
        account.map_err(|error| failed(action, &RemotePath::root(), error))
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
                let share = ShareFolder { folder: id, share: !request.unlink, pass: None, shares: None };
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

/// What both forms tell; the offer in the words of section 9 of the API document.
fn info_of(info: &UserInfo) -> AccountInfo {
    let offer = info.offer.map(|offer| match offer {
        0 => "Free".to_owned(),
        1 => "Premium".to_owned(),
        2 => "Access".to_owned(),
        3 => "Premium GOLD".to_owned(),
        other => format!("offer {other}"),
    });
    AccountInfo {
        usage: usage_of(info),
        offer,
        valid_until: info.subscription_end.as_ref().map(|date| shown(&date.to_string())),
        mail: info.email.as_deref().map(shown),
    }
}

/// How many seconds are left until a date of the service; below 0 when it is past.
fn seconds_until(date: &WireDate) -> Option<i64> {
    let until = date.as_utc()?;
    let now = french_time::shown(SystemTime::now());
    Some(match until.duration_since(now) {
        Ok(left) => i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        Err(past) => i64::try_from(past.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    })
}

fn details_of(info: &UserInfo) -> AccountDetails {
    let text = |date: &Option<WireDate>| date.as_ref().map(|date| shown(&date.to_string()));
    // An answer that doesn't tell the mail address doesn't tell switches either.
    let told = |switch: bool| info.email.is_some().then_some(switch);
    AccountDetails {
        told_at: None,
        info: info_of(info),
        ends_in: info.subscription_end.as_ref().and_then(seconds_until),
        cold: info.cold_storage,
        cold_allowed: info.allowed_cold_storage.or(info.available_cold_storage),
        hot: info.hot_storage,
        available: info.available_storage,
        quota: info.default_quota,
        extended_quota: info.extended_quota,
        extended_until: text(&info.extended_quota_end),
        over_quota: info.overquota,
        uploads_forbidden: info.upload_forbidden,
        cdn_credit: info.cdn,
        second_factor: info.second_factor,
        counted_at: text(&info.stats_date),
        settings: AccountChange {
            use_cdn: told(info.use_cdn),
            default_domain: info.default_domain,
            default_port: info.default_port,
            page_limit: info.page_limit,
            download_menu: told(info.download_menu),
            mail_removals: told(info.mail_rm),
            mail_fetches: told(info.ru_report),
            mail_ftp: told(info.ftp_report),
        },
    }
}

/// Whether the account's state has all that a change names.
fn is_set(change: &AccountChange, info: &UserInfo) -> bool {
    fn same<T: PartialEq + Copy>(asked: Option<T>, seen: Option<T>) -> bool {
        asked.is_none() || asked == seen
    }
    let seen = details_of(info).settings;
    same(change.use_cdn, seen.use_cdn)
        && same(change.default_domain, seen.default_domain)
        && same(change.default_port, seen.default_port)
        && same(change.page_limit, seen.page_limit)
        && same(change.download_menu, seen.download_menu)
        && same(change.mail_removals, seen.mail_removals)
        && same(change.mail_fetches, seen.mail_fetches)
        && same(change.mail_ftp, seen.mail_ftp)
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
