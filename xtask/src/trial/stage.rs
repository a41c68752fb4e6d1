//! An emulated service of its own, with a client's home and a directory to work in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use fichier_emulator::{Builder, Control, DEMO_KEY, Emulator, Lists, MkdirExisting};
use tokio::runtime::Handle;

/// Unusual property of a service as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Usual,
    /// Listings lag behind by this time, in the service's time.
    Lag(Duration),
    /// Listings return at most this number of files.
    ListingCap(usize),
    /// Lists are carried out in part.
    PartialLists,
    /// Making a folder that exists makes a second one.
    TwinFolders,
    /// Making a folder that exists returns its id.
    SameFolders,
    /// Nothing listens at the address.
    NobodyThere,
    /// The server at the address speaks no TLS.
    NoTls,
}

/// A running service, and the home of its client.
pub(crate) struct Stage {
    emulator: Option<Emulator>,
    runtime: Handle,
    place: tempfile::TempDir,
    setting: Setting,
    /// Divisor of the client's waits.
    pub(crate) scale: u32,
}

impl Stage {
    /// Starts a service, reached through a proxy where real host names are needed.
    ///
    /// # Errors
    /// The service can't be started.
    pub(crate) fn start(runtime: &Handle, setting: Setting, scale: u32, proxy: bool) -> anyhow::Result<Self> {
        Self::start_changed(runtime, setting, scale, None, |builder, _| {
            if proxy { builder.proxy(([127, 0, 0, 1], 0).into()) } else { builder }
        })
    }

    /// Starts a service with further settings, its files in this directory or otherwise in the temporary one.
    ///
    /// # Errors
    /// The service can't be started.
    pub(crate) fn start_changed(
        runtime: &Handle,
        setting: Setting,
        scale: u32,
        below: Option<&Path>,
        change: impl FnOnce(Builder, &Path) -> Builder,
    ) -> anyhow::Result<Self> {
        let place = match below {
            Some(directory) => tempfile::tempdir_in(directory)?,
            None => tempfile::tempdir()?,
        };
        for name in ["work", "home", "output", "temporary"] {
            fs::create_dir(place.path().join(name))?;
        }
        let builder = match setting {
            Setting::Usual | Setting::NobodyThere | Setting::NoTls => Emulator::builder(),
            Setting::Lag(lag) => Emulator::builder().lag(lag / scale),
            Setting::ListingCap(cap) => Emulator::builder().listing_cap(Some(cap)),
            Setting::PartialLists => Emulator::builder().lists(Lists::Partial),
            Setting::TwinFolders => Emulator::builder().mkdir_existing(MkdirExisting::Duplicate),
            Setting::SameFolders => Emulator::builder().mkdir_existing(MkdirExisting::Same),
        };
        let builder = change(builder, place.path());
        let emulator = runtime.block_on(builder.start())?;
        if emulator.proxy_addr().is_some() {
            emulator.write_ca(place.path().join("ca.pem"))?;
        }
        Ok(Self { emulator: Some(emulator), runtime: runtime.clone(), place, setting, scale })
    }

    fn emulator(&self) -> anyhow::Result<&Emulator> {
        self.emulator.as_ref().context("the service has ended")
    }

    /// Ends what is unusual about the connection to the service.
    pub(crate) fn heal(&mut self) {
        self.setting = Setting::Usual;
    }

    /// Returns the service's controls.
    ///
    /// # Errors
    /// The service has ended.
    pub(crate) fn control(&self) -> anyhow::Result<Control> {
        Ok(self.emulator()?.control())
    }

    /// Returns where the service listens.
    ///
    /// # Errors
    /// The service has ended.
    pub(crate) fn endpoint(&self) -> anyhow::Result<String> {
        Ok(self.emulator()?.endpoint().to_string())
    }

    /// Returns the directory that programs work in.
    pub(crate) fn work(&self) -> PathBuf {
        self.place.path().join("work")
    }

    /// Returns where the output of programs goes.
    pub(crate) fn output(&self) -> PathBuf {
        self.place.path().join("output")
    }

    /// Returns the directory for temporary files of programs.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.place.path().join("temporary")
    }

    /// Returns files in places where no program should have written.
    ///
    /// # Errors
    /// A place can't be read.
    pub(crate) fn strangers(&self) -> anyhow::Result<Vec<String>> {
        let known = ["work", "home", "output", "temporary", "ca.pem", "service", "requests"];
        let mut strangers = Vec::new();
        for entry in fs::read_dir(self.place.path())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !known.contains(&name.as_str()) {
                strangers.push(name);
            }
        }
        Ok(strangers)
    }

    /// Makes the client forget everything that it knows.
    ///
    /// # Errors
    /// Its home can't be emptied.
    pub(crate) fn forget(&self) -> anyhow::Result<()> {
        let home = self.place.path().join("home");
        fs::remove_dir_all(&home)?;
        Ok(fs::create_dir(home)?)
    }

    /// Returns a program with an environment in which `t:` is the account.
    ///
    /// # Errors
    /// The service has ended.
    pub(crate) fn command(&self, program: &Path) -> anyhow::Result<Command> {
        let emulator = self.emulator()?;
        let endpoint = match self.setting {
            // Port 9 of the loopback address has no service on any usual system.
            Setting::NobodyThere => "http://127.0.0.1:9/".to_owned(),
            Setting::NoTls => emulator.endpoint().as_str().replace("http:", "https:"),
            _ => emulator.endpoint().to_string(),
        };
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.place.path().join("home"))
            .env("TMPDIR", self.temporary())
            .env("TZ", "UTC")
            .env("RCLONE_CONFIG_T_TYPE", "fichier")
            .env("RCLONE_CONFIG_T_API_KEY", DEMO_KEY)
            .current_dir(self.work());
        if let Some(proxy) = emulator.proxy_addr() {
            command
                .env("HTTPS_PROXY", format!("http://{proxy}"))
                .env("RCLONE_CA_CERT", self.place.path().join("ca.pem"))
                .env("RCLONE_CONFIG", self.place.path().join("home").join("rclone.conf"));
        } else {
            command
                .env("RCLONE_CONFIG_T_ENDPOINT", endpoint)
                .env("RCLONE_CONFIG_T_TIME_SCALE", self.scale.to_string());
        }
        Ok(command)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(emulator) = self.emulator.take() {
            self.runtime.block_on(emulator.shutdown());
        }
    }
}
