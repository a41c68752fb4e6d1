//! Where the configuration file is.

use std::path::{Path, PathBuf};

use crate::Environment;

/// Paths of a configuration file, in the order in which they are tried.
///
/// 1. `--config FILE` (empty: no file at all)
/// 2. the variable `FICHIER_CONFIG`, then `RCLONE_CONFIG`
/// 3. `$XDG_CONFIG_HOME/rclone/rclone.conf`
/// 4. `%APPDATA%\rclone\rclone.conf`, on Windows
/// 5. `~/.config/rclone/rclone.conf`
/// 6. `~/.rclone.conf`
///
/// A named file (1, 2) counts whether it exists or not; of the others the first that exists counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    named: Option<PathBuf>,
    usual: Vec<PathBuf>,
}

impl Locations {
    /// Returns the paths for this environment; `flag` is the value of `--config`, if it was given.
    ///
    /// ```
    /// use fichier_config::{Environment, Locations};
    ///
    /// let environment = Environment::from_pairs([("HOME", "/nowhere"), ("RCLONE_CONFIG", "/etc/rclone.conf")]);
    /// let locations = Locations::new(None, &environment);
    /// assert_eq!(locations.file().unwrap().to_str(), Some("/etc/rclone.conf"));
    /// ```
    pub fn new(flag: Option<&Path>, environment: &Environment) -> Locations {
        let variable =
            |name: &str| environment.get_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = flag
            .map(Path::to_path_buf)
            .or_else(|| variable("FICHIER_CONFIG"))
            .or_else(|| variable("RCLONE_CONFIG"));
        let home = environment.home();
        let usual = [
            variable("XDG_CONFIG_HOME").map(|base| base.join("rclone/rclone.conf")),
            variable("APPDATA").filter(|_| cfg!(windows)).map(|base| base.join("rclone").join("rclone.conf")),
            home.map(|home| home.join(".config/rclone/rclone.conf")),
            home.map(|home| home.join(".rclone.conf")),
        ];
        Locations { named, usual: usual.into_iter().flatten().collect() }
    }

    /// Returns the path that counts: the file is read if it exists, and made if it doesn't. `None` means no file at
    /// all.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.named {
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(path.clone()),
            None => self.usual.iter().find(|path| path.exists()).or(self.usual.first()).cloned(),
        }
    }

    /// Checks whether a file was named, whether it exists or not.
    pub fn is_named(&self) -> bool {
        self.named.as_ref().is_some_and(|path| !path.as_os_str().is_empty())
    }

    /// Returns every place that is tried, in order, for `config paths` and error messages.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        self.named.iter().chain(&self.usual).map(PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn environment(pairs: &[(&str, &Path)]) -> Environment {
        Environment::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn a_named_file_counts_before_all_others() {
        let both = environment(&[("FICHIER_CONFIG", Path::new("/f")), ("RCLONE_CONFIG", Path::new("/r"))]);
        assert_eq!(Locations::new(Some(Path::new("/flag")), &both).file(), Some("/flag".into()));
        assert_eq!(Locations::new(None, &both).file(), Some("/f".into()));
        let empty = environment(&[("FICHIER_CONFIG", Path::new("")), ("RCLONE_CONFIG", Path::new("/r"))]);
        assert_eq!(Locations::new(None, &empty).file(), Some("/r".into()));
        assert_eq!(Locations::new(Some(Path::new("")), &both).file(), None);
    }

    #[test]
    fn of_the_usual_places_the_first_that_exists_counts() {
        let home = tempfile::tempdir().unwrap();
        let xdg = home.path().join("xdg");
        let environment = environment(&[("HOME", home.path()), ("XDG_CONFIG_HOME", &xdg)]);
        let place = |path: &str| Some(home.path().join(path));
        let file = || Locations::new(None, &environment).file();

        assert_eq!(file(), place("xdg/rclone/rclone.conf"), "where a new one would be made");
        fs::write(home.path().join(".rclone.conf"), "").unwrap();
        assert_eq!(file(), place(".rclone.conf"));
        fs::create_dir_all(home.path().join(".config/rclone")).unwrap();
        fs::write(home.path().join(".config/rclone/rclone.conf"), "").unwrap();
        assert_eq!(file(), place(".config/rclone/rclone.conf"));
        fs::create_dir_all(xdg.join("rclone")).unwrap();
        fs::write(xdg.join("rclone/rclone.conf"), "").unwrap();
        assert_eq!(file(), place("xdg/rclone/rclone.conf"));
    }

    #[test]
    fn without_a_home_there_is_no_file() {
        assert_eq!(Locations::new(None, &Environment::default()).file(), None);
    }
}
