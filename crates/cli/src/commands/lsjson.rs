//! `lsjson`: files and folders as JSON.

use anyhow::Context as _;
use bstr::ByteSlice as _;
use clap::Args;
use fichier_storage::{Entry, HashKind, Location, RemoteExt, StorageError};

use crate::context::Context;
use crate::{
    error_tally::ErrorTally,
    hashing,
    listing::{Listing, Seen},
    output::{json::Object, media_type},
};

/// List files and folders as JSON
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
#[command(after_help = "The output is an array with one object a line.\n\n\
    Example:\n  fichier lsjson demo:photos -R --hash-type whirlpool")]
pub(crate) struct Arguments {
    /// What to list
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// List the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Add the checksums
    #[arg(long)]
    hash: bool,

    /// Add this kind of checksum; may be repeated
    #[arg(long, value_name = "KIND", value_parser = crate::flags::hash_kind)]
    hash_type: Vec<HashKind>,

    /// Leave the modification time empty
    #[arg(long)]
    no_modtime: bool,

    /// Leave the media type out
    #[arg(long)]
    no_mimetype: bool,

    /// Describe the path itself, not what it holds
    #[arg(long)]
    stat: bool,

    /// Leave folders out
    #[arg(long)]
    files_only: bool,

    /// Leave files out
    #[arg(long)]
    dirs_only: bool,

    /// Add metadata, where the backend has some
    #[arg(short = 'M', long)]
    metadata: bool,

    /// Add encrypted names, where the backend has some
    #[arg(long)]
    encrypted: bool,

    /// Add the identity of the object behind, where the backend has one
    #[arg(long)]
    original: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let item = Item { arguments, kinds: kinds(arguments, &location), location: &location };
    if arguments.stat {
        return stat(&item, context).await;
    }
    let mut listing =
        Listing::new(&location, context.settings.depth(arguments.recursive), &context.settings.filter);
    context.out.write_all(b"[\n")?;
    let mut first = true;
    while let Some(entries) = listing.next_folder(&mut context.errors_seen).await? {
        for seen in entries.iter().filter(|seen| arguments.wants(seen)) {
            if !std::mem::take(&mut first) {
                context.out.write_all(b",\n")?;
            }
            let object = item.describe(seen, context).await;
            context.out.write_all(&object.compact())?;
        }
    }
    if !first {
        context.out.write_all(b"\n")?;
    }
    context.out.write_all(b"]\n")?;
    Ok(())
}

/// Describes the path itself. A folder is called "", as if seen from within.
async fn stat(item: &Item<'_>, context: &mut Context<'_>) -> anyhow::Result<()> {
    let path = &item.location.path;
    let entry = match item.location.remote.entry(path).await {
        // rclone can't tell either, and says so of a directory.
        Err(StorageError::FileNotFound(path)) => {
            return Err(item.location.named(StorageError::FolderNotFound(path)).into());
        }
        found => found.with_context(|| format!("looking for {path:?}"))?,
    };
    let path = match (&entry, entry.name()) {
        (Entry::File(_), Some(name)) => fichier_storage::RemotePath::root().join(&name),
        _ => fichier_storage::RemotePath::root(),
    };
    let seen = Seen { path, entry };
    if item.arguments.wants(&seen) {
        let object = item.describe(&seen, context).await;
        context.out.write_all(&object.indented())?;
        context.out.write_all(b"\n")?;
    } else {
        context.out.write_all(b"null\n")?;
    }
    Ok(())
}

impl Arguments {
    fn wants(&self, seen: &Seen) -> bool {
        match seen.entry {
            Entry::File(_) => !self.dirs_only,
            Entry::Folder(_) => !self.files_only,
        }
    }
}

/// The kinds of checksum that are shown, sorted by name.
fn kinds(arguments: &Arguments, location: &Location) -> Vec<HashKind> {
    let mut kinds = match (arguments.hash_type.is_empty(), arguments.hash) {
        (false, _) => arguments.hash_type.clone(),
        (true, true) => HashKind::ALL.to_vec(),
        (true, false) => Vec::new(),
    };
    kinds.retain(|kind| location.remote.info().hashes.gives(*kind));
    kinds.sort_by_key(|kind| kind.name());
    kinds.dedup();
    kinds
}

/// What is known of an entry beside its name, size and time; `None`: nothing is.
pub(super) async fn metadata(
    location: &Location,
    seen: &Seen,
    errors_seen: &mut ErrorTally,
) -> Option<Object> {
    let remote = &location.remote;
    let found = match &seen.entry {
        Entry::File(file) => remote.metadata(file).await,
        Entry::Folder(folder) => remote.folder_metadata(&folder.path).await,
    };
    match found {
        Ok(found) if found.is_empty() => None,
        Ok(found) => {
            let mut object = Object::default();
            for (key, value) in found {
                object.string(key, fichier_storage::metadata::bytes_of(&value));
            }
            Some(object)
        }
        Err(error) => {
            let text = format!("Failed to read metadata: {error}");
            errors_seen.note_text(&seen.bytes().to_str_lossy(), &text);
            None
        }
    }
}

/// How an entry is described.
struct Item<'a> {
    arguments: &'a Arguments,
    kinds: Vec<HashKind>,
    location: &'a Location,
}

impl Item<'_> {
    async fn describe(&self, seen: &Seen, context: &mut Context<'_>) -> Object {
        let mut object = Object::default();
        object.string("Path", seen.bytes());
        object.string("Name", seen.path.name().map(|name| name.as_bytes().to_vec()).unwrap_or_default());
        let (size, media_type, modified, id) = match &seen.entry {
            Entry::File(file) => {
                (file.size.to_string(), media_type::of_file(file), file.modified, file.id.as_ref())
            }
            Entry::Folder(folder) => {
                ("-1".to_owned(), media_type::FOLDER.to_owned(), folder.modified, folder.id.as_ref())
            }
        };
        object.plain("Size", size);
        if !self.arguments.no_mimetype {
            object.string("MimeType", media_type);
        }
        let precision = self.location.remote.info().times.precision;
        let time = if self.arguments.no_modtime {
            String::new()
        } else {
            context.settings.clock.rfc3339(modified, precision)
        };
        object.string("ModTime", time);
        object.plain("IsDir", seen.file().is_none());
        if let Some(hashes) = self.hashes(seen, context).await {
            object.object("Hashes", hashes);
        }
        if let Some(id) = id {
            object.string("ID", id.as_str());
        }
        if self.arguments.metadata
            && let Some(metadata) = metadata(self.location, seen, &mut context.errors_seen).await
        {
            object.object("Metadata", metadata);
        }
        object
    }

    async fn hashes(&self, seen: &Seen, context: &mut Context<'_>) -> Option<Object> {
        let file = seen.file().filter(|_| !self.kinds.is_empty())?;
        match hashing::of_file(&context.session.hashing, &*self.location.remote, file, &self.kinds, None)
            .await
        {
            Ok(sums) => {
                let mut hashes = Object::default();
                for (kind, sum) in self.kinds.iter().zip(sums) {
                    if let Some(sum) = sum {
                        hashes.string(kind.name(), hashing::hexadecimal(&sum));
                    }
                }
                Some(hashes)
            }
            Err(error) => {
                let text = format!("Failed to read hash: {error:#}");
                context.errors_seen.note_text(&seen.bytes().to_str_lossy(), &text);
                None
            }
        }
    }
}
