//! `links REMOTE:PATH` prints the public links of the user's own files.

use clap::Args;
use fichier_storage::{File, RemotePath};

use crate::{commands::lsf, context::Context, exit::Failure, listing::Listing, output::json::Object};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(super) struct OwnLinks {
    /// Whose links to print
    #[arg(value_name = "REMOTE:PATH", required = true)]
    path: Option<String>,

    /// Print those of the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// What to print of each file, one letter a column: p path, s size, l link, h checksum, t time of the upload
    #[arg(short = 'F', long, value_name = "LETTERS", default_value = "pslh")]
    format: String,

    /// What to print between columns
    #[arg(short, long, value_name = "TEXT", default_value = ";")]
    separator: String,

    /// Print comma-separated values, quoted where needed
    #[arg(long, group = "form")]
    csv: bool,

    /// Print a JSON array
    #[arg(long, group = "form")]
    json: bool,

    /// Print a Markdown list
    #[arg(long, group = "form")]
    markdown: bool,

    /// Print BBCode, as forums take it
    #[arg(long, group = "form")]
    bbcode: bool,

    /// Print a page in HTML
    #[arg(long, group = "form")]
    html: bool,
}

/// A column of the plain form.
#[derive(Debug, Clone, Copy)]
enum Column {
    Path,
    Size,
    Link,
    Checksum,
    Time,
}

/// Form in which links are printed.
enum Form {
    Columns { columns: Vec<Column>, separator: String, csv: bool },
    Json,
    Markdown,
    Bbcode,
    Html,
}

impl OwnLinks {
    fn form(&self) -> Result<Form, Failure> {
        let columns = self.format.chars().map(|letter| match letter {
            'p' => Ok(Column::Path),
            's' => Ok(Column::Size),
            'l' => Ok(Column::Link),
            'h' => Ok(Column::Checksum),
            't' => Ok(Column::Time),
            other => Err(Failure::other(format!("unknown format character '{other}'"))),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let separator = lsf::separator(self.csv, &self.separator).to_owned();
        let forms = [
            (self.json, Form::Json),
            (self.markdown, Form::Markdown),
            (self.bbcode, Form::Bbcode),
            (self.html, Form::Html),
        ];
        let asked = forms.into_iter().find_map(|(asked, form)| asked.then_some(form));
        Ok(asked.unwrap_or(Form::Columns { columns, separator, csv: self.csv }))
    }
}

pub(super) async fn run(arguments: &OwnLinks, context: &mut Context<'_>) -> anyhow::Result<()> {
    let form = arguments.form()?;
    let path = arguments.path.as_deref().unwrap_or_default();
    let location = context.session.open(path).await?;
    if location.remote.extensions().links.is_none() {
        let name = &location.remote.info().name;
        return Err(Failure::other(format!("{name} doesn't support public links")).into());
    }
    let depth = context.settings.depth(arguments.recursive);
    let mut listing = Listing::new(&location, depth, &context.settings.filter);
    context.out.write_all(form.begin())?;
    let mut first = true;
    while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (path, file) in files {
            // Listings include the links: none costs a call.
            let Some(link) = file.id.as_ref().map(|id| id.as_str().to_owned()) else { continue };
            let time = context.settings.clock.seconds(file.modified);
            let row = Row { path: &path, file: &file, link: &link, time: &time };
            if !std::mem::take(&mut first) {
                context.out.write_all(form.between())?;
            }
            context.out.write_all(&form.row(&row))?;
        }
    }
    context.out.write_all(form.end(first))?;
    Ok(())
}

/// A file with its link.
struct Row<'a> {
    path: &'a RemotePath,
    file: &'a File,
    link: &'a str,
    time: &'a str,
}

impl Form {
    fn begin(&self) -> &'static [u8] {
        match self {
            Self::Json => b"[\n",
            Self::Html => {
                b"<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>Links</title></head>\n<body>\n<ul>\n"
            }
            Self::Columns { .. } | Self::Markdown | Self::Bbcode => b"",
        }
    }

    fn between(&self) -> &'static [u8] {
        if matches!(self, Self::Json) { b",\n" } else { b"" }
    }

    fn end(&self, nothing: bool) -> &'static [u8] {
        match (self, nothing) {
            (Self::Json, true) => b"]\n",
            (Self::Json, false) => b"\n]\n",
            (Self::Html, _) => b"</ul>\n</body>\n</html>\n",
            (Self::Columns { .. } | Self::Markdown | Self::Bbcode, _) => b"",
        }
    }

    fn row(&self, row: &Row<'_>) -> Vec<u8> {
        let Row { path, file, link, time } = row;
        let checksum = file.whirlpool.map(|sum| sum.to_string());
        let shown = path.to_string().replace(char::is_control, "\u{fffd}");
        match self {
            Self::Columns { columns, separator, csv } => {
                let mut line = Vec::new();
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        line.extend_from_slice(separator.as_bytes());
                    }
                    let field = match column {
                        Column::Path => path.as_bytes().to_vec(),
                        Column::Size => file.size.to_string().into_bytes(),
                        Column::Link => link.as_bytes().to_vec(),
                        Column::Checksum => checksum.clone().unwrap_or_default().into_bytes(),
                        Column::Time => time.as_bytes().to_vec(),
                    };
                    match csv {
                        true => lsf::quote(&mut line, &field, separator),
                        false => line.extend_from_slice(&field),
                    }
                }
                line.push(b'\n');
                line
            }
            Self::Json => {
                let mut object = Object::default();
                object.string("Path", path.as_bytes());
                object.plain("Size", file.size);
                object.string("Link", link);
                if let Some(checksum) = checksum {
                    object.string("Whirlpool", checksum);
                }
                object.compact()
            }
            Self::Markdown => format!("- [{}](<{link}>)\n", escaped_markdown(&shown)).into_bytes(),
            // A bracket would end the tag; BBCode knows no way to escape one.
            Self::Bbcode => {
                let name = shown.replace('[', "(").replace(']', ")");
                format!("[url={link}]{name}[/url]\n").into_bytes()
            }
            Self::Html => {
                let (name, link) = (escaped_html(&shown), escaped_html(link));
                let size = crate::output::size::suffixed(file.size);
                format!("<li><a href=\"{link}\">{name}</a> ({size})</li>\n").into_bytes()
            }
        }
    }
}

fn escaped_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '!' | '~' | '#' | '|') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn escaped_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
