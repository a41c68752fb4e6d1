//! A home directory with a configuration file, and the binary in it.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// A home directory of its own.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// A home with this configuration file; `None`: without one.
    pub(crate) fn with(text: Option<&str>) -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap() };
        if let Some(text) = text {
            fs::write(home.file(), text).unwrap();
        }
        home
    }

    /// Where the configuration file is.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("the.conf")
    }

    /// What the configuration file holds; nothing if it isn't there.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    /// The binary in this home.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fichier"));
        let home = self.directory.path();
        command.env_clear().env("HOME", home).env("TZ", "UTC").env("FICHIER_CONFIG", self.file());
        command.env("PATH", "/usr/bin:/bin").current_dir(home);
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        Ended::of(self.command().args(words).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the binary with something at its standard input.
    pub(crate) fn pipe(&self, words: &[&str], input: &str) -> Ended {
        let mut command = self.command();
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may end before it has read all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ended::of(child.wait_with_output().unwrap())
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let Output { status, stdout, stderr } = output;
        Self {
            code: status.code(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// It did what it should; what it printed.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// It failed with this code and said this.
    #[track_caller]
    pub(crate) fn failure(&self, code: i32, message: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(message), "{self:?}");
    }
}
