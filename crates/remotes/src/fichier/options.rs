//! The remote's options, typed.

use fichier_api::Password;
use fichier_encoding::Encoding;

/// What to do with empty files, which the service can't store (API document, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyFiles {
    /// Report each by name, and count the run as incomplete.
    #[default]
    Error,
    /// Report each by name, and count the run as complete.
    Skip,
    /// Store a stand-in of one byte, and read it back as the empty file.
    Marker,
}

/// When downloads go through the service's CDN, which uses up credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CdnUse {
    /// Not at all.
    #[default]
    Never,
    /// Once the service has refused a download without it.
    WhenRefused,
    /// From the first one on.
    Always,
}

/// How a 1Fichier account is used.
#[derive(Debug, Clone)]
pub struct FichierOptions {
    /// How file names are stored.
    pub encoding: Encoding,
    /// What to do with empty files.
    pub empty_files: EmptyFiles,
    /// When to download through the service's CDN.
    pub cdn: CdnUse,
    /// The password of files that have one.
    pub file_password: Option<Password>,
    /// Send also what the service took and didn't keep less than a day ago.
    pub send_dropped: bool,
    /// How many files may go in one upload request, at least 1.
    pub upload_batch: usize,
    /// With how many results a listing counts as cut off (API document, section 2: 5,000).
    pub listing_cap: usize,
    /// How often a download that was cut goes on from where it stood.
    pub download_resumes: u32,
}

impl Default for FichierOptions {
    fn default() -> Self {
        Self {
            encoding: Encoding::FICHIER,
            empty_files: EmptyFiles::Error,
            cdn: CdnUse::Never,
            file_password: None,
            send_dropped: false,
            upload_batch: fichier_api::limits::FILES_PER_UPLOAD,
            listing_cap: fichier_api::limits::LISTING_CAP,
            download_resumes: 10,
        }
    }
}
