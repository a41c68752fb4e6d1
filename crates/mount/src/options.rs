//! How a file system is mounted.

use std::time::Duration;

use crate::{MountError, Result};

/// How a file system is mounted.
#[derive(Debug, Clone)]
pub struct MountOptions {
    /// How long the kernel keeps attributes and names that were looked up.
    pub attr_timeout: Duration,
    /// Whether other users may use the mount.
    pub allow_other: bool,
    /// Whether root may use the mount of another user.
    pub allow_root: bool,
    /// Whether the kernel enforces permissions.
    pub default_permissions: bool,
    /// Whether the directory may hold something, or be a mount already.
    pub allow_non_empty: bool,
    /// Whether nothing can be changed.
    pub read_only: bool,
    /// What the system's tables name as the device.
    pub source: String,
    /// What the system's tables name as the kind, behind `fuse.`.
    pub subtype: String,
    /// Other options for the mount: those of `mount`, like `noexec` and `noatime`.
    pub others: Vec<String>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self {
            attr_timeout: Duration::from_secs(1),
            allow_other: false,
            allow_root: false,
            default_permissions: false,
            allow_non_empty: false,
            read_only: false,
            source: "fichier".to_owned(),
            subtype: "fichier".to_owned(),
            others: Vec::new(),
        }
    }
}

impl MountOptions {
    /// Takes in an option as `mount -o` has it; several may stand with commas between them.
    ///
    /// # Errors
    /// [`MountError::UnknownOption`].
    pub fn apply(&mut self, words: &str) -> Result<()> {
        for word in words.split(',').filter(|word| !word.is_empty()) {
            match word {
                "allow_other" => self.allow_other = true,
                "allow_root" => self.allow_root = true,
                "default_permissions" => self.default_permissions = true,
                "nonempty" => self.allow_non_empty = true,
                "ro" => self.read_only = true,
                "rw" => self.read_only = false,
                "exec" | "noexec" | "suid" | "nosuid" | "dev" | "nodev" | "atime" | "noatime" | "sync"
                | "async" | "dirsync" => self.others.push(word.to_owned()),
                // What `fstab` holds for `mount` itself.
                "auto" | "noauto" | "user" | "nouser" | "nofail" | "_netdev" | "defaults" => {}
                word if word.starts_with("x-") || word.starts_with("comment=") => {}
                word => match word.split_once('=') {
                    Some(("fsname", name)) => self.source = name.to_owned(),
                    Some(("subtype", name)) => self.subtype = name.to_owned(),
                    Some(("max_read", _)) => self.others.push(word.to_owned()),
                    _ => return Err(MountError::UnknownOption(word.to_owned())),
                },
            }
        }
        Ok(())
    }

    /// Returns the options as the library takes them.
    pub(crate) fn config(&self) -> fuser::Config {
        use fuser::MountOption;
        let mut options = vec![
            // A comma would end the name.
            MountOption::FSName(self.source.replace(',', "_")),
            // The library passes a subtype of its own kind on to fusermount3 only.
            MountOption::CUSTOM(format!("subtype={}", self.subtype.replace(',', "_"))),
        ];
        if self.read_only {
            options.push(MountOption::RO);
        }
        if self.default_permissions {
            options.push(MountOption::DefaultPermissions);
        }
        options.extend(self.others.iter().map(|word| match word.as_str() {
            "exec" => MountOption::Exec,
            "noexec" => MountOption::NoExec,
            "suid" => MountOption::Suid,
            "nosuid" => MountOption::NoSuid,
            "dev" => MountOption::Dev,
            "nodev" => MountOption::NoDev,
            "atime" => MountOption::Atime,
            "noatime" => MountOption::NoAtime,
            "sync" => MountOption::Sync,
            "async" => MountOption::Async,
            "dirsync" => MountOption::DirSync,
            other => MountOption::CUSTOM(other.to_owned()),
        }));
        let mut config = fuser::Config::default();
        config.mount_options = options;
        config.acl = match (self.allow_other, self.allow_root) {
            (true, _) => fuser::SessionACL::All,
            (false, true) => fuser::SessionACL::RootAndOwner,
            (false, false) => fuser::SessionACL::Owner,
        };
        config
    }
}

#[cfg(test)]
mod tests {
    use fuser::MountOption;

    use super::*;

    #[test]
    fn options_of_fstab_are_taken() {
        let mut options = MountOptions::default();
        options.apply("rw,noexec,allow_other,nofail,_netdev,x-systemd.automount,fsname=a").unwrap();
        options.apply("ro").unwrap();
        let config = options.config();
        assert_eq!(config.acl, fuser::SessionACL::All);
        for expected in [MountOption::FSName("a".into()), MountOption::NoExec, MountOption::RO] {
            assert!(config.mount_options.contains(&expected), "{expected:?}");
        }
        assert!(
            matches!(options.apply("nonsense"), Err(MountError::UnknownOption(word)) if word == "nonsense")
        );
    }

    #[test]
    fn a_comma_in_a_name_is_no_option() {
        let options = MountOptions { source: "a,dev".to_owned(), ..MountOptions::default() };
        assert!(options.config().mount_options.contains(&MountOption::FSName("a_dev".into())));
    }
}
