//! Reads public links from the command line, from files and from posts.

use std::{collections::HashSet, io::Read as _, path::Path, sync::Arc};

use fichier_api::{FileLink, FoundLink, LinkTarget, Password, SharedFolderId, links_in};
use fichier_notation::Secret;
use fichier_storage::{
    File, FileId, FileList, FolderIdentity, Location, PublicLink, Remote, Retry, StorageError,
};

use crate::{context::Context, exit::Failure};

/// Reads the links on the command line and in a file, in their order, each once. `-` is the standard input.
///
/// # Errors
/// The file can't be read, or a word of the command line holds no link.
pub(crate) fn collect(
    words: &[String],
    file: Option<&Path>,
    password: Option<&str>,
) -> Result<Vec<PublicLink>, Failure> {
    let mut text = String::new();
    for word in words {
        if links_in(word).is_empty() {
            let message = format!("{word:?} holds no link to a file or shared folder of 1Fichier");
            return Err(Failure::usage(message));
        }
        text.push_str(word);
        text.push('\n');
    }
    if let Some(path) = file {
        text.push_str(&read(path)?);
    }
    let found = links_in(&text);
    if found.is_empty() {
        return Err(Failure::usage(match file {
            Some(path) => format!("there is no link of 1Fichier in {}", path.display()),
            None => "name a link, or a text file with links by --from".to_owned(),
        }));
    }
    Ok(found.into_iter().map(|found| public_link(&found, password)).collect())
}

/// Checks whether a word is a link to a file or shared folder.
pub(crate) fn is_link(word: &str) -> bool {
    !links_in(word).is_empty()
}

fn public_link(found: &FoundLink, password: Option<&str>) -> PublicLink {
    let address = match &found.target {
        LinkTarget::File(link) => link.to_string(),
        LinkTarget::Folder(folder) => address_of(folder),
    };
    let own = found.password.as_ref().map(Password::reveal);
    PublicLink { address, password: own.or(password).map(Secret::from) }
}

fn address_of(folder: &SharedFolderId) -> String {
    format!("https://1fichier.com/dir/{folder}")
}

/// Reads a text that any program may have written: what isn't UTF-8 holds no link.
fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(Failure::other(format!("can't read {}: {error}", path.display()))),
    }
}

/// Returns the files that were found. The others are recorded as errors, by their links.
///
/// # Errors
/// Nothing can be found: neither the service nor the account answers at all.
pub(crate) fn sorted_out(
    links: &[PublicLink],
    found: Vec<fichier_storage::Result<Vec<File>>>,
    context: &mut Context<'_>,
) -> Result<Vec<File>, StorageError> {
    let mut files: Vec<File> = Vec::new();
    let mut seen: HashSet<Option<FileId>> = HashSet::new();
    for (link, found) in links.iter().zip(found) {
        match found {
            // A file may be linked by itself and in a shared folder.
            Ok(found) => files.extend(found.into_iter().filter(|file| seen.insert(file.id.clone()))),
            Err(error) if error.retry() == Retry::Fatal => return Err(error),
            Err(error) => context.errors_seen.note(&link.address, &error),
        }
    }
    Ok(files)
}

/// Returns the files of links as a remote, which `reads` can read.
pub(crate) fn list(links: &[PublicLink], reads: Arc<dyn Remote>, files: Vec<File>) -> FileList {
    let addresses: Vec<&str> = links.iter().map(|link| link.address.as_str()).collect();
    let identity = FolderIdentity::new("links", addresses.join("\n").as_bytes());
    FileList::new("links:", identity, reads, files)
}

/// Checks whether a link leads to a file, not to a shared folder.
pub(crate) fn is_of_file(link: &PublicLink) -> bool {
    link.address.parse::<FileLink>().is_ok()
}

/// Returns the account that links are opened with: that of a destination, or otherwise the first one that is configured
/// or that flags and the environment name.
pub(crate) async fn account(target: Option<&Location>, context: &Context<'_>) -> Option<Arc<dyn Remote>> {
    let own = target.map(|target| target.remote.clone());
    if let Some(own) = own.filter(|remote| remote.extensions().public_files.is_some()) {
        return Some(own);
    }
    let remotes = context.session.remotes().unwrap_or_default();
    let configured = remotes.into_iter().filter(|remote| remote.kind == "fichier");
    let mut names: Vec<String> = configured.map(|remote| format!("{}:", remote.name)).collect();
    names.insert(0, ":fichier:".to_owned());
    for name in names {
        match context.session.open(&name).await {
            Ok(location) if location.remote.extensions().public_files.is_some() => {
                return Some(location.remote);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!("{name} can't be used for links of 1Fichier: {error:#}"),
        }
    }
    None
}

/// Returns the error where no account is configured. `what` is a clause.
pub(crate) fn needs_account(what: &str) -> Failure {
    let hint = "get a key at https://1fichier.com/console/params.pl (it needs a Premium or Access account), and make \
                a remote by `config create NAME fichier api_key=KEY`";
    Failure::other(format!("{what}, which gives files to accounts only\nHint: {hint}"))
}
