//! The account's data (API document, section 9).

use serde_json::{Value, json};

use super::call::{Call, Reply};
use crate::answer::Refusal;

/// What the owner of an account may set, each with the largest value that it takes.
const SETTINGS: [(&str, u64); 9] = [
    ("use_cdn", 1),
    ("default_domain", 10),
    ("default_port", 65_535),
    ("page_limit", 1000),
    ("download_menu", 1),
    ("mail_rm", 1),
    ("ru_report", 1),
    ("ftp_report", 1),
    ("ftp_mode", 9),
];

/// Sets what the call names.
fn set(call: &Call<'_>) -> Result<(), Refusal> {
    for (name, largest) in SETTINGS {
        let Some(value) = call.body.get(name) else { continue };
        let number = match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        let Some(number) = number.filter(|number| *number <= largest) else {
            return Err(Refusal::ko(format!("Invalid parameters: {name} #100")));
        };
        call.tx.put_setting(call.account.id, name, &number.to_string())?;
    }
    Ok(())
}

/// Returns the account's data, after setting what the call names. Flags and the offer are strings, as rclone reads them.
pub(super) fn info(call: &Call<'_>) -> Reply {
    set(call)?;
    let account = call.account;
    let used = call.tx.used(account.id)?;
    let over = u8::from(used > account.quota);
    let mut answer = json!({
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
    });
    for (name, value) in call.tx.settings(account.id)? {
        answer[name] = Value::String(value);
    }
    call.reply(&answer)
}
