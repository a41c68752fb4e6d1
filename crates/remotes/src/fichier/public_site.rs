//! What the service shows everyone: which links are alive, and what shared folders hold. No key is needed.

use std::sync::atomic::{AtomicUsize, Ordering};

use fichier_api::{
    ApiError, Client, ErrorKind, FileLink, FoundLink, LinkTarget, Password, SharedFolderId, SharedListing,
    links_in,
};
use fichier_storage::{LinkState, LinkStates, PublicLink, RemotePath};

use super::{error::failed, names::Names};

/// Number of links in one request, until that is refused.
const LINKS_PER_REQUEST: usize = 500;

/// The part of the service that needs no account.
#[derive(Debug)]
pub struct PublicSite {
    client: Client,
    names: Names,
    /// Largest number of links that the service is known to answer in one request.
    most: AtomicUsize,
}

/// Result of checking links: one answer for each link, `None` where the service doesn't mention it.
pub(super) struct Checked {
    pub(super) told: Vec<Option<fichier_api::LinkState>>,
    /// Error that ended the check early.
    pub(super) error: Option<ApiError>,
}

impl PublicSite {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names, most: AtomicUsize::new(LINKS_PER_REQUEST) }
    }

    /// Returns the states of links, in their order.
    pub async fn states(&self, links: &[PublicLink]) -> LinkStates {
        let mut states = vec![LinkState::Unknown; links.len()];
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for (index, link) in links.iter().enumerate() {
            match target(link) {
                Some(FoundLink { target: LinkTarget::File(file), .. }) => files.push((index, file)),
                Some(FoundLink { target: LinkTarget::Folder(folder), password }) => {
                    folders.push((index, folder, password));
                }
                None => states[index] = LinkState::Bad,
            }
        }
        let asked: Vec<FileLink> = files.iter().map(|(_, link)| *link).collect();
        let Checked { told, mut error } = self.check(&asked).await;
        for ((index, _), told) in files.into_iter().zip(told) {
            states[index] = told.map_or(LinkState::Unknown, |told| self.state(told));
        }
        for (index, folder, password) in folders {
            if error.as_ref().is_some_and(ends_all) {
                break;
            }
            match self.folder(&folder, password.as_ref()).await {
                Ok(page) => {
                    let size = page.files.iter().map(|file| file.size).sum();
                    states[index] = LinkState::Alive { name: None, size };
                }
                Err(problem) if problem.is_not_found() => states[index] = LinkState::Dead,
                Err(problem) if matches!(problem.kind(), ErrorKind::NotAllowed { .. }) => {
                    states[index] = LinkState::Private;
                }
                Err(problem) => error = error.or(Some(problem)),
            }
        }
        LinkStates { states, error: error.map(|error| failed("check links", &RemotePath::root(), error)) }
    }

    fn state(&self, told: fichier_api::LinkState) -> LinkState {
        match told {
            fichier_api::LinkState::Found { filename, size } => {
                let name = self.names.decode_file(&filename, size).map(|decoded| decoded.name.to_string());
                LinkState::Alive { name: Some(name.unwrap_or(filename)), size }
            }
            fichier_api::LinkState::NotFound => LinkState::Dead,
            fichier_api::LinkState::Private => LinkState::Private,
            fichier_api::LinkState::Bad => LinkState::Bad,
            _ => LinkState::Unknown,
        }
    }

    /// Lists a shared folder.
    pub(super) async fn folder(
        &self,
        folder: &SharedFolderId,
        password: Option<&Password>,
    ) -> Result<SharedListing, ApiError> {
        self.client.because("look at a shared directory").shared_folder(folder, password).await
    }

    /// Checks links, as many at once as the service answers: the document names no number (section 11).
    pub(super) async fn check(&self, links: &[FileLink]) -> Checked {
        let mut told = vec![None; links.len()];
        let mut waiting: Vec<Vec<usize>> = vec![(0..links.len()).collect()];
        let mut error = None;
        while let Some(mut part) = waiting.pop() {
            let most = self.most.load(Ordering::Relaxed).max(1);
            if part.len() > most {
                let rest = part.split_off(most);
                waiting.push(rest);
            }
            if part.is_empty() {
                continue;
            }
            let asked: Vec<FileLink> = part.iter().map(|index| links[*index]).collect();
            match self.client.because("check links").check_links(&asked).await {
                Ok(answers) => {
                    let mut silent = Vec::new();
                    for (index, (_, answer)) in part.iter().zip(answers) {
                        match answer {
                            Some(answer) => told[*index] = Some(answer),
                            None => silent.push(*index),
                        }
                    }
                    let answered = part.len() - silent.len();
                    // Links that aren't mentioned may have been too many; those that aren't mentioned again stay
                    // unknown.
                    if answered > 0 && !silent.is_empty() {
                        self.most.fetch_min(answered, Ordering::Relaxed);
                        waiting.push(silent);
                    } else if answered == 0 && !told.iter().any(Option::is_some) {
                        if part.len() == 1 {
                            break;
                        }
                        self.most.fetch_min(part.len() / 2, Ordering::Relaxed);
                        waiting.push(part);
                    }
                }
                Err(problem) if part.len() > 1 && may_be_too_long(&problem) => {
                    let half = part.len() / 2;
                    self.most.fetch_min(half, Ordering::Relaxed);
                    waiting.push(part.split_off(half));
                    waiting.push(part);
                }
                Err(problem) => {
                    error = Some(problem);
                    break;
                }
            }
        }
        Checked { told, error }
    }
}

/// Checks whether an error may be about the number of links.
fn may_be_too_long(error: &ApiError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Html { .. }
            | ErrorKind::Refused { .. }
            | ErrorKind::Status { code: 400 | 413 | 414 | 422 | 431 | 500..=599, .. }
    )
}

/// Checks whether no more requests are made after an error.
pub(super) fn ends_all(error: &ApiError) -> bool {
    error.is_fatal() || matches!(error.kind(), ErrorKind::Flood { .. } | ErrorKind::Connect(_))
}

/// Returns what a link leads to, with its password; `None` if it is no link of the service.
pub(super) fn target(link: &PublicLink) -> Option<FoundLink> {
    let mut found = links_in(&link.address).into_iter().next()?;
    let given = link.password.as_ref().map(|password| Password::new(password.expose()));
    found.password = given.or(found.password);
    Some(found)
}
