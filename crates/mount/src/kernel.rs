//! What the kernel asks, and how it is answered.
//!
//! Each request is begun on the thread that took it from the kernel. If it has to wait for nothing, it is answered
//! there; else it goes on in a task of its own, so that a slow one holds up nobody.

use std::{
    collections::HashSet,
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use bytes::Bytes;
use fichier_vfs::{HandleId, NodeId, RenameMode};
use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileHandle, Filesystem, FopenFlags, INodeNo,
    InitFlags, IoctlFlags, KernelConfig, LockOwner, OpenFlags, PollEvents, PollFlags, PollNotifier,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty,
    ReplyEntry, ReplyIoctl, ReplyLseek, ReplyOpen, ReplyPoll, ReplyStatfs, ReplyWrite, ReplyXattr, Request,
    TimeOrNow, WriteFlags,
};
use rustix::fs::{FallocateFlags, FileType as ModeType};
use tokio::runtime::Handle;

use crate::{
    attributes::BLOCK,
    replies::{GENERATION, WithAttributes, attribute, attributes, empty, entry},
    translation::{Translation, appends},
};

/// How much the kernel writes at once.
const LARGEST_WRITE: u32 = 1 << 20;

/// How many requests that nobody waits for the kernel has under way at once: reading ahead.
const BACKGROUND: u16 = 64;

/// The file system as the kernel's requests reach it.
#[derive(Debug)]
pub(crate) struct Kernel {
    translation: Arc<Translation>,
    runtime: Handle,
    /// Open files that go past the kernel's pages.
    direct: Arc<Mutex<HashSet<HandleId>>>,
}

impl Kernel {
    /// Must be called on a runtime, which then does the work.
    pub(crate) fn new(translation: Arc<Translation>, runtime: Handle) -> Self {
        Self { translation, runtime, direct: Arc::default() }
    }

    /// Does some work: here as far as it needs no waiting, and the rest in a task.
    fn work<F: Future<Output = ()> + Send + 'static>(&self, work: impl FnOnce(Arc<Translation>) -> F) {
        let _runtime = self.runtime.enter();
        let mut work = Box::pin(work(self.translation.clone()));
        // Nobody needs to be woken: a task that goes on with it asks again at once.
        if pin!(&mut work).poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
            self.runtime.spawn(work);
        }
    }

    fn note(direct: &Mutex<HashSet<HandleId>>, handle: HandleId, flags: FopenFlags) {
        if flags.contains(FopenFlags::FOPEN_DIRECT_IO) {
            direct.lock().unwrap_or_else(PoisonError::into_inner).insert(handle);
        }
    }
}

fn node(number: INodeNo) -> NodeId {
    NodeId(number.0)
}

fn handle(number: FileHandle) -> HandleId {
    HandleId(number.0)
}

fn owned(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

// What isn't here is refused by the library.
impl Filesystem for Kernel {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Older kernels lack some of them.
        for wanted in [
            InitFlags::FUSE_ATOMIC_O_TRUNC,
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            // No file has bits or capabilities that a write would have to take away.
            InitFlags::FUSE_HANDLE_KILLPRIV,
            InitFlags::FUSE_HANDLE_KILLPRIV_V2,
            // A memory map of a handle that goes past the pages.
            InitFlags::FUSE_DIRECT_IO_ALLOW_MMAP,
        ] {
            let _ = config.add_capabilities(wanted);
        }
        let _ = config.set_max_write(LARGEST_WRITE);
        let _ = config.set_max_background(BACKGROUND);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let name = owned(name);
        self.work(|to| async move {
            let answer = to.lookup(node(parent), &name).await;
            entry(&to, reply, answer);
        });
    }

    fn forget(&self, _: &Request, number: INodeNo, count: u64) {
        self.translation.forget(node(number), count);
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.work(|to| async move {
            let answer = to.attributes(node(number)).await;
            attributes(&to, reply, answer);
        });
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _accessed: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _changed: Option<SystemTime>,
        _: Option<FileHandle>,
        _created: Option<SystemTime>,
        _changed_on_mac: Option<SystemTime>,
        _saved: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let modified = modified.map(|time| match time {
            TimeOrNow::SpecificTime(time) => time,
            TimeOrNow::Now => SystemTime::now(),
        });
        self.work(|to| async move {
            let answer = to.set_attributes(node(number), size, modified).await;
            attributes(&to, reply, answer);
        });
    }

    fn readlink(&self, _: &Request, _: INodeNo, reply: ReplyData) {
        reply.error(Errno::EINVAL);
    }

    fn mknod(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _device: u32,
        reply: ReplyEntry,
    ) {
        if ModeType::from_raw_mode(mode) != ModeType::RegularFile {
            return reply.error(Errno::EPERM);
        }
        let name = owned(name);
        self.work(|to| async move {
            let answer = to.make_file(node(parent), &name).await;
            entry(&to, reply, answer);
        });
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _mode: u32, _umask: u32, reply: ReplyEntry) {
        let name = owned(name);
        self.work(|to| async move {
            let answer = to.make_folder(node(parent), &name).await;
            entry(&to, reply, answer);
        });
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = owned(name);
        self.work(|to| async move { empty(reply, to.remove_file(node(parent), &name).await) });
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = owned(name);
        self.work(|to| async move { empty(reply, to.remove_folder(node(parent), &name).await) });
    }

    fn symlink(&self, _: &Request, _: INodeNo, _: &OsStr, _: &Path, reply: ReplyEntry) {
        reply.error(Errno::EPERM);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mode = if flags.is_empty() {
            RenameMode::Replace
        } else if flags == RenameFlags::RENAME_NOREPLACE {
            RenameMode::NoReplace
        } else if flags == RenameFlags::RENAME_EXCHANGE {
            RenameMode::Exchange
        } else {
            return reply.error(Errno::EINVAL);
        };
        let (name, new_name) = (owned(name), owned(new_name));
        self.work(|to| async move {
            let (from, target) = ((node(parent), &name[..]), (node(new_parent), &new_name[..]));
            empty(reply, to.rename(from, target, mode).await);
        });
    }

    fn link(&self, _: &Request, _: INodeNo, _: INodeNo, _: &OsStr, reply: ReplyEntry) {
        reply.error(Errno::EPERM);
    }

    fn open(&self, _: &Request, number: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let direct = self.direct.clone();
        self.work(|to| async move {
            match to.open(node(number), flags.0).await {
                Ok((handle, flags)) => {
                    Self::note(&direct, handle, flags);
                    reply.opened(FileHandle(handle.0), flags);
                }
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        number: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.work(|to| async move {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            match to.read(handle(number), offset, size).await {
                Ok(bytes) => reply.data(&bytes),
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        file: FileHandle,
        offset: u64,
        bytes: &[u8],
        from: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let bytes = Bytes::copy_from_slice(bytes);
        let appends = appends(flags.0) && !from.contains(WriteFlags::FUSE_WRITE_CACHE);
        self.work(|to| async move {
            match to.write(node(number), handle(file), offset, bytes, appends).await {
                Ok(written) => reply.written(written),
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn flush(&self, _: &Request, _: INodeNo, number: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.work(|to| async move { empty(reply, to.flush(handle(number)).await) });
    }

    fn release(
        &self,
        _: &Request,
        number: INodeNo,
        file: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        let is_direct = self.direct.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle(file));
        self.work(|to| async move {
            to.release(node(number), handle(file), is_direct);
            reply.ok();
        });
    }

    fn fsync(&self, _: &Request, _: INodeNo, number: FileHandle, _content_only: bool, reply: ReplyEmpty) {
        self.work(|to| async move { empty(reply, to.fsync(handle(number)).await) });
    }

    fn opendir(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.work(|to| async move {
            match to.open_folder(node(number)).await {
                Ok(handle) => reply.opened(FileHandle(handle.0), FopenFlags::empty()),
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        file: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        self.work(|to| async move {
            match to.read_folder(node(number), handle(file), offset, &mut reply).await {
                Ok(()) => reply.ok(),
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn readdirplus(
        &self,
        _: &Request,
        number: INodeNo,
        file: FileHandle,
        offset: u64,
        reply: ReplyDirectoryPlus,
    ) {
        self.work(|to| async move {
            let mut entries = WithAttributes(reply, to.timeout);
            match to.read_folder(node(number), handle(file), offset, &mut entries).await {
                Ok(()) => entries.0.ok(),
                Err(errno) => entries.0.error(errno),
            }
        });
    }

    fn releasedir(&self, _: &Request, _: INodeNo, number: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.translation.release_folder(handle(number));
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _content_only: bool, reply: ReplyEmpty) {
        // Names are journaled before they are answered.
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        self.work(|to| async move {
            match to.room().await {
                Ok(room) => {
                    let files = room.files;
                    reply.statfs(
                        room.blocks,
                        room.free,
                        room.free,
                        files,
                        0,
                        BLOCK,
                        room.longest_name,
                        BLOCK,
                    );
                }
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn setxattr(
        &self,
        _: &Request,
        number: INodeNo,
        name: &OsStr,
        _value: &[u8],
        _flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let name = owned(name);
        self.work(|to| async move { empty(reply, to.set_extended_attribute(node(number), &name).await) });
    }

    fn getxattr(&self, _: &Request, number: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let name = owned(name);
        self.work(
            |to| async move { attribute(reply, size, to.extended_attribute(node(number), &name).await) },
        );
    }

    fn listxattr(&self, _: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        self.work(|to| async move { attribute(reply, size, to.extended_attributes(node(number)).await) });
    }

    fn removexattr(&self, _: &Request, number: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = owned(name);
        self.work(|to| async move { empty(reply, to.set_extended_attribute(node(number), &name).await) });
    }

    fn access(&self, _: &Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        // The kernel then takes it for allowed, and doesn't ask again.
        reply.error(Errno::ENOSYS);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let name = owned(name);
        let direct = self.direct.clone();
        self.work(|to| async move {
            match to.create(node(parent), &name, flags).await {
                Ok((attributes, handle, flags)) => {
                    Self::note(&direct, handle, flags);
                    reply.created(&to.timeout, &attributes, GENERATION, FileHandle(handle.0), flags);
                }
                Err(errno) => reply.error(errno),
            }
        });
    }

    fn ioctl(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        _: u32,
        _: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        reply.error(Errno::ENOTTY);
    }

    fn poll(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: PollNotifier,
        _: PollEvents,
        _: PollFlags,
        reply: ReplyPoll,
    ) {
        reply.error(Errno::ENOSYS);
    }

    fn fallocate(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        // Room that is set aside, holes and the like mean nothing at the service.
        if !FallocateFlags::from_bits_retain(mode.cast_unsigned()).is_empty() {
            return reply.error(Errno::EOPNOTSUPP);
        }
        let Some(end) = offset.checked_add(length) else { return reply.error(Errno::EFBIG) };
        self.work(|to| async move { empty(reply, to.allocate(node(number), end).await) });
    }

    fn lseek(&self, _: &Request, _: INodeNo, _: FileHandle, _: i64, _: i32, reply: ReplyLseek) {
        // The kernel does it by itself then.
        reply.error(Errno::ENOSYS);
    }

    fn copy_file_range(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        // The kernel reads and writes then.
        reply.error(Errno::ENOSYS);
    }
}
