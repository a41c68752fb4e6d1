//! `mount`: a remote as a directory of this computer.

mod daemon;
mod ignored;
mod notify;

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use fichier_mount::{Mount, MountError, MountOptions};
use fichier_storage::Location;
use fichier_vfs::{Kind, NodeId, Status, Vfs};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time,
};

use crate::{
    context::Context,
    exit::{Exit, Failure},
    flags::{self, Owner, VfsFlags},
    output::size,
};

/// How long what was closed is sent on after the unmount.
const SENDING_ON: Duration = Duration::from_secs(10);

/// How many entries of a folder are taken at once.
const ENTRIES: usize = 1000;

/// Show a remote as a directory of this computer
#[derive(Debug, Args)]
#[command(
    after_help = "Runs until the directory is unmounted (fusermount3 -u DIR, or umount DIR as root), or until Ctrl-C. \
    With --daemon it goes on in the background.\n\n\
    What is written is safe on this disk at once, and sent when a file has been closed for --vfs-write-back. What \
    isn't sent when the program ends, however it ends, is kept and sent by the next mount of the same place.\n\n\
    A hangup (SIGHUP) lists the root folder anew. Users other than root need the program fusermount3, of the package \
    fuse3.\n\n\
    Examples:\n  fichier mount demo: ~/demo\n  \
    fichier mount f:films ~/films --read-only --vfs-cache-mode full --vfs-cache-max-size 50G\n  \
    fichier mount f:backup /mnt/backup --daemon --allow-other --log-file /var/log/fichier.log"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct Arguments {
    /// What to show
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Where to show it: an empty directory
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,

    /// Go on in the background when it is mounted
    #[arg(long)]
    daemon: bool,

    /// How long --daemon waits until it is mounted; 0: it doesn't
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = flags::duration)]
    daemon_wait: Duration,

    /// Let other users in, too
    #[arg(long)]
    allow_other: bool,

    /// Let root in, too
    #[arg(long)]
    allow_root: bool,

    /// Mount also on a directory that isn't empty, or on which something is mounted
    #[arg(long)]
    allow_non_empty: bool,

    /// Have the kernel enforce permissions
    #[arg(long)]
    default_permissions: bool,

    /// What the system's tables name as the device; without it the remote and the path
    #[arg(long, value_name = "NAME")]
    devname: Option<String>,

    /// Without effect on Linux: the name of the volume
    #[arg(long, value_name = "NAME", hide = true)]
    volname: Option<String>,

    /// How long the kernel keeps attributes and names
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = flags::duration)]
    attr_timeout: Duration,

    /// An option for the mount, as `mount -o` has it, like noexec; may be given several times
    #[arg(short, long, value_name = "OPTION")]
    option: Vec<String>,

    #[command(flatten)]
    vfs: VfsFlags,

    #[command(flatten)]
    ignored: ignored::Ignored,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut how = mount_options(arguments)?;
    if arguments.daemon && !daemon::is_background() {
        return daemon::start(arguments.daemon_wait).await;
    }
    arguments.ignored.say();
    if !context.settings.filter.is_inactive() {
        tracing::warn!("Filters have no effect on a mount: it shows all files");
    }
    Mount::check(&arguments.directory, &how).map_err(failure)?;
    let location = context.session.open(&arguments.path).await?;
    refuse_overlap(&location, &arguments.directory)?;
    let shown = context.session.shown(&location);
    how.source = arguments.devname.clone().unwrap_or_else(|| shown.clone());
    let none =
        || Failure::other("there is no place for what isn't sent yet: HOME isn't set; or use --cache-dir");
    let own = context.settings.directories.file_systems.clone().ok_or_else(none)?;
    let mut options = arguments.vfs.options(own, context.settings.transfer.transfers.get(), owner());
    if context.settings.dry_run {
        tracing::warn!("Nothing can be changed in this mount as --dry-run is set");
    }
    options.read_only |= how.read_only || context.settings.dry_run;
    how.read_only = options.read_only;

    // From now on a signal unmounts.
    let mut signals = Signals::new()?;
    let vfs = Vfs::open(location, options).await?;
    let mount = Mount::new(vfs.clone(), &arguments.directory, &how).await.map_err(failure)?;
    tracing::info!("{shown} is mounted on {}", mount.directory().display());
    notify::tell(&format!("READY=1\nSTATUS={shown} on {}", mount.directory().display()));
    if daemon::is_background() {
        daemon::ready(context.out)?;
    }
    if arguments.vfs.vfs_refresh {
        tokio::spawn(list_all(vfs.clone()));
    }
    let ended = serve(mount, &vfs, &mut signals).await;
    notify::tell("STOPPING=1");
    send_on(&vfs, &mut signals).await;
    vfs.shutdown();
    say_unsent(&vfs.status(), &shown);
    ended
}

/// Returns how it is to be mounted.
fn mount_options(arguments: &Arguments) -> Result<MountOptions, Failure> {
    let mut how = MountOptions {
        attr_timeout: arguments.attr_timeout,
        allow_other: arguments.allow_other,
        allow_root: arguments.allow_root,
        default_permissions: arguments.default_permissions,
        allow_non_empty: arguments.allow_non_empty,
        read_only: arguments.vfs.read_only,
        ..MountOptions::default()
    };
    for words in &arguments.option {
        how.apply(words).map_err(failure)?;
    }
    Ok(how)
}

/// What can't be mounted has no exit code of its own.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failure(error: MountError) -> Failure {
    Failure::other(error.to_string())
}

/// Refuses to show a directory in itself, which would never end.
fn refuse_overlap(location: &Location, directory: &Path) -> Result<(), Failure> {
    let info = location.remote.info();
    if info.backend != "local" {
        return Ok(());
    }
    let source = Path::new(&info.name).join(location.path.to_string());
    let (Ok(source), Ok(target)) = (source.canonicalize(), directory.canonicalize()) else { return Ok(()) };
    if source.starts_with(&target) || target.starts_with(&source) {
        let (source, target) = (source.display(), target.display());
        let message =
            format!("can't mount {source} on {target}: one lies in the other; choose another directory");
        return Err(Failure::other(message));
    }
    Ok(())
}

/// Returns whom files belong to, and what permissions they lack, as for files that the process makes.
fn owner() -> Owner {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    Owner {
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        umask: umask.and_then(|bits| u32::from_str_radix(bits.trim(), 8).ok()).unwrap_or(0o022),
    }
}

/// The signals that a mount knows.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the program is to end, and returns the number of the signal.
    async fn end(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// Waits until the mount ends: by an unmount, or by a signal.
async fn serve(mut mount: Mount, vfs: &Arc<Vfs>, signals: &mut Signals) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            ended = mount.ended() => return ended.map_err(|error| Failure::other(error.to_string()).into()),
            _ = signals.hangup.recv() => {
                tracing::info!("A hangup: listing the root folder anew");
                let vfs = vfs.clone();
                tokio::spawn(async move {
                    if let Err(error) = vfs.refresh(NodeId::ROOT).await {
                        tracing::error!("Can't list the root folder anew: {error}");
                    }
                });
            }
            _ = signals.interrupt.recv() => return unmount(mount, 2).await,
            _ = signals.terminate.recv() => return unmount(mount, 15).await,
        }
    }
}

/// Unmounts because of a signal.
async fn unmount(mount: Mount, number: u8) -> anyhow::Result<()> {
    let directory = mount.directory().to_owned();
    let directory = directory.display();
    match mount.unmount().await {
        Ok(false) => tracing::warn!("{directory} is unmounted"),
        Ok(true) => tracing::warn!("{directory} is unmounted; programs that use it can't go on"),
        Err(error) => return Err(Failure::other(error.to_string()).into()),
    }
    // That was all there is to say.
    Err(Failure { exit: Exit::Signal(number), message: String::new() }.into())
}

/// Sends on what was closed, for a short time, or until a signal comes.
async fn send_on(vfs: &Vfs, signals: &mut Signals) {
    if is_all_sent(&vfs.status()) {
        return;
    }
    tracing::info!("Sending what isn't sent yet");
    tokio::select! {
        sent = time::timeout(SENDING_ON, vfs.sync()) => {
            if let Ok(Err(error)) = sent {
                tracing::error!("{error}");
            }
        }
        _ = signals.end() => {}
    }
}

fn is_all_sent(status: &Status) -> bool {
    files(status) == 0 && status.changes == 0
}

/// Returns how many files aren't sent.
fn files(status: &Status) -> usize {
    status.open + status.waiting + status.sending + status.failing
}

/// Says what is still to be sent.
fn say_unsent(status: &Status, shown: &str) {
    if is_all_sent(status) {
        return;
    }
    let (files, changes, bytes) = (files(status), status.changes, size::in_bytes(status.dirty));
    tracing::warn!(
        "Not sent yet: {files} files ({bytes}) and {changes} other changes. They are kept, and sent when {shown} is \
        mounted again"
    );
}

/// Lists all folders, one after the other.
async fn list_all(vfs: Arc<Vfs>) {
    let mut rest = VecDeque::from([NodeId::ROOT]);
    while let Some(folder) = rest.pop_front() {
        let Ok(handle) = vfs.open_folder(folder).await else { continue };
        let mut offset = 0;
        while let Ok(entries) = vfs.read_folder(handle, offset, ENTRIES)
            && let Some(last) = entries.last()
        {
            offset = last.next;
            let folders = entries.iter().filter(|entry| entry.attributes.kind == Kind::Folder);
            rest.extend(folders.map(|entry| entry.attributes.id));
        }
        vfs.release_folder(handle);
    }
    tracing::info!("All folders are listed");
}
