//! Attributes as the kernel takes them.

use fichier_vfs::{Attributes, Kind};
use fuser::{FileAttr, FileType, INodeNo};

/// The size of the blocks that `stat` and `df` count in.
pub(crate) const BLOCK: u32 = 4096;

/// The size of the blocks in which `stat` tells how much of the disk a file takes.
const SECTOR: u64 = 512;

/// Returns attributes as the kernel takes them. Times other than that of the last change aren't kept.
pub(crate) fn of(attributes: &Attributes) -> FileAttr {
    FileAttr {
        ino: INodeNo(attributes.id.0),
        size: attributes.size,
        blocks: attributes.size.div_ceil(SECTOR),
        atime: attributes.modified,
        mtime: attributes.modified,
        ctime: attributes.modified,
        crtime: attributes.modified,
        kind: kind(attributes.kind),
        perm: u16::try_from(attributes.permissions & 0o7777).unwrap_or_default(),
        nlink: attributes.links,
        uid: attributes.uid,
        gid: attributes.gid,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

/// Returns what something is, as the kernel takes it.
pub(crate) fn kind(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Folder => FileType::Directory,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use fichier_vfs::NodeId;

    use super::*;

    #[test]
    fn a_file_has_its_size_in_bytes_and_in_sectors() {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        let attributes = Attributes {
            id: NodeId(7),
            kind: Kind::File,
            size: 513,
            modified,
            permissions: 0o640,
            uid: 1,
            gid: 2,
            links: 1,
        };
        let translated = of(&attributes);
        assert_eq!((translated.ino.0, translated.size, translated.blocks), (7, 513, 2));
        assert_eq!((translated.perm, translated.uid, translated.gid, translated.nlink), (0o640, 1, 2, 1));
        assert_eq!((translated.mtime, translated.kind), (modified, FileType::RegularFile));
    }
}
