//! `checksum`: whether files are as a checksum file says.

use clap::Args;
use fichier_storage::HashKind;

use crate::context::Context;
use crate::{
    exit::Failure,
    sum_check::{self, SumCheck},
    transfer::ListFlags,
};

/// Check the files of a place against a checksum file
#[derive(Debug, Args)]
#[command(
    after_help = "The checksum file has lines as `hashsum`, `md5sum` and their kin print them: checksum, two \
    blanks, path. 1Fichier knows Whirlpool; other kinds need --download there.\n\n\
    Ends with exit code 2 when something differs.\n\n\
    Example:\n  fichier checksum whirlpool photos.sum demo:photos"
)]
pub(crate) struct Arguments {
    /// The kind of checksum
    #[arg(value_name = "KIND")]
    kind: String,

    /// The checksum file
    #[arg(value_name = "SUMFILE")]
    sums: String,

    /// Where the files are
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    /// Don't look for files that the checksum file doesn't name
    #[arg(long)]
    one_way: bool,

    /// Read the files and compute the checksums here
    #[arg(long)]
    download: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let kind: HashKind = arguments.kind.parse().map_err(Failure::usage)?;
    let check = SumCheck { kind, download: arguments.download, one_way: arguments.one_way };
    let paths = [arguments.sums.as_str(), &arguments.destination];
    sum_check::run(check, paths, &arguments.lists, "checksum", context).await
}
