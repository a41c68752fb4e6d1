//! Files of folders that aren't in use, in a temporary file.
//!
//! The files of an account may be a million, and each is some 360 bytes in memory. So the catalogue holds those of the
//! folders used last, and the others lie here, a folder in one piece, until they are wanted. Pieces are never changed:
//! a folder that changed is written anew, and when most of the file is of no use any more, what is goes to a new one: so
//! it doesn't grow for weeks. The file has no name and goes with the process.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_api::{Domain, FileLink};
use fichier_storage::{Name, Whirlpool};

use super::{KnownFile, Marks, contents::Remembered};

/// Below this size a file isn't worth being written anew.
const SMALL: u64 = if cfg!(test) { 64 << 10 } else { 64 << 20 };

/// Where a folder's files lie.
#[derive(Debug, Clone, Copy)]
pub(in crate::fichier) struct SpillRange {
    offset: u64,
    length: usize,
}

impl SpillRange {
    /// Checks whether no file is there.
    pub(in crate::fichier) fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// Holds the files of folders that are not in use in a temporary file, so that memory stays small.
#[derive(Debug, Default)]
pub(in crate::fichier) struct SpillFile {
    /// Directory for the file; `None`: the system's directory for temporary files.
    directory: Option<PathBuf>,
    file: Option<File>,
    end: u64,
    /// How large it was when it was last looked how much of it is of use.
    looked_at: u64,
    /// Nothing more can be written.
    broken: bool,
    unreadable: bool,
}

const OWN: u8 = 1;
const STANDS_FOR_EMPTY: u8 = 2;
const HAS_CHECKSUM: u8 = 4;
const HAS_DATE: u8 = 8;
const HAS_MEDIA_TYPE: u8 = 16;
const BEFORE_1970: u8 = 32;
const REPORTED: u8 = 64;

impl SpillFile {
    pub(in crate::fichier) fn in_directory(directory: PathBuf) -> Self {
        Self { directory: Some(directory), ..Self::default() }
    }

    /// Checks whether the contents can't be read back reliably.
    pub(in crate::fichier) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Writes files and returns where they are; `None` when that can't be done, then or ever: they must stay in memory.
    pub(in crate::fichier) fn put<'a>(
        &mut self,
        files: impl Iterator<Item = &'a Remembered>,
    ) -> Option<SpillRange> {
        if self.broken {
            return None;
        }
        let mut piece = Vec::new();
        files.for_each(|file| write(file, &mut piece));
        if piece.is_empty() {
            return Some(SpillRange { offset: self.end, length: 0 });
        }
        self.append(&piece)
            .inspect_err(|error| {
                tracing::warn!(
                    "What was listed stays in memory, since no temporary file can be written: {error}"
                );
                self.broken = true;
            })
            .ok()
    }

    /// Whether it has grown so much that much of it may be of no use any more.
    pub(in crate::fichier) fn may_be_wasteful(&self) -> bool {
        self.end >= SMALL.max(self.looked_at.saturating_mul(2))
    }

    /// Writes what is of use to a new file, if that is less than half. The places are changed to those there. What can't
    /// be done is left as it is.
    pub(in crate::fichier) fn compact(&mut self, mut places: Vec<&mut SpillRange>) {
        self.looked_at = self.end;
        let of_use: u64 = places.iter().map(|place| place.length as u64).sum();
        if of_use > self.end / 2 {
            return;
        }
        let mut new = Self { directory: self.directory.clone(), ..Self::default() };
        let moved =
            places.iter().map(|place| new.append(&self.bytes(**place)?)).collect::<io::Result<Vec<_>>>();
        match moved {
            Ok(moved) => {
                places.iter_mut().zip(moved).for_each(|(place, moved)| **place = moved);
                new.looked_at = new.end;
                *self = new;
            }
            Err(error) => tracing::debug!("the temporary file isn't written anew: {error}"),
        }
    }

    /// As if the disk had lost what was written.
    #[cfg(test)]
    pub(in crate::fichier) fn spoil(&mut self) {
        if let Some(file) = &self.file {
            file.set_len(0).unwrap();
        }
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<SpillRange> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(match &self.directory {
                Some(directory) => tempfile::tempfile_in(directory).or_else(|_| tempfile::tempfile())?,
                None => tempfile::tempfile()?,
            }),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(piece)?;
        let place = SpillRange { offset: self.end, length: piece.len() };
        self.end += piece.len() as u64;
        Ok(place)
    }

    /// Reads files back.
    ///
    /// # Errors
    /// The file can't be read, or doesn't hold what was written.
    pub(in crate::fichier) fn get(&mut self, place: SpillRange) -> io::Result<Vec<Remembered>> {
        let taken = self.read(place);
        self.unreadable |= taken.is_err();
        taken
    }

    fn read(&mut self, place: SpillRange) -> io::Result<Vec<Remembered>> {
        let piece = self.bytes(place)?;
        let mut rest = &piece[..];
        let mut types = BTreeSet::new();
        let mut files = Vec::new();
        while !rest.is_empty() {
            files.push(read(&mut rest, &mut types).ok_or(io::ErrorKind::InvalidData)?);
        }
        Ok(files)
    }

    fn bytes(&mut self, place: SpillRange) -> io::Result<Vec<u8>> {
        if place.is_empty() {
            return Ok(Vec::new());
        }
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(place.offset))?;
        let mut piece = vec![0; place.length];
        file.read_exact(&mut piece)?;
        Ok(piece)
    }
}

fn write(remembered: &Remembered, to: &mut Vec<u8>) {
    let Remembered { file, own } = remembered;
    let date = file.date.map(|date| date.duration_since(SystemTime::UNIX_EPOCH));
    let mut marks = 0;
    for (mark, is_set) in [
        (OWN, own.is_some()),
        (STANDS_FOR_EMPTY, file.stands_for_empty),
        (HAS_CHECKSUM, file.whirlpool.is_some()),
        (HAS_DATE, file.date.is_some()),
        (HAS_MEDIA_TYPE, file.media_type.is_some()),
        (BEFORE_1970, matches!(date, Some(Err(_)))),
        (REPORTED, file.reported),
    ] {
        if is_set {
            marks |= mark;
        }
    }
    to.extend([marks, file.link.domain().number(), file.marks.byte()]);
    to.extend(file.size.to_le_bytes());
    write_text(file.link.code().as_bytes(), to);
    write_text(file.name.as_bytes(), to);
    if let Some(sum) = &file.whirlpool {
        to.extend(sum.as_bytes());
    }
    if let Some(date) = date {
        write_span(date.unwrap_or_else(|before| before.duration()), to);
    }
    if let Some(own) = own {
        write_span(own.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(), to);
    }
    if let Some(media_type) = &file.media_type {
        write_text(media_type.as_bytes(), to);
    }
}

fn write_span(span: Duration, to: &mut Vec<u8>) {
    to.extend(span.as_secs().to_le_bytes());
    to.extend(span.subsec_nanos().to_le_bytes());
}

fn write_text(text: &[u8], to: &mut Vec<u8>) {
    to.extend((text.len() as u64).to_le_bytes());
    to.extend(text);
}

fn read(from: &mut &[u8], types: &mut BTreeSet<Arc<str>>) -> Option<Remembered> {
    let [marks, domain, told] = take(from)?;
    let is_set = |mark| marks & mark != 0;
    let size = u64::from_le_bytes(take(from)?);
    let domain = *Domain::ALL.get(usize::from(domain))?;
    let link = FileLink::new(domain, std::str::from_utf8(read_text(from)?).ok()?).ok()?;
    let name = Name::new(read_text(from)?).ok()?;
    let whirlpool = if is_set(HAS_CHECKSUM) { Some(Whirlpool::from_bytes(take(from)?)) } else { None };
    let date = if is_set(HAS_DATE) {
        let (since, epoch) = (read_span(from)?, SystemTime::UNIX_EPOCH);
        Some(if is_set(BEFORE_1970) { epoch.checked_sub(since)? } else { epoch.checked_add(since)? })
    } else {
        None
    };
    let own = if is_set(OWN) { Some(SystemTime::UNIX_EPOCH.checked_add(read_span(from)?)?) } else { None };
    let media_type = if is_set(HAS_MEDIA_TYPE) {
        let text = std::str::from_utf8(read_text(from)?).ok()?;
        // One text for all files that have it.
        Some(types.get(text).cloned().unwrap_or_else(|| {
            let text: Arc<str> = text.into();
            types.insert(text.clone());
            text
        }))
    } else {
        None
    };
    let stands_for_empty = is_set(STANDS_FOR_EMPTY);
    let marks = Marks::of_byte(told);
    let reported = is_set(REPORTED);
    let file = KnownFile { link, name, size, whirlpool, date, media_type, stands_for_empty, marks, reported };
    Some(Remembered { file, own })
}

fn take<const LENGTH: usize>(from: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

fn read_span(from: &mut &[u8]) -> Option<Duration> {
    Some(Duration::new(u64::from_le_bytes(take(from)?), u32::from_le_bytes(take(from)?)))
}

fn read_text<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u64::from_le_bytes(take(from)?)).ok()?;
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn files()(
            code in "[a-z0-9]{1,30}",
            domain in 0..11_usize,
            name in "[^/\\x00]{1,40}".prop_filter("a name", |name| Name::new(name.as_bytes()).is_ok()),
            size: u64,
            sum in proptest::option::of(any::<[u8; 32]>()),
            date in proptest::option::of((0..1_u64 << 33, 0..1_000_000_000_u32)),
            before: bool,
            media_type in proptest::option::of("[a-z/]{0,20}"),
            stands_for_empty: bool,
            told: u8,
            reported: bool,
            own in proptest::option::of((0..1_u64 << 33, 0..1_000_000_000_u32)),
        ) -> Remembered {
            Remembered {
                file: KnownFile {
                    link: FileLink::new(Domain::ALL[domain], &code).unwrap(),
                    name: Name::new(name.as_bytes()).unwrap(),
                    size,
                    whirlpool: sum.map(|half| {
                        let mut whole = [7; 64];
                        whole[..32].copy_from_slice(&half);
                        Whirlpool::from_bytes(whole)
                    }),
                    date: date.map(|(seconds, nanos)| {
                        let since = Duration::new(seconds, nanos);
                        let epoch = SystemTime::UNIX_EPOCH;
                        if before { epoch - since } else { epoch + since }
                    }),
                    media_type: media_type.map(|text| Arc::from(text.as_str())),
                    stands_for_empty,
                    marks: Marks::of_byte(told),
                    reported,
                },
                own: own.map(|(seconds, nanos)| SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_laid_down_is_taken_up_unchanged(
            folders in proptest::collection::vec(proptest::collection::vec(files(), 0..6), 0..6),
        ) {
            let mut spill = SpillFile::default();
            let places: Vec<_> = folders.iter().map(|files| spill.put(files.iter()).unwrap()).collect();
            for (files, place) in folders.iter().zip(places).rev() {
                prop_assert_eq!(&spill.get(place).unwrap(), files);
            }
        }
    }

    #[test]
    fn what_is_of_no_use_any_more_goes() {
        let mut spill = SpillFile::default();
        let file = |name: String| KnownFile {
            link: FileLink::from_code("code1").unwrap(),
            name: Name::new(name).unwrap(),
            size: 1,
            whirlpool: None,
            date: None,
            media_type: None,
            stands_for_empty: false,
            marks: Marks::default(),
            reported: false,
        };
        let mut kept = spill.put([].into_iter()).unwrap();
        let mut last = None;
        // Two folders that change again and again, as in weeks.
        for turn in 0..5000 {
            let files = [Remembered { file: file(format!("some name {turn}")), own: None }];
            if turn % 100 == 0 {
                kept = spill.put(files.iter()).unwrap();
            }
            let mut place = spill.put(files.iter()).unwrap();
            if spill.may_be_wasteful() {
                spill.compact(vec![&mut kept, &mut place]);
            }
            last = Some((place, files));
            assert!(spill.end <= SMALL + 1000);
        }
        let (place, files) = last.unwrap();
        assert_eq!(spill.get(place).unwrap(), files);
        assert_eq!(spill.get(kept).unwrap()[0].file.name.to_string(), "some name 4900");
        // Of what is all of use nothing is written anew.
        let mut places: Vec<_> = (0..2000).map(|_| spill.put(files.iter()).unwrap()).collect();
        let end = spill.end;
        spill.compact(places.iter_mut().chain([&mut kept]).collect());
        assert_eq!(spill.end, end);
    }

    #[test]
    fn where_no_file_can_be_made_files_stay_where_they_are() {
        let mut spill = SpillFile { broken: true, ..SpillFile::default() };
        assert!(spill.put([].into_iter()).is_none());
        assert!(spill.get(SpillRange { offset: 0, length: 1 }).is_err());
    }
}
