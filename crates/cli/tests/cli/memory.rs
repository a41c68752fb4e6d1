//! Tests of how much memory the binary takes: limited, however large the file or the tree.

use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use crate::stage::Stage;
use fichier_emulator::SeedFile;

const MIB: u64 = 1024 * 1024;

/// Waits for the end of a run. Returns the largest resident memory, in bytes.
fn watch(mut child: Child) -> u64 {
    let status_file = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        // The file is gone when the process has ended: the last value read counts. It only ever rises.
        let text = fs::read_to_string(&status_file).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(peak) = peak {
            most = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024;
        }
        if let Some(status) = child.try_wait().unwrap() {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            assert!(status.success(), "{stderr}");
            assert!(most > MIB, "the memory of the process was never read");
            return most;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn start(stage: &Stage, words: &[&str], output: Stdio) -> Child {
    stage.command().args(words).stdout(output).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
#[ignore = "writes 10 GiB to disk: `.ci/run` runs it"]
fn five_gibibytes_go_up_and_down_in_64_mib() {
    let stage = Stage::start_on_disk();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    let size = 5 * 1024 * MIB;
    let file = source.join("big");
    let mut big = fs::File::create(&file).unwrap();
    // The file is sparse, but not the same everywhere.
    for place in 0..40 {
        big.seek(SeekFrom::Start(place * size / 40)).unwrap();
        big.write_all(format!("block {place}").as_bytes()).unwrap();
    }
    big.set_len(size).unwrap();
    drop(big);
    let up = watch(start(&stage, &["copy", source.to_str().unwrap(), "t:d"], Stdio::null()));
    fs::remove_file(&file).unwrap();
    let down = watch(start(&stage, &["copy", "t:d", target.to_str().unwrap()], Stdio::null()));
    println!("resident at most: {} MiB up, {} MiB down", up / MIB, down / MIB);
    assert!(up < 64 * MIB && down < 64 * MIB, "{} MiB up, {} MiB down", up / MIB, down / MIB);
    // The bytes agree with the service's checksum, or the copy would have failed; the place is right, too.
    let mut big = fs::File::open(target.join("big")).unwrap();
    assert_eq!(big.metadata().unwrap().len(), size);
    big.seek(SeekFrom::Start(39 * size / 40)).unwrap();
    let mut block = [0; 8];
    big.read_exact(&mut block).unwrap();
    assert_eq!(&block, b"block 39");
}

#[test]
fn a_hundred_thousand_files_are_listed_in_100_mib() {
    let stage = Stage::start();
    let mut seeds = Vec::new();
    for folder in 0..50 {
        let folder_id = stage.control().seed_folder(&format!("folder {folder}")).unwrap();
        seeds.extend((0..2000).map(|n| SeedFile {
            folder_id,
            name: format!("a file of a usual name, number {n}.jpg"),
            size: 1000 + n,
            seed: n,
            date: None,
        }));
    }
    stage.control().seed_many(&seeds).unwrap();
    for words in [&["lsf", "-R", "t:"][..], &["lsjson", "-R", "--hash", "t:"]] {
        let listing = stage.directory("out").join("listing");
        let out = fs::File::create(&listing).unwrap();
        let most = watch(start(&stage, words, out.into()));
        println!("{words:?}: resident at most {} MiB", most / MIB);
        assert!(most < 100 * MIB, "{words:?}: {} MiB", most / MIB);
        assert!(fs::read_to_string(&listing).unwrap().lines().count() >= 100_050, "{words:?}");
    }
}
