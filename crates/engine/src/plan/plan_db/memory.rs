//! Measures how much memory the plan database of ten million files takes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where it fails, and tells what it measured"
)]

use std::{fs, time::Instant};

use fichier_storage::{File, FileId, Name, RemotePath, Whirlpool};

use super::{DestinationState, OneSided, PlanDb};
use crate::{Order, transfer::Job};

const FILES: usize = 10_000_000;
const IN_A_FOLDER: usize = 1000;
const MOST: u64 = 200 << 20;

/// Returns the most memory that this process ever held, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    1024 * line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}

fn files(folder: &RemotePath, number: usize) -> Vec<File> {
    let file = |index: usize| {
        let number = (number * IN_A_FOLDER + index) as u64;
        let mut sum = [0; 64];
        sum[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        File {
            path: folder.join(&Name::new(format!("photograph-{number:08}.jpeg")).unwrap()),
            size: number % 1_000_003,
            modified: Some(std::time::SystemTime::UNIX_EPOCH),
            whirlpool: Some(Whirlpool::from_bytes(sum)),
            id: Some(FileId::new(format!("https://1fichier.com/?{number:020}"))),
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        }
    };
    (0..IN_A_FOLDER).map(file).collect()
}

// A quarter stays, a quarter is to be removed, half is to be sent: every table is used.
#[tokio::test]
#[ignore = "takes minutes and some gigabytes of the temporary directory"]
async fn ten_million_files_take_less_than_200_mib_of_memory() {
    let (plan_db, begun) = (PlanDb::new().unwrap(), Instant::now());
    for number in 0..FILES / IN_A_FOLDER {
        let folder = RemotePath::parse(format!("pictures/year {}/folder-{number:05}", number % 40)).unwrap();
        let files = files(&folder, number);
        match number % 4 {
            0 => plan_db.note(folder, DestinationState::Kept, files).await.unwrap(),
            1 => {
                plan_db.note_folder(folder.clone(), OneSided::Destination).await.unwrap();
                plan_db.note(folder, DestinationState::Extra, files).await.unwrap();
            }
            _ => {
                let job =
                    |source: File| Job { name: source.path.name().unwrap(), source, replaces: Vec::new() };
                plan_db.note_folder(folder.clone(), OneSided::Source).await.unwrap();
                plan_db.plan(folder, files.into_iter().map(job).collect()).await.unwrap();
            }
        }
    }
    println!("noted after {:?}, peak {} MiB", begun.elapsed(), peak() >> 20);
    let weighed = plan_db.weigh(OneSided::Source).await.unwrap();
    assert_eq!(weighed.iter().map(|folder| folder.files).sum::<i64>(), 5_000_000);
    assert_eq!(plan_db.count_extras().await.unwrap().0, 2_500_000);
    let mut looked_at = 0;
    let mut after = 0;
    while let Some(last) = plan_db.perhaps_there(after, IN_A_FOLDER).await.unwrap().last() {
        (after, looked_at) = (last.line, looked_at + 1);
        if looked_at % 50 == 0 {
            let job = &last.job.source;
            plan_db.same_content(job.size, job.whirlpool.unwrap(), Vec::new()).await.unwrap();
        }
    }
    println!("looked for contents after {:?}, peak {} MiB", begun.elapsed(), peak() >> 20);
    let mut taken = 0;
    loop {
        let jobs = plan_db.take_jobs(Order::Found, IN_A_FOLDER).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        taken += jobs.len();
    }
    assert_eq!(taken, 5_000_000);
    let (mut after, mut removed) = (0, 0);
    while let Some(last) = plan_db.extras(after, IN_A_FOLDER).await.unwrap().last() {
        (after, removed) = (last.line, removed + 1);
    }
    assert_eq!(removed, 2_500);
    println!("done after {:?}, peak {} MiB", begun.elapsed(), peak() >> 20);
    assert!(peak() < MOST, "{} MiB", peak() >> 20);
}
