//! `mount` through the binary, by the kernel, on the emulated service.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::stage::Stage;

/// How long anything may take on a machine with much to do.
const LONG: Duration = Duration::from_secs(120);

/// A mount by a process of its own. It ends with this.
struct Mounted {
    process: Child,
    directory: PathBuf,
    /// What it tells the service manager.
    news: UnixDatagram,
}

/// Checks whether something can be mounted here, and says so if not.
fn can_mount() -> bool {
    let can = Path::new("/dev/fuse").exists() && rustix::process::geteuid().is_root();
    if !can {
        eprintln!("skipped: a mount needs /dev/fuse, and root");
    }
    can
}

impl Mounted {
    /// Mounts the whole account, and waits until the process says that it is ready.
    fn start(stage: &Stage, words: &[&str]) -> Self {
        let directory = stage.directory("mounted");
        let socket = stage.home().join("news");
        let _ = fs::remove_file(&socket);
        let news = UnixDatagram::bind(&socket).unwrap();
        news.set_read_timeout(Some(LONG)).unwrap();
        let mut command = stage.command();
        command.args(["mount", "t:"]).arg(&directory).args(words).env("NOTIFY_SOCKET", &socket);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut mounted = Self { process: process.unwrap(), directory, news };
        let mut bytes = [0; 1000];
        let length = match mounted.news.recv(&mut bytes) {
            Ok(length) => length,
            Err(error) => panic!("not mounted: {error}: {}", mounted.said()),
        };
        assert!(bytes[..length].starts_with(b"READY=1\n"));
        mounted
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Unmounts it from outside.
    fn unmount(&self) {
        let done = Command::new("umount").arg(&self.directory).status().unwrap();
        assert!(done.success());
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let number = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(number, signal).unwrap();
    }

    /// Waits until the process ends. Returns its exit code, and what it wrote.
    fn ended(&mut self) -> (Option<i32>, String) {
        let code = self.process.wait().unwrap().code();
        (code, self.said())
    }

    /// Ends the process if it runs, and returns what it wrote.
    fn said(&mut self) -> String {
        let _ = self.process.kill();
        let mut text = String::new();
        if let Some(mut stderr) = self.process.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = Command::new("umount").args(["-q", "-l"]).arg(&self.directory).status();
    }
}

/// Waits until something is so.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_written_by_a_mount_arrives_in_few_calls() {
    if !can_mount() {
        return;
    }
    let stage = Stage::start();
    stage.control().seed_file("/there/old", b"old").unwrap();
    let mut mounted = Mounted::start(&stage, &["--vfs-write-back", "300ms"]);
    assert_eq!(fs::read(mounted.at("there/old")).unwrap(), b"old");
    stage.control().reset_counters();
    fs::create_dir(mounted.at("new")).unwrap();
    for number in 0..20 {
        fs::write(mounted.at(&format!("new/{number}")), format!("{number}\n")).unwrap();
    }
    wait_until("20 files arrive", || stage.control().count_files().unwrap() == 21);
    let calls = stage.control().api_calls();
    assert!(calls <= 12, "{calls} calls: {:?}", stage.counters());
    assert_eq!(stage.run(&["cat", "t:new/7"]).success_text(), "7\n");
    mounted.unmount();
    let (code, said) = mounted.ended();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let mut bytes = [0; 1000];
    let length = mounted.news.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"STOPPING=1");
}

#[test]
fn a_signal_unmounts_and_what_is_closed_is_sent() {
    if !can_mount() {
        return;
    }
    let stage = Stage::start();
    let mut mounted = Mounted::start(&stage, &["--vfs-write-back", "1h"]);
    fs::write(mounted.at("closed"), "closed").unwrap();
    mounted.signal(rustix::process::Signal::TERM);
    let (code, said) = mounted.ended();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("is unmounted") && !said.contains("ERROR"), "{said}");
    assert!(!mounted.at("closed").exists());
    assert_eq!(stage.run(&["cat", "t:closed"]).success_text(), "closed");
}

#[test]
fn what_is_unsent_survives_a_kill() {
    if !can_mount() {
        return;
    }
    let stage = Stage::start();
    let mut mounted = Mounted::start(&stage, &["--vfs-write-back", "1h"]);
    fs::create_dir(mounted.at("folder")).unwrap();
    for number in 0..5 {
        fs::write(mounted.at(&format!("folder/{number}")), vec![number; 10_000]).unwrap();
    }
    // Closing is told to the file system a little later than to the program.
    File::options().append(true).open(mounted.at("folder/0")).unwrap().sync_all().unwrap();
    mounted.process.kill().unwrap();
    mounted.process.wait().unwrap();
    assert_eq!(stage.control().count_files().unwrap(), 0);
    let directory = mounted.directory.to_str().unwrap().to_owned();
    let run = stage.run(&["mount", "t:", &directory]).code(2);
    assert!(run.stderr.contains("fusermount3 -uz"), "{}", run.stderr);
    drop(mounted);
    let again = Mounted::start(&stage, &["--vfs-write-back", "100ms"]);
    wait_until("5 files arrive", || stage.control().count_files().unwrap() == 5);
    assert_eq!(fs::read(again.at("folder/3")).unwrap(), vec![3; 10_000]);
}

#[test]
fn a_mount_in_the_background_is_there_when_the_command_ends() {
    if !can_mount() {
        return;
    }
    let stage = Stage::start();
    stage.control().seed_file("/file", b"here").unwrap();
    let directory = stage.directory("mounted");
    let directory = directory.to_str().unwrap();
    stage.run(&["mount", "t:", directory, "--daemon"]).success();
    assert_eq!(fs::read(Path::new(directory).join("file")).unwrap(), b"here");
    assert!(Command::new("umount").arg(directory).status().unwrap().success());

    let run = stage.run(&["mount", "t:nothing", directory, "--daemon"]);
    assert_ne!(run.status, Some(0));
    assert!(run.stderr.contains("nothing"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_mounted_is_named_with_what_to_do() {
    let stage = Stage::start();
    let full = stage.directory("full");
    File::create(full.join("file")).unwrap().write_all(b"x").unwrap();
    let missing = stage.home().join("missing");
    for (directory, advice) in
        [(&missing, "mkdir -p"), (&full, "--allow-non-empty"), (&full.join("file"), "isn't a directory")]
    {
        let run = stage.run(&["mount", "t:", directory.to_str().unwrap()]).code(2);
        let named = run.stderr.contains(directory.to_str().unwrap());
        assert!(named && run.stderr.contains(advice), "{}", run.stderr);
    }
    let run = stage.run(&["mount", "work", full.to_str().unwrap(), "--allow-non-empty"]).code(2);
    assert!(run.stderr.contains("one lies in the other"), "{}", run.stderr);
}
