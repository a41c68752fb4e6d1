//! `backend` does what only one type of remote can do.

use clap::Args;

use super::Context;
use crate::{
    exit::Failure,
    output::json::{self, Html},
};

/// Do what only one type of remote can do
#[derive(Debug, Args)]
#[command(
    after_help = "Commands of the type crypt:\n  encode  print what names are stored as\n  decode  print what stored \
    names stand for\n\nExample:\n  fichier backend encode secret: photo.jpg holiday/photo.jpg"
)]
pub(crate) struct Arguments {
    /// What to do
    #[arg(value_name = "COMMAND")]
    command: String,

    /// On which remote
    #[arg(value_name = "REMOTE")]
    remote: String,

    /// With what
    #[arg(value_name = "ARGUMENT")]
    arguments: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let encodes = match arguments.command.as_str() {
        "encode" => true,
        "decode" => false,
        other => {
            let message =
                format!("there is no backend command {other:?}; those that exist are: encode, decode");
            return Err(Failure::other(message).into());
        }
    };
    let cipher = context.session.name_cipher(&arguments.remote).await?;
    let mut names = Vec::with_capacity(arguments.arguments.len());
    for name in &arguments.arguments {
        names.push(if encodes { cipher.encode(name) } else { cipher.decode(name) }?);
    }
    if !arguments.json {
        for name in names {
            writeln!(context.out, "{name}")?;
        }
        return Ok(());
    }
    let mut out = b"[".to_vec();
    for (index, name) in names.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"\n\t" } else { b",\n\t" });
        json::string(&mut out, name.as_bytes(), Html::Escaped);
    }
    out.extend_from_slice(if names.is_empty() { b"]\n" } else { b"\n]\n" });
    context.out.write_all(&out)?;
    Ok(())
}
