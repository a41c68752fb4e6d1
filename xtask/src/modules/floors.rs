//! Dependencies that each crate may have: the floors of docs/architecture.md.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Dependencies that one crate may have. Dependencies of dependencies follow from the other lines.
struct Floor {
    name: &'static str,
    /// Crates that it may use.
    uses: &'static [&'static str],
    /// Crates that its tests may use as well.
    tests: &'static [&'static str],
}

const fn floor(name: &'static str, uses: &'static [&'static str], tests: &'static [&'static str]) -> Floor {
    Floor { name, uses, tests }
}

/// All floors, from the top down; a crate uses only those below it.
const FLOORS: &[Floor] = &[
    floor(
        "cli",
        &[
            "session",
            "mount",
            "vfs",
            "engine",
            "config",
            "remotes",
            "filter",
            "emulator",
            "storage",
            "encoding",
            "api",
            "whirlpool-simd",
            "notation",
            "state",
        ],
        &[],
    ),
    floor("session", &["remotes", "config", "emulator", "storage", "encoding", "api", "notation"], &[]),
    floor("mount", &["vfs"], &["storage"]),
    // The file system, too, sees remotes by their trait only.
    floor("vfs", &["storage", "state"], &[]),
    // The engine sees remotes by their trait only.
    floor("engine", &["filter", "storage", "state"], &["remotes", "encoding", "emulator"]),
    floor("remotes", &["storage", "encoding", "api", "notation", "state"], &["emulator"]),
    floor("filter", &["storage"], &[]),
    floor("config", &["notation", "state"], &[]),
    floor("storage", &["whirlpool-simd", "notation"], &[]),
    // These two share nothing but the hash function, not even in their tests: a mistake must not hide on both sides.
    floor("emulator", &["whirlpool-simd"], &[]),
    floor("api", &["whirlpool-simd", "state"], &[]),
    floor("encoding", &[], &[]),
    floor("notation", &[], &[]),
    floor("state", &[], &[]),
    floor("whirlpool-simd", &[], &[]),
];

/// A crate, and the other crates here that its manifest says it uses.
pub(super) struct Crate {
    pub(super) name: String,
    uses: BTreeSet<String>,
    tests: BTreeSet<String>,
}

/// Returns the crates of a folder, in the order of the floors.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Crate>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("can't list {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if folder.join(&name).join("Cargo.toml").is_file() {
            names.push(name);
        }
    }
    names.sort_by_key(|name| FLOORS.iter().position(|floor| floor.name == name));
    let read = |name: &String| {
        let manifest: PathBuf = folder.join(name).join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).with_context(|| format!("can't read {}", manifest.display()))?;
        Ok(Crate::new(name, &text, &names))
    };
    names.iter().map(read).collect()
}

impl Crate {
    fn new(name: &str, manifest: &str, all: &[String]) -> Self {
        let mut read = Self { name: name.to_owned(), uses: BTreeSet::new(), tests: BTreeSet::new() };
        let mut section = "";
        for line in manifest.lines() {
            if let Some(header) = line.strip_prefix('[') {
                section = header.trim_end().trim_end_matches(']');
                continue;
            }
            let package = line.split(['.', '=', ' ']).next().unwrap_or_default();
            let known = all.iter().find(|known| package_name(known) == package);
            // This includes `target.'cfg(unix)'.dependencies`.
            match (known, section.rsplit('.').next()) {
                (Some(known), Some("dependencies" | "build-dependencies")) => read.uses.insert(known.clone()),
                (Some(known), Some("dev-dependencies")) => read.tests.insert(known.clone()),
                _ => false,
            };
        }
        read
    }

    /// Returns what this crate uses against the floors.
    pub(super) fn faults(&self) -> Vec<String> {
        let Some(floor) = FLOORS.iter().find(|floor| floor.name == self.name) else {
            return vec![format!(
                "crates/{} has no floor: say in xtask/src/modules/floors.rs what it may use",
                self.name
            )];
        };
        let may = |used: &&String| floor.uses.contains(&used.as_str());
        let tests_may = |used: &&String| may(used) || floor.tests.contains(&used.as_str());
        let wrong = self.uses.iter().filter(|used| !may(used));
        let wrong = wrong.chain(self.tests.iter().filter(|used| !tests_may(used)));
        wrong.map(|used| format!("crates/{} must not depend on crates/{used}", self.name)).collect()
    }
}

fn package_name(folder: &str) -> String {
    match folder {
        "cli" => "fichier".to_owned(),
        "whirlpool-simd" => folder.to_owned(),
        _ => format!("fichier-{folder}"),
    }
}

impl fmt::Display for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (at, used) in self.uses.iter().enumerate() {
            write!(f, "{}{used}", if at == 0 { " -> " } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floors_go_downward() {
        for (at, floor) in FLOORS.iter().enumerate() {
            for used in floor.uses {
                let below = FLOORS.iter().position(|other| other.name == *used);
                assert!(below.is_some_and(|below| below > at), "{} uses {used}", floor.name);
            }
        }
    }

    #[test]
    fn what_a_manifest_says_is_held_against_the_floors() {
        let all = ["engine", "remotes", "storage", "api", "new"].map(str::to_owned);
        let faults = |name: &str, manifest: &str| Crate::new(name, manifest, &all).faults();
        assert!(
            faults("engine", "[dependencies]\nfichier-storage.workspace = true\nserde = \"1\"").is_empty()
        );
        let upward = "[dependencies]\nfichier-remotes = { path = \"../remotes\" }\n[dev-dependencies]\n";
        assert_eq!(faults("engine", upward), ["crates/engine must not depend on crates/remotes"]);
        assert!(faults("engine", "[dev-dependencies]\nfichier-remotes.workspace = true").is_empty());
        let on_unix = "[target.'cfg(unix)'.dependencies]\nfichier-api.workspace = true";
        assert_eq!(faults("storage", on_unix), ["crates/storage must not depend on crates/api"]);
        let tests = "[dev-dependencies]\nfichier-api.workspace = true";
        assert_eq!(faults("emulator", tests), ["crates/emulator must not depend on crates/api"]);
        assert!(faults("new", "")[0].contains("has no floor"));
    }
}
