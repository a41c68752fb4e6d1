//! The in-process control: what a test looks at and prepares behind the service's back.

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

/// A handle to a running emulator, for one of its accounts. All methods block for the time of a database
/// transaction; nothing here counts as a request or obeys limits.
#[derive(Clone)]
pub struct Control {
    service: Arc<Service>,
    key: String,
}

/// All that an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// The folders, in the order of their making, without the root.
    pub folders: Vec<TreeFolder>,
    /// The files, in the order of their arrival.
    pub files: Vec<TreeFile>,
}

/// A folder of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeFolder {
    /// Its id.
    pub id: i64,
    /// The folder that it's in; 0 for the root.
    pub parent: i64,
    /// Its name as stored.
    pub name: String,
    /// Its path, as in `/a/b`.
    pub path: String,
}

/// A file of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeFile {
    /// The folder that it's in; 0 for the root.
    pub folder_id: i64,
    /// Its name as stored.
    pub name: String,
    /// Its path, as in `/a/b/name`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its checksum as the service tells it.
    pub whirlpool: String,
    /// Its link.
    pub url: String,
    /// Its date as the service tells it.
    pub date: String,
    /// Its description.
    pub description: String,
}

/// A file for [`Control::seed_many`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFile {
    /// The id of its folder.
    pub folder_id: i64,
    /// Its name, stored as it is.
    pub name: String,
    /// Its size. The content is that of [`synthetic::fill`](crate::synthetic::fill).
    pub size: u64,
    /// Which synthetic content. The checksum is computed once for each pair of seed and size.
    pub seed: u64,
    /// When it was sent; now if none.
    pub date: Option<Timestamp>,
}

impl Control {
    pub(crate) fn new(service: Arc<Service>, key: String) -> Self {
        Self { service, key }
    }

    /// The same for another account.
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

    /// How often each endpoint was asked since the start or the last reset: `file/ls`, `upload.cgi`, `end.pl`,
    /// `download`, `dir`, `page`, `check_links.pl`. Endpoints that weren't asked are missing.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.service.counters.requests()
    }

    /// The sum of the counters of all API calls: of all that `limits` counts.
    #[must_use]
    pub fn api_calls(&self) -> u64 {
        self.counters().iter().filter(|(endpoint, _)| endpoint.contains('/')).map(|(_, count)| count).sum()
    }

    /// How many flood answers were given.
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

    /// The faults that were added and not cleared.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultSpec> {
        self.service.faults.list()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Forgets all locks and intervals of the limits.
    ///
    /// # Errors
    /// If the state fails.
    pub fn reset_limits(&self) -> Result<(), EmulatorError> {
        self.service.store.transact(|tx| Ok(tx.clear_gates()?))
    }

    /// All that the account holds, as it is, whatever the lag shows in listings.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
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

    /// How many files the account holds, as [`tree`](Self::tree) tells them.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
    pub fn count_files(&self) -> Result<u64, EmulatorError> {
        self.with(|tx, account| Ok(tx.count_files(account)?))
    }

    /// Makes a folder with its parents, where they're missing, and answers its id. Names are stored as they are.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
    pub fn seed_folder(&self, path: &str) -> Result<i64, EmulatorError> {
        self.with(|tx, account| folder_at(tx, account, path))
    }

    /// Makes a folder as [`seed_folder`](Self::seed_folder) does and shares it with the world, asking for the
    /// password if there is one. Answers the share's code, the end of its page's address.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
    pub fn seed_share(&self, path: &str, password: Option<&str>) -> Result<String, EmulatorError> {
        self.with(|tx, account| {
            let folder = folder_at(tx, account, path)?;
            let code = links::random_code(8);
            tx.share_folder(folder, Some(&code), password, "[]")?;
            Ok(code)
        })
    }

    /// Stores a file at a path, making its folders, and answers its link. The name is stored as it is, and a
    /// file of that name stays beside it.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
    pub fn seed_file(&self, path: &str, content: &[u8]) -> Result<String, EmulatorError> {
        self.seed_file_dated(path, content, self.service.clock.now())
    }

    /// The same with a date of your choice.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
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

    /// Stores many files with synthetic content in a single transaction, and answers their links.
    ///
    /// # Errors
    /// If the account doesn't exist or the state fails.
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

    /// A stored file's content, by link. Meant for small files: it comes as a whole.
    ///
    /// # Errors
    /// If there's no such file or its content can't be read.
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

    /// Alters a byte of a stored file, while its checksum stays as it was. Copies of the file share the damage.
    ///
    /// # Errors
    /// If there's no such file or byte, or the content is synthetic.
    pub fn corrupt(&self, url: &str, offset: u64) -> Result<(), EmulatorError> {
        let (blob, _) = self.blob_of(url)?;
        let altered = self.service.store.blobs.corrupt(&blob, offset);
        altered.map_err(|error| EmulatorError::Control(format!("cannot alter {url}: {error}")))
    }

    fn blob_of(&self, url: &str) -> Result<(String, u64), EmulatorError> {
        let missing = || EmulatorError::Control(format!("no file has the link {url}"));
        let code = links::code_of(url).ok_or_else(missing)?;
        let file =
            self.service.store.transact(|tx| Ok::<_, EmulatorError>(tx.file(&code)?))?.ok_or_else(missing)?;
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
