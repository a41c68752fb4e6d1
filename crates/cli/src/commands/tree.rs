//! `tree` draws the contents of a folder as a tree.

use std::{cmp::Ordering, collections::BTreeMap, io::Write, path::PathBuf, time::SystemTime};

use bstr::ByteSlice as _;
use clap::Args;
use fichier_encoding::Encoding;
use fichier_storage::{Entry, RemotePath};
use jiff::{ToSpan as _, ZonedDateTime};

use crate::context::Context;
use crate::{
    listing::{Listing, Seen},
    output::{named::create_file, size, time::Clock},
};

/// Sort orders that `--sort` takes; any other word counts as the first, as in rclone.
pub(super) const SORTS: [&str; 5] = ["name", "version", "size", "mtime", "ctime"];

/// Draw what a folder holds as a tree
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
#[command(after_help = "Example:\n  fichier tree demo: --level 2 --dirsfirst")]
pub(crate) struct Arguments {
    /// What to draw
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Draw files whose name begins with a dot, too
    #[arg(short, long)]
    all: bool,

    /// Draw folders only
    #[arg(short, long)]
    dirs_only: bool,

    /// Draw folders before files
    #[arg(long)]
    dirsfirst: bool,

    /// Print the whole path of each entry
    #[arg(long)]
    full_path: bool,

    /// Descend only N folders deep; 0: all the way
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    level: usize,

    /// Print modification times of files
    #[arg(short = 'D', long)]
    modtime: bool,

    /// Draw no lines
    #[arg(long)]
    noindent: bool,

    /// Print no summary
    #[arg(long)]
    noreport: bool,

    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print the permissions of files, as far as remotes have some
    #[arg(short, long)]
    protections: bool,

    /// Put names in double quotes
    #[arg(short = 'Q', long)]
    quote: bool,

    /// Print sizes
    #[arg(short, long)]
    size: bool,

    /// Sort by: name, version, size, mtime or ctime
    #[arg(long, value_name = "FIELD", default_value = "name")]
    sort: String,

    /// Sort by the time of the last change of status
    #[arg(long)]
    sort_ctime: bool,

    /// Sort by modification time
    #[arg(short = 't', long)]
    sort_modtime: bool,

    /// Sort the other way round
    #[arg(short = 'r', long)]
    sort_reverse: bool,

    /// Leave the order of the listing
    #[arg(short = 'U', long)]
    unsorted: bool,

    /// Sort numbers in names by their value
    #[arg(long)]
    version: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let depth = match arguments.level {
        0 => context.settings.max_depth,
        level => Some(context.settings.max_depth.map_or(level, |depth| depth.min(level))),
    };
    let mut nodes = Nodes::default();
    let mut listing = Listing::new(&location, depth, &context.settings.filter);
    while let Some(entries) = listing.next_folder(&mut context.errors_seen).await? {
        for seen in entries {
            nodes.add(seen, arguments);
        }
    }
    let mut picture = Picture {
        arguments,
        nodes,
        human: context.settings.human_readable,
        clock: &context.settings.clock,
        now: context.settings.clock.local(Some(SystemTime::now())),
        folders: 0,
        files: 0,
        text: Vec::new(),
    };
    picture.draw();
    match &arguments.output {
        Some(path) => create_file(path)?.write_all(&picture.text)?,
        None => context.out.write_all(&picture.text)?,
    }
    Ok(())
}

/// Entries by the folder that holds them.
#[derive(Debug, Default)]
struct Nodes(BTreeMap<RemotePath, Vec<Seen>>);

impl Nodes {
    fn add(&mut self, seen: Seen, arguments: &Arguments) {
        let hidden = seen.path.name().is_some_and(|name| name.as_bytes().starts_with(b"."));
        if hidden && !arguments.all || arguments.dirs_only && seen.file().is_some() {
            return;
        }
        if let Some(folder) = seen.path.parent() {
            self.0.entry(folder).or_default().push(seen);
        }
    }

    /// Returns the total size in bytes of all files in and below a folder.
    fn bytes(&self, folder: &RemotePath) -> u64 {
        self.0
            .range(folder.clone()..)
            .filter(|(path, _)| path.is_within(folder))
            .flat_map(|(_, entries)| entries)
            .filter_map(|seen| Some(seen.file()?.size))
            .sum()
    }
}

struct Picture<'a> {
    arguments: &'a Arguments,
    nodes: Nodes,
    human: bool,
    clock: &'a Clock,
    now: ZonedDateTime,
    folders: u64,
    files: u64,
    text: Vec<u8>,
}

impl Picture<'_> {
    fn draw(&mut self) {
        let root = RemotePath::root();
        if self.arguments.size {
            self.brackets(&[self.size(self.nodes.bytes(&root))]);
        }
        self.name(b"/");
        self.text.push(b'\n');
        self.folder(&root, "");
        if !self.arguments.noreport {
            let (folders, files) = (self.folders, self.files);
            let report = if self.arguments.dirs_only {
                format!("\n{folders} directories\n")
            } else {
                format!("\n{folders} directories, {files} files\n")
            };
            self.text.extend_from_slice(report.as_bytes());
        }
    }

    fn folder(&mut self, folder: &RemotePath, indent: &str) {
        let Some(mut entries) = self.nodes.0.remove(folder) else { return };
        self.arrange(&mut entries);
        let last = entries.len() - 1;
        for (index, seen) in entries.iter().enumerate() {
            let (branch, below) =
                if index == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            if !self.arguments.noindent {
                self.text.extend_from_slice(indent.as_bytes());
                self.text.extend_from_slice(branch.as_bytes());
            }
            self.entry(seen);
            if seen.entry.as_folder().is_some() {
                self.folder(&seen.path, &format!("{indent}{below}"));
            }
        }
    }

    fn entry(&mut self, seen: &Seen) {
        let mut details = Vec::new();
        match &seen.entry {
            Entry::Folder(_) => {
                self.folders += 1;
                if self.arguments.size {
                    details.push(self.size(self.nodes.bytes(&seen.path)));
                }
            }
            Entry::File(file) => {
                self.files += 1;
                if self.arguments.protections {
                    details.push("-rw-rw-rw-".to_owned());
                }
                if self.arguments.size {
                    details.push(self.size(file.size));
                }
                if self.arguments.modtime {
                    details.push(self.time(file.modified));
                }
            }
        }
        if !details.is_empty() {
            self.brackets(&details);
        }
        // Names are as the file system has them, as in the `tree` of other systems.
        let standard = if self.arguments.full_path {
            [b"/", seen.bytes()].concat()
        } else {
            seen.path.name().map(|name| name.as_bytes().to_vec()).unwrap_or_default()
        };
        let name = Encoding::STANDARD.decode(&standard).into_owned();
        self.name(&name);
        self.text.push(b'\n');
    }

    fn name(&mut self, name: &[u8]) {
        let quote: &[u8] = if self.arguments.quote { b"\"" } else { b"" };
        self.text.extend_from_slice(quote);
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(quote);
    }

    fn brackets(&mut self, details: &[String]) {
        self.text.extend_from_slice(format!("[{}]  ", details.join(" ")).as_bytes());
    }

    fn size(&self, bytes: u64) -> String {
        if self.human { format!("{:>4}", size::rounded(bytes)) } else { format!("{bytes:>11}") }
    }

    /// Formats a time: with the time of day in the last half year, otherwise with the year.
    fn time(&self, modified: Option<SystemTime>) -> String {
        let time = self.clock.local(modified);
        let half_year = 6.months();
        let recent = self.now.checked_sub(half_year).is_ok_and(|limit| time > limit) && time <= self.now;
        time.strftime(if recent { "%b %d %H:%M" } else { "%b %d  %Y" }).to_string()
    }

    fn arrange(&self, entries: &mut [Seen]) {
        let arguments = self.arguments;
        if !arguments.unsorted {
            entries.sort_by(|left, right| {
                let order = self.compare(left, right);
                if arguments.sort_reverse { order.reverse() } else { order }
            });
            if arguments.dirsfirst {
                entries.sort_by_key(|seen| seen.file().is_some());
            }
        }
    }

    fn compare(&self, left: &Seen, right: &Seen) -> Ordering {
        let time = |seen: &Seen| match &seen.entry {
            Entry::File(file) => file.modified,
            Entry::Folder(folder) => folder.modified,
        };
        let arguments = self.arguments;
        // Of these flags, the later one in rclone's list wins.
        if arguments.version || arguments.sort == "version" {
            by_version(left.bytes(), right.bytes())
        } else if arguments.sort_modtime
            || arguments.sort_ctime
            || matches!(&*arguments.sort, "mtime" | "ctime")
        {
            time(left).cmp(&time(right))
        } else if arguments.sort == "size" {
            // Folders have no size; they come after all files when the largest is first.
            let size = |seen: &Seen| seen.file().map(|file| file.size);
            size(left).cmp(&size(right))
        } else {
            left.bytes().cmp(right.bytes())
        }
    }
}

/// Compares runs of digits by their value.
fn by_version(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        let (Some(first), Some(second)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len());
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (one, two) = (&left[..digits(left)], &right[..digits(right)]);
            let order = value(one).cmp(&value(two));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[one.len()..], &right[two.len()..]);
        } else if first == second {
            (left, right) = (&left[1..], &right[1..]);
        } else {
            return first.cmp(second);
        }
    }
}

/// Returns digits of any length as something that compares by value: the number of digits without leading zeros, and
/// these.
fn value(digits: &[u8]) -> (usize, &[u8]) {
    let matter = digits.trim_start_with(|c| c == '0');
    (matter.len(), matter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_compare_by_value() {
        let mut names = ["file10", "file9", "file009b", "File1", "file", "file99999999999999999999"];
        names.sort_by(|left, right| by_version(left.as_bytes(), right.as_bytes()));
        assert_eq!(names, ["File1", "file", "file9", "file009b", "file10", "file99999999999999999999"]);
    }
}
