//! `import` copies the files of public links into an account, at the service.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use fichier_engine::RunOptions;
use fichier_storage::{Location, RemotePath};

use crate::{
    context::Context,
    exit::Failure,
    public_links,
    transfer::{ListFlags, carry_out, run_options},
};

/// Copy public files into an account, without a byte through this computer
#[derive(Debug, Args)]
#[command(
    after_help = "The links may be of files and of shared folders, and may stand in any text. The files keep their \
    names; two of one name are told apart by numbers. What is there already with the same name and size isn't copied \
    again, so a second run does what the first one couldn't. For each link that can't be copied it is said why.\n\n\
    1Fichier copies: nothing is downloaded or uploaded. Use get for other destinations.\n\n\
    Examples:\n  fichier import 'https://1fichier.com/?abc123def456' cloud:films\n  \
    fichier import --from post.txt cloud:collected\n  \
    fichier import 'https://1fichier.com/dir/AbC123#password' cloud:mirror"
)]
pub(crate) struct Arguments {
    /// Links, or texts that hold some, and last the folder to copy to
    #[arg(value_name = "[URL]... REMOTE:PATH", required = true)]
    words: Vec<String>,

    /// Take links from this text file, too; - is the standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Password of links that are written without one (as LINK#PASSWORD)
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Some((destination, urls)) =
        arguments.words.split_last().filter(|(last, _)| !public_links::is_link(last))
    else {
        return Err(Failure::usage("name the directory to copy to, after the links").into());
    };
    let links = public_links::collect(urls, arguments.from.as_deref(), arguments.password.as_deref())?;
    let to = context.session.open(destination).await?;
    let Some(public) = to.remote.extensions().public_files else {
        let message = format!(
            "{} isn't an account of 1Fichier, which alone can copy public files: use get",
            context.session.shown(&to)
        );
        return Err(Failure::other(message).into());
    };
    context.session.claim(&to).await?;
    let found = public.public_files(&links).await;
    let files = public_links::sorted_out(&links, found, context)?;
    if files.is_empty() {
        return Ok(());
    }
    let from = Location {
        remote: Arc::new(public_links::list(&links, to.remote.clone(), files)),
        path: RemotePath::root(),
    };
    let options = RunOptions { sends: false, ..run_options(context, &to).await? };
    carry_out(context, "import", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::copy(&from, &to, &options, &stats, &stop).await
    })
    .await
}
