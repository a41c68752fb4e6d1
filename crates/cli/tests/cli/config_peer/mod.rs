//! Tests of the configuration side by side with the real rclone: what one writes, the other reads, and of several
//! values the same one counts.

mod files;
mod interview;
mod precedence;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A home directory with one configuration file, for both programs.
struct Pair {
    directory: tempfile::TempDir,
}

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Ours,
    Rclones,
}

/// Both programs, for loops.
const BOTH: [Program; 2] = [Program::Ours, Program::Rclones];

impl Program {
    /// Returns the other program.
    fn other(self) -> Self {
        match self {
            Self::Ours => Self::Rclones,
            Self::Rclones => Self::Ours,
        }
    }
}

impl Pair {
    fn with(text: &str) -> Self {
        let pair = Self { directory: tempfile::tempdir().unwrap() };
        fs::write(pair.file(), text).unwrap();
        pair
    }

    fn home(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self) -> PathBuf {
        self.home().join("the.conf")
    }

    fn command(&self, program: Program) -> Command {
        let mut command = match program {
            Program::Ours => Command::new(env!("CARGO_BIN_EXE_fichier")),
            Program::Rclones => Command::new(crate::peer::rclone::Rclone::installed().program()),
        };
        command.env_clear().env("HOME", self.home()).env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
        command.env("RCLONE_CONFIG", self.file()).current_dir(self.home());
        command
    }

    fn run(&self, program: Program, words: &[&str]) -> String {
        self.run_with(program, &[], words, "")
    }

    /// Runs a program that must succeed.
    #[track_caller]
    fn run_with(&self, program: Program, variables: &[(&str, &str)], words: &[&str], input: &str) -> String {
        let output = self.try_with(program, variables, words, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program:?} {words:?}: {}\n{stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_with(&self, program: Program, variables: &[(&str, &str)], words: &[&str], input: &str) -> Output {
        let mut command = self.command(program);
        command.args(words).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may not read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn dump(&self, program: Program, variables: &[(&str, &str)]) -> Value {
        serde_json::from_str(&self.run_with(program, variables, &["config", "dump"], "")).unwrap()
    }
}
