//! `version` shows the version of the program.

use std::fmt::Write as _;

use clap::Args;

use crate::context::Context;

/// Show the version
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier version")]
pub(crate) struct Arguments {
    /// Say how to find a newer version: nothing is looked up on the network
    #[arg(long)]
    check: bool,

    /// List the libraries that this version is built and tested with
    #[arg(long)]
    deps: bool,
}

/// Lock file with which the program was built.
const LOCK: &str = include_str!("../../../../Cargo.lock");

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Arguments { check, deps } = arguments;
    let text = match (deps, check) {
        (true, _) => dependencies(LOCK),
        (_, true) => CHECK.to_owned(),
        _ => text(),
    };
    context.out.write_all(text.as_bytes())?;
    Ok(())
}

/// Output of `--check`.
const CHECK: &str = concat!(
    "yours:  ",
    env!("CARGO_PKG_VERSION"),
    "\nNewer versions aren't looked for: this program asks no other server than those of your remotes.\n\
     Have a look where you got it from.\n"
);

/// Returns a line for each package of a lock file that comes from elsewhere.
fn dependencies(lock: &str) -> String {
    let mut text = String::from("Libraries:\n");
    for package in lock.split("[[package]]").filter(|package| package.contains("\nsource = ")) {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = ")).unwrap_or_default()
        };
        let (name, version) = (value("name").trim_matches('"'), value("version").trim_matches('"'));
        // Writing to a string can't fail.
        let _infallible = writeln!(text, "- {name} {version}");
    }
    text
}

/// Returns the version, and the system that it was built for.
pub(crate) fn text() -> String {
    format!(
        "fichier v{}\n- os/type: {}\n- os/arch: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}
