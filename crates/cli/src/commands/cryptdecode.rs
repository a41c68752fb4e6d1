//! `cryptdecode` decrypts names of an encrypted remote, or encrypts them.

use clap::Args;

use super::Context;

/// Decrypt names of an encrypted remote
#[derive(Debug, Args)]
#[command(
    after_help = "Prints each name with what it stands for. Nothing is looked up: the names need not be there.\n\n\
    Example:\n  fichier cryptdecode secret: e05cp3lts2b5j9p707m5uv0c7s"
)]
pub(crate) struct Arguments {
    /// The encrypted remote
    #[arg(value_name = "REMOTE")]
    remote: String,

    /// The names, or paths from the remote's root
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Encrypt names instead
    #[arg(long)]
    reverse: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let cipher = context.session.name_cipher(&arguments.remote).await?;
    for name in &arguments.names {
        let (other, failed) = match arguments.reverse {
            true => (cipher.encode(name), "Failed to encrypt"),
            false => (cipher.decode(name), "Failed to decrypt"),
        };
        writeln!(context.out, "{name} \t {}", other.as_deref().unwrap_or(failed))?;
    }
    Ok(())
}
