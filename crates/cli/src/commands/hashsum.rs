//! `hashsum`, `md5sum` and `sha1sum`: checksum files, written and checked.

use std::{
    io::{self, BufWriter, IsTerminal as _, Read as _, Write},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bstr::ByteSlice as _;
use clap::Args;
use fichier_storage::{HashKind, Location, RemotePath};
use futures::{StreamExt as _, stream};

use crate::context::Context;
use crate::{
    error_tally::ErrorTally,
    exit::Failure,
    hashing::{self, Hasher},
    listing::Listing,
    output::create_file,
    sum_check::{self, SumCheck},
    transfer::{ListFlags, reading},
};

/// Print the checksums of files, or check them
#[derive(Debug, Args)]
#[command(after_help = "Without arguments the kinds of checksum are listed. Without a path, the standard\n\
    input is read.\n\n\
    Example:\n  fichier hashsum whirlpool demo:photos --output-file photos.sum")]
pub(crate) struct Arguments {
    /// The kind of checksum
    #[arg(value_name = "KIND")]
    kind: Option<String>,

    #[command(flatten)]
    common: Common,
}

/// Print the MD5 checksums of files, or check them
#[derive(Debug, Args)]
#[command(after_help = "1Fichier has no MD5 checksums, so --download is needed there.\n\n\
    Example:\n  fichier md5sum ./photos")]
pub(crate) struct Md5Arguments {
    #[command(flatten)]
    common: Common,
}

/// Print the SHA-1 checksums of files, or check them
#[derive(Debug, Args)]
#[command(after_help = "1Fichier has no SHA-1 checksums, so --download is needed there.\n\n\
    Example:\n  fichier sha1sum ./photos")]
pub(crate) struct Sha1Arguments {
    #[command(flatten)]
    common: Common,
}

/// What all three commands take.
#[derive(Debug, Clone, Args)]
struct Common {
    /// What to read; `-`, or nothing: the standard input
    #[arg(value_name = "REMOTE:PATH")]
    path: Option<String>,

    /// Print checksums in base64
    #[arg(long)]
    base64: bool,

    /// Check the files against this checksum file
    #[arg(short = 'C', long, value_name = "FILE")]
    checkfile: Option<String>,

    /// Read the files and compute the checksums here
    #[arg(long)]
    download: bool,

    /// Write to this file
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

impl Md5Arguments {
    /// The same as arguments of `hashsum`.
    pub(super) fn with_kind(&self) -> Arguments {
        Arguments { kind: Some(HashKind::Md5.name().to_owned()), common: self.common.clone() }
    }
}

impl Sha1Arguments {
    /// The same as arguments of `hashsum`.
    pub(super) fn with_kind(&self) -> Arguments {
        Arguments { kind: Some(HashKind::Sha1.name().to_owned()), common: self.common.clone() }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    run_as("hashsum", arguments, context).await
}

/// Runs under the name of one of the three commands.
pub(super) async fn run_as(
    command: &str,
    arguments: &Arguments,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let Some(kind) = &arguments.kind else { return list_kinds(context.out) };
    let kind: HashKind = match kind.parse() {
        Ok(kind) => kind,
        Err(message) => {
            list_kinds(context.out)?;
            return Err(Failure::usage(message).into());
        }
    };
    let common = &arguments.common;
    let path = match common.path.as_deref() {
        None => return standard_input(kind, common, context.out),
        Some("-") if !io::stdin().is_terminal() => return standard_input(kind, common, context.out),
        Some(path) => path,
    };
    if let Some(file) = &common.checkfile {
        let check = SumCheck { kind, download: common.download, one_way: false };
        return sum_check::run(check, [file, path], &ListFlags::all_to_stdout(), command, context).await;
    }
    let location = context.session.open(path).await?;
    Sums { kind, common, location: &location }.print(context).await
}

fn list_kinds(out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "Supported hashes are:")?;
    for kind in HashKind::ALL {
        writeln!(out, "- {kind}")?;
    }
    Ok(())
}

fn standard_input(kind: HashKind, common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut hasher = Hasher::new(kind);
    let mut input = io::stdin().lock();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    writeln!(out, "{}  -", text(&hasher.finish(), common.base64))?;
    Ok(())
}

fn text(sum: &[u8], base64: bool) -> String {
    if base64 { URL_SAFE.encode(sum) } else { hashing::hexadecimal(sum) }
}

struct Sums<'a> {
    kind: HashKind,
    common: &'a Common,
    location: &'a Location,
}

impl Sums<'_> {
    /// The checksum of a file as printed; what goes wrong is noted.
    fn shown(
        &self,
        path: &RemotePath,
        sums: anyhow::Result<Vec<Option<Vec<u8>>>>,
        errors_seen: &mut ErrorTally,
    ) -> Option<String> {
        let name = path.as_bytes().to_str_lossy();
        match sums {
            Ok(sums) => {
                let sum = sums.into_iter().next().flatten();
                if sum.is_none() {
                    errors_seen.note_text(&name, "hash unsupported: hash type not supported");
                }
                sum.map(|sum| text(&sum, self.common.base64))
            }
            Err(error) => {
                errors_seen.note_error(&name, "Failed to read hash", &error);
                None
            }
        }
    }

    /// Several files are read at once; they are printed in the order of the listing.
    async fn print(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let mut file_out = match &self.common.output_file {
            Some(path) => Some(BufWriter::new(create_file(path)?)),
            None => None,
        };
        let readers = context.settings.transfer.checkers.get();
        let (hashing, remote) = (&context.session.hashing, &*self.location.remote);
        let reading = reading(&context.settings.transfer);
        let download = self.common.download.then_some(&reading);
        let mut listing = Listing::new(self.location, context.settings.max_depth, &context.settings.filter);
        while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
            let mut sums = stream::iter(files)
                .map(|(path, file)| async move {
                    let sums = hashing::of_file(hashing, remote, &file, &[self.kind], download).await;
                    (path, sums)
                })
                .buffered(readers);
            while let Some((path, sums)) = sums.next().await {
                let Some(sum) = self.shown(&path, sums, &mut context.errors_seen) else { continue };
                let out: &mut dyn Write = match &mut file_out {
                    Some(file) => file,
                    None => context.out,
                };
                write!(out, "{sum}  ")?;
                out.write_all(path.as_bytes())?;
                out.write_all(b"\n")?;
            }
        }
        if let Some(file) = &mut file_out {
            file.flush()?;
        }
        Ok(())
    }
}
