//! `version`: which program this is.

use clap::Args;

use super::Context;

/// Show the version
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier version")]
pub(crate) struct Arguments {}

pub(super) fn run(context: &mut Context<'_>) -> anyhow::Result<()> {
    context.out.write_all(text().as_bytes())?;
    Ok(())
}

/// The version and what it was built for.
pub(crate) fn text() -> String {
    format!(
        "fichier v{}\n- os/type: {}\n- os/arch: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}
