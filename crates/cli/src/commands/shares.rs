//! `shares`: which folders are shared, and with whom.

use clap::Args;
use fichier_api::shown;
use fichier_storage::{Entry, RemoteExt as _, RemotePath, Retry, Sharing};

use crate::{
    commands::share::rights_word, context::Context, error_tally::ErrorTally, listing::Listing,
    output::json::Object,
};

/// Show which folders are shared, and with whom
#[derive(Debug, Args)]
#[command(
    after_help = "The listings of the folders tell it: one call for the folder that is named and for each folder in it, with \
    -R for all below. Filters choose folders.\n\n\
    Examples:\n  fichier shares cloud:\n  fichier shares cloud: -R --json"
)]
pub(crate) struct Arguments {
    /// Where to look
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Look at all folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let sharing = location.remote.folder_sharing()?;
    // The folder itself is looked at, and what is in it.
    let mut listing =
        Listing::new(&location, context.settings.depth(arguments.recursive), &context.settings.filter);
    let mut folders = vec![(RemotePath::root(), location.path.clone())];
    while let Some(seen) = listing.next_folder(&mut context.errors_seen).await? {
        folders.extend(seen.into_iter().filter_map(|seen| match seen.entry {
            Entry::Folder(folder) => Some((seen.path, folder.path)),
            Entry::File(_) => None,
        }));
    }
    folders.sort();
    folders.dedup();
    let mut first = true;
    if arguments.json {
        context.out.write_all(b"[\n")?;
    }
    for (path, folder) in folders {
        let Some(found) = found(sharing.sharing(&folder).await, &path, &mut context.errors_seen)? else {
            continue;
        };
        if arguments.json {
            if !first {
                context.out.write_all(b",\n")?;
            }
            context.out.write_all(&object(&path, &found))?;
        } else {
            writeln!(context.out, "{}", line(&path, &found))?;
        }
        first = false;
    }
    if arguments.json {
        context.out.write_all(if first { b"]\n" } else { b"\n]\n" })?;
    }
    Ok(())
}

/// How a folder is shared, if it is.
fn found(
    sharing: fichier_storage::Result<Sharing>,
    path: &RemotePath,
    errors: &mut ErrorTally,
) -> anyhow::Result<Option<Sharing>> {
    match sharing {
        Ok(sharing) => Ok(sharing.is_shared().then_some(sharing)),
        Err(error) if error.retry() == Retry::Fatal => Err(error.into()),
        Err(error) => {
            errors.note(&path.to_string(), &error);
            Ok(None)
        }
    }
}

fn line(path: &RemotePath, sharing: &Sharing) -> String {
    let mut words = Vec::new();
    match (sharing.page, sharing.password) {
        (true, true) => words.push("page with password".to_owned()),
        (true, false) => words.push("page".to_owned()),
        (false, _) => {}
    }
    let users = sharing.users.iter();
    words.extend(users.map(|user| shown(&format!("{}:{}", user.mail, rights_word(user.rights)))));
    let name = if path.is_root() { ".".to_owned() } else { shown(&path.to_string()) };
    format!("{name}: {}", words.join(", "))
}

fn object(path: &RemotePath, sharing: &Sharing) -> Vec<u8> {
    let mut object = Object::default();
    object.string("Path", path.as_bytes());
    object.plain("Page", sharing.page);
    object.plain("Password", sharing.password);
    let users = sharing.users.iter();
    let users: Vec<_> = users
        .map(|user| serde_json::json!({"Mail": user.mail, "Rights": rights_word(user.rights)}))
        .collect();
    object.plain("With", serde_json::Value::from(users));
    object.compact()
}
