//! Upload nodes and reports (API document, section 7).

use serde::{Deserialize, Serialize};

use super::tolerant;
use crate::checksum::Checksum;
use crate::link::FileLink;

/// A node that takes an upload, and the number of that upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadNode {
    /// Host, with a port if need be.
    #[serde(rename = "url")]
    pub host: String,
    /// The upload's number: letters and digits.
    #[serde(deserialize_with = "tolerant::text")]
    pub id: String,
}

/// The report of an upload, as the node tells it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    #[serde(deserialize_with = "tolerant::flag")]
    pub(crate) incoming: bool,
    #[serde(deserialize_with = "tolerant::list")]
    pub(crate) links: Vec<UploadedFile>,
}

/// A file that arrived.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UploadedFile {
    /// Its link.
    #[serde(rename = "download")]
    pub link: FileLink,
    /// Its name; the service may have altered it.
    #[serde(rename = "filename", deserialize_with = "tolerant::text")]
    pub name: String,
    /// Its size in bytes as the node counted.
    #[serde(deserialize_with = "tolerant::number")]
    pub size: u64,
    /// Its checksum as the node reckoned.
    #[serde(default, deserialize_with = "tolerant::parsed")]
    pub whirlpool: Option<Checksum>,
    /// The link by which anybody can remove it.
    #[serde(default, rename = "remove", deserialize_with = "tolerant::opt_text")]
    pub remove_link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_report() {
        let sum = "0f".repeat(64);
        let report: Report = serde_json::from_str(&format!(
            r#"{{"incoming":0,"links":[{{"download":"https://1fichier.com/?abc","filename":"a.bin","remove":"https://1fichier.com/remove/abc/xyz","size":"123","whirlpool":"{sum}"}}]}}"#
        ))
        .unwrap();
        assert!(!report.incoming);
        let file = &report.links[0];
        assert_eq!((file.link.code(), file.name.as_str(), file.size), ("abc", "a.bin", 123));
        assert_eq!(file.whirlpool, Some(Checksum([0x0f; 64])));
    }

    #[test]
    fn a_report_that_isnt_ready() {
        for json in ["{}", r#"{"incoming":1,"links":null}"#, r#"{"incoming":"0","links":[]}"#] {
            assert!(serde_json::from_str::<Report>(json).unwrap().links.is_empty(), "{json}");
        }
    }
}
