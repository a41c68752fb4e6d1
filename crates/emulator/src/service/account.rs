//! The account's data (API document, section 9).

use serde_json::json;

use super::call::{Call, Reply};

/// Returns the account's data. Flags and the offer are strings, as rclone reads them.
pub(super) fn info(call: &Call<'_>) -> Reply {
    let account = call.account;
    let used = call.tx.used(account.id)?;
    let over = u8::from(used > account.quota);
    call.reply(&json!({
        "status": "OK",
        "email": account.email,
        "offer": account.offer.to_string(),
        "subscription_end": "2099-12-31 23:59:59",
        "cold_storage": used,
        "available_cold_storage": account.quota,
        "allowed_cold_storage": account.quota,
        "hot_storage": 0,
        "available_storage": account.quota.saturating_sub(used),
        "default_quota": account.quota,
        "default_cold_storage_quota": account.quota,
        "overquota": over,
        "upload_forbidden": "NO",
        "page_limit": 100,
        "default_domain": 0,
        "default_port": "0",
        "use_cdn": "0",
        "cdn": "0",
        "2fa": "0",
        "mail_rm": "0",
        "ftp_mode": "0",
        "ftp_did": null,
        "ftp_report": "0",
        "ru_report": "0",
        "download_menu": "0",
        "stats_date": null,
        "extended_quota": null,
        "extended_quota_end": null,
    }))
}
