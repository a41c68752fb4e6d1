//! `dedupe`: finds files that share a name or a content, and settles them.

use std::io::{self, IsTerminal as _, Write as _};

use async_trait::async_trait;
use clap::{Args, ValueEnum};
use fichier_engine::{Choice, Chooser, DedupeMode, DedupeOptions, Duplicates};
use fichier_storage::RemotePath;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::{
    exit::Failure,
    filtering::refuse_single_file,
    output::time::Clock,
    terminal::{Asked, ask_line},
    transfer::{ListFlags, carry_out},
};

/// Find files that share a name, and settle them
#[derive(Debug, Args)]
#[command(
    after_help = "At 1Fichier several files of a folder may bear one name, and several folders of a folder too. \
    Folders of one name are merged first. Of identical files all but the newest are removed without a question. \
    What is left is settled by the MODE, which may stand before the path:\n  \
    interactive  ask, group by group (the default)\n  \
    skip         leave it\n  \
    first        keep the first as listed, which is the newest\n  \
    newest, oldest, largest, smallest  keep that one\n  \
    rename       keep all: file.jpg becomes file-1.jpg, file-2.jpg and so on\n  \
    list         change nothing, only print all duplicates\n\n\
    With --by-hash files of one content are sought instead, wherever they lie and whatever their names.\n\n\
    See with --dry-run first what would go.\n\n\
    Example:\n  fichier dedupe newest demo:photos --dry-run"
)]
pub(crate) struct Arguments {
    /// The mode, if not given by --dedupe-mode; then where to look
    #[arg(value_name = "[MODE] REMOTE:PATH", num_args = 1..=2, required = true)]
    words: Vec<String>,

    /// What becomes of duplicates that aren't identical
    #[arg(long, value_name = "MODE", ignore_case = true, default_value = "interactive")]
    dedupe_mode: Mode,

    /// Look for files of one content instead of one name
    #[arg(long)]
    by_hash: bool,
}

/// The modes as typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Interactive,
    Skip,
    First,
    Newest,
    Oldest,
    Largest,
    Smallest,
    Rename,
    List,
}

impl Mode {
    fn of_the_engine(self) -> (DedupeMode, &'static str) {
        match self {
            Self::Interactive => (DedupeMode::Interactive, "interactive"),
            Self::Skip => (DedupeMode::Skip, "skip"),
            Self::First => (DedupeMode::First, "first"),
            Self::Newest => (DedupeMode::Newest, "newest"),
            Self::Oldest => (DedupeMode::Oldest, "oldest"),
            Self::Largest => (DedupeMode::Largest, "largest"),
            Self::Smallest => (DedupeMode::Smallest, "smallest"),
            Self::Rename => (DedupeMode::Rename, "rename"),
            Self::List => (DedupeMode::List, "list"),
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let (mode, path) = match &arguments.words[..] {
        [mode, path] => {
            let wrong = |_| Failure::usage(format!("unknown mode for dedupe {mode:?}"));
            (Mode::from_str(mode, true).map_err(wrong)?, path)
        }
        words => (arguments.dedupe_mode, &words[0]),
    };
    let (mode, mode_name) = mode.of_the_engine();
    if arguments.by_hash && mode == DedupeMode::Rename {
        let message = "can't use rename with --by-hash: the files have names of their own already";
        return Err(Failure::usage(message).into());
    }
    let location = context.session.open(path).await?;
    refuse_single_file(context.settings, &location).await?;
    let options = DedupeOptions {
        mode,
        mode_name,
        by_hash: arguments.by_hash,
        checksums: context.session.checksums(),
        checkers: context.settings.transfer.checkers.get(),
        max_depth: context.settings.max_depth,
        filter: context.settings.filter.clone(),
        name: context.session.shown(&location),
        one_by_one: context.settings.dry_run || context.settings.transfer.interactive,
    };
    let target = location;
    let stop = context.session.stop().clone();
    let chooser = Terminal { clock: context.settings.clock.clone(), stop };
    carry_out(context, "dedupe", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::dedupe(&target, &options, &chooser, &stats, &stop).await
    })
    .await
}

/// Shows duplicates on the standard output and reads answers from the standard input.
struct Terminal {
    clock: Clock,
    stop: CancellationToken,
}

impl Terminal {
    fn table(&self, duplicates: &Duplicates) -> String {
        let mut table = format!("{}: {} duplicates\n", duplicates.label, duplicates.copies.len());
        for (index, copy) in duplicates.copies.iter().enumerate() {
            let time = self.clock.nanoseconds(copy.file.modified);
            let last = match (duplicates.by_hash, copy.file.whirlpool) {
                (true, _) => copy.shown.to_string(),
                (false, Some(sum)) => format!("whirlpool {sum}"),
                (false, None) => "whirlpool unknown".to_owned(),
            };
            table.push_str(&format!("  {}: {:>12} bytes, {time}, {last}\n", index + 1, copy.file.size));
        }
        table
    }

    /// Reads a line of the standard input. Without one, returns the choice to keep everything. A person who types sees
    /// the prompt.
    async fn ask(&self, prompt: &str) -> Result<String, Choice> {
        if io::stdin().is_terminal() && !print(prompt) {
            return Err(Choice::Nobody);
        }
        match ask_line(&self.stop).await {
            Asked::Line(line) => Ok(line),
            Asked::End => Err(Choice::Nobody),
            Asked::Stopped => Err(Choice::Quit),
        }
    }
}

/// Prints a text. If that fails nobody can be asked either, and nothing is done.
fn print(text: &str) -> bool {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

#[async_trait]
impl Chooser for Terminal {
    fn show(&self, duplicates: &Duplicates) {
        print(&self.table(duplicates));
    }

    fn show_folder(&self, path: &RemotePath, count: usize) {
        print(&format!("{path}: {count} duplicates of this directory\n"));
    }

    async fn choose(&self, duplicates: &Duplicates) -> Choice {
        let mut menu = self.table(duplicates);
        menu.push_str("s) Skip and do nothing\nk) Keep just one (choose which in next step)\n");
        if !duplicates.by_hash {
            menu.push_str("r) Rename all to be different (by changing file.jpg to file-1.jpg)\n");
        }
        menu.push_str("q) Quit\n");
        if !print(&menu) {
            return Choice::Nobody;
        }
        let letters: &[char] = if duplicates.by_hash { &['s', 'k', 'q'] } else { &['s', 'k', 'r', 'q'] };
        let names: Vec<String> = letters.iter().map(ToString::to_string).collect();
        loop {
            let line = match self.ask(&format!("{}> ", names.join("/"))).await {
                Ok(line) => line,
                Err(choice) => return choice,
            };
            let letter = line.to_ascii_lowercase();
            match names.iter().position(|name| *name == letter).map(|index| letters[index]) {
                Some('s') => return Choice::Skip,
                Some('k') => break,
                Some('r') => return Choice::Rename,
                Some(_) => return Choice::Quit,
                None => {
                    let letters = names.join(", ");
                    print(&format!("This value must be one of the following characters: {letters}.\n"));
                }
            }
        }
        let count = duplicates.copies.len();
        loop {
            let line = match self.ask("Enter the number of the file to keep> ").await {
                Ok(line) => line,
                Err(choice) => return choice,
            };
            match line.parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Choice::Keep(number - 1),
                Ok(_) => print(&format!("Out of range - 1 to {count} inclusive\n")),
                Err(_) => print(&format!("Bad number: {line:?}\n")),
            };
        }
    }
}
