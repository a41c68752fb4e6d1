//! `links check` shows which public links are alive.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use fichier_storage::{LinkState, LinkStates, PublicLink};

use crate::{
    commands::lsf,
    context::Context,
    exit::{Exit, Failure},
    output::json::Object,
    public_links,
};

/// Say which public links of 1Fichier are alive
#[derive(Debug, Args)]
#[command(
    after_help = "The links may stand in any text: a forum post, a page, a list. Each is told once, in the order of \
    the text. No account is needed, and nothing has to be configured.\n\n\
    The states: alive, dead (the file is gone), private (it has a password, or isn't for everybody), bad (no link that \
    1Fichier makes), unknown (1Fichier didn't say).\n\n\
    The program ends with 0 if all links are alive and with 1 if some aren't; other numbers are errors.\n\n\
    Examples:\n  fichier links check 'https://1fichier.com/?abc123def456'\n  \
    fichier links check --from post.txt --csv > links.csv"
)]
pub(crate) struct Arguments {
    /// Links, or texts that hold some
    #[arg(value_name = "URL")]
    urls: Vec<String>,

    /// Take links from this text file, too; - is the standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Ask as the account of this remote does, instead of as anybody
    #[arg(long, value_name = "REMOTE:")]
    via: Option<String>,

    /// Print a JSON array
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print comma-separated values, with a line of titles
    #[arg(long)]
    csv: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let links = public_links::collect(&arguments.urls, arguments.from.as_deref(), None)?;
    let LinkStates { states, error } = match &arguments.via {
        None => context.session.public_site()?.states(&links).await,
        Some(remote) => {
            let location = context.session.open(remote).await?;
            let Some(public) = location.remote.extensions().public_files else {
                let name = &location.remote.info().name;
                return Err(Failure::other(format!("{name} knows no public links")).into());
            };
            public.link_states(&links).await
        }
    };
    let rows: Vec<Row<'_>> = links.iter().zip(&states).map(Row::of).collect();
    if arguments.json {
        context.out.write_all(&json(&rows))?;
    } else if arguments.csv {
        context.out.write_all(&csv(&rows))?;
    } else {
        columns(&rows, context.out)?;
    }
    if let Some(error) = error {
        return Err(error.into());
    }
    let others = states.iter().filter(|state| !matches!(state, LinkState::Alive { .. })).count();
    if others > 0 {
        let message = format!("{others} of {} links aren't known to be alive", states.len());
        return Err(Failure { exit: Exit::Usage, message }.into());
    }
    Ok(())
}

/// Output about one link.
struct Row<'a> {
    state: &'static str,
    size: Option<u64>,
    name: &'a str,
    link: &'a PublicLink,
}

impl<'a> Row<'a> {
    fn of((link, state): (&'a PublicLink, &'a LinkState)) -> Self {
        let (state, size, name) = match state {
            LinkState::Alive { name, size } => ("alive", Some(*size), name.as_deref().unwrap_or_default()),
            LinkState::Dead => ("dead", None, ""),
            LinkState::Private => ("private", None, ""),
            LinkState::Bad => ("bad", None, ""),
            LinkState::Unknown => ("unknown", None, ""),
        };
        Self { state, size, name, link }
    }

    fn size_or(&self, none: &str) -> String {
        self.size.map_or_else(|| none.to_owned(), |size| size.to_string())
    }
}

/// Prints columns for people. A name is someone else's, so control characters in it must not steer the terminal.
fn columns(rows: &[Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    let visible = |name: &str| if name.is_empty() { "-".to_owned() } else { fichier_api::shown(name) };
    let names: Vec<String> = rows.iter().map(|row| visible(row.name)).collect();
    let sizes: Vec<String> = rows.iter().map(|row| row.size_or("-")).collect();
    let widest = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
    let (sizes_width, names_width) = (widest(&sizes), widest(&names));
    for ((row, size), name) in rows.iter().zip(&sizes).zip(&names) {
        let Row { state, link, .. } = row;
        writeln!(out, "{state:<7}  {size:>sizes_width$}  {name:<names_width$}  {link}")?;
    }
    Ok(())
}

fn csv(rows: &[Row<'_>]) -> Vec<u8> {
    let mut text = b"state,size,name,link\n".to_vec();
    for row in rows {
        text.extend_from_slice(format!("{},{},", row.state, row.size_or("")).as_bytes());
        lsf::quote(&mut text, row.name.as_bytes(), ",");
        text.extend_from_slice(format!(",{}\n", row.link).as_bytes());
    }
    text
}

fn json(rows: &[Row<'_>]) -> Vec<u8> {
    let objects = rows.iter().map(|row| {
        let mut object = Object::default();
        object.string("Link", &row.link.address);
        object.string("State", row.state);
        if let Some(size) = row.size {
            object.string("Name", row.name);
            object.plain("Size", size);
        }
        object.compact()
    });
    let mut text = b"[\n".to_vec();
    text.extend(objects.collect::<Vec<_>>().join(&b",\n"[..]));
    text.extend_from_slice(b"\n]\n");
    text
}
