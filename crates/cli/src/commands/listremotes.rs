//! `listremotes` lists the remotes of the configuration.

use std::cmp::Ordering;

use clap::Args;
use fichier_filter::TextPattern;

use crate::context::Context;
use crate::{exit::Failure, output::json::Object, session::RemoteEntry};

/// List the remotes of the configuration
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier listremotes --long --type fichier")]
pub(crate) struct Arguments {
    /// Only remotes of which something matches this pattern
    #[arg(value_name = "PATTERN")]
    any: Option<String>,

    /// Print types and descriptions, too
    #[arg(long)]
    long: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Only remotes whose name matches this pattern
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,

    /// Only remotes whose type matches this pattern
    #[arg(long = "type", value_name = "PATTERN")]
    kind: Option<String>,

    /// Only remotes that come from here: file or environment
    #[arg(long, value_name = "PATTERN")]
    source: Option<String>,

    /// Only remotes whose description matches this pattern
    #[arg(long, value_name = "PATTERN")]
    description: Option<String>,

    /// Patterns must match the whole text
    #[arg(long)]
    exact: bool,

    /// Sort by these fields, such as type,name=descending
    #[arg(long, value_name = "FIELDS")]
    order_by: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let order = arguments
        .order_by
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(order)
        .transpose()?
        .unwrap_or_default();
    let wanted = Wanted::read(arguments)?;
    let mut remotes = context.session.remotes()?;
    remotes.retain(|remote| wanted.takes(remote));
    if !order.is_empty() {
        remotes.sort_by(|left, right| {
            order.iter().fold(Ordering::Equal, |decided, (field, descending)| {
                let next = field(left).cmp(field(right));
                decided.then(if *descending { next.reverse() } else { next })
            })
        });
    }
    if arguments.json {
        return json(&remotes, context);
    }
    // One column wider than the longest, the colon included.
    let width = |field: fn(&RemoteEntry) -> &str| {
        remotes.iter().map(|remote| field(remote).chars().count() + 1).max().unwrap_or(0)
    };
    let (names, kinds) = (width(|remote| &remote.name), width(|remote| &remote.kind));
    for remote in &remotes {
        let name = format!("{}:", remote.name);
        if arguments.long {
            writeln!(context.out, "{name:<names$} {:<kinds$}{}", remote.kind, remote.description)?;
        } else {
            writeln!(context.out, "{name}")?;
        }
    }
    Ok(())
}

fn json(remotes: &[RemoteEntry], context: &mut Context<'_>) -> anyhow::Result<()> {
    context.out.write_all(b"[\n")?;
    for (index, remote) in remotes.iter().enumerate() {
        let mut object = Object::default();
        object.string("name", &remote.name);
        object.string("type", &remote.kind);
        object.string("source", remote.source);
        object.string("description", &remote.description);
        context.out.write_all(&object.compact())?;
        context.out.write_all(if index + 1 < remotes.len() { b",\n" } else { b"\n" })?;
    }
    context.out.write_all(b"]\n")?;
    Ok(())
}

type Field = fn(&RemoteEntry) -> &str;

fn order(text: &str) -> Result<Vec<(Field, bool)>, Failure> {
    text.split(',')
        .map(|part| {
            let (name, direction) = part.split_once('=').unwrap_or((part, "ascending"));
            let field: Field = match name {
                "name" => |remote| &remote.name,
                "type" => |remote| &remote.kind,
                "source" => |remote| remote.source,
                "description" => |remote| &remote.description,
                _ => return Err(Failure::usage(format!("unknown --order-by field {name:?}"))),
            };
            match direction {
                "ascending" | "asc" => Ok((field, false)),
                "descending" | "desc" => Ok((field, true)),
                _ => Err(Failure::usage(format!("unknown --order-by direction {direction:?}"))),
            }
        })
        .collect()
}

/// Patterns that a remote must match.
struct Wanted {
    any: Option<TextPattern>,
    /// Patterns for one field each.
    of_fields: Vec<(Field, TextPattern)>,
}

impl Wanted {
    /// Reads the patterns.
    ///
    /// # Errors
    /// One of them can't be understood.
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let pattern = |named: &str, text: &Option<String>| {
            let read = |text: &String| {
                TextPattern::new(text, arguments.exact)
                    .map_err(|error| Failure::usage(format!("{named}: {error}")))
            };
            text.as_ref().map(read).transpose()
        };
        let fields: [(&str, &Option<String>, Field); 4] = [
            ("--name", &arguments.name, |remote| &remote.name),
            ("--type", &arguments.kind, |remote| &remote.kind),
            ("--source", &arguments.source, |remote| remote.source),
            ("--description", &arguments.description, |remote| &remote.description),
        ];
        let mut of_fields = Vec::new();
        for (flag, text, field) in fields {
            of_fields.extend(pattern(flag, text)?.map(|pattern| (field, pattern)));
        }
        Ok(Self { any: pattern("the pattern", &arguments.any)?, of_fields })
    }

    fn takes(&self, remote: &RemoteEntry) -> bool {
        let all = [&*remote.name, &*remote.kind, remote.source, &*remote.description];
        self.any.as_ref().is_none_or(|pattern| all.iter().any(|text| pattern.fits(text)))
            && self.of_fields.iter().all(|(field, pattern)| pattern.fits(field(remote)))
    }
}
