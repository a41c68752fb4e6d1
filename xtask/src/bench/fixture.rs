//! Fixture for tasks: data that is prepared once, and a fresh copy of the service's state for each run.
//!
//! The data is prepared by a process of its own: a child's peak memory begins at that of its parent, so the
//! process that measures stays small.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::Args;
use fichier_emulator::{Account, Control, DEMO_KEY, Emulator, SeedFile, Storage, synthetic};

use super::{
    measure::{self, Sample},
    program::{Pace, Program, Programs},
    service::Service,
    task::{Layout, Task},
};

/// Number of different contents: the emulator computes the checksum of each once.
const CONTENTS: u32 = 16;

/// Directory for data and runs.
pub(crate) struct Fixture {
    place: PathBuf,
    preparing: Mutex<()>,
    runs: AtomicUsize,
}

/// One run's directory: the service's state, the programs' home, and what they write.
pub(crate) struct Stand {
    place: PathBuf,
    data: PathBuf,
}

/// What to prepare
#[derive(Debug, Args)]
pub(crate) struct SeedArguments {
    /// Where
    place: PathBuf,
    /// `folders,files,bytes` of the local directory
    #[arg(long, value_parser = layout)]
    local: Option<Layout>,
    /// `folders,files,bytes` of the account
    #[arg(long, value_parser = layout)]
    account: Option<Layout>,
}

fn layout(text: &str) -> Result<Layout, String> {
    let wrong = || format!("{text:?} isn't folders,files,bytes");
    let numbers: Vec<u64> =
        text.split(',').map(|number| number.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    let [folders, files, bytes] = numbers[..] else { return Err(wrong()) };
    let small = |number: u64| u32::try_from(number).map_err(|_| wrong());
    Ok(Layout { folders: small(folders)?, files: small(files)?, bytes })
}

fn spelt(layout: Layout) -> String {
    format!("{},{},{}", layout.folders, layout.files, layout.bytes)
}

impl Layout {
    /// Returns each file: its folder's name if it has one, its own name, and the number of its content.
    fn each(self) -> impl Iterator<Item = (Option<String>, String, u64)> {
        (0..self.files).map(move |number| {
            let folder = number.checked_rem(self.folders).map(|folder| format!("d{folder:05}"));
            (folder, format!("f{number:07}.dat"), u64::from(number % CONTENTS))
        })
    }
}

impl Fixture {
    /// Opens a directory below `place`, without earlier runs.
    pub(crate) fn new(place: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(place).with_context(|| format!("can't make {}", place.display()))?;
        Ok(Self { place: place.to_owned(), preparing: Mutex::default(), runs: AtomicUsize::new(0) })
    }

    /// Makes a directory for one run of a task, with its data.
    pub(crate) fn stand(&self, task: &Task, programs: &Programs) -> anyhow::Result<Stand> {
        let data = self.data(task, programs)?;
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let place = self.place.join(format!("run-{}-{number}", std::process::id()));
        fs::create_dir_all(place.join("home"))?;
        copy_directory(&data.join("state"), &place.join("state"))
            .with_context(|| format!("can't copy the data of {}", task.name))?;
        Ok(Stand { place, data })
    }

    fn data(&self, task: &Task, programs: &Programs) -> anyhow::Result<PathBuf> {
        let key = [("local", task.local), ("account", task.account)]
            .into_iter()
            .filter_map(|(side, layout)| Some(format!("-{side}-{}", spelt(layout?).replace(',', "-"))))
            .collect::<String>();
        let data = self.place.join(format!("data{key}"));
        // Tasks may share data, which one of them prepares.
        let _guard = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        if data.exists() {
            return Ok(data);
        }
        let unfinished = self.place.join(format!("unfinished-{}", std::process::id()));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        let mut command = Command::new(&programs.itself);
        command.arg("seed").arg(&unfinished);
        for (flag, layout) in [("--local", task.local), ("--account", task.account)] {
            if let Some(layout) = layout {
                command.args([flag, &spelt(layout)]);
            }
        }
        let status = command.status().context("can't start the preparation")?;
        ensure!(status.success(), "the data of {} can't be prepared: {status}", task.name);
        if let Err(error) = fs::rename(&unfinished, &data) {
            // Another measurement may have prepared the same meanwhile.
            fs::remove_dir_all(&unfinished)?;
            ensure!(data.exists(), "the data of {} can't take its place: {error}", task.name);
        }
        Ok(data)
    }
}

impl Stand {
    /// Does the task once, and checks whether it was done.
    pub(crate) fn run(
        &self,
        task: &Task,
        program: Program,
        pace: &Pace,
        programs: &Programs,
        patience: Duration,
    ) -> anyhow::Result<Sample> {
        let service = Service::start(&programs.fichier, &self.place, pace.limits())?;
        let command = || {
            let mut command = programs.command(program, &service, &self.place.join("home"));
            command.current_dir(&self.place);
            let source = self.data.join("source");
            command.args(task.words.iter().map(|word| match *word {
                "source" => source.as_os_str(),
                word => word.as_ref(),
            }));
            command.args(match program {
                Program::Fichier => task.ours,
                Program::Rclone => task.theirs,
            });
            command.args(pace.flags(program));
            command
        };
        if task.warm {
            measure::child(&mut command(), &self.place.join("warm.log"), patience)?;
            service.reset_counters()?;
        }
        let log = self.place.join("output.log");
        let mut sample = measure::child(&mut command(), &log, patience)?;
        (sample.calls, sample.floods) = service.counters()?;
        if sample.finished {
            let stored = service.stored_files()?;
            let told = || fs::read_to_string(&log).unwrap_or_default();
            ensure!(
                sample.succeeded && stored == u64::from(task.files_after),
                "{} did not do {}: {stored} files are stored, not {}\n{}",
                program.name(),
                task.name,
                task.files_after,
                told(),
            );
        }
        sample.stored = service.stored_files()?;
        Ok(sample)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // Files that stay aren't overwritten, and `du` shows them; a failure here takes space, and changes no figure.
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn copy_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Prepares data: the local directory `source`, and the service's state with `data`, `empty` and `other/kept`.
pub(crate) fn seed(arguments: &SeedArguments) -> anyhow::Result<()> {
    let state = arguments.place.join("state");
    if let Some(layout) = arguments.local {
        write_local(&arguments.place.join("source"), layout).context("can't write the local files")?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let emulator = Emulator::builder()
            .storage(Storage::Directory(state))
            .account(Account::new(DEMO_KEY, "demo@example.com"))
            .start()
            .await?;
        let control = emulator.control();
        control.seed_folder("empty")?;
        control.seed_file("other/kept", b"kept")?;
        if let Some(layout) = arguments.account {
            seed_account(&control, layout)?;
        }
        emulator.shutdown().await;
        anyhow::Ok(())
    })
}

fn seed_account(control: &Control, layout: Layout) -> anyhow::Result<()> {
    let top = control.seed_folder("data")?;
    let folders: Vec<i64> = (0..layout.folders)
        .map(|folder| control.seed_folder(&format!("data/d{folder:05}")))
        .collect::<Result<_, _>>()?;
    let mut batch = Vec::new();
    for (number, (_, name, seed)) in layout.each().enumerate() {
        let folder_id = number.checked_rem(folders.len()).map_or(top, |folder| folders[folder]);
        batch.push(SeedFile { folder_id, name, size: layout.bytes, seed, date: None });
        if batch.len() == 20_000 {
            control.seed_many(&batch)?;
            batch.clear();
        }
    }
    control.seed_many(&batch)?;
    Ok(())
}

fn write_local(source: &Path, layout: Layout) -> std::io::Result<()> {
    use std::io::Write as _;

    fs::create_dir_all(source)?;
    for folder in 0..layout.folders {
        fs::create_dir(source.join(format!("d{folder:05}")))?;
    }
    let mut buffer = vec![0; 1 << 20];
    for (folder, name, seed) in layout.each() {
        let mut file =
            fs::File::create(folder.map_or(source.to_owned(), |folder| source.join(folder)).join(name))?;
        let mut offset = 0;
        while offset < layout.bytes {
            let length = usize::try_from(layout.bytes - offset).unwrap_or(usize::MAX).min(buffer.len());
            synthetic::fill(seed, offset, &mut buffer[..length]);
            file.write_all(&buffer[..length])?;
            offset += length as u64;
        }
    }
    Ok(())
}
