//! `attr set`: the same new attributes for many files.

use std::sync::Arc;

use fichier_filter::Filter;
use futures::{StreamExt, pin_mut};
use tokio_util::sync::CancellationToken;

use fichier_storage::{AttributeChange, Entry, File, Location, RemoteExt as _, Result};

use crate::{
    RunReport, Stats, events::Event, events::report::Verdict, run::copy::find_source, transfer::shown_below,
    walk_filtered,
};

/// How many files are handed to a remote at once. The remote splits them into its calls.
const FILES_AT_ONCE: usize = 1000;

/// Gives the file at `target`, or those in the folder there, new attributes.
///
/// Failures of single files are logged, counted and reported; they don't stop the rest, unless they are fatal.
///
/// # Errors
/// There is nothing at `target`, it can't be listed, or its remote keeps no attributes.
pub async fn set_attributes(
    target: &Location,
    max_depth: Option<usize>,
    filter: &Arc<Filter>,
    change: &AttributeChange,
    stats: &Stats,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let mut report = RunReport::default();
    target.remote.file_attributes()?;
    if let Entry::File(file) = find_source(target).await? {
        set(target, vec![file], change, &mut report, stats, stop).await;
        return Ok(report);
    }
    let mut waiting: Vec<File> = Vec::new();
    let tree = walk_filtered(target, max_depth, filter);
    pin_mut!(tree);
    let mut first = true;
    while let Some(listing) = tree.next().await {
        if stop.is_cancelled() {
            break;
        }
        match listing {
            Ok(listing) => {
                waiting.extend(listing.entries.into_iter().filter_map(|entry| match entry {
                    Entry::File(file) => Some(file),
                    Entry::Folder(_) => None,
                }));
                if waiting.len() >= FILES_AT_ONCE {
                    set(target, std::mem::take(&mut waiting), change, &mut report, stats, stop).await;
                }
            }
            Err(error) if first => return Err(target.named(error.source)),
            Err(error) => {
                if report.fail(stats, &shown_below(target, &error.folder), error.source) == Verdict::Stop {
                    stop.cancel();
                }
            }
        }
        first = false;
    }
    set(target, waiting, change, &mut report, stats, stop).await;
    Ok(report)
}

async fn set(
    target: &Location,
    files: Vec<File>,
    change: &AttributeChange,
    report: &mut RunReport,
    stats: &Stats,
    stop: &CancellationToken,
) {
    if files.is_empty() || stop.is_cancelled() {
        return;
    }
    let outcomes = match target.remote.file_attributes() {
        Ok(attributes) => attributes.set_attributes(&files, change).await,
        Err(_) => target.remote.all_unsupported(&files, "keep attributes of files"),
    };
    for (file, outcome) in files.iter().zip(outcomes) {
        let path = shown_below(target, &file.path);
        match outcome.into_result() {
            Ok(()) => {
                report.transferred += 1;
                stats.note(&path, &Event::AttributesSet(file));
            }
            Err(error) => {
                if report.fail(stats, &path, error) == Verdict::Stop {
                    stop.cancel();
                }
            }
        }
    }
}
