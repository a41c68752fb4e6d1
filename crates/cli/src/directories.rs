//! The program's own directories: `fichier` below the user's data and cache directories, unless flags name other
//! places.

use std::path::PathBuf;

use fichier_config::Environment;

/// Directories of a run. `None` means that the user's directories aren't known.
#[derive(Debug, Clone)]
pub(crate) struct Directories {
    /// Directory for what may be lost: knowledge about accounts.
    pub(crate) cache: Option<PathBuf>,
    /// Directory that processes running at the same time share: it records when which account was called.
    pub(crate) running: Option<PathBuf>,
    /// Directory for what has to be kept: the demo service's files.
    pub(crate) data: Option<PathBuf>,
    /// What file systems have that isn't sent yet, and what they read: kept unless a flag says where caches are.
    pub(crate) file_systems: Option<PathBuf>,
    /// What only passes through.
    pub(crate) temporary: PathBuf,
}

impl Directories {
    /// Takes the directories from the environment, or from the flags `--cache-dir` and `--temp-dir`.
    pub(crate) fn new(environment: &Environment, cache: Option<PathBuf>, temporary: Option<PathBuf>) -> Self {
        let given = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        let usual = base(environment, "XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA");
        let run = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        // This place must not depend on a flag: all processes have to find each other there.
        let running = run.map(|base| base.join("fichier")).or_else(|| Some(usual.as_ref()?.join("running")));
        let data =
            base(environment, "XDG_DATA_HOME", ".local/share", "Library/Application Support", "APPDATA");
        let cache = given(cache);
        let file_systems = cache.as_ref().or(data.as_ref()).map(|base| base.join("vfs"));
        Self {
            cache: cache.or(usual),
            running,
            data,
            file_systems,
            temporary: given(temporary).unwrap_or_else(std::env::temp_dir),
        }
    }
}

fn base(environment: &Environment, xdg: &str, unix: &str, mac: &str, windows: &str) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        set(windows)?
    } else {
        let below = if cfg!(target_os = "macos") { mac } else { unix };
        set(xdg).or_else(|| Some(set("HOME")?.join(below)))?
    };
    Some(base.join("fichier"))
}
