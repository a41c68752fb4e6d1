//! The in-process control, with which a test looks at the state and changes it without the service's API.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::checksum::Checksums;
use crate::clock::wire_date;
use crate::error::EmulatorError;
use crate::faults::FaultSpec;
use crate::links;
use crate::service::Service;
use crate::state::{NewFile, Tx, synthetic_blob};
use crate::synthetic;

/// Handle to a running emulator, for one of its accounts. All methods block for the time of a database transaction.
/// None of them counts as a request or is limited.
#[derive(Clone)]
pub struct Control {
    service: Arc<Service>,
    key: String,
}

/// All folders and files of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// Folders, in the order in which they were made, without the root.
    pub folders: Vec<TreeFolder>,
    /// Files, in the order in which they arrived.
    pub files: Vec<TreeFile>,
}

/// A folder of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeFolder {
    /// Id of the folder.
    pub id: i64,
    /// Id of the parent folder; 0 for the root.
    pub parent: i64,
    /// Name as stored.
    pub name: String,
    /// Path, as in `/a/b`.
    pub path: String,
}

/// A file of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeFile {
    /// Id of the file's folder; 0 for the root.
    pub folder_id: i64,
    /// Name as stored.
    pub name: String,
    /// Path, as in `/a/b/name`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Checksum as the service gives it.
    pub whirlpool: String,
    /// Link of the file.
    pub url: String,
    /// Date as the service writes it.
    pub date: String,
    /// Description of the file.
    pub description: String,
}

/// A file for [`Control::seed_many`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFile {
    /// Id of the file's folder.
    pub folder_id: i64,
    /// Name, stored as it is.
    pub name: String,
    /// Size in bytes. The content is that of [`synthetic::fill`](crate::synthetic::fill).
    pub size: u64,
    /// Seed of the synthetic content. The checksum is computed once for each pair of seed and size.
    pub seed: u64,
    /// Time of the upload; `None` means now.
    pub date: Option<Timestamp>,
}

impl Control {
    pub(crate) fn new(service: Arc<Service>, key: String) -> Self {
        Self { service, key }
    }

    /// Returns a control for another account.
    #[must_use]
    pub fn for_account(&self, key: impl Into<String>) -> Self {
        Self { service: Arc::clone(&self.service), key: key.into() }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Tx<'_>, i64) -> Result<T, EmulatorError>,
    ) -> Result<T, EmulatorError> {
        self.service.store.transact(|tx| {
            let account = tx.account_by_key(&self.key)?;
            let account =
                account.ok_or_else(|| EmulatorError::Control("no account has this key".to_owned()))?;
            work(tx, account.id)
        })
    }

    /// Returns how often each endpoint was called since the start or the last reset: `file/ls`, `upload.cgi`,
    /// `end.pl`, `download`, `dir`, `page`, `check_links.pl`. Endpoints that weren't called are missing.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.service.counters.requests()
    }

    /// Returns the sum of the counters of all API calls: of all that `limits` counts.
    #[must_use]
    pub fn api_calls(&self) -> u64 {
        self.counters().iter().filter(|(endpoint, _)| endpoint.contains('/')).map(|(_, count)| count).sum()
    }

    /// Returns how many flood answers were given.
    #[must_use]
    pub fn floods(&self) -> u64 {
        self.service.counters.floods()
    }

    /// Sets all counters to zero.
    pub fn reset_counters(&self) {
        self.service.counters.reset();
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: FaultSpec) {
        self.service.faults.add(fault);
    }

    /// Returns the faults that were added and not cleared.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultSpec> {
        self.service.faults.list()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Removes all locks and intervals of the limits.
    ///
    /// # Errors
    /// The state fails.
    pub fn reset_limits(&self) -> Result<(), EmulatorError> {
        self.service.store.transact(|tx| Ok(tx.clear_gates()?))
    }

    /// Returns everything in the account as it is, whatever the lag shows in listings.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn tree(&self) -> Result<Tree, EmulatorError> {
        let zone = &self.service.zone;
        self.with(|tx, account| {
            let rows = tx.all_folders(account)?;
            let by_id: HashMap<i64, (i64, &str)> =
                rows.iter().map(|folder| (folder.id, (folder.parent, folder.name.as_str()))).collect();
            let path_of = |mut id: i64| {
                let mut names = Vec::new();
                while let Some((parent, name)) = by_id.get(&id) {
                    names.push(*name);
                    id = *parent;
                }
                names.iter().rev().fold(String::new(), |path, name| format!("{path}/{name}"))
            };
            let paths: HashMap<i64, String> =
                rows.iter().map(|folder| (folder.id, path_of(folder.id))).collect();
            let folders = rows
                .iter()
                .map(|folder| TreeFolder {
                    id: folder.id,
                    parent: folder.parent,
                    name: folder.name.clone(),
                    path: paths.get(&folder.id).cloned().unwrap_or_default(),
                })
                .collect();
            let files = tx
                .all_files(account)?
                .into_iter()
                .map(|file| TreeFile {
                    url: file.link(),
                    folder_id: file.folder,
                    path: format!("{}/{}", paths.get(&file.folder).map_or("", String::as_str), file.name),
                    size: file.size,
                    date: wire_date(file.date, zone),
                    name: file.name,
                    whirlpool: file.checksum,
                    description: file.description,
                })
                .collect();
            Ok(Tree { folders, files })
        })
    }

    /// Returns how many files the account has, as [`tree`](Self::tree) returns them.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn count_files(&self) -> Result<u64, EmulatorError> {
        self.with(|tx, account| Ok(tx.count_files(account)?))
    }

    /// Makes a folder with its parents, where they are missing, and returns its id. Names are stored as they are.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn seed_folder(&self, path: &str) -> Result<i64, EmulatorError> {
        self.with(|tx, account| folder_at(tx, account, path))
    }

    /// Makes a folder as [`seed_folder`](Self::seed_folder) does and shares it publicly, with the password if there
    /// is one. Returns the share's code, the end of its page's URL.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn seed_share(&self, path: &str, password: Option<&str>) -> Result<String, EmulatorError> {
        self.with(|tx, account| {
            let folder = folder_at(tx, account, path)?;
            let code = links::random_code(8);
            tx.share_folder(folder, Some(&code), password, "[]")?;
            Ok(code)
        })
    }

    /// Stores a file at a path with its folders, and returns its link. The name is stored as it is, and an existing
    /// file of that name stays beside it.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn seed_file(&self, path: &str, content: &[u8]) -> Result<String, EmulatorError> {
        self.seed_file_dated(path, content, self.service.clock.now())
    }

    /// Stores a file as [`seed_file`](Self::seed_file) does, with a given date.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn seed_file_dated(
        &self,
        path: &str,
        content: &[u8],
        date: Timestamp,
    ) -> Result<String, EmulatorError> {
        let (folder, name) = path.trim_matches('/').rsplit_once('/').unwrap_or(("", path.trim_matches('/')));
        let stored = self
            .service
            .store
            .blobs
            .writer(Checksums::default())
            .and_then(|mut writer| {
                writer.write(content)?;
                writer.finish()
            })
            .map_err(|error| {
                EmulatorError::Control(format!("cannot store the content of {path}: {error}"))
            })?;
        self.with(|tx, account| {
            let folder = folder_at(tx, account, folder)?;
            let file = tx.add_file(&NewFile {
                account,
                folder,
                domain: 0,
                name: name.to_owned(),
                size: stored.size,
                date: date.as_second(),
                checksum: stored.checksum.clone(),
                blob: stored.blob.clone(),
                description: String::new(),
                pass: None,
            })?;
            Ok(file.link())
        })
    }

    /// Stores many files with synthetic content in a single transaction, and returns their links.
    ///
    /// # Errors
    /// The account doesn't exist, or the state fails.
    pub fn seed_many(&self, files: &[SeedFile]) -> Result<Vec<String>, EmulatorError> {
        let mut checksums: HashMap<(u64, u64), String> = HashMap::new();
        for file in files {
            checksums
                .entry((file.seed, file.size))
                .or_insert_with(|| synthetic::whirlpool(file.seed, file.size));
        }
        self.with(|tx, account| {
            let mut links = Vec::with_capacity(files.len());
            for file in files {
                let row = tx.add_file(&NewFile {
                    account,
                    folder: file.folder_id,
                    domain: 0,
                    name: file.name.clone(),
                    size: file.size,
                    date: file.date.map_or(tx.now_seconds(), Timestamp::as_second),
                    checksum: checksums.get(&(file.seed, file.size)).cloned().unwrap_or_default(),
                    blob: synthetic_blob(file.seed),
                    description: String::new(),
                    pass: None,
                })?;
                links.push(row.link());
            }
            Ok(links)
        })
    }

    /// Returns a stored file's content, by link. Meant for small files, since it comes in one piece.
    ///
    /// # Errors
    /// The file doesn't exist, or its content can't be read.
    pub fn content(&self, url: &str) -> Result<Vec<u8>, EmulatorError> {
        let (blob, size) = self.blob_of(url)?;
        let failed = |error| EmulatorError::Control(format!("cannot read {url}: {error}"));
        let length =
            usize::try_from(size).map_err(|_| EmulatorError::Control(format!("{url} is too large")))?;
        let mut content = vec![0; length];
        let reader = self.service.store.blobs.reader(&blob).map_err(failed)?;
        reader.read_exact_at(&mut content, 0).map_err(failed)?;
        Ok(content)
    }

    /// Changes a byte of a stored file but not its checksum. Copies of the file have the same damage.
    ///
    /// # Errors
    /// The file or the byte doesn't exist, or the content is synthetic.
    pub fn corrupt(&self, url: &str, offset: u64) -> Result<(), EmulatorError> {
        let (blob, _) = self.blob_of(url)?;
        let altered = self.service.store.blobs.corrupt(&blob, offset);
        altered.map_err(|error| EmulatorError::Control(format!("cannot alter {url}: {error}")))
    }

    fn blob_of(&self, url: &str) -> Result<(String, u64), EmulatorError> {
        let missing = || EmulatorError::Control(format!("no file has the link {url}"));
        let file = self.service.store.transact(|tx| Ok::<_, EmulatorError>(tx.file_by_link(url)?))?;
        let file = file.ok_or_else(missing)?;
        Ok((file.blob, file.size))
    }
}

fn folder_at(tx: &Tx<'_>, account: i64, path: &str) -> Result<i64, EmulatorError> {
    let mut id = 0;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        id = match tx.folder_named(account, id, name)? {
            Some(folder) => folder.id,
            None => tx.make_folder(account, id, name)?,
        };
    }
    Ok(id)
}
