//! `get` downloads the files of public links.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use fichier_storage::{File, Location, PublicFiles, PublicLink, RemotePath, Result, Retry, StorageError};

use crate::{
    context::Context,
    public_links,
    transfer::{ListFlags, carry_out, run_options},
};

/// Largest number of files that are looked up one by one, which gives their checksums and dates. More are requested in
/// lists.
const LOOKED_UP: usize = 100;

/// Download public files and shared folders
#[derive(Debug, Args)]
#[command(
    after_help = "The links may be of files and of shared folders, and may stand in any text. DIR may be on any \
    remote; without it files go to the current directory. Two files of one name are told apart by numbers. What is \
    there already isn't fetched again, and what was broken off goes on, as with copy.\n\n\
    1Fichier gives files to accounts: that of the destination is used, or else the first one that is configured.\n\n\
    Of up to 100 links the checksums are asked for, one call each, and the files are verified by them. Of more links, \
    and of the files of shared folders, only the sizes are known.\n\n\
    Examples:\n  fichier get 'https://1fichier.com/?abc123def456'\n  \
    fichier get 'https://1fichier.com/dir/AbC123#password' films -P\n  \
    fichier get --from post.txt downloads"
)]
pub(crate) struct Arguments {
    /// Links, or texts that hold some, and last the directory to put the files in
    #[arg(value_name = "[URL]... [DEST:PATH]")]
    words: Vec<String>,

    /// Take links from this text file, too; - is the standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Password of links that are written without one (as LINK#PASSWORD)
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,

    #[command(flatten)]
    lists: ListFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let words = &arguments.words[..];
    let (urls, directory) = match words.split_last() {
        Some((last, urls)) if !public_links::is_link(last) => (urls, last.as_str()),
        _ => (words, "."),
    };
    let links = public_links::collect(urls, arguments.from.as_deref(), arguments.password.as_deref())?;
    let to = context.session.open(directory).await?;
    let account = public_links::account(Some(&to), context).await;
    let Some((account, public)) =
        account.as_ref().and_then(|account| Some((account, account.extensions().public_files?)))
    else {
        return Err(public_links::needs_account("these are links of 1Fichier").into());
    };
    context.session.claim(&to).await?;
    let found = look_up(&links, public).await;
    let files = public_links::sorted_out(&links, found, context)?;
    if files.is_empty() {
        return Ok(());
    }
    let from = Location {
        remote: Arc::new(public_links::list(&links, account.clone(), files)),
        path: RemotePath::root(),
    };
    let options = run_options(context, &to).await?;
    carry_out(context, "get", &arguments.lists, |stats, stop| async move {
        fichier_engine::copy(&from, &to, &options, &stats, &stop).await
    })
    .await
}

/// Looks up the files of links: with their checksums, unless there are many.
async fn look_up(links: &[PublicLink], public: &dyn PublicFiles) -> Vec<Result<Vec<File>>> {
    if links.len() > LOOKED_UP {
        return public.public_files(links).await;
    }
    let mut found = Vec::with_capacity(links.len());
    for link in links {
        found.push(match public_links::is_of_file(link) {
            true => public.public_file(link).await.map(|file| vec![file]),
            false => {
                let files = public.public_files(std::slice::from_ref(link)).await;
                files.into_iter().next().unwrap_or(Err(StorageError::NotTried))
            }
        });
        if matches!(found.last(), Some(Err(error)) if error.retry() == Retry::Fatal) {
            break;
        }
    }
    found.resize_with(links.len(), || Err(StorageError::NotTried));
    found
}
