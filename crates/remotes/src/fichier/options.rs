//! Options of the remote, typed.

use std::time::{Duration, SystemTime};

use fichier_api::{Password, french_time};
use fichier_encoding::Encoding;

/// How to handle empty files, which the service can't store (API document, section 2).
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
    /// Downloads never use the CDN.
    #[default]
    Never,
    /// Downloads use the CDN once the service has refused one without it.
    WhenRefused,
    /// All downloads use the CDN.
    Always,
}

/// How the service's dates are shown. It writes French time (API document, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dates {
    /// As if they were UTC, which is what rclone shows.
    #[default]
    AsUtc,
    /// As the moments that they mean.
    Paris,
    /// As what they say, since the service was found to write UTC: then both are one.
    Utc,
}

impl Dates {
    /// Returns the time to show for a date that was read as UTC, and by how many seconds it is ahead of the real
    /// moment.
    pub(super) fn shown(self, date: SystemTime) -> (SystemTime, u16) {
        let ahead = french_time::ahead(date);
        match self {
            Self::AsUtc => (date, u16::try_from(ahead.as_secs()).unwrap_or_default()),
            Self::Paris => (date.checked_sub(ahead).unwrap_or(date), 0),
            Self::Utc => (date, 0),
        }
    }

    /// The date that the service writes for this moment, read as UTC.
    pub(super) fn written(self, moment: SystemTime) -> SystemTime {
        match self {
            Self::AsUtc | Self::Paris => french_time::shown(moment),
            Self::Utc => moment,
        }
    }

    /// Returns the date that was shown as this time, read as UTC.
    pub(super) fn known(self, shown: SystemTime) -> SystemTime {
        match self {
            Self::AsUtc | Self::Utc => shown,
            Self::Paris => french_time::shown(shown),
        }
    }
}

/// Options for using a 1Fichier account.
#[derive(Debug, Clone)]
pub struct FichierOptions {
    /// Encoding of file names at the service.
    pub encoding: Encoding,
    /// How the service's dates are shown.
    pub dates: Dates,
    /// How to handle empty files.
    pub empty_files: EmptyFiles,
    /// When to download through the service's CDN.
    pub cdn: CdnUse,
    /// Password of files that have one.
    pub file_password: Option<Password>,
    /// Sends also contents that the service took and didn't keep less than a day ago.
    pub send_dropped: bool,
    /// Largest number of files in one upload request.
    pub upload_batch: usize,
    /// Longest time that the service lets an upload take (API document, section 2).
    pub upload_time: Duration,
    /// Limit on bytes per second of uploads, if there is one.
    pub upload_rate: Option<u64>,
    /// Number of results from which a listing counts as cut off (API document, section 2: 5,000).
    pub listing_cap: usize,
    /// How long a listing may not show what this account just did (API document, section 7: seconds). Own changes stand
    /// against listings that were asked for sooner after them.
    pub listing_lag: Duration,
    /// How often a download that was cut goes on from where it stood.
    pub download_resumes: u32,
}

impl Default for FichierOptions {
    fn default() -> Self {
        Self {
            encoding: Encoding::FICHIER,
            dates: Dates::AsUtc,
            empty_files: EmptyFiles::Error,
            cdn: CdnUse::Never,
            file_password: None,
            send_dropped: false,
            upload_batch: fichier_api::limits::FILES_PER_UPLOAD,
            upload_time: fichier_api::limits::UPLOAD_TIME,
            upload_rate: None,
            listing_cap: fichier_api::limits::LISTING_CAP,
            listing_lag: Duration::from_secs(300),
            download_resumes: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn dates_are_shown_as_rclone_does_or_as_they_are_meant() {
        let hour = Duration::from_secs(3600);
        for (seconds, ahead) in [(1_700_000_000, 1), (1_690_000_000, 2)] {
            let date = UNIX_EPOCH + Duration::from_secs(seconds);
            let (shown, seconds_ahead) = Dates::AsUtc.shown(date);
            assert_eq!((shown, seconds_ahead), (date, 3600 * u16::try_from(ahead).unwrap()));
            assert_eq!(Dates::Paris.shown(date), (date - hour * ahead, 0));
            assert_eq!(Dates::Utc.shown(date), (date, 0));
            for dates in [Dates::AsUtc, Dates::Paris, Dates::Utc] {
                assert_eq!(dates.known(dates.shown(date).0), date);
            }
            assert_eq!(Dates::Paris.written(date), date + hour * ahead);
            assert_eq!(Dates::Utc.written(date), date);
        }
    }
}
