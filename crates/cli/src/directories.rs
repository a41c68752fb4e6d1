//! Where the program keeps things of its own: `fichier` below the user's data and cache directories.

use std::path::PathBuf;

use crate::flags::Environment;

/// What has to be kept: the demo service's files.
pub(crate) fn data(environment: &Environment) -> Option<PathBuf> {
    base(environment, "XDG_DATA_HOME", ".local/share", "Library/Application Support", "APPDATA")
}

/// What may be lost: what was learned about accounts.
pub(crate) fn cache(environment: &Environment) -> Option<PathBuf> {
    base(environment, "XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA")
}

/// What processes that run at the same time share: when which account was called.
pub(crate) fn runtime(environment: &Environment) -> Option<PathBuf> {
    let set = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    set.map(|base| base.join("fichier")).or_else(|| Some(cache(environment)?.join("running")))
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
