//! What the system knows of a file beside its name and its size, under rclone's keys.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use fichier_storage::{File, Result, StorageError};
use jiff::{Timestamp, tz::TimeZone};

use super::Place;

/// The metadata of a file, in the order of its keys.
pub(super) fn of(place: &Place, file: &File) -> Result<Vec<(String, String)>> {
    let path = place.tree.locate(&file.path)?;
    let metadata = fs::metadata(&path).map_err(|error| StorageError::io("look at", &path, error))?;
    let mut values = Vec::new();
    for (key, time) in
        [("atime", metadata.accessed()), ("btime", metadata.created()), ("mtime", metadata.modified())]
    {
        // Not every file system keeps all of them.
        if let Ok(time) = time {
            values.push((key.to_owned(), written(time)));
        }
    }
    values.extend(of_unix(&metadata));
    values.sort();
    Ok(values)
}

#[cfg(unix)]
fn of_unix(metadata: &fs::Metadata) -> Vec<(String, String)> {
    use std::os::unix::fs::MetadataExt as _;
    vec![
        ("mode".to_owned(), format!("{:o}", metadata.mode())),
        ("uid".to_owned(), metadata.uid().to_string()),
        ("gid".to_owned(), metadata.gid().to_string()),
    ]
}

#[cfg(not(unix))]
fn of_unix(_metadata: &fs::Metadata) -> Vec<(String, String)> {
    Vec::new()
}

/// A time as in `2006-01-02T15:04:05.999999999Z`, in the zone of the system.
fn written(time: SystemTime) -> String {
    let stamp = Timestamp::try_from(time).or_else(|_| Timestamp::try_from(UNIX_EPOCH)).unwrap_or_default();
    let local = stamp.to_zoned_datetime(TimeZone::system());
    local.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string().replace("+00:00", "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_decimals_as_they_need() {
        let time = UNIX_EPOCH + std::time::Duration::from_millis(1500);
        let text = written(time);
        assert!(text.contains(":01.5"), "{text}");
        assert!(text.starts_with("19") && !text.contains(".50"), "{text}");
    }
}
