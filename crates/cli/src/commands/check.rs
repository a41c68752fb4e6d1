//! `check`: whether two places hold the same.

use clap::Args;
use fichier_engine::{CheckOptions, CheckReport, Comparison, Evidence, RunReport};
use fichier_storage::HashKind;

use crate::context::Context;
use crate::{
    exit::{Exit, Failure},
    filtering::refuse_single_file,
    sum_check::{self, SumCheck},
    transfer::{ListFlags, carry_out, reading},
};

/// Compare two places and tell what differs
#[derive(Debug, Args)]
#[command(
    after_help = "Changes nothing. Sizes and Whirlpool checksums are compared; 1Fichier lists its own, those of \
    local files are remembered from earlier runs or computed by reading. With --size-only sizes are enough, with \
    --download every byte is read on both sides.\n\n\
    With --checkfile the source is a checksum file, and the destination is held against it.\n\n\
    Ends with exit code 2 when something differs.\n\n\
    Example:\n  fichier check ./photos demo:photos --one-way"
)]
pub(crate) struct Arguments {
    /// One side, or a checksum file with --checkfile
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The other side
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    /// Don't look for files that the source hasn't got
    #[arg(long)]
    one_way: bool,

    /// Read the files on both sides and compare their bytes
    #[arg(long)]
    download: bool,

    /// The source is a file of checksums of this kind
    #[arg(short = 'C', long, value_name = "KIND", default_value = "", hide_default_value = true)]
    checkfile: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if !arguments.checkfile.is_empty() {
        let kind: HashKind = arguments.checkfile.parse().map_err(Failure::usage)?;
        let check = SumCheck { kind, download: arguments.download, one_way: arguments.one_way };
        return sum_check::run(
            check,
            [&arguments.source, &arguments.destination],
            &arguments.lists,
            "check",
            context,
        )
        .await;
    }
    let from = context.session.open(&arguments.source).await?;
    let to = context.session.open(&arguments.destination).await?;
    refuse_single_file(context.settings, &from).await?;
    let flags = &context.settings.transfer;
    let evidence = match (flags.rules.comparison, arguments.download) {
        // As with rclone, sizes are all that counts then, and nothing is downloaded.
        (Comparison::SizeOnly, _) => Evidence::Sizes,
        (_, true) => Evidence::Bytes,
        (_, false) => Evidence::Checksums,
    };
    let names = [context.session.shown(&from), context.session.shown(&to)];
    let options = CheckOptions {
        evidence,
        ignore_size: flags.rules.ignore_size,
        one_way: arguments.one_way,
        checksums: context.session.checksums(),
        reading: reading(flags),
        checkers: flags.checkers.get(),
        max_depth: context.settings.run_depth,
        filter: context.settings.filter.clone(),
        matching: flags.names,
        transform: flags.transform()?,
        names: names.clone(),
    };
    if evidence == Evidence::Checksums {
        tracing::info!("Using {} for hash comparisons", HashKind::Whirlpool);
    }
    let (tell, mut told) = tokio::sync::oneshot::channel();
    let carried = carry_out(context, "check", &arguments.lists, |stats, stop| async move {
        let report = fichier_engine::check(&from, &to, &options, &stats, &stop).await?;
        // The receiver waits below.
        let _listens = tell.send(report);
        Ok(RunReport::default())
    })
    .await;
    if let Ok(report) = told.try_recv() {
        conclude(&report, &names)?;
    }
    carried
}

/// Says what was found, and how the program ends.
fn conclude(report: &CheckReport, [source, destination]: &[String; 2]) -> Result<(), Failure> {
    for (missing, name) in [(report.missing_on_destination, destination), (report.missing_on_source, source)]
    {
        if missing > 0 {
            tracing::warn!(path = name, "{missing} files missing");
        }
    }
    let (differences, errors) = (report.differences(), report.errors());
    tracing::warn!(path = destination, "{differences} differences found");
    if errors > 0 {
        tracing::warn!(path = destination, "{errors} errors while checking");
    }
    if report.matching > 0 {
        tracing::warn!(path = destination, "{} matching files", report.matching);
    }
    let worst = report.failures.worst.as_ref();
    let fatal = worst.map(Exit::of_storage).filter(|exit| *exit == Exit::Fatal || differences == 0);
    let message = match (differences, worst) {
        (0, Some(error)) => error.to_string(),
        _ => format!("{differences} differences found"),
    };
    let message = match errors {
        0 => return Ok(()),
        1 => format!("Failed to check: {message}"),
        _ => format!("Failed to check with {errors} errors: last error was: {message}"),
    };
    Err(Failure { exit: fatal.unwrap_or(Exit::Other), message })
}
