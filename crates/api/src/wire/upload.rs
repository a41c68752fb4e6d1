//! Upload nodes and reports (API document, section 7).

use serde::{Deserialize, Serialize};
use whirlpool_simd::Checksum;

use super::file::needed;
use super::tolerant::{self, Form, LeftOut};
use crate::link::FileLink;

/// A node that accepts an upload, and the id of that upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadNode {
    /// Host name, with a port if need be.
    #[serde(rename = "url", deserialize_with = "tolerant::needed_text")]
    pub host: String,
    /// Id of the upload: letters and digits.
    #[serde(deserialize_with = "tolerant::needed_text")]
    pub id: String,
}

/// The report of an upload, as the node gives it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    #[serde(deserialize_with = "tolerant::flag")]
    pub(crate) incoming: bool,
    #[serde(deserialize_with = "tolerant::list")]
    pub(crate) links: Vec<UploadedFile>,
}

/// A file that arrived.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UploadedFile {
    /// Link of the file.
    pub link: FileLink,
    /// Name of the file; the service may have changed it.
    pub name: String,
    /// Size in bytes, as the node counted.
    pub size: u64,
    /// Checksum, as the node computed it.
    pub whirlpool: Option<Checksum>,
    /// Link with which anyone can remove the file.
    pub remove_link: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawUploadedFile {
    #[serde(deserialize_with = "tolerant::opt_link")]
    download: Option<FileLink>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    filename: Option<String>,
    #[serde(deserialize_with = "tolerant::opt_number")]
    size: Option<u64>,
    #[serde(deserialize_with = "tolerant::parsed")]
    whirlpool: Option<Checksum>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    remove: Option<String>,
}

impl Form for UploadedFile {
    type Raw = RawUploadedFile;

    fn take(raw: RawUploadedFile) -> Result<Self, LeftOut> {
        let (link, name, size) = needed(raw.download, raw.filename, raw.size)?;
        Ok(Self { link, name, size, whirlpool: raw.whirlpool, remove_link: raw.remove })
    }
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
        assert_eq!(file.whirlpool, Some(Checksum::from_bytes([0x0f; 64])));
    }

    #[test]
    fn a_report_that_isnt_ready() {
        for json in ["{}", r#"{"incoming":1,"links":null}"#, r#"{"incoming":"0","links":[]}"#] {
            assert!(serde_json::from_str::<Report>(json).unwrap().links.is_empty(), "{json}");
        }
    }
}
