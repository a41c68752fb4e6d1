//! The remote's options, typed.

use std::time::{Duration, SystemTime};

use fichier_api::{Password, french_time};
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
    /// The time to show for a date that was read as UTC, and by how many seconds it is ahead of the moment that is meant.
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

    /// The date that was shown as this time, read as UTC.
    pub(super) fn known(self, shown: SystemTime) -> SystemTime {
        match self {
            Self::AsUtc | Self::Utc => shown,
            Self::Paris => french_time::shown(shown),
        }
    }
}

/// How a 1Fichier account is used.
#[derive(Debug, Clone)]
pub struct FichierOptions {
    /// How file names are stored.
    pub encoding: Encoding,
    /// How the service's dates are shown.
    pub dates: Dates,
    /// What to do with empty files.
    pub empty_files: EmptyFiles,
    /// When to download through the service's CDN.
    pub cdn: CdnUse,
    /// The password of files that have one.
    pub file_password: Option<Password>,
    /// Send also what the service took and didn't keep less than a day ago.
    pub send_dropped: bool,
    /// How many files may go in one upload request at most.
    pub upload_batch: usize,
    /// How long the service lets an upload take (API document, section 2).
    pub upload_time: Duration,
    /// How many bytes a second uploads may take at best, if there is a limit.
    pub upload_rate: Option<u64>,
    /// With how many results a listing counts as cut off (API document, section 2: 5,000).
    pub listing_cap: usize,
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
