//! `convmv` gives files and folders new names.

use clap::Args;

use crate::context::Context;
use crate::{
    exit::Failure,
    transfer::{ListFlags, carry_out, run_options},
};

/// Give files and folders new names, by rules
#[derive(Debug, Args)]
#[command(
    after_help = "The rules are those of --name-transform, which also works with copy, sync, move and check. They are \
    applied in the order in which they are given, to the names of files; dir, before a rule stands for folders, all, \
    for both:\n\n\
    prefix=X suffix=X suffix_keep_extension=X   put X before or after\n\
    trimprefix=X trimsuffix=X                   take X away\n\
    replace=OLD:NEW  regex=EXPRESSION/NEW       replace; $1 is the first group\n\
    lowercase uppercase titlecase               change the case\n\
    nfc nfd nfkc nfkd                           Unicode's normal forms\n\
    ascii  charmap=SET                          leave out, or replace by _, what isn't in the set\n\
    truncate=N truncate_bytes=N                 shorten; also with _keep_extension before the =\n\
    url base64encode base64decode               encode the whole name\n\
    encoder=FLAGS decoder=FLAGS                 as remotes do: fichier help backend fichier\n\
    date=-{YYYYMMDD}                            append a date, or a layout of Go's between the braces\n\
    command=PROGRAM                             ask a program, which gets the name and prints the new one\n\n\
    Two files never get one name, and none takes the place of another: they keep the names that they have, and the \
    command fails. See with --dry-run first what would happen.\n\n\
    Example:\n  fichier convmv demo:photos --name-transform all,lowercase --name-transform 'replace= :_' --dry-run"
)]
pub(crate) struct Arguments {
    /// What gets new names
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Without effect: directories that are empty under their old names always go
    #[arg(long)]
    delete_empty_src_dirs: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    context.session.look_anew()?;
    let target = context.session.open(&arguments.path).await?;
    let mut options = run_options(context, &target).await?;
    if options.transform.is_none() {
        return Err(Failure::usage("--name-transform must be set: it says which names things get").into());
    }
    options.delete_empty_source_folders = arguments.delete_empty_src_dirs;
    carry_out(context, "convmv", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::convert_names(&target, &options, &stats, &stop).await
    })
    .await
}
