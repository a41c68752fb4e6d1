//! What the destination holds after a run, in the form of `lsf`: `--dest-after`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use fichier_storage::{HashKind, Location};

use crate::{
    commands::lsf,
    context::Context,
    error_tally::ErrorTally,
    exit::{Exit, Failure},
};

/// Where and how the destination is listed after the run.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct AfterFlags {
    /// Write what the destination holds after the run to FILE; the flags below say how, as with lsf
    #[arg(long, value_name = "FILE")]
    dest_after: Option<PathBuf>,

    /// With --dest-after: what to write of each entry, one letter a column; see lsf
    #[arg(short = 'F', long, value_name = "LETTERS", default_value = "p")]
    format: String,

    /// With --dest-after: what to write between columns
    #[arg(short, long, value_name = "TEXT", default_value = ";")]
    separator: String,

    /// With --dest-after: write a slash after the names of folders
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::SetTrue)]
    dir_slash: bool,

    /// With --dest-after: the checksum that the letter h writes
    #[arg(long, value_name = "KIND", default_value = "md5", value_parser = crate::flags::hash_kind)]
    hash: HashKind,

    /// With --dest-after: leave folders out
    #[arg(long, default_value_t = true, action = clap::ArgAction::SetTrue)]
    files_only: bool,

    /// With --dest-after: leave files out
    #[arg(long)]
    dirs_only: bool,

    /// With --dest-after: write comma-separated values, quoted where needed
    #[arg(long)]
    csv: bool,

    /// With --dest-after: write a slash before each path
    #[arg(long)]
    absolute: bool,

    /// With --dest-after: how to write times; see lsf
    #[arg(short, long, value_name = "LAYOUT", default_value = "")]
    timeformat: String,
}

/// A list that is written after the run; its file is there before.
pub(super) struct Afterwards {
    form: lsf::Form,
    place: Location,
    path: PathBuf,
    file: Box<dyn Write>,
}

impl AfterFlags {
    /// Makes the file; `None` when no list is asked for.
    ///
    /// # Errors
    /// A letter of the format isn't known, or the file can't be made.
    pub(super) fn open(&self, place: &Location) -> anyhow::Result<Option<Afterwards>> {
        let Some(path) = &self.dest_after else { return Ok(None) };
        let form = lsf::Form {
            columns: lsf::columns(&self.format)?,
            separator: lsf::separator(self.csv, &self.separator).to_owned(),
            dir_slash: self.dir_slash,
            hash: self.hash,
            // As rclone: who asks for folders alone needn't take the default back.
            files_only: self.files_only && !self.dirs_only,
            dirs_only: self.dirs_only,
            csv: self.csv,
            absolute: self.absolute,
            time_format: self.timeformat.clone(),
        };
        let file: Box<dyn Write> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(BufWriter::new(File::create(path).map_err(|error| unwritable(path, &error))?))
        };
        Ok(Some(Afterwards { form, place: place.clone(), path: path.clone(), file }))
    }
}

impl Afterwards {
    /// Lists the destination.
    ///
    /// # Errors
    /// It can't be listed, or the file can't be written to.
    pub(super) async fn write(mut self, context: &mut Context<'_>) -> anyhow::Result<()> {
        context.out.flush()?;
        let mut context = Context {
            session: context.session,
            settings: context.settings,
            log: context.log,
            out: &mut *self.file,
            errors_seen: ErrorTally::default(),
        };
        let depth = context.settings.max_depth;
        match lsf::list(&self.form, &self.place, depth, &mut context).await {
            // Nothing was copied, or only as a trial: then it holds nothing.
            Err(error) if Exit::of(&error) == Exit::DirectoryNotFound => {}
            listed => listed?,
        }
        context.errors_seen.into_result("list the destination")?;
        self.file.flush().map_err(|error| unwritable(&self.path, &error))?;
        Ok(())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::other(format!("can't write to {}: {error}", path.display()))
}
