//! `touch` sets modification times, or makes an empty file.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use clap::Args;
use fichier_engine::say_skipped;
use fichier_storage::{
    Entry, Location, MemoryContent, RemoteExt, RemotePath, StorageError, WriteBatch, WriteItem,
};
use jiff::{civil::DateTime, tz::TimeZone};

use crate::context::Context;
use crate::{
    exit::Failure,
    listing::Listing,
    session::{names_a_folder, unless_declined},
};

/// Set modification times, or make an empty file
#[derive(Debug, Args)]
#[command(
    after_help = "1Fichier keeps no modification times and no empty files, so this is for other remotes.\n\n\
    Example:\n  fichier touch ./notes.txt --timestamp 2006-01-02T15:04:05"
)]
pub(crate) struct Arguments {
    /// The file, or the folder with --recursive
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Never make a file
    #[arg(short = 'C', long)]
    no_create: bool,

    /// Set the times of all files below; never makes a file
    #[arg(short = 'R', long)]
    recursive: bool,

    /// The time to set: YYMMDD, YYYY-MM-DDTHH:MM:SS or YYYY-MM-DDTHH:MM:SS.SSS, in UTC
    #[arg(short, long, value_name = "TIME")]
    timestamp: Option<String>,

    /// Read the timestamp in the local zone
    #[arg(long)]
    localtime: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let time = match &arguments.timestamp {
        Some(text) => {
            let zone = if arguments.localtime { context.settings.clock.zone() } else { &TimeZone::UTC };
            parse(text, zone).map_err(Failure::other)?
        }
        None => SystemTime::now(),
    };
    let location = context.session.open_followed(&arguments.path).await?;
    let shown = context.session.shown(&location);
    match location.remote.entry(&location.path).await {
        Ok(Entry::File(file)) => {
            let name = file.path.name().map(|name| name.to_string()).unwrap_or_default();
            if context.settings.dry_run {
                say_skipped(&name, "touch", None);
                return Ok(());
            }
            unless_declined(location.remote.set_modified_of(&file, time).await)?;
        }
        // The time of a folder itself can't be set, so the files in it are meant.
        Ok(Entry::Folder(_)) => {
            let depth = if arguments.recursive { context.settings.max_depth } else { Some(1) };
            all_below(&location, depth, time, context).await?;
        }
        Err(StorageError::FileNotFound(path)) if names_a_folder(&arguments.path) => {
            return Err(location.named(StorageError::FolderNotFound(path)).into());
        }
        Err(StorageError::FileNotFound(_)) if arguments.no_create || arguments.recursive => {
            let flag = if arguments.no_create { "--no-create" } else { "--recursive" };
            tracing::warn!(path = shown, "Not touching nonexistent file due to {flag}");
        }
        Err(StorageError::FileNotFound(_)) if context.settings.dry_run => {
            say_skipped(&shown, "touch (create)", None);
        }
        Err(StorageError::FileNotFound(path)) => create(&location, path, time, context).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn all_below(
    location: &Location,
    depth: Option<usize>,
    time: SystemTime,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let mut listing = Listing::new(location, depth, &context.settings.filter);
    while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (path, file) in files {
            if context.settings.dry_run {
                say_skipped(&path.to_string(), "touch", None);
                continue;
            }
            let done = location.remote.set_modified_of(&file, time).await;
            context.errors_seen.note_failure(&path.to_string(), done)?;
        }
    }
    Ok(())
}

async fn create(
    location: &Location,
    path: RemotePath,
    time: SystemTime,
    context: &Context<'_>,
) -> anyhow::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.name()) else {
        return Err(StorageError::IsAFolder(path).into());
    };
    let item = WriteItem {
        name,
        size: 0,
        modified: Some(time),
        expected: None,
        content: Arc::new(MemoryContent(Bytes::new())),
        replaces: Vec::new(),
        metadata: context.settings.transfer.metadata.clone().map(|metadata| metadata.set).unwrap_or_default(),
    };
    for outcome in location.remote.write(WriteBatch { folder, items: vec![item] }).await {
        unless_declined(outcome.into_result())?;
    }
    Ok(())
}

fn parse(text: &str, zone: &TimeZone) -> Result<SystemTime, String> {
    let wrong =
        || format!("failed to parse timestamp argument: {text:?} is no time such as 2006-01-02T15:04:05");
    let time = if text.len() == 6 {
        jiff::civil::Date::strptime("%y%m%d", text)
            .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
    } else {
        DateTime::strptime("%Y-%m-%dT%H:%M:%S%.f", text)
    };
    let zoned = time.and_then(|time| time.to_zoned_datetime(zone.clone())).map_err(|_| wrong())?;
    SystemTime::try_from(zoned.timestamp()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured with rclone 1.75.2: `touch --timestamp` and `stat` after it.
    #[test]
    fn timestamps() {
        let shown = |text, zone: &TimeZone| {
            parse(text, zone).map(|time| jiff::Timestamp::try_from(time).unwrap().to_string())
        };
        let utc = TimeZone::UTC;
        assert_eq!(shown("2006-01-02T15:04:05", &utc).unwrap(), "2006-01-02T15:04:05Z");
        assert_eq!(shown("171030", &utc).unwrap(), "2017-10-30T00:00:00Z");
        assert_eq!(shown("2006-01-02T15:04:05.123456789", &utc).unwrap(), "2006-01-02T15:04:05.123456789Z");
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(shown("2006-01-02T15:04:05", &kolkata).unwrap(), "2006-01-02T09:34:05Z");
        assert!(shown("bogus", &utc).is_err());
        assert!(shown("17103x", &utc).is_err());
    }
}
