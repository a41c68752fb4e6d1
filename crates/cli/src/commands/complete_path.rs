//! `complete-path` answers a shell's completion: it lists the remotes and paths that begin with a text.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use fichier_config::{Address, RemoteSpec};
use fichier_state::{read_small, replace};
use fichier_storage::RemoteExt as _;
use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::session::DEMO;

/// Time for which the answer for a folder is fresh. The service allows a folder to be listed once in 30 seconds.
const FRESH: Duration = Duration::from_secs(60);

/// Time for which an older answer is kept, to be given when a new one can't be had in time.
const KEPT: Duration = Duration::from_secs(86_400);

/// Longest wait after the Tab key: the shell is blocked meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// Largest part of a kept answer that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Print the remotes and paths that begin with a text, for completion in a shell
#[derive(Debug, Args)]
#[command(name = "complete-path", hide = true, after_help = "Example:\n  fichier complete-path demo:ba")]
pub(crate) struct Arguments {
    /// What was typed so far
    #[arg(value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    text: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let text = &arguments.text;
    let candidates = candidates(text, context).await?;
    for candidate in candidates.iter().filter(|candidate| candidate.starts_with(text)) {
        writeln!(context.out, "{candidate}")?;
    }
    Ok(())
}

/// Returns the remotes, or the paths of a remote that is named: some of them begin with the text.
///
/// # Errors
/// The remotes aren't known, or the folder can't be listed.
pub(super) async fn candidates(text: &str, context: &Context<'_>) -> anyhow::Result<Vec<String>> {
    if text.contains(':') {
        return paths(text, context).await;
    }
    let mut names = remote_names(context)?;
    names.push(DEMO.to_owned());
    names.sort();
    names.dedup();
    Ok(names.into_iter().map(|name| format!("{name}:")).collect())
}

/// Returns the names of the configuration's remotes.
///
/// # Errors
/// The configuration can't be read.
pub(super) fn remote_names(context: &Context<'_>) -> anyhow::Result<Vec<String>> {
    Ok(context.session.remotes()?.into_iter().map(|remote| remote.name).collect())
}

/// Returns the contents of the folder that is being typed, in the form in which they would be typed.
async fn paths(text: &str, context: &Context<'_>) -> anyhow::Result<Vec<String>> {
    let address = Address::parse(text.as_bytes())?;
    if address.remote == RemoteSpec::Local {
        return Ok(Vec::new());
    }
    let path = String::from_utf8_lossy(&address.path);
    let name = path.rsplit('/').next().unwrap_or_default();
    // The path is the end of the text.
    let folder = text.strip_suffix(name).unwrap_or(text);
    let remembered = remembered(folder, context);
    let recalled = |oldest| remembered.as_deref().and_then(|file| recall(file, oldest));
    let names = match recalled(FRESH) {
        Some(names) => names,
        None => match tokio::time::timeout(PATIENCE, names(folder, context)).await {
            Ok(listed) => match listed? {
                Some(names) => {
                    if let Some(file) = &remembered {
                        // Only the next answer gets slower.
                        drop(remember(file, &names));
                    }
                    names
                }
                None => recalled(KEPT).unwrap_or_default(),
            },
            // Other runs, a gap between calls or a flood lock delay the listing: the older answer has to do.
            Err(_) => recalled(KEPT).unwrap_or_default(),
        },
    };
    Ok(names.into_iter().map(|name| format!("{folder}{name}")).collect())
}

/// Returns the names in a folder, those of folders with a slash; `None` where it can't be listed.
async fn names(folder: &str, context: &Context<'_>) -> anyhow::Result<Option<Vec<String>>> {
    let location = context.session.open(folder).await?;
    let entries = match location.remote.entries(&location.path).await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::debug!("The directory can't be listed for completion: {error}");
            return Ok(None);
        }
    };
    let names = entries.iter().filter_map(|entry| {
        let name = entry.path().name()?.to_string();
        let slash = if entry.as_folder().is_some() { "/" } else { "" };
        // For every shell, a line is a name.
        (!name.contains('\n')).then(|| format!("{name}{slash}"))
    });
    Ok(Some(names.collect()))
}

/// Returns where the answer for a folder is kept. The typed text may hold a key, so the file's name is its hash.
fn remembered(folder: &str, context: &Context<'_>) -> Option<PathBuf> {
    let name = base16ct::lower::encode_string(&Sha256::digest(folder.as_bytes())[..16]);
    Some(context.settings.directories.cache.as_ref()?.join("completion").join(name))
}

/// Returns the kept answer, unless it is older than this.
fn recall(file: &Path, oldest: Duration) -> Option<Vec<String>> {
    let age = fs::metadata(file).ok()?.modified().ok()?.elapsed().ok()?;
    if age > oldest {
        return None;
    }
    let text = String::from_utf8(read_small(file, LARGEST).ok()?).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

fn remember(file: &Path, names: &[String]) -> std::io::Result<()> {
    replace(file, names.join("\n").as_bytes())?;
    // Answers that won't be used again are removed.
    for entry in fs::read_dir(replace::directory_of(file))?.flatten() {
        if recall(&entry.path(), KEPT).is_none() {
            drop(fs::remove_file(entry.path()));
        }
    }
    Ok(())
}
