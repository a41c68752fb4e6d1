//! Public links as people have them: on the command line, in files, in posts.

use std::{io::Read as _, path::Path};

use fichier_api::{FoundLink, LinkTarget, Password, SharedFolderId, links_in};
use fichier_notation::Secret;
use fichier_storage::PublicLink;

use crate::exit::Failure;

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

/// A text that may have been written by anything: what isn't UTF-8 holds no link.
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
