//! `lsf`: files and folders, for scripts.

use anyhow::bail;
use bstr::ByteSlice as _;
use clap::Args;
use fichier_storage::{Entry, HashKind, Location};

use super::lsjson;
use crate::context::Context;
use crate::{
    error_tally::ErrorTally,
    exit::Failure,
    hashing,
    listing::{Listing, Seen},
    output::{go_time, media_type, time},
};

/// List files and folders in a form that scripts can read
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
#[command(after_help = "Letters of --format: p path, s size, t modification time, h checksum, i identity,\n\
    o original identity, m media type, T tier, M metadata.\n\n\
    Example:\n  fichier lsf demo: -R --files-only --format hsp --hash whirlpool --separator ' '")]
pub(crate) struct Arguments {
    /// What to list
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// What to print of each entry, one letter a column
    #[arg(short = 'F', long, value_name = "LETTERS", default_value = "p")]
    format: String,

    /// What to print between columns
    #[arg(short, long, value_name = "TEXT", default_value = ";")]
    separator: String,

    /// Print a slash after the names of folders
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::SetTrue)]
    dir_slash: bool,

    /// The checksum that the letter h prints
    #[arg(long, value_name = "KIND", default_value = "md5", value_parser = crate::flags::hash_kind)]
    hash: HashKind,

    /// Leave folders out
    #[arg(long)]
    files_only: bool,

    /// Leave files out
    #[arg(long)]
    dirs_only: bool,

    /// Print comma-separated values, quoted where needed
    #[arg(long)]
    csv: bool,

    /// Print a slash before each path
    #[arg(long)]
    absolute: bool,

    /// List the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// How to print times: a layout as in Go, the name of one, max, unix or unixnano
    #[arg(short, long, value_name = "LAYOUT", default_value = "")]
    time_format: String,
}

/// How entries are printed.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct Form {
    pub(crate) columns: Vec<Column>,
    /// What stands between columns.
    pub(crate) separator: String,
    pub(crate) dir_slash: bool,
    pub(crate) hash: HashKind,
    pub(crate) files_only: bool,
    pub(crate) dirs_only: bool,
    pub(crate) csv: bool,
    pub(crate) absolute: bool,
    pub(crate) time_format: String,
}

/// A column of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Path,
    Size,
    Time,
    Hash,
    Id,
    MediaType,
    Metadata,
    /// Something that no backend here has.
    Nothing,
}

/// The columns that letters stand for.
///
/// # Errors
/// One isn't known.
pub(crate) fn columns(letters: &str) -> anyhow::Result<Vec<Column>> {
    letters
        .chars()
        .map(|letter| {
            Ok(match letter {
                'p' => Column::Path,
                's' => Column::Size,
                't' => Column::Time,
                'h' => Column::Hash,
                'i' => Column::Id,
                'm' => Column::MediaType,
                'M' => Column::Metadata,
                'o' | 'T' => Column::Nothing,
                'e' => bail!(Failure::other("only encrypted remotes have encrypted names")),
                other => bail!(Failure::other(format!("unknown format character '{other}'"))),
            })
        })
        .collect()
}

/// What stands between columns: a comma in comma-separated values, unless something else was typed.
pub(crate) fn separator(csv: bool, typed: &str) -> &str {
    match (csv, typed) {
        (true, ";") => ",",
        (_, typed) => typed,
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let form = Form {
        columns: columns(&arguments.format)?,
        separator: separator(arguments.csv, &arguments.separator).to_owned(),
        dir_slash: arguments.dir_slash,
        hash: arguments.hash,
        files_only: arguments.files_only,
        dirs_only: arguments.dirs_only,
        csv: arguments.csv,
        absolute: arguments.absolute,
        time_format: arguments.time_format.clone(),
    };
    let location = context.session.open(&arguments.path).await?;
    let depth = context.settings.depth(arguments.recursive);
    list(&form, &location, depth, context).await
}

/// Prints what a location holds, so deep, in this form.
///
/// # Errors
/// The location can't be listed, or nothing can be printed.
pub(crate) async fn list(
    form: &Form,
    location: &Location,
    depth: Option<usize>,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let mut listing = Listing::new(location, depth, &context.settings.filter);
    let mut row = Row { form, location, context };
    while let Some(entries) = listing.next_folder(&mut row.context.errors_seen).await? {
        for seen in entries {
            let is_file = seen.file().is_some();
            if is_file && form.dirs_only || !is_file && form.files_only {
                continue;
            }
            row.print(&seen).await?;
        }
    }
    Ok(())
}

struct Row<'a, 'c> {
    form: &'a Form,
    location: &'a Location,
    context: &'a mut Context<'c>,
}

impl Row<'_, '_> {
    async fn print(&mut self, seen: &Seen) -> anyhow::Result<()> {
        let mut line = Vec::new();
        let form = self.form;
        for (index, column) in form.columns.iter().enumerate() {
            if index > 0 {
                line.extend_from_slice(form.separator.as_bytes());
            }
            let field = self.field(*column, seen).await;
            if form.csv {
                quote(&mut line, &field, &form.separator);
            } else {
                line.extend_from_slice(&field);
            }
        }
        line.push(b'\n');
        self.context.out.write_all(&line)?;
        Ok(())
    }

    async fn field(&mut self, column: Column, seen: &Seen) -> Vec<u8> {
        match column {
            Column::Path => self.path(seen),
            Column::Size => seen.file().map_or_else(|| "-1".to_owned(), |file| file.size.to_string()).into(),
            Column::Time => self.time(seen).into(),
            Column::Hash => self.hash(seen).await.into(),
            Column::Id => match &seen.entry {
                Entry::File(file) => file.id.as_ref(),
                Entry::Folder(folder) => folder.id.as_ref(),
            }
            .map(|id| id.as_str().as_bytes().to_vec())
            .unwrap_or_default(),
            Column::MediaType => {
                seen.file().map_or_else(|| media_type::FOLDER.to_owned(), media_type::of_file).into()
            }
            Column::Metadata => {
                let metadata = lsjson::metadata(self.location, seen, &mut self.context.errors_seen).await;
                metadata.unwrap_or_default().compact()
            }
            Column::Nothing => Vec::new(),
        }
    }

    fn path(&self, seen: &Seen) -> Vec<u8> {
        let mut path = Vec::with_capacity(seen.bytes().len() + 2);
        if self.form.absolute {
            path.push(b'/');
        }
        path.extend_from_slice(seen.bytes());
        if seen.entry.as_folder().is_some() && self.form.dir_slash {
            path.push(b'/');
        }
        path
    }

    fn time(&self, seen: &Seen) -> String {
        let modified = match &seen.entry {
            Entry::File(file) => file.modified,
            Entry::Folder(folder) => folder.modified,
        };
        let clock = &self.context.settings.clock;
        match self.form.time_format.as_str() {
            "" => clock.seconds(modified),
            "unix" => clock.local(modified).timestamp().as_second().to_string(),
            "unixnano" => clock.local(modified).timestamp().as_nanosecond().to_string(),
            "max" => {
                let digits = time::decimals(self.location.remote.info().times.precision);
                let whole = clock.nanoseconds(modified);
                let length = "2006-01-02 15:04:05".len() + if digits == 0 { 0 } else { digits + 1 };
                whole[..length].to_owned()
            }
            layout => go_time::render(&clock.local(modified), go_time::layout_of(layout)),
        }
    }

    /// Empty where there is none: the remote doesn't know this kind, or the file can't be read.
    async fn hash(&mut self, seen: &Seen) -> String {
        let Some(file) = seen.file() else { return String::new() };
        let kinds = [self.form.hash];
        match hashing::of_file(&self.context.session.hashing, &*self.location.remote, file, &kinds, None)
            .await
        {
            Ok(sums) => match sums.into_iter().next().flatten() {
                Some(sum) => hashing::hexadecimal(&sum),
                None => String::new(),
            },
            Err(error) => {
                note(&mut self.context.errors_seen, seen, &error);
                String::new()
            }
        }
    }
}

fn note(errors_seen: &mut ErrorTally, seen: &Seen, error: &anyhow::Error) {
    errors_seen.note_text(&seen.bytes().to_str_lossy(), &format!("Failed to read hash: {error:#}"));
}

/// A field of comma-separated values, in quotes where it must be.
pub(crate) fn quote(line: &mut Vec<u8>, field: &[u8], separator: &str) {
    let begins_with_space = field.chars().next().is_some_and(char::is_whitespace);
    let needs_quotes = field == br"\."
        || begins_with_space
        || field.contains_str(separator)
        || field.iter().any(|byte| matches!(byte, b'"' | b'\n' | b'\r'));
    if !needs_quotes {
        line.extend_from_slice(field);
        return;
    }
    line.push(b'"');
    line.extend_from_slice(&field.replace("\"", "\"\""));
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(field: &str) -> String {
        let mut line = Vec::new();
        quote(&mut line, field.as_bytes(), ",");
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn quotes_where_needed() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted(""), "");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(quoted(" x"), "\" x\"");
    }

    #[test]
    fn unknown_letters_are_refused() {
        assert!(columns("pstq").unwrap_err().to_string().contains("unknown format character 'q'"));
        assert_eq!(columns("").unwrap(), []);
    }
}
