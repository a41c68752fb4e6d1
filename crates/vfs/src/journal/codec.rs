//! Files of a remote as bytes, so that the journal can name the versions that it replaces and removes.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_storage::{File, FileId, Fingerprint, RemotePath, Whirlpool};

/// Writes a list of files.
pub(crate) fn files_to_bytes(files: &[File]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in files {
        field(&mut bytes, Some(file.path.as_bytes()));
        field(&mut bytes, Some(&file.size.to_le_bytes()));
        field(&mut bytes, file.modified.map(time_to_bytes).as_ref().map(<[u8; 12]>::as_slice));
        field(&mut bytes, file.whirlpool.as_ref().map(|sum| sum.as_bytes().as_slice()));
        field(&mut bytes, file.id.as_ref().map(|id| id.as_str().as_bytes()));
        field(&mut bytes, file.media_type.as_deref().map(str::as_bytes));
        let fingerprint = file.fingerprint.as_ref();
        let marked = fingerprint.map(|print| [&[u8::from(print.is_settled())], print.as_bytes()].concat());
        field(&mut bytes, marked.as_deref());
        field(&mut bytes, Some(&file.seconds_ahead.to_le_bytes()));
    }
    bytes
}

/// Reads what [`files_to_bytes`] wrote; `None` if it isn't that.
pub(crate) fn files_of_bytes(mut bytes: &[u8]) -> Option<Vec<File>> {
    let mut files = Vec::new();
    while !bytes.is_empty() {
        let path = RemotePath::parse(next(&mut bytes)??).ok()?;
        let size = u64::from_le_bytes(next(&mut bytes)??.try_into().ok()?);
        let modified = match next(&mut bytes)? {
            Some(time) => Some(time_of_bytes(time)?),
            None => None,
        };
        let whirlpool = match next(&mut bytes)? {
            Some(sum) => Some(Whirlpool::from_bytes(sum.try_into().ok()?)),
            None => None,
        };
        let id = next(&mut bytes)?.map(text).map(FileId::new);
        let media_type = next(&mut bytes)?.map(|bytes| Arc::from(text(bytes)));
        let fingerprint = match next(&mut bytes)? {
            Some([1, print @ ..]) => Some(Fingerprint::new(print)),
            Some([_, print @ ..]) => Some(Fingerprint::unsettled(print)),
            Some([]) => return None,
            None => None,
        };
        let seconds_ahead = u16::from_le_bytes(next(&mut bytes)??.try_into().ok()?);
        files.push(File { path, size, modified, whirlpool, id, media_type, fingerprint, seconds_ahead });
    }
    Some(files)
}

/// Writes a time as seconds from 1970, which may be negative, and nanoseconds.
pub(crate) fn time_to_numbers(time: SystemTime) -> (i64, u32) {
    let whole = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (whole(since.as_secs()), since.subsec_nanos()),
        Err(before) => match (before.duration().as_secs(), before.duration().subsec_nanos()) {
            (seconds, 0) => (-whole(seconds), 0),
            (seconds, nanos) => (-whole(seconds) - 1, 1_000_000_000 - nanos),
        },
    }
}

/// Reads a time; one that this computer can't have becomes the start of 1970.
pub(crate) fn time_of_numbers(seconds: i64, nanos: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let at = match seconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(whole),
        false => SystemTime::UNIX_EPOCH.checked_add(whole),
    };
    at.and_then(|at| at.checked_add(Duration::from_nanos(nanos.into()))).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn time_to_bytes(time: SystemTime) -> [u8; 12] {
    let (seconds, nanos) = time_to_numbers(time);
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&seconds.to_le_bytes());
    bytes[8..].copy_from_slice(&nanos.to_le_bytes());
    bytes
}

fn time_of_bytes(bytes: &[u8]) -> Option<SystemTime> {
    let (seconds, nanos) = bytes.split_first_chunk::<8>()?;
    Some(time_of_numbers(i64::from_le_bytes(*seconds), u32::from_le_bytes(nanos.try_into().ok()?)))
}

/// Length and bytes; the length of what isn't there is the greatest number.
fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    let length = value.map_or(u32::MAX, |value| u32::try_from(value.len()).unwrap_or(u32::MAX - 1));
    bytes.extend(length.to_le_bytes());
    bytes.extend(value.unwrap_or_default());
}

fn next<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == u32::MAX {
        *bytes = rest;
        return Some(None);
    }
    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(Some(value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn files_come_back_and_other_bytes_do_not_panic(
            path in "[a-z]{1,5}(/[a-z]{1,3})?", size: u64, seconds in -4_000_000_000_i64..4_000_000_000, nanos in 0..1_000_000_000_u32,
            id in proptest::option::of("[a-z]{0,9}"), print in proptest::option::of((any::<bool>(), any::<[u8; 9]>())),
            other in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut file = File::new(RemotePath::parse(path).unwrap(), size);
            file.modified = Some(time_of_numbers(seconds, nanos));
            file.id = id.map(FileId::new);
            file.whirlpool = Some(Whirlpool::of(b"x"));
            file.fingerprint = print.map(|(settled, print)| match settled {
                true => Fingerprint::new(print),
                false => Fingerprint::unsettled(print),
            });
            let files = vec![file.clone(), File::new(RemotePath::root(), 0), file];
            prop_assert_eq!(files_of_bytes(&files_to_bytes(&files)), Some(files));
            let _ = files_of_bytes(&other);
            let time = time_of_numbers(seconds, nanos);
            prop_assert_eq!(time_to_numbers(time), (seconds, nanos));
        }
    }
}
