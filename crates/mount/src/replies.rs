//! Answers in the form that the kernel takes.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, time::Duration};

use fuser::{
    Errno, FileAttr, Generation, ReplyAttr, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry,
    ReplyXattr,
};

use crate::translation::{Answer, Entries, Translation};

/// Nodes aren't given again, so there is one generation of them.
pub(crate) const GENERATION: Generation = Generation(0);

/// Answers with an entry of a folder.
pub(crate) fn entry(translation: &Translation, reply: ReplyEntry, answer: Answer<FileAttr>) {
    match answer {
        Ok(attributes) => reply.entry(&translation.timeout, &attributes, GENERATION),
        Err(errno) => reply.error(errno),
    }
}

/// Answers with attributes.
pub(crate) fn attributes(translation: &Translation, reply: ReplyAttr, answer: Answer<FileAttr>) {
    match answer {
        Ok(attributes) => reply.attr(&translation.timeout, &attributes),
        Err(errno) => reply.error(errno),
    }
}

/// Answers that it is done.
pub(crate) fn empty(reply: ReplyEmpty, answer: Answer<()>) {
    match answer {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(errno),
    }
}

/// Answers with an extended attribute: its size, if that is asked for, else its value, if there is room for it.
pub(crate) fn attribute(reply: ReplyXattr, room: u32, answer: Answer<Vec<u8>>) {
    match answer.map(|value| (u32::try_from(value.len()).unwrap_or(u32::MAX), value)) {
        Ok((size, _)) if room == 0 => reply.size(size),
        Ok((size, _)) if size > room => reply.error(Errno::ERANGE),
        Ok((_, value)) => reply.data(&value),
        Err(errno) => reply.error(errno),
    }
}

impl Entries for ReplyDirectory {
    const WITH_ATTRIBUTES: bool = false;

    fn add(&mut self, attributes: &FileAttr, next: u64, name: &[u8]) -> bool {
        Self::add(self, attributes.ino, next, attributes.kind, OsStr::from_bytes(name))
    }
}

/// Entries with their attributes, and how long the kernel keeps those.
pub(crate) struct WithAttributes(pub(crate) ReplyDirectoryPlus, pub(crate) Duration);

impl Entries for WithAttributes {
    const WITH_ATTRIBUTES: bool = true;

    fn add(&mut self, attributes: &FileAttr, next: u64, name: &[u8]) -> bool {
        let name = OsStr::from_bytes(name);
        self.0.add(attributes.ino, next, name, &self.1, attributes, GENERATION)
    }
}
