//! Turns the flags into the engine's options.

use fichier_engine::{Backup, Bandwidth, MetadataOptions, Reading, Reference, Respelling, RunOptions};
use fichier_storage::{Entry, Location, RemoteExt, StorageError};

use super::account_notice;
use crate::{
    arguments::TransferSettings,
    context::Context,
    exit::{Exit, Failure, describe},
    flags::{Timetable, transfer_order},
};

/// Returns the engine's options for a run that ends at `to`.
///
/// # Errors
/// A folder that a flag names can't be opened, or isn't on the destination's remote.
pub(crate) async fn run_options(context: &Context<'_>, to: &Location) -> anyhow::Result<RunOptions> {
    let flags = &context.settings.transfer;
    refuse_unseen(flags)?;
    account_notice::say(to, context.session.stays_inside(to), context.session.room());
    let metadata = metadata(flags, to)?;
    let mut references = Vec::new();
    let named = [("--compare-dest", &flags.compare_dest, false), ("--copy-dest", &flags.copy_dest, true)];
    if named.iter().all(|(_, folders, _)| !folders.is_empty()) {
        return Err(Failure::usage("can't use --compare-dest with --copy-dest").into());
    }
    for (flag, folders, copies) in named {
        for folder in folders {
            let location = at_destination(context, flag, folder, to).await?;
            references.push(Reference { location, copies });
        }
    }
    let order =
        transfer_order(&flags.order_by).map_err(|error| Failure::usage(format!("--order-by {error}")))?;
    Ok(RunOptions {
        rules: flags.rules,
        checksums: context.session.checksums(),
        create_empty_folders: flags.create_empty_src_dirs,
        transfers: flags.transfers.get(),
        checkers: flags.checkers.get(),
        tries: flags.retries,
        max_depth: context.settings.run_depth,
        filter: context.settings.filter.clone(),
        names: flags.names,
        transform: flags.transform()?,
        metadata,
        keep_folder_times: flags.keep_folder_times,
        delete_excluded: context.settings.delete_excluded,
        reuse: flags.server_side_reuse,
        track_renames: flags.track_renames,
        renames: flags.renames,
        references,
        retry_pause: flags.retries_sleep,
        limits: flags.limits,
        bandwidth: bandwidth(flags),
        check_first: flags.check_first,
        order,
        backup: backup(context, to).await?,
        deletion: flags.deletion,
        brakes: context.session.brakes().clone(),
        sends: true,
        delete_empty_source_folders: false,
    })
}

/// Returns the rates that the flags ask for.
fn bandwidth(flags: &TransferSettings) -> Option<Bandwidth> {
    let now = |timetable: &Timetable| timetable.at(jiff::ZonedDateTime::now().datetime());
    let (all, each) = (flags.bandwidth.clone(), flags.file_bandwidth.clone());
    match (all.is_empty(), each.is_empty()) {
        (true, true) => None,
        (false, true) => Some(Bandwidth::new(move || now(&all))),
        (_, false) => Some(Bandwidth::with_file_rates(move || now(&all), move || now(&each))),
    }
}

/// Returns how a command reads files that it doesn't transfer.
pub(crate) fn reading(flags: &TransferSettings) -> Reading {
    Reading::new(bandwidth(flags), flags.limits)
}

/// Returns the metadata that is kept beside content, name and time. Reports if the destination keeps none.
fn metadata(flags: &TransferSettings, to: &Location) -> Result<Option<MetadataOptions>, Failure> {
    let Some(wanted) = &flags.metadata else { return Ok(None) };
    if to.remote.extensions().metadata.is_none() {
        tracing::info!("{}: --metadata keeps nothing here beside name, size and checksum", to.shown());
        return Ok(None);
    }
    match &flags.metadata_mapper {
        Some(program) => Err(Failure::usage(format!(
            "--metadata-mapper: {program:?} can't be asked: this program changes no metadata by others. Use \
             --metadata-set KEY=VALUE, or leave the flag out"
        ))),
        None => Ok(Some(wanted.clone())),
    }
}

/// Refuses flags about the destination's files in a run that doesn't look at them.
fn refuse_unseen(flags: &TransferSettings) -> Result<(), Failure> {
    let rules = &flags.rules;
    if !rules.unseen_destination {
        return Ok(());
    }
    let needs = [
        ("--immutable", rules.immutable),
        ("--backup-dir", flags.backup_dir.as_deref().is_some_and(|folder| !folder.is_empty())),
        ("--suffix", flags.suffix.is_some()),
        ("--update", rules.update),
        ("--ignore-existing", rules.ignore_existing),
        ("--existing", rules.existing_only),
        ("--fix-case", flags.names.respelling != Respelling::Keep),
    ];
    match needs.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::usage(format!(
            "can't use --no-check-dest with {flag}: it is about files of the destination, which nobody looks at then"
        ))),
        None => Ok(()),
    }
}

async fn backup(context: &Context<'_>, to: &Location) -> anyhow::Result<Option<Backup>> {
    let flags = &context.settings.transfer;
    if let Some(suffix) = flags.suffix.as_ref().filter(|suffix| suffix.contains('/')) {
        return Err(Failure::usage(format!(
            "--suffix {suffix:?}: a name can't hold a slash. Old versions go into another folder by --backup-dir"
        ))
        .into());
    }
    let folder = match flags.backup_dir.as_deref().filter(|folder| !folder.is_empty()) {
        None if flags.suffix.is_none() => return Ok(None),
        None => None,
        Some(folder) => Some(at_destination(context, "--backup-dir", folder, to).await?),
    };
    Ok(Some(Backup {
        folder,
        suffix: flags.suffix.clone().unwrap_or_default().into_bytes(),
        keep_extension: flags.suffix_keep_extension,
    }))
}

/// Opens a folder that has to be on the destination's remote, so that files get there without being sent.
async fn at_destination(
    context: &Context<'_>,
    flag: &str,
    folder: &str,
    to: &Location,
) -> anyhow::Result<Location> {
    // As with rclone, nothing helps when the folder can't be opened, not even another try.
    let opened = context.session.open_beside(folder, to).await.map_err(|error| match Exit::of(&error) {
        Exit::Other => {
            let message = format!("{flag}: {}", describe(&error, |_| None));
            Failure { exit: Exit::Fatal, message }.into()
        }
        _ => error,
    })?;
    let fatal = |message| Failure { exit: Exit::Fatal, message };
    let opened = opened
        .ok_or_else(|| fatal(format!("parameter to {flag} has to be on the same remote as destination")))?;
    let mut above = Some(opened.path.clone());
    while let Some(path) = above {
        let at = Location { remote: opened.remote.clone(), path };
        match at.remote.entry(&at.path).await {
            Ok(Entry::File(_)) => {
                return Err(fatal(format!("{flag}: {:?} is a file, not a directory", at.shown())).into());
            }
            Err(StorageError::FileNotFound(_)) => above = at.path.parent(),
            _ => break,
        }
    }
    Ok(opened)
}
