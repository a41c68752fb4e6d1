//! Tasks of the benchmark: what is prepared, which words are typed, and what the account must hold afterwards.

use clap::ValueEnum;

/// How large the tasks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// As the tables name them; rclone needs hours.
    Full,
    /// A tenth or less, to see the shape in minutes.
    Small,
}

/// Files of one size, spread evenly over folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Number of folders; none: all files are at the top.
    pub(crate) folders: u32,
    pub(crate) files: u32,
    pub(crate) bytes: u64,
}

/// One task of the benchmark.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) name: &'static str,
    /// Description of the task, with its size.
    pub(crate) title: String,
    /// Contents of the local directory `source`.
    pub(crate) local: Option<Layout>,
    /// Contents of the account below `data`. `empty` and `other/kept` are always there.
    pub(crate) account: Option<Layout>,
    /// Command line of both programs.
    pub(crate) words: &'static [&'static str],
    /// Additional words for `fichier`.
    pub(crate) ours: &'static [&'static str],
    /// Additional words for rclone.
    pub(crate) theirs: &'static [&'static str],
    /// Flag without which the task can't be done.
    pub(crate) needs: Option<&'static str>,
    /// Whether an equal run comes first, in the same home.
    pub(crate) warm: bool,
    pub(crate) with_rclone: bool,
    pub(crate) by_default: bool,
    /// Whether it is over in milliseconds, so that it needs more rounds.
    pub(crate) is_start: bool,
    /// Number of files that the account holds in the end.
    pub(crate) files_after: u32,
}

impl Task {
    fn new(name: &'static str, title: String, words: &'static [&'static str]) -> Self {
        Self {
            name,
            title,
            local: None,
            account: None,
            words,
            ours: &[],
            theirs: &[],
            needs: None,
            warm: false,
            with_rclone: true,
            by_default: true,
            is_start: false,
            files_after: 1,
        }
    }

    fn local(mut self, layout: Layout) -> Self {
        self.local = Some(layout);
        self
    }

    fn account(mut self, layout: Layout) -> Self {
        self.account = Some(layout);
        self.files_after = layout.files + 1;
        self
    }

    fn after(mut self, files: u32) -> Self {
        self.files_after = files + 1;
        self
    }

    fn ours(mut self, words: &'static [&'static str]) -> Self {
        self.ours = words;
        self
    }

    fn needs(mut self, flag: &'static str) -> Self {
        self.needs = Some(flag);
        self
    }
}

/// Returns all tasks, in the order of the tables.
pub(crate) fn all(size: Size) -> Vec<Task> {
    let full = size == Size::Full;
    let pick = |large: u32, small: u32| if full { large } else { small };
    let small_files = |folders, files| Layout { folders, files, bytes: 1024 };
    let many = small_files(pick(10, 2), pick(1000, 20));
    let flat = small_files(0, pick(1000, 100));
    let folders = pick(500, 25);
    let deep = small_files(folders, folders);
    let same = small_files(pick(1000, 20), pick(10_000, 200));
    let mebibytes = pick(512, 64);
    let big = Layout { folders: 0, files: 1, bytes: u64::from(mebibytes) << 20 };
    let million = small_files(pick(20_000, 2_000), pick(1_000_000, 100_000));
    let upload = format!("{} files of 1 KiB into {} new folders", many.files, many.folders);
    let unchanged = format!("sync of {} unchanged files in {} folders", same.files, same.folders);
    let part_of = |layout: Layout, divisor| small_files(layout.folders / divisor, layout.files / divisor);
    let quarter = part_of(million, 4);
    let of_scale = |layout: Layout| format!("{} files in {} folders", layout.files, layout.folders);
    let listed = |name, layout| Task {
        with_rclone: false,
        by_default: false,
        ..Task::new(name, format!("list {}", of_scale(layout)), &["lsf", "-R", "t:data"]).account(layout)
    };
    let synced = |name, layout| Task {
        with_rclone: false,
        by_default: false,
        ..Task::new(name, format!("sync of {}, unchanged", of_scale(layout)), &["sync", "source", "t:data"])
            .local(layout)
            .account(layout)
    };
    vec![
        Task::new("upload", upload.clone(), &["copy", "source", "t:other"]).local(many).after(many.files),
        Task::new("upload-single", format!("{upload}, one file a request"), &["copy", "source", "t:other"])
            .local(many)
            .after(many.files)
            .ours(&["--fichier-upload-batch", "1"]),
        Task::new("delete", format!("delete {} files", flat.files), &["delete", "t:data"])
            .account(flat)
            .after(0),
        Task::new(
            "move",
            format!("move {} files into another folder", flat.files),
            &["move", "t:data", "t:other"],
        )
        .account(flat),
        Task::new("list", format!("list {folders} folders recursively"), &["lsf", "-R", "t:data"])
            .account(deep),
        Task::new("unchanged", unchanged.clone(), &["sync", "source", "t:data"]).local(same).account(same),
        Task {
            warm: true,
            ..Task::new(
                "unchanged-fast-list",
                format!("{unchanged}, --fast-list, after a first sync"),
                &["sync", "source", "t:data", "--fast-list"],
            )
            .local(same)
            .account(same)
            .needs("--catalogue")
        },
        Task {
            warm: true,
            with_rclone: false,
            ..Task::new(
                "unchanged-trust",
                format!("{unchanged}, --catalogue trust"),
                &["sync", "source", "t:data"],
            )
            .local(same)
            .account(same)
            .ours(&["--catalogue", "trust"])
            .needs("--catalogue")
        },
        Task::new("big-up", format!("one file of {mebibytes} MiB up"), &["copy", "source", "t:other"])
            .local(big)
            .after(1),
        Task::new("big-down", format!("one file of {mebibytes} MiB down"), &["copy", "t:data", "target"])
            .account(big),
        Task { is_start: true, ..Task::new("version", "version".to_owned(), &["version"]) },
        Task {
            is_start: true,
            ..Task::new("list-empty", "lsf of an empty folder".to_owned(), &["lsf", "t:empty"])
        },
        listed("scale-list", million),
        synced("scale-sync", million),
        Task {
            warm: true,
            ours: &["--fast-list"],
            needs: Some("--catalogue"),
            title: format!("list {}, --fast-list, after a first listing", of_scale(million)),
            ..listed("scale-list-fast", million)
        },
        // The same with parts of it, to see whether time grows with the number of folders.
        listed("scale-list-half", part_of(million, 2)),
        listed("scale-list-quarter", quarter),
        listed("scale-list-eighth", part_of(million, 8)),
        synced("scale-sync-quarter", quarter),
    ]
}
