//! Public files of anyone: the service describes them, serves them, and copies them into an account.

use std::collections::HashMap;

use fichier_api::{
    ErrorKind, FileLink, FileOf, FoundLink, LinkState, LinkTarget, Password, SharedFolderId, WireDate,
};
use fichier_storage::{Blame, File, PublicLink, RemotePath, Result, Retry, StorageError};

use super::{
    FichierRemote,
    catalogue::{KnownFile, Marks},
    error::failed,
    public_site::target,
};

/// Number of wrong passwords in a row after which other links with the same one aren't tried: many refusals bring a
/// ban.
const WRONG_IN_A_ROW: u32 = 3;

impl FichierRemote {
    /// Returns the file that a link leads to, whoever owns it.
    pub(super) async fn file_of_link(&self, link: &PublicLink) -> Result<File> {
        match target(link) {
            Some(FoundLink { target: LinkTarget::File(file), password }) => {
                self.file_by_link(file, password).await
            }
            _ => Err(missing(link)),
        }
    }

    async fn file_by_link(&self, link: FileLink, password: Option<Password>) -> Result<File> {
        let pass = password.clone().or_else(|| self.options.file_password.clone());
        let ask = FileOf::Link { link, pass };
        let told = self.client.because("look at a public file").file_info(&ask).await;
        let gone = || StorageError::FileNotFound(RemotePath::parse(link.to_string()).unwrap_or_default());
        let info = told.map_err(|error| match error.kind() {
            ErrorKind::NotFound { .. } => gone(),
            ErrorKind::NotAllowed { .. } => not_for_us(&link),
            _ => failed(&format!("look up {link} with"), &RemotePath::root(), error),
        })?;
        let (Some(stored), Some(size)) = (info.filename, info.size) else { return Err(gone()) };
        let date = info.date.as_ref().and_then(WireDate::as_utc);
        let mut known = self.public_file_of(link, &stored, size)?;
        known.whirlpool = info.checksum;
        known.date = date;
        Ok(self.noted(known, password))
    }

    /// Makes a public file from its name and size.
    fn public_file_of(&self, link: FileLink, stored: &str, size: u64) -> Result<KnownFile> {
        let bad = |source| StorageError::BadName { folder: RemotePath::root(), source };
        let decoded = self.tree.names().decode_file(stored, size).map_err(bad)?;
        Ok(KnownFile {
            link,
            name: decoded.name,
            size,
            whirlpool: None,
            date: None,
            media_type: None,
            stands_for_empty: decoded.stands_for_empty,
            marks: Marks::default(),
            reported: false,
        })
    }

    fn noted(&self, file: KnownFile, password: Option<Password>) -> File {
        let path = RemotePath::root().join(&file.name);
        let shown = self.tree.as_file(&file, path);
        self.public.note(file, password);
        shown
    }

    /// Returns the files that links lead to, requested in lists. Only files with a password are requested one by one.
    pub(super) async fn files_of_links(&self, links: &[PublicLink]) -> Vec<Result<Vec<File>>> {
        let targets: Vec<_> = links.iter().map(target).collect();
        let files: Vec<FileLink> = targets
            .iter()
            .flatten()
            .filter_map(|found| match &found.target {
                LinkTarget::File(link) => Some(*link),
                LinkTarget::Folder(_) => None,
            })
            .collect();
        let checked = if files.is_empty() { None } else { Some(self.site.check(&files).await) };
        if let Some(error) = checked.as_ref().and_then(|checked| checked.error.as_ref()) {
            tracing::warn!("The check of links isn't answered ({error}): links are looked up one by one");
        }
        let mut states: HashMap<FileLink, LinkState> = HashMap::new();
        for (link, told) in files.iter().zip(checked.into_iter().flat_map(|checked| checked.told)) {
            states.extend(told.map(|told| (*link, told)));
        }
        let mut wrong: Vec<(Option<Password>, u32)> = Vec::new();
        let mut over = false;
        let mut answers = Vec::with_capacity(links.len());
        for (link, found) in links.iter().zip(targets) {
            let Some(FoundLink { target, password }) = found else {
                answers.push(Err(missing(link)));
                continue;
            };
            if over {
                answers.push(Err(StorageError::NotTried));
                continue;
            }
            let answer = match target {
                LinkTarget::Folder(folder) => self.files_of_page(link, &folder, password.as_ref()).await,
                LinkTarget::File(file) => match states.remove(&file) {
                    Some(LinkState::Found { filename, size }) => self
                        .public_file_of(file, &filename, size)
                        .map(|known| vec![self.noted(known, password)]),
                    Some(LinkState::NotFound | LinkState::Bad) => Err(missing(link)),
                    state => {
                        let private = matches!(state, Some(LinkState::Private));
                        self.file_one_by_one(link, file, password, private, &mut wrong).await
                    }
                },
            };
            over = matches!(&answer, Err(error) if error.retry() == Retry::Fatal || matches!(error, StorageError::Canceled));
            answers.push(answer);
        }
        answers
    }

    /// Requests a file that the check of links doesn't describe. `wrong` counts how often each password was refused in
    /// a row.
    async fn file_one_by_one(
        &self,
        link: &PublicLink,
        file: FileLink,
        password: Option<Password>,
        private: bool,
        wrong: &mut Vec<(Option<Password>, u32)>,
    ) -> Result<Vec<File>> {
        let known = password.clone().or_else(|| self.options.file_password.clone());
        if private && known.is_none() {
            return Err(private_link(link, "it has a password, or isn't for everybody"));
        }
        let text = known.as_ref().map(Password::reveal);
        let place = wrong.iter().position(|(tried, _)| tried.as_ref().map(Password::reveal) == text);
        let place = place.unwrap_or_else(|| {
            wrong.push((known, 0));
            wrong.len() - 1
        });
        if wrong[place].1 >= WRONG_IN_A_ROW {
            return Err(private_link(
                link,
                "it wasn't asked for: its password was refused for others before",
            ));
        }
        let answer = self.file_by_link(file, password).await;
        wrong[place].1 = match &answer {
            Ok(_) => 0,
            Err(_) if private => wrong[place].1 + 1,
            Err(_) => wrong[place].1,
        };
        answer.map(|file| vec![file])
    }

    /// Returns the files of a shared folder, from its page.
    async fn files_of_page(
        &self,
        link: &PublicLink,
        folder: &SharedFolderId,
        password: Option<&Password>,
    ) -> Result<Vec<File>> {
        let page = self.site.folder(folder, password).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound { .. } => missing(link),
            ErrorKind::NotAllowed { .. } => not_for_us(link),
            _ => failed(&format!("list the shared directory {folder} with"), &RemotePath::root(), error),
        })?;
        for left_out in page.left_out {
            let name = left_out.name.as_deref().unwrap_or("a file without a name");
            tracing::error!("Left out of the shared directory {folder}: {name:?}: {}", left_out.problem);
        }
        let mut files = Vec::with_capacity(page.files.len());
        for file in page.files {
            match self.public_file_of(file.link, &file.filename, file.size) {
                Ok(known) => files.push(self.noted(known, None)),
                Err(error) => tracing::error!("Left out of the shared directory {folder}: {error}"),
            }
        }
        Ok(files)
    }
}

/// Returns the error of a link that leads to nothing.
fn missing(link: &PublicLink) -> StorageError {
    StorageError::FileNotFound(RemotePath::parse(&link.address).unwrap_or_default())
}

/// Returns the error of a link that the service didn't open.
fn not_for_us(link: &impl std::fmt::Display) -> StorageError {
    private_link(link, "its password is missing or wrong, or it isn't for everybody")
}

/// Returns the error of a link that isn't public.
fn private_link(link: &impl std::fmt::Display, why: &str) -> StorageError {
    StorageError::Service {
        action: format!("look up {link}"),
        retry: Retry::Useless,
        blame: Blame::User,
        hint: Some("give its password by --password, or as LINK#PASSWORD".to_owned()),
        source: why.into(),
    }
}
