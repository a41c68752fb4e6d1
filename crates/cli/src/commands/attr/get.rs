//! `attr get`: shows the attributes of files.

use clap::Args;
use fichier_api::shown;
use fichier_storage::{Attributes, File, ListedAttributes, RemoteExt as _, RemotePath};
use serde_json::json;

use crate::{commands::lsf, context::Context, exit::Failure, listing::Listing, output::json::Object};

/// So many calls of this kind in a run are worth a warning.
const MANY_CALLS: usize = 100;

/// More of them aren't made.
const MOST_CALLS: usize = 1000;

/// Show attributes of files: whether they have a password or access rules
#[derive(Debug, Args)]
#[command(
    after_help = "Listings tell whether a file has a password, whether it has access rules, and whether it is served by \
    the CDN, so no more calls are made than for the listings. A ? says that no listing has told it yet, as of a file \
    that was uploaded just now. --full shows the rules, the description and the rest as well; that costs a call for each \
    file, and calls of this kind in number get an address banned: so it warns above 100 files, and refuses more than \
    1,000. The service never tells a password.\n\n\
    Examples:\n  fichier attr get cloud:films -R\n  fichier attr get cloud:films/one.mkv --full --json"
)]
pub(super) struct Arguments {
    /// Whose attributes to show
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Show those of the files in the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Show all attributes, which costs a call for each file
    #[arg(long)]
    full: bool,

    /// Print a JSON array
    #[arg(long, group = "form")]
    json: bool,

    /// Print comma-separated values, after a line of names
    #[arg(long, group = "form")]
    csv: bool,
}

/// What is known of a file.
enum Known {
    /// By a listing.
    Listed(Option<ListedAttributes>),
    /// By a call for this file.
    All(Attributes),
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let keeper = location.remote.file_attributes()?;
    let depth = context.settings.depth(arguments.recursive);
    let mut listing = Listing::new(&location, depth, &context.settings.filter);
    let mut table = Table { form: Form::of(arguments), full: arguments.full, empty: true };
    if arguments.full {
        let mut all = Vec::new();
        while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
            all.extend(files);
        }
        if all.len() > MOST_CALLS {
            let message = format!(
                "--full costs a call for each of {} files, and more than {MOST_CALLS} get an address banned: name \
                 fewer files by filters, or leave out --full",
                all.len()
            );
            return Err(Failure::usage(message).into());
        }
        if all.len() > MANY_CALLS {
            tracing::warn!(
                "--full makes {} calls, one for each file: so many may get this address banned for a while",
                all.len()
            );
        }
        table.begin(context)?;
        for (path, file) in all {
            match keeper.attributes(&file).await {
                Ok(attributes) => table.row(&path, &file, &Known::All(attributes), context)?,
                Err(error) if error.retry() == fichier_storage::Retry::Fatal => return Err(error.into()),
                Err(error) => context.errors_seen.note(&path.to_string(), &error),
            }
        }
    } else {
        table.begin(context)?;
        while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
            let (paths, files): (Vec<_>, Vec<_>) = files.into_iter().unzip();
            let told = keeper.listed_attributes(&files).await;
            for ((path, file), told) in paths.iter().zip(&files).zip(told) {
                table.row(path, file, &Known::Listed(told), context)?;
            }
        }
    }
    table.end(context)
}

/// How attributes are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Json,
    Csv,
}

impl Form {
    fn of(arguments: &Arguments) -> Self {
        match (arguments.json, arguments.csv) {
            (true, _) => Self::Json,
            (_, true) => Self::Csv,
            _ => Self::Plain,
        }
    }
}

/// The lines that are printed.
struct Table {
    form: Form,
    full: bool,
    /// Nothing is printed yet.
    empty: bool,
}

impl Table {
    fn begin(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        match self.form {
            Form::Json => context.out.write_all(b"[\n")?,
            Form::Csv if self.full => writeln!(
                context.out,
                "Path,Link,Password,Restricted,CDN,Inline,NoSSL,Countries,IPs,Mails,Premium,Description"
            )?,
            Form::Csv => writeln!(context.out, "Path,Link,Password,Restricted,CDN")?,
            Form::Plain => {}
        }
        Ok(())
    }

    fn row(
        &mut self,
        path: &RemotePath,
        file: &File,
        known: &Known,
        context: &mut Context<'_>,
    ) -> anyhow::Result<()> {
        let first = std::mem::take(&mut self.empty);
        match self.form {
            Form::Json => {
                if !first {
                    context.out.write_all(b",\n")?;
                }
                context.out.write_all(&object(path, file, known))?;
            }
            Form::Csv => {
                let mut line = Vec::new();
                for (index, field) in fields(path, file, known).iter().enumerate() {
                    if index > 0 {
                        line.push(b',');
                    }
                    lsf::quote(&mut line, field, ",");
                }
                line.push(b'\n');
                context.out.write_all(&line)?;
            }
            Form::Plain => {
                let path = shown(&path.to_string());
                writeln!(context.out, "{:<24}  {path}", words(known))?;
                if let Known::All(Attributes { description, .. }) = known
                    && !description.is_empty()
                {
                    writeln!(context.out, "{:<24}  # {}", "", shown(description))?;
                }
            }
        }
        Ok(())
    }

    fn end(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        if self.form == Form::Json {
            context.out.write_all(if self.empty { b"]\n" } else { b"\n]\n" })?;
        }
        Ok(())
    }
}

/// The switches that listings tell, too.
fn switches(known: &Known) -> Option<ListedAttributes> {
    match known {
        Known::Listed(listed) => *listed,
        Known::All(all) => {
            Some(ListedAttributes { password: all.password, rules: all.rules.is_some(), cdn: all.cdn })
        }
    }
}

/// The attributes that are set, in a few words.
fn words(known: &Known) -> String {
    let Some(listed) = switches(known) else { return "?".to_owned() };
    let mut words: Vec<String> = Vec::new();
    let mut word = |is_set: bool, word: &str| words.extend(is_set.then(|| word.to_owned()));
    word(listed.password, "password");
    word(listed.cdn, "cdn");
    match known {
        Known::Listed(_) => word(listed.rules, "restricted"),
        Known::All(all) => {
            word(all.inline, "inline");
            word(all.no_tls, "no-ssl");
            if let Some(rules) = &all.rules {
                word(rules.premium, "premium");
                let lists = [("country", &rules.countries), ("ip", &rules.addresses), ("mail", &rules.mails)];
                for (name, list) in lists {
                    word(!list.is_empty(), &shown(&format!("{name}={}", list.join("+"))));
                }
            }
        }
    }
    if words.is_empty() { "-".to_owned() } else { words.join(",") }
}

fn object(path: &RemotePath, file: &File, known: &Known) -> Vec<u8> {
    let mut object = Object::default();
    object.string("Path", path.as_bytes());
    if let Some(id) = &file.id {
        object.string("Link", id.as_str());
    }
    if let Some(listed) = switches(known) {
        object.plain("Password", listed.password);
        object.plain("Restricted", listed.rules);
        object.plain("CDN", listed.cdn);
    }
    if let Known::All(all) = known {
        object.plain("Inline", all.inline);
        object.plain("NoSSL", all.no_tls);
        object.string("Description", &all.description);
        if let Some(rules) = &all.rules {
            object.plain("Countries", json!(rules.countries));
            object.plain("IPs", json!(rules.addresses));
            object.plain("Mails", json!(rules.mails));
            object.plain("Premium", rules.premium);
        }
    }
    object.compact()
}

fn fields(path: &RemotePath, file: &File, known: &Known) -> Vec<Vec<u8>> {
    let switch = |value: Option<bool>| value.map(|value| value.to_string()).unwrap_or_default();
    let listed = switches(known);
    let mut fields = vec![
        path.as_bytes().to_vec(),
        file.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default().into_bytes(),
    ];
    let mut add = |text: String| fields.push(text.into_bytes());
    add(switch(listed.map(|listed| listed.password)));
    add(switch(listed.map(|listed| listed.rules)));
    add(switch(listed.map(|listed| listed.cdn)));
    if let Known::All(all) = known {
        let rules = all.rules.clone().unwrap_or_default();
        add(all.inline.to_string());
        add(all.no_tls.to_string());
        add(rules.countries.join(" "));
        add(rules.addresses.join(" "));
        add(rules.mails.join(" "));
        add(rules.premium.to_string());
        add(all.description.clone());
    }
    fields
}
