//! `cargo xtask soak`: many transfers at once while requests fail, one of 50 of a download's and one of 8 of an
//! upload's, under the service's limits. All must arrive, and memory, descriptors and calls stay within limits.

mod watch;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Args;
use fichier_emulator::{Checksums, Control, Limits, Storage, synthetic};

use self::watch::Watched;
use crate::trial::{self, Random, Setting, Stage};

/// Factor by which the service and its limits are faster; the client keeps to them as it does with the real one.
const SCALE: u32 = 10;

/// Largest memory of a client, in bytes.
const MOST_MEMORY: u64 = 600 << 20;

/// Largest number of descriptors of a client: 64 transfers have a file and a connection each, and some more.
const MOST_OPEN: usize = 400;

/// Faults of requests of an upload. Each passes: with a lasting one, nothing can arrive.
const FAULTS_UP: &[&str] = &[
    "close",
    "lost-answer",
    "cut-answer",
    "truncated-json",
    "html",
    "empty",
    "flood",
    "status:429",
    "status:429:1",
    "status:500",
    "status:502",
    "status:503",
    "status:504",
    "status:509",
    "refusal:200:Internal error #1",
    "done-status:502",
    "done-refusal:403:Not now #12",
    "done-answer:{}",
    "latency:300",
    "cut-upload:5000",
    "corrupt-upload:3",
    "plain-upload",
    "wait-report:1",
    "empty-report:1",
    "drop-from-report:1",
];

/// Faults of requests of a download. A lock of the address isn't among them: it takes minutes to wait for, and with one
/// a minute the run never ends.
const FAULTS_DOWN: &[&str] = &[
    "close",
    "lost-answer",
    "cut-answer",
    "truncated-json",
    "html",
    "empty",
    "flood",
    "status:429",
    "status:429:1",
    "status:500",
    "status:502",
    "status:503",
    "status:504",
    "status:509",
    "refusal:200:Internal error #1",
    "done-status:502",
    "latency:300",
    "cut-download:5",
    "short-download:3",
    "long-download:3",
    "corrupt-download:2",
    "ignore-range",
    "expired-token",
];

/// How much to transfer
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long to go on with rounds of uploads and downloads; at least one round is done
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    minutes: u64,

    /// A small round, which takes about a minute
    #[arg(long)]
    quick: bool,

    /// How many small files
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    small: u32,

    /// How many large files
    #[arg(long, value_name = "N", default_value_t = 8)]
    large: u32,

    /// How large each of these is, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    mebibytes: u64,

    /// The seed of the faults; a fresh one without it
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Try this `fichier` instead of building one
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// Where to put the files, if not into the system's temporary directory
    #[arg(long, value_name = "DIR")]
    place: Option<PathBuf>,
}

/// Result of a round.
struct Round {
    told: String,
    failures: Vec<String>,
}

/// Transfers files, and fails if something didn't arrive or exceeded a limit.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let program = trial::program(arguments.program.as_deref())?;
    let (minutes, small, large, size) = if arguments.quick {
        (0, 500, 4, 24 << 20)
    } else {
        (arguments.minutes, arguments.small, arguments.large, arguments.mebibytes << 20)
    };
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => Random::fresh_seed()?,
    };
    println!("seed {seed}; {small} small files and {large} of {} MiB, 64 transfers", size >> 20);
    let mut random = Random::new(seed);
    let began = Instant::now();
    let mut failures = Vec::new();
    let mut rounds = 0;
    while rounds == 0 || began.elapsed() < Duration::from_secs(60 * minutes) {
        rounds += 1;
        let change = |builder: fichier_emulator::Builder, place: &Path| {
            builder
                .limits(Limits::Scaled(f64::from(SCALE)))
                .storage(Storage::Directory(place.join("service")))
                // The machine's time is for the client.
                .checksums(Checksums::Fast)
        };
        let stage = Stage::start_changed(
            runtime.handle(),
            Setting::Usual,
            SCALE,
            arguments.place.as_deref(),
            change,
        )?;
        write_source(&stage.work().join("source"), small, large, size)?;
        // An upload makes few requests, so more of them fail.
        for (words, faults, one_of) in
            [(["copy", "source", "t:d"], FAULTS_UP, 8), (["copy", "t:d", "back"], FAULTS_DOWN, 50)]
        {
            let round = transfer(&stage, &program, words, faults, one_of, &mut random)?;
            println!("{}", round.told);
            failures.extend(round.failures);
        }
        failures.extend(compare(&stage)?);
    }
    println!("{rounds} rounds in {} s, {} things went wrong", began.elapsed().as_secs(), failures.len());
    let mut new = 0;
    for failure in &failures {
        let line = format!("soak: {failure}");
        let known = trial::known(&line);
        new += usize::from(known.is_none());
        println!("- {line}{}", known.map(|why| format!(". Known: {why}")).unwrap_or_default());
    }
    if new > 0 {
        bail!("{} things went wrong, {new} in ways that aren't known", failures.len());
    }
    Ok(())
}

/// Runs one direction: a run with faults, and another one without where the first one says that something is left.
fn transfer(
    stage: &Stage,
    program: &Path,
    words: [&str; 3],
    faults: &[&str],
    one_of: u64,
    random: &mut Random,
) -> anyhow::Result<Round> {
    let control = stage.control()?;
    let command = || {
        let mut command = stage.command(program)?;
        command.args(words).args(["--transfers", "64", "--timeout", "20s"]);
        anyhow::Ok(command)
    };
    let before = Counted::of(&control);
    let child = trial::start_logged(&mut command()?, &stage.output(), "")?;
    let stop = AtomicBool::new(false);
    let bound = Duration::from_secs(3600);
    let began = Instant::now();
    let id = child.id();
    let (ended, watched, injected) = thread::scope(|scope| {
        let watching = scope.spawn(|| watch::watch(id, &stop));
        let failing = scope.spawn(|| inject(&control, faults, one_of, random, &stop));
        let ended = trial::wait_for(child, &stage.output(), bound);
        stop.store(true, Ordering::Relaxed);
        let gone = |_| anyhow::anyhow!("a thread ended early");
        anyhow::Ok((ended?, watching.join().map_err(gone)?, failing.join().map_err(gone)??))
    })?;
    let time = began.elapsed();
    control.clear_faults();
    let used = Counted::of(&control).since(&before);
    let mut failures = judge(&watched, &used, &injected, time);
    let mut again = "";
    if ended.code != Some(0) {
        again = ", completed by another run";
        let rerun = trial::run(&mut command()?, &stage.output(), "", bound)?;
        if rerun.code != Some(0) {
            failures.push(format!("another run ends with {:?}: {}", rerun.code, last_lines(&rerun.stderr)));
        }
    }
    let faults: usize = injected.values().sum();
    let told = format!(
        "{}: {:.0} s{again}; {} calls, {} requests to nodes, {faults} faults of {} kinds; {watched}",
        words.join(" "),
        time.as_secs_f64(),
        used.api,
        used.node,
        injected.len(),
    );
    let failures = failures.into_iter().map(|failure| format!("{}: {failure}", words.join(" "))).collect();
    Ok(Round { told, failures })
}

fn judge(watched: &Watched, used: &Counted, injected: &BTreeMap<&str, usize>, time: Duration) -> Vec<String> {
    let mut failures = Vec::new();
    if watched.most_memory > MOST_MEMORY {
        failures.push(format!("{} MiB were taken", watched.most_memory >> 20));
    }
    if watched.most_open > MOST_OPEN {
        failures.push(format!("{} descriptors were open", watched.most_open));
    }
    if watched.grows() {
        failures.push(format!("memory or descriptors grow: {watched}"));
    }
    // The pacer keeps 400 ms between calls, which is a tenth of that here.
    let most = time.as_millis() / u128::from(400 / SCALE) + 10;
    if u128::from(used.api) > most {
        failures.push(format!("{} calls in {} s, and the pacer allows {most}", used.api, time.as_secs()));
    }
    let floods = injected.get("flood").copied().unwrap_or(0);
    if used.floods > floods as u64 {
        failures.push(format!("{} floods, and only {floods} of them were faults", used.floods));
    }
    failures
}

/// Requests to the service.
struct Counted {
    api: u64,
    node: u64,
    floods: u64,
}

impl Counted {
    fn of(control: &Control) -> Self {
        let all: u64 = control.counters().values().sum();
        let api = control.api_calls();
        Self { api, node: all - api, floods: control.floods() }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            api: self.api - before.api,
            node: self.node - before.node,
            floods: self.floods - before.floods,
        }
    }
}

/// Makes one of `one_of` requests fail, by any of the kinds.
fn inject<'a>(
    control: &Control,
    kinds: &[&'a str],
    one_of: u64,
    random: &mut Random,
    stop: &AtomicBool,
) -> anyhow::Result<BTreeMap<&'a str, usize>> {
    let mut injected = BTreeMap::new();
    let start: u64 = control.counters().values().sum();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let asked = control.counters().values().sum::<u64>() - start;
        while count < asked / one_of {
            count += 1;
            let kind = kinds[usize::try_from(random.below(kinds.len() as u64))?];
            control.add_fault(format!("kind={kind},times=1").parse()?);
            *injected.entry(kind).or_default() += 1;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(injected)
}

/// Writes the source: small files in folders of a hundred, and large ones, all different.
fn write_source(source: &Path, small: u32, large: u32, size: u64) -> anyhow::Result<()> {
    fs::create_dir_all(source)?;
    for number in 0..small {
        let folder = source.join(format!("d{:03}", number / 100));
        fs::create_dir_all(&folder)?;
        let content = format!("small file {number} ").repeat(usize::try_from(1 + number % 97)?);
        fs::write(folder.join(format!("f{number:05}")), content)?;
    }
    let mut buffer = vec![0; 1 << 20];
    for number in 0..large {
        let mut file = File::create(source.join(format!("large{number}")))?;
        let mut offset = 0;
        while offset < size {
            let length = usize::try_from((size - offset).min(1 << 20))?;
            synthetic::fill(u64::from(number) + 1, offset, &mut buffer[..length]);
            file.write_all(&buffer[..length])?;
            offset += length as u64;
        }
    }
    Ok(())
}

/// Compares what came back with the source, byte by byte, and the account with both.
fn compare(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let (source, back) = (stage.work().join("source"), stage.work().join("back"));
    let mut failures = Vec::new();
    let (names, returned) = (files(&source)?, files(&back)?);
    for name in names.keys().filter(|name| !returned.contains_key(*name)) {
        failures.push(format!("{name} didn't come back"));
    }
    for name in returned.keys() {
        if !names.contains_key(name) {
            failures.push(format!("{name} came back and was never sent"));
        } else if !is_same(&source.join(name), &back.join(name))? {
            failures.push(format!("{name} came back other than it was sent"));
        }
    }
    let mut stored: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for file in stage.control()?.tree()?.files {
        stored.entry(file.path.trim_start_matches("/d/").to_owned()).or_default().push(file.size);
    }
    for (name, size) in &names {
        match stored.get(name).map(Vec::as_slice) {
            Some([one]) if one == size => {}
            Some(sizes) if sizes.iter().all(|one| one == size) => {
                failures.push(format!("the account has {name} {} times, not 1", sizes.len()));
            }
            Some(sizes) => failures.push(format!("the account has {name} as {sizes:?}, not as [{size}]")),
            None => failures.push(format!("the account lacks {name}")),
        }
    }
    Ok(failures)
}

/// Returns all files below a directory, with their sizes.
fn files(root: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in
            fs::read_dir(&directory).with_context(|| format!("can't list {}", directory.display()))?
        {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root)?.to_string_lossy().into_owned();
                found.insert(name, entry.metadata()?.len());
            }
        }
    }
    Ok(found)
}

fn is_same(one: &Path, other: &Path) -> anyhow::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let length = one.read(&mut left)?;
        if length == 0 {
            return Ok(other.read(&mut right)? == 0);
        }
        if other.read_exact(&mut right[..length]).is_err() || left[..length] != right[..length] {
            return Ok(false);
        }
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
