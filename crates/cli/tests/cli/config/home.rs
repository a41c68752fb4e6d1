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

/// Result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// Makes a home with this configuration file; `None`: without one.
    pub(crate) fn with(text: Option<&str>) -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap() };
        if let Some(text) = text {
            fs::write(home.file(), text).unwrap();
        }
        home
    }

    /// Returns the path of the configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("the.conf")
    }

    /// Returns the text of the configuration file; nothing if it doesn't exist.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    /// Returns the binary in this home.
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

    /// Runs the binary with this text as its standard input.
    pub(crate) fn pipe(&self, words: &[&str], input: &str) -> Ended {
        let mut command = self.command();
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may end before it has read everything.
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

    /// Checks that the run succeeded, and returns what it printed.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Checks that the run failed with this code and message.
    #[track_caller]
    pub(crate) fn failure(&self, code: i32, message: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(message), "{self:?}");
    }
}
