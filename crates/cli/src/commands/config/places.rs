//! `config file`, `paths` and `touch` show where the configuration file is, or make it.

use clap::Args;

use crate::context::Context;

/// Print where the configuration file is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config file")]
pub(super) struct File {}

/// Print where the configuration, the cache and the program's own data are
#[derive(Debug, Args)]
#[command(after_help = "Behind the file in use stand all places where it is looked for, in their order.\n\n\
    Example:\n  fichier config paths")]
pub(super) struct Paths {}

/// Make the configuration file if there is none
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config touch")]
pub(super) struct Touch {}

pub(super) fn file(context: &mut Context<'_>) -> anyhow::Result<()> {
    let path = context.session.configuration().path()?;
    if path.exists() {
        writeln!(context.out, "Configuration file is stored at:")?;
    } else {
        writeln!(context.out, "Configuration file doesn't exist, but fichier will use this path:")?;
    }
    writeln!(context.out, "{}", path.display())?;
    Ok(())
}

pub(super) fn paths(context: &mut Context<'_>) -> anyhow::Result<()> {
    let directories = &context.settings.directories;
    let configuration = context.session.configuration();
    let shown = |path: Option<&std::path::Path>| {
        path.map_or_else(|| "none".to_owned(), |path| path.display().to_string())
    };
    writeln!(context.out, "Config file: {}", shown(configuration.path().ok().as_deref()))?;
    writeln!(context.out, "Cache dir:   {}", shown(directories.cache.as_deref()))?;
    writeln!(context.out, "Data dir:    {}", shown(directories.data.as_deref()))?;
    writeln!(context.out, "Temp dir:    {}", directories.temporary.display())?;
    writeln!(context.out, "\nLooked for at:")?;
    for path in configuration.locations().all() {
        writeln!(context.out, "  {}{}", path.display(), if path.exists() { "" } else { " (not there)" })?;
    }
    Ok(())
}

pub(super) fn touch(context: &mut Context<'_>) -> anyhow::Result<()> {
    Ok(context.session.configuration().touch()?)
}
