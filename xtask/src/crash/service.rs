//! Kills the service under load and starts it again: what it acknowledged must be there.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use fichier_emulator::{Account, Control, DEMO_KEY, Emulator};
use tokio::runtime::Handle;

use super::BOUND;
use crate::trial::{self, Random, World};

/// Result of the kills.
pub(super) struct Report {
    pub(super) sum: String,
    pub(super) failures: Vec<String>,
}

/// Number of files that are sent while the service is killed.
const FILES: u32 = 400;

/// Starts the service on a port, and waits until it listens.
fn serve(program: &Path, place: &Path, port: u16) -> anyhow::Result<Child> {
    let mut process = Command::new(program)
        .args(["emulate", "--addr", &format!("127.0.0.1:{port}"), "--fault", "kind=latency:2", "--state"])
        .arg(place.join("service"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("can't start the emulator")?;
    let stdout = process.stdout.take().context("the emulator has no output")?;
    for line in BufReader::new(stdout).lines() {
        if line?.starts_with("try") {
            return Ok(process);
        }
    }
    // It has ended, or its output would be there.
    let _ = process.kill();
    anyhow::bail!("the emulator doesn't start again on the same port")
}

/// Reads the state that a killed service left.
fn look(runtime: &Handle, place: &Path) -> anyhow::Result<World> {
    let storage = fichier_emulator::Storage::Directory(place.join("service"));
    let account = Account::new(DEMO_KEY, "demo@example.com");
    let emulator = runtime.block_on(Emulator::builder().storage(storage).account(account).start())?;
    let control: Control = emulator.control();
    let world = World::look(&control, &place.join("work"));
    drop(control);
    runtime.block_on(emulator.shutdown());
    world
}

/// Sends files, again and again, while the service is killed as often as asked for.
pub(super) fn kill_under_load(
    runtime: &Handle,
    program: &Path,
    kills: usize,
    seed: u64,
) -> anyhow::Result<Report> {
    let mut random = Random::new(seed);
    let (mut done, mut acknowledged, mut failures) = (0, 0, Vec::new());
    while done < kills {
        let place = tempfile::tempdir()?;
        for name in ["work", "home", "output", "service"] {
            fs::create_dir(place.path().join(name))?;
        }
        let mut files = World::default();
        for number in 0..FILES {
            let content = format!("content {number} ").repeat(usize::try_from(1 + number % 60)?);
            files = files.on_disk(&format!("source/d{}/f{number:03}", number % 7), content.as_bytes());
        }
        for (path, content) in &files.disk {
            let path = place.path().join("work").join(path);
            fs::create_dir_all(path.parent().context("a file without a directory")?)?;
            fs::write(path, content)?;
        }
        // The port is free now, and stays so with a chance that the next try doesn't have.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut service = serve(program, place.path(), port)?;
        let client = |report: &str| {
            let mut command = Command::new(program);
            command
                .env_clear()
                .env("HOME", place.path().join("home"))
                .env("RCLONE_CONFIG_T_TYPE", "fichier")
                .env("RCLONE_CONFIG_T_API_KEY", DEMO_KEY)
                .env("RCLONE_CONFIG_T_ENDPOINT", format!("http://127.0.0.1:{port}/"))
                .env("RCLONE_CONFIG_T_TIME_SCALE", "100")
                .env("RCLONE_CONFIG_T_UPLOAD_BATCH", "5")
                .current_dir(place.path().join("work"))
                .args(["copy", "source", "t:d", "--report"])
                .arg(place.path().join("output").join(report));
            command
        };
        let mut running = trial::start_logged(&mut client("first"), &place.path().join("output"), "")?;
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(30 + random.below(400)));
            if running.try_wait()?.is_some() {
                break;
            }
            service.kill()?;
            service.wait()?;
            done += 1;
            service = serve(program, place.path(), port)?;
        }
        let ended = trial::wait_for(running, &place.path().join("output"), BOUND)?;
        service.kill()?;
        service.wait()?;
        let told = fs::read_to_string(place.path().join("output").join("first")).unwrap_or_default();
        let names = transferred(&told);
        acknowledged += names.len();
        let world = look(runtime, place.path())?;
        for name in &names {
            let stored = world.service.get(&format!("d/{name}"));
            let wanted = files.disk.get(&format!("source/{name}"));
            if !stored.is_some_and(|versions| versions.iter().any(|one| Some(one) == wanted)) {
                failures.push(format!("service: {name} was acknowledged and isn't there"));
            }
        }
        if ended.hung {
            failures.push("service: the client didn't end".to_owned());
        }
        let mut service = serve(program, place.path(), port)?;
        let again = trial::run(&mut client("second"), &place.path().join("output"), "", BOUND)?;
        service.kill()?;
        service.wait()?;
        if again.code != Some(0) {
            failures.push(format!(
                "service: the next run ends with {:?}: {}",
                again.code,
                again.stderr.trim()
            ));
        }
        let world = look(runtime, place.path())?;
        let wanted = files.disk.iter().fold(World::default(), |world, (path, content)| {
            world.stored(&path.replacen("source", "d", 1), content)
        });
        let wanted = World { folders: world.folders.clone(), disk: world.disk.clone(), ..wanted };
        let differences = world.differences(&wanted);
        failures.extend(
            differences
                .into_iter()
                .map(|difference| format!("service: after the next run, {}", difference.told)),
        );
        ensure!(world.disk == files.disk, "the source has changed");
    }
    Ok(Report {
        sum: format!(
            "service killed {done} times under load: {acknowledged} files were acknowledged, {} things went wrong",
            failures.len()
        ),
        failures,
    })
}

/// Returns the files that a report names as sent.
fn transferred(report: &str) -> BTreeSet<String> {
    report
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["action"] == "transferred")
        .filter_map(|line| line["path"].as_str().map(str::to_owned))
        .collect()
}
