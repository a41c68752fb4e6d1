//! State of the account (API document, section 9).

use serde::{Deserialize, Serialize};

use super::tolerant;
use crate::date::WireDate;

/// The state of an account. Sizes are in bytes; `None` where the service doesn't say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UserInfo {
    /// Mail address of the user.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub email: Option<String>,
    /// Number of the offer: 0 is free, 1 and above is a subscription.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub offer: Option<u64>,
    /// End of the subscription.
    #[serde(deserialize_with = "tolerant::date")]
    pub subscription_end: Option<WireDate>,
    /// Used cold storage.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub cold_storage: Option<u64>,
    /// Cold storage that may be used in all.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub available_cold_storage: Option<u64>,
    /// Cold storage of the subscription.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub allowed_cold_storage: Option<u64>,
    /// Used hot storage.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub hot_storage: Option<u64>,
    /// Storage that may be used in all.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub available_storage: Option<u64>,
    /// Default quota.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub default_quota: Option<u64>,
    /// Default quota of cold storage.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub default_cold_storage_quota: Option<u64>,
    /// Whether the quota is exceeded.
    #[serde(deserialize_with = "tolerant::flag")]
    pub overquota: bool,
    /// Whether uploads are refused.
    #[serde(deserialize_with = "tolerant::flag")]
    pub upload_forbidden: bool,
    /// Entries on a page of the site.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub page_limit: Option<u64>,
    /// Number of the domain of new links.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub default_domain: Option<u64>,
    /// Default port of downloads.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub default_port: Option<u64>,
    /// Whether downloads go through the CDN.
    #[serde(deserialize_with = "tolerant::flag")]
    pub use_cdn: bool,
    /// CDN credit in GB.
    #[serde(deserialize_with = "tolerant::opt_decimal")]
    pub cdn: Option<f64>,
    /// Whether a second factor is required.
    #[serde(rename = "2fa", deserialize_with = "tolerant::flag")]
    pub second_factor: bool,
    /// Whether a mail is sent when files are removed.
    #[serde(deserialize_with = "tolerant::flag")]
    pub mail_rm: bool,
    /// Treatment of files by FTP.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub ftp_mode: Option<String>,
    /// Folder for FTP.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub ftp_did: Option<String>,
    /// Whether FTP reports by mail.
    #[serde(deserialize_with = "tolerant::flag")]
    pub ftp_report: bool,
    /// Whether remote uploads report by mail.
    #[serde(deserialize_with = "tolerant::flag")]
    pub ru_report: bool,
    /// Whether a menu comes before a download.
    #[serde(deserialize_with = "tolerant::flag")]
    pub download_menu: bool,
    /// Time when the numbers were counted.
    #[serde(deserialize_with = "tolerant::date")]
    pub stats_date: Option<WireDate>,
    /// Bought quota, in TB.
    #[serde(deserialize_with = "tolerant::opt_decimal")]
    pub extended_quota: Option<f64>,
    /// End of the bought quota.
    #[serde(deserialize_with = "tolerant::date")]
    pub extended_quota_end: Option<WireDate>,
}

/// Request to set what the account's owner may set. `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SetAccount {
    /// Whether downloads go through the CDN.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub use_cdn: Option<bool>,
    /// Number of the domain of new links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_domain: Option<u64>,
    /// Default port of downloads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_port: Option<u64>,
    /// Entries on a page of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_limit: Option<u64>,
    /// Whether a menu comes before a download.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub download_menu: Option<bool>,
    /// Whether a mail is sent when files are removed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub mail_rm: Option<bool>,
    /// Whether remote uploads report by mail.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub ru_report: Option<bool>,
    /// Whether FTP reports by mail.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub ftp_report: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_the_wire_and_back_from_its_own_writing() {
        let info: UserInfo = serde_json::from_str(
            r#"{"status":"OK","email":"a@b.c","offer":"1","subscription_end":"2030-01-01 00:00:00","cold_storage":12,"available_cold_storage":"100","overquota":0,"2fa":"1","cdn":"12.50","extended_quota":1.5,"new":[]}"#,
        )
        .unwrap();
        assert_eq!((info.cold_storage, info.available_cold_storage), (Some(12), Some(100)));
        assert_eq!((info.cdn, info.extended_quota), (Some(12.5), Some(1.5)));
        assert!(info.second_factor && !info.overquota);
        let kept = serde_json::to_string(&info).unwrap();
        assert_eq!(serde_json::from_str::<UserInfo>(&kept).unwrap(), info);
    }
}
