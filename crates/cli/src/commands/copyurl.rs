//! `copyurl`: stores what an address on the web holds.

use std::{path::Path, sync::Arc};

use clap::Args;
use fichier_api::FileLink;
use fichier_engine::{RunError, RunOptions, RunReport, Upload, VersionsThere, say_skipped};
use fichier_remotes::web::{WebAddress, WebFile, shown_address};
use fichier_storage::{
    Content as _, File, Location, Name, Outcome, PublicLink, Relocation, Remote, RemoteContent, RemoteExt,
    RemotePath, StorageError,
};
use futures::StreamExt as _;

use super::fetch;
use crate::context::Context;
use crate::{
    exit::{Failure, describe},
    file_name, public_links,
    session::refuse_folder,
    spool::{Bounds, Spool},
    transfer::{ListFlags, carry_out, run_options},
};

/// Store what an address on the web holds
#[derive(Debug, Args)]
#[command(
    after_help = "The destination is the file's path; with --auto-filename the folder to put it in.\n\n\
    With --urls the first argument is a text file with an address a line, each with a name after a comma where it \
    shall have another than its own, and the destination is a folder.\n\n\
    Example:\n  fichier copyurl --auto-filename https://example.com/file.iso demo:isos"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct Arguments {
    /// The address
    #[arg(value_name = "URL")]
    url: String,

    /// Where to put it
    #[arg(value_name = "DEST:PATH")]
    destination: Option<String>,

    /// Name the file as the address does; the destination is a folder
    #[arg(short, long)]
    auto_filename: bool,

    /// Name the file as its server does; the destination is a folder with --auto-filename
    #[arg(long)]
    header_filename: bool,

    /// Leave a file alone that has the name already
    #[arg(long)]
    no_clobber: bool,

    /// Print the name that was found by --auto-filename
    #[arg(short, long)]
    print_filename: bool,

    /// Write to the standard output instead
    #[arg(long)]
    stdout: bool,

    /// Take addresses and names from this text file in place of one address
    #[arg(long)]
    urls: bool,

    /// Have 1Fichier fetch the file by itself, and wait for it; needs --auto-filename, since it names the file
    #[arg(long, conflicts_with_all = ["stdout", "urls", "no_clobber", "print_filename"])]
    server_side: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if arguments.stdout || arguments.destination.as_deref() == Some("-") {
        return write_out(&arguments.url, context).await;
    }
    let Some(destination) = &arguments.destination else {
        return Err(Failure::usage("need 2 arguments if not using --stdout").into());
    };
    if arguments.server_side {
        if !arguments.auto_filename {
            let message = "--server-side needs --auto-filename: 1Fichier names what it fetches by itself";
            return Err(Failure::usage(message).into());
        }
        let url = std::slice::from_ref(&arguments.url);
        return fetch::have_fetched(url, destination, &[], true, context).await;
    }
    if !arguments.urls {
        let folder = arguments.auto_filename;
        if !folder {
            refuse_folder(destination)?;
        }
        let location = match folder {
            true => context.session.open(destination).await?,
            false => context.session.open_file(destination).await?,
        };
        return one(&arguments.url, None, arguments, folder, &location, context).await;
    }
    let location = context.session.open(destination).await?;
    let list = std::fs::read_to_string(&arguments.url)
        .map_err(|error| Failure::other(format!("can't read {}: {error}", arguments.url)))?;
    for (number, line) in list.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (url, name) = fields(line);
        let name = name.filter(|name| !name.is_empty());
        let stored = one(&url, name, arguments, true, &location, context).await;
        if let Err(error) = stored {
            let place = format!("{}:{}", arguments.url, number + 1);
            // Messages about an address name it.
            let (address, message) =
                (shown_address(without_password(&url)).to_string(), describe(&error, |_| None));
            let message = match message.contains(&address) {
                true => message,
                false => format!("{address}: {message}"),
            };
            context.errors_seen.note_text(&place, &message);
        }
    }
    Ok(())
}

/// Stores one address. `name`: what it shall be called.
async fn one(
    url: &str,
    name: Option<String>,
    arguments: &Arguments,
    into_folder: bool,
    location: &Location,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let found = Found::at(url, Some(location), context).await?;
    let mut target = location.clone();
    if into_folder {
        let wrong = |error: String| Failure::other(format!("can't use the name: {error}"));
        let (name, path) = match name {
            // A name that was chosen may have folders before it.
            Some(name) => {
                let path = RemotePath::parse(name.as_bytes()).map_err(|error| wrong(error.to_string()))?;
                (name, path)
            }
            None => {
                let name = found.own_name(arguments.header_filename)?;
                let path = Name::new(name.clone()).map_err(|error| wrong(error.to_string()))?;
                (name, RemotePath::root().join(&path))
            }
        };
        if arguments.print_filename {
            writeln!(context.out, "{name}")?;
        }
        target.path = path.names().fold(target.path, |folder, name| folder.join(&name));
    }
    let Some(name) = target.path.name() else {
        return Err(StorageError::IsAFolder(target.path).into());
    };
    if arguments.no_clobber && target.remote.entry(&target.path).await.is_ok() {
        return Err(Failure::other("CopyURL failed: file already exist").into());
    }
    if context.settings.dry_run {
        say_skipped(&name.to_string(), &format!("copy of {}", shown_address(without_password(url))), None);
        return Ok(());
    }
    let found = match found {
        Found::AtTheService { remote, file } => {
            if copied_there(&remote, &file, &target, url).await? {
                return Ok(());
            }
            Found::AtTheService { remote, file }
        }
        page @ Found::OnTheWeb { .. } => page,
    };
    let options = run_options(context, &target).await?;
    let temporary = &context.settings.directories.temporary;
    carry_out(context, "copyurl", &ListFlags::default(), |stats, stop| async move {
        store(found, &target, temporary, options, &stats, &stop).await
    })
    .await
}

async fn store(
    found: Found,
    target: &Location,
    temporary: &Path,
    mut options: RunOptions,
    stats: &Arc<fichier_engine::Stats>,
    stop: &tokio_util::sync::CancellationToken,
) -> Result<RunReport, StorageError> {
    let (address, file) = match found {
        Found::OnTheWeb { address, file } => (address, file),
        Found::AtTheService { remote, file } => {
            let content = Arc::new(RemoteContent::new(&*remote, &file));
            let File { size, modified, whirlpool: expected, .. } = file;
            let upload = Upload { size, modified, expected, content };
            return fichier_engine::store(target, &upload, &options, stats, stop).await;
        }
    };
    let modified = file.modified();
    let upload = match file.size() {
        Some(size) => {
            Upload { size, modified, expected: None, content: Arc::new(address.into_content(file)) }
        }
        // A server that tells no size: it is known when all has come.
        None => {
            let bounds = Bounds::new(options.limits, stop.clone());
            let spool = Spool::within(&bounds, address.body(file), temporary).await?;
            options.limits = bounds.rest();
            Upload { size: spool.size, modified, expected: Some(spool.sum), content: Arc::new(spool) }
        }
    };
    fichier_engine::store(target, &upload, &options, stats, stop).await
}

/// What an address leads to.
enum Found {
    OnTheWeb {
        address: WebAddress,
        file: WebFile,
    },
    /// The public file of somebody at 1Fichier, which gives it to accounts: to people it shows a page.
    AtTheService {
        remote: Arc<dyn Remote>,
        file: File,
    },
}

impl Found {
    /// Looks at an address. A link of 1Fichier is opened with the account of the destination, or else with the first
    /// one that is configured.
    async fn at(url: &str, target: Option<&Location>, context: &Context<'_>) -> anyhow::Result<Self> {
        if file_link(url).is_none() {
            let address = context.session.web(url)?;
            let file = fetched(&address).await?;
            return Ok(Self::OnTheWeb { address, file });
        }
        let account = public_links::account(target, context).await;
        if let Some(remote) = account
            && let Some(public) = remote.extensions().public_files
        {
            let file = public.public_file(&PublicLink::new(url)).await?;
            return Ok(Self::AtTheService { remote: remote.clone(), file });
        }
        let what = format!("CopyURL failed: {} is the page of a file at 1Fichier", without_password(url));
        Err(public_links::needs_account(&what).into())
    }

    fn own_name(&self, by_header: bool) -> Result<String, Failure> {
        match self {
            Self::OnTheWeb { file, .. } => own_name(file, by_header),
            Self::AtTheService { file, .. } => {
                let name = file.path.name().map(|name| name.to_string());
                name.ok_or_else(|| Failure::other("CopyURL failed: the file has no name"))
            }
        }
    }
}

/// The link of a file at 1Fichier; a password may follow it: `LINK#PASSWORD`.
fn file_link(url: &str) -> Option<FileLink> {
    url.split('#').next()?.trim().parse().ok()
}

/// An address as it may be said: what follows a link of 1Fichier is a password.
fn without_password(url: &str) -> &str {
    match url.split_once('#') {
        Some((link, _)) if file_link(url).is_some() => link,
        _ => url,
    }
}

/// Copies a public file at the service, where the destination is there, so that no byte is transferred. Answers whether
/// that was done; where it is refused, the file can still be fetched.
async fn copied_there(
    remote: &Arc<dyn Remote>,
    file: &File,
    target: &Location,
    url: &str,
) -> anyhow::Result<bool> {
    if !Arc::ptr_eq(remote, &target.remote) {
        return Ok(false);
    }
    let mut there = match VersionsThere::at(target).await {
        Err(error @ StorageError::IsAFolder(_)) => return Err(target.named(error).into()),
        there => there?,
    };
    let replaces = std::mem::take(&mut there.files);
    let step = Relocation { from: file.clone(), to: target.path.clone(), replaces };
    let outcomes = target.remote.copy(std::slice::from_ref(&step)).await;
    let outcome = outcomes.into_iter().next().unwrap_or(Outcome::NotTried);
    match outcome.into_result() {
        Ok(_) => {
            tracing::info!(path = %target.path, "Copied at the service (server-side copy) from {}", without_password(url));
            there.left_over(&target.path).map_or(Ok(true), |stays| Err(stays.into()))
        }
        Err(
            error @ (StorageError::Canceled
            | StorageError::OldVersionStays { .. }
            | StorageError::Misplaced { .. }),
        ) => Err(error.into()),
        Err(error)
            if matches!(
                RunError::of(&error),
                Some(RunError::Declined(_) | RunError::Quit | RunError::Unanswered(_))
            ) =>
        {
            Err(error.into())
        }
        Err(error) => {
            tracing::warn!(path = %target.path, "Not copied at the service ({error}): fetching the file instead");
            Ok(false)
        }
    }
}

/// The answer of an address, if it is a good one.
async fn fetched(address: &WebAddress) -> anyhow::Result<WebFile> {
    let file = address.get().await?;
    match file.status() {
        status if status.is_success() => Ok(file),
        status => Err(Failure::other(format!("CopyURL failed: {status}")).into()),
    }
}

fn own_name(file: &WebFile, by_header: bool) -> Result<String, Failure> {
    if by_header {
        let name = file.disposition().and_then(|header| file_name::of_disposition(&header));
        return name.ok_or_else(|| {
            Failure::other("CopyURL failed: filename not found in the Content-Disposition header")
        });
    }
    let name = file_name::of_address(file.url().path());
    name.ok_or_else(|| Failure::other("CopyURL failed: file name wasn't found in url"))
}

async fn write_out(url: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut body = match Found::at(url, None, context).await? {
        Found::OnTheWeb { address, file } => address.body(file),
        Found::AtTheService { remote, file } => RemoteContent::new(&*remote, &file).open().await?,
    };
    while let Some(chunk) = body.next().await {
        context.out.write_all(&chunk?)?;
    }
    Ok(())
}

/// The first two fields of a line with commas between them, as they are: a name may begin with a space. A field that begins with a quotation mark ends with
/// one, and a doubled one in it is a single one.
fn fields(line: &str) -> (String, Option<String>) {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => fields[last].extend(letters.next()),
            '"' if quoted => quoted = false,
            '"' if fields[last].is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            letter => fields[last].push(letter),
        }
    }
    let mut fields = fields.into_iter();
    (fields.next().unwrap_or_default().trim().to_owned(), fields.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_addresses_and_names() {
        let of = |line: &str| fields(line);
        assert_eq!(of("http://a/b"), ("http://a/b".into(), None));
        assert_eq!(of("http://a/b,"), ("http://a/b".into(), Some(String::new())));
        // As rclone 1.75.2 has it: what stands between the commas is the name.
        assert_eq!(of("http://a/b, c d ,x"), ("http://a/b".into(), Some(" c d ".into())));
        assert_eq!(of(" http://a/b,sub/c d\r"), ("http://a/b".into(), Some("sub/c d".into())));
        assert_eq!(
            of("\"http://a/b,c\",\"say \"\"x\"\"\""),
            ("http://a/b,c".into(), Some("say \"x\"".into()))
        );
    }
}
