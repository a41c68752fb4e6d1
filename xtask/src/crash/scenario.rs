//! Commands that are killed: larger than those of the faults, so that there is time to kill them.

use fichier_emulator::synthetic;

use crate::trial::World;

/// A command, the state before it, and the state that it must reach.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) before: World,
    pub(super) after: World,
    /// Whether the next run has nothing to do, and may say so, when everything was done before the kill.
    pub(super) is_over_when_done: bool,
}

/// Returns the files of the newer state: path and content. Two are large enough to be sent and fetched in parts.
fn newer() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = (0..24_u8)
        .map(|number| {
            let folder = ["", "one/", "one/two/"][usize::from(number % 3)];
            (
                format!("{folder}f{number:02}"),
                format!("newer {number} ").into_bytes().repeat(usize::from(number) * 40 + 1),
            )
        })
        .collect();
    let mut large = vec![0; 5_000_000];
    synthetic::fill(1, 0, &mut large);
    files.push(("large".to_owned(), large));
    files
}

/// Returns the files of the older state: half of the files in an older version, two that are the same, and some that
/// are gone.
fn older() -> Vec<(String, Vec<u8>)> {
    let newer = newer();
    let mut files: Vec<_> =
        newer.iter().take(10).map(|(path, _)| (path.clone(), format!("older {path}").into_bytes())).collect();
    files.extend(newer.iter().skip(10).take(2).cloned());
    files.extend(gone());
    files
}

fn gone() -> Vec<(String, Vec<u8>)> {
    (0..5).map(|number| (format!("one/gone{number}"), format!("gone {number}").into_bytes())).collect()
}

/// Place of files.
#[derive(Clone, Copy)]
enum At {
    Disk(&'static str),
    Service(&'static str),
}

fn put(world: World, at: At, files: Vec<(String, Vec<u8>)>) -> World {
    files.into_iter().fold(world, |world, (path, content)| match at {
        At::Disk(root) => world.on_disk(&format!("{root}/{path}"), &content),
        At::Service(root) => world.stored(&format!("{root}/{path}"), &content),
    })
}

fn bystanders() -> World {
    World::default().stored("other/kept", b"kept by the account").on_disk("keep/kept", b"kept by the disk")
}

/// Makes a command from one place to another.
fn transfer(name: &'static str, words: &'static [&'static str], from: At, to: At) -> Scenario {
    let before = put(put(bystanders(), from, newer()), to, older());
    let source = if words[0] == "move" { Vec::new() } else { newer() };
    let extras = if words[0] == "sync" { Vec::new() } else { gone() };
    let after = put(put(put(bystanders(), from, source), to, newer()), to, extras);
    Scenario { name, words, before, after, is_over_when_done: false }
}

/// Returns all commands.
pub(super) fn all() -> Vec<Scenario> {
    let (disk, far, near) = (At::Disk("disk"), At::Service("far"), At::Service("near"));
    let mut backup = transfer("sync-backup", &["sync", "disk", "t:far", "--backup-dir", "t:old"], disk, far);
    let replaced = older().into_iter().filter(|(_, content)| !content.starts_with(b"newer"));
    backup.after = put(backup.after, At::Service("old"), replaced.collect());
    let twins = || (0..8_u8).flat_map(|number| (0..3_u8).map(move |age| (number, age)));
    let twin = |(number, age): (u8, u8)| {
        (format!("far/x{number}"), format!("{} {number}", if number % 2 == 0 { 7 } else { age }))
    };
    let dedupe = Scenario {
        name: "dedupe",
        words: &["dedupe", "--dedupe-mode", "newest", "t:far"],
        before: twins()
            .map(twin)
            .fold(bystanders(), |world, (path, text)| world.stored(&path, text.as_bytes())),
        after: twins()
            .filter(|(_, age)| *age == 2)
            .map(twin)
            .fold(bystanders(), |world, (path, text)| world.stored(&path, text.as_bytes())),
        is_over_when_done: false,
    };
    let folder = Scenario {
        name: "move-folder",
        words: &["moveto", "t:near", "t:new/place"],
        before: put(bystanders(), near, newer()),
        after: put(bystanders(), At::Service("new/place"), newer()),
        is_over_when_done: true,
    };
    let purge = Scenario {
        name: "purge",
        words: &["purge", "t:near"],
        before: put(bystanders(), near, newer()),
        after: bystanders(),
        is_over_when_done: true,
    };
    vec![
        transfer("copy-up", &["copy", "disk", "t:far"], disk, far),
        transfer("copy-down", &["copy", "t:far", "disk"], far, disk),
        transfer("copy-within", &["copy", "t:near", "t:far"], near, far),
        transfer("sync-up", &["sync", "disk", "t:far"], disk, far),
        transfer("sync-down", &["sync", "t:far", "disk"], far, disk),
        transfer("sync-within", &["sync", "t:near", "t:far"], near, far),
        backup,
        transfer("move-up", &["move", "disk", "t:far"], disk, far),
        transfer("move-down", &["move", "t:far", "disk"], far, disk),
        transfer("move-within", &["move", "t:near", "t:far"], near, far),
        dedupe,
        folder,
        purge,
    ]
}
