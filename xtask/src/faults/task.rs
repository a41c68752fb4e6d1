//! Commands that are tried: the state before, the command, and the state that it must reach.

use fichier_emulator::synthetic;

use crate::trial::World;

/// A command and the state that it must reach.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) words: &'static [&'static str],
    pub(crate) input: &'static str,
    pub(crate) before: World,
    pub(crate) after: World,
    /// Whether its output is its purpose.
    pub(crate) prints: bool,
    /// Whether its work can't be done a second time: another run may say that there is nothing.
    pub(crate) is_over_when_done: bool,
    /// Whether it is compared with rclone.
    pub(crate) with_rclone: bool,
}

/// Returns files that no command here may touch.
fn bystanders() -> World {
    World::default().stored("other/kept", b"kept by the account").on_disk("keep/kept", b"kept by the disk")
}

fn task(
    name: &'static str,
    title: &'static str,
    words: &'static [&'static str],
    before: World,
    after: World,
) -> Task {
    Task {
        name,
        title,
        words,
        input: "",
        before,
        after,
        prints: false,
        is_over_when_done: false,
        with_rclone: true,
    }
}

/// Returns a directory to send, and an account that has an older state of it.
fn to_send() -> World {
    bystanders()
        .on_disk("src/a", b"the new version of a")
        .on_disk("src/b", b"the same b")
        .on_disk("src/c", b"only here: c")
        .on_disk("src/s/e", b"only here: e, in a folder")
        .stored("d/a", b"old a")
        .stored("d/b", b"the same b")
        .stored("d/gone", b"gone at the source")
}

/// Returns what the account must hold when that was sent.
fn sent(world: World) -> World {
    world
        .stored("d/a", b"the new version of a")
        .stored("d/b", b"the same b")
        .stored("d/c", b"only here: c")
        .stored("d/s/e", b"only here: e, in a folder")
}

fn source_on_disk(world: World) -> World {
    world
        .on_disk("src/a", b"the new version of a")
        .on_disk("src/b", b"the same b")
        .on_disk("src/c", b"only here: c")
        .on_disk("src/s/e", b"only here: e, in a folder")
}

/// Returns a folder of the account to fetch, and a disk that has an older state of it.
fn to_fetch() -> World {
    sent(bystanders())
        .on_disk("back/a", b"old a")
        .on_disk("back/b", b"the same b")
        .on_disk("back/gone", b"gone at the source")
}

fn fetched(world: World) -> World {
    world
        .on_disk("back/a", b"the new version of a")
        .on_disk("back/b", b"the same b")
        .on_disk("back/c", b"only here: c")
        .on_disk("back/s/e", b"only here: e, in a folder")
}

fn source_at_service(world: World) -> World {
    world
        .stored("f/a", b"the new version of a")
        .stored("f/b", b"the same b")
        .stored("f/c", b"only here: c")
        .stored("f/s/e", b"only here: e, in a folder")
}

/// Returns two folders of the account, the second with an older state of the first.
fn within_service() -> World {
    source_at_service(bystanders())
        .stored("d/a", b"old a")
        .stored("d/b", b"the same b")
        .stored("d/gone", b"gone at the source")
}

/// Returns the contents of a file that is fetched in ranges.
fn large() -> Vec<u8> {
    let mut content = vec![0; 5_000_000];
    synthetic::fill(1, 0, &mut content);
    content
}

fn changing() -> Vec<Task> {
    let gone = |world: World| world.stored("d/gone", b"gone at the source");
    let d = || gone(sent(bystanders()));
    vec![
        task(
            "copy-up",
            "copy from the disk",
            &["copy", "src", "t:d"],
            to_send(),
            gone(sent(source_on_disk(bystanders()))),
        ),
        task(
            "sync-up",
            "sync from the disk",
            &["sync", "src", "t:d"],
            to_send(),
            sent(source_on_disk(bystanders())),
        ),
        Task {
            with_rclone: false,
            ..task(
                "sync-backup",
                "sync with --backup-dir",
                &["sync", "src", "t:d", "--backup-dir", "t:old"],
                to_send(),
                sent(source_on_disk(bystanders()))
                    .stored("old/a", b"old a")
                    .stored("old/gone", b"gone at the source"),
            )
        },
        task("move-up", "move from the disk", &["move", "src", "t:d"], to_send(), gone(sent(bystanders()))),
        task(
            "copy-down",
            "copy to the disk",
            &["copy", "t:d", "back"],
            to_fetch(),
            fetched(sent(bystanders())).on_disk("back/gone", b"gone at the source"),
        ),
        task(
            "sync-down",
            "sync to the disk",
            &["sync", "t:d", "back"],
            to_fetch(),
            fetched(sent(bystanders())),
        ),
        Task {
            with_rclone: false,
            ..task(
                "move-down",
                "move to the disk",
                &["move", "t:d", "back"],
                to_fetch(),
                fetched(bystanders()).on_disk("back/gone", b"gone at the source"),
            )
        },
        Task {
            with_rclone: false,
            ..task(
                "large-down",
                "copy of a large file to the disk",
                &["copy", "t:big", "back", "--multi-thread-cutoff", "1M", "--multi-thread-chunk-size", "1M"],
                bystanders().stored("big/file", &large()),
                bystanders().stored("big/file", &large()).on_disk("back/file", &large()),
            )
        },
        task(
            "copy-within",
            "copy within the account",
            &["copy", "t:f", "t:d"],
            within_service(),
            gone(sent(source_at_service(bystanders()))),
        ),
        task("move-within", "move within the account", &["move", "t:f", "t:d"], within_service(), d()),
        Task {
            is_over_when_done: true,
            with_rclone: false,
            ..task(
                "move-folder",
                "rename a folder",
                &["moveto", "t:d", "t:e"],
                d(),
                bystanders()
                    .stored("e/a", b"the new version of a")
                    .stored("e/b", b"the same b")
                    .stored("e/c", b"only here: c")
                    .stored("e/s/e", b"only here: e, in a folder")
                    .stored("e/gone", b"gone at the source"),
            )
        },
        Task {
            is_over_when_done: true,
            ..task(
                "rename",
                "rename a file",
                &["moveto", "t:d/gone", "t:d/z"],
                d(),
                sent(bystanders()).stored("d/z", b"gone at the source"),
            )
        },
        task("delete", "delete files", &["delete", "t:d"], d(), bystanders()),
        Task {
            is_over_when_done: true,
            ..task("purge", "purge a folder", &["purge", "t:d"], d(), bystanders())
        },
        Task {
            with_rclone: false,
            ..task(
                "dedupe",
                "dedupe, newest",
                &["dedupe", "--dedupe-mode", "newest", "t:d"],
                bystanders()
                    .stored("d/x", b"x, first version")
                    .stored("d/x", b"x, second version")
                    .stored("d/y", b"y")
                    .stored("d/y", b"y")
                    .stored("d/z", b"z"),
                bystanders().stored("d/x", b"x, second version").stored("d/y", b"y").stored("d/z", b"z"),
            )
        },
        Task {
            input: "the new version of a",
            ..task(
                "rcat",
                "rcat over an older version",
                &["rcat", "t:d/a"],
                bystanders().stored("d/a", b"old a"),
                bystanders().stored("d/a", b"the new version of a"),
            )
        },
        task("mkdir", "mkdir", &["mkdir", "t:new/sub"], bystanders(), bystanders()),
    ]
}

fn reading() -> Vec<Task> {
    let d = || sent(bystanders());
    let reads = |name, title, words| Task { prints: true, ..task(name, title, words, d(), d()) };
    vec![
        reads("list", "lsf of a tree", &["lsf", "-R", "t:d"]),
        Task { with_rclone: false, ..reads("cat", "cat", &["cat", "t:d/a"]) },
        Task { with_rclone: false, ..reads("about", "about", &["about", "t:"]) },
    ]
}

/// Returns all commands.
pub(crate) fn all() -> Vec<Task> {
    let mut tasks = changing();
    tasks.extend(reading());
    tasks
}
