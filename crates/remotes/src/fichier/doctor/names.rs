//! The files that are stored for a look at what becomes of their names.

use bytes::Bytes;
use fichier_api::{Checksum, UploadFile, UploadedFile};
use futures::{FutureExt as _, stream};

use super::questions::{CHARACTERS, FILE_NAMES, Notes};

/// The characters that names are written without, since clients have seen the service change them.
const ENCODED: [&str; 7] = ["<", ">", "'", "`", "$", "\\", " "];

/// Characters that are sent as they are. The first was reported to be changed.
const SENT: [&str; 13] = ["´", "&", ";", "%41", "+", "#", "|", "?", "*", ":", "~", "e\u{301}", "😀"];

/// The lengths of names to try, in ASCII characters.
const LENGTHS: [usize; 3] = [250, 255, 300];

/// A name of so many characters of two bytes each, to see what is counted.
const OF_TWO_BYTES: usize = 200;

/// A file to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    /// Its name, as it is sent.
    pub(super) name: String,
    /// Its content, different for each.
    content: Bytes,
    what: What,
}

/// What a file's name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Any name will do.
    Plain,
    /// Its length in characters.
    Length(usize),
    /// A text in it that clients encode.
    Encoded(&'static str),
    /// A text in it that is sent as it is.
    Sent(&'static str),
}

impl Probe {
    fn new(number: usize, name: String, what: What) -> Self {
        // Sizes differ, too, so that a file is known by what every answer tells.
        let content = format!("{}{}\n", "fichier doctor", ".".repeat(number));
        Self { name, content: content.into(), what }
    }

    /// The size of its content.
    pub(super) fn size(&self) -> u64 {
        self.content.len() as u64
    }

    /// The checksum of its content.
    pub(super) fn checksum(&self) -> Checksum {
        Checksum::of(&self.content)
    }

    /// The bytes of its content.
    pub(super) fn content(&self) -> &Bytes {
        &self.content
    }

    /// The file as an upload sends it.
    pub(super) fn to_send(&self) -> UploadFile {
        let content = self.content.clone();
        let body = async move { Ok(content) }.into_stream();
        UploadFile { name: self.name.clone(), size: self.size(), body: stream::StreamExt::boxed(body) }
    }
}

/// All files to store; the first has an ordinary name.
pub(super) fn probes() -> Vec<Probe> {
    let mut names = vec![("plain-1.txt".to_owned(), What::Plain), ("plain-2.txt".to_owned(), What::Plain)];
    let long = |length: usize| {
        format!("long-{length}-").chars().chain(std::iter::repeat('n')).take(length).collect()
    };
    names.extend(LENGTHS.map(|length| (long(length), What::Length(length))));
    names.push(("é".repeat(OF_TWO_BYTES), What::Length(OF_TWO_BYTES)));
    for text in ENCODED {
        // A space is changed at the beginning only.
        let name = if text == " " { " begins".to_owned() } else { format!("with-{text}-in-it") };
        names.push((name, What::Encoded(text)));
    }
    names.extend(SENT.map(|text| (format!("with-{text}-in-it"), What::Sent(text))));
    names.into_iter().enumerate().map(|(number, (name, what))| Probe::new(number, name, what)).collect()
}

/// A file that was stored, with what it was sent as.
#[derive(Debug, Clone)]
pub(super) struct StoredProbe {
    pub(super) probe: Probe,
    pub(super) file: UploadedFile,
}

/// Finds what became of each file: by its content, whatever its name is now.
pub(super) fn stored(sent: &[Probe], report: &[UploadedFile]) -> Vec<StoredProbe> {
    let of = |probe: &Probe| {
        let file = report.iter().find(|file| file.size == probe.size())?;
        Some(StoredProbe { probe: probe.clone(), file: file.clone() })
    };
    sent.iter().filter_map(of).collect()
}

/// The files of which a name was changed that clients send as it is: with the text that was changed.
pub(super) fn changed_unexpectedly(stored: &[StoredProbe]) -> Vec<(&'static str, &StoredProbe)> {
    let text = |stored: &StoredProbe| match stored.probe.what {
        What::Sent(text) if stored.file.name != stored.probe.name => Some(text),
        _ => None,
    };
    stored.iter().filter_map(|stored| Some((text(stored)?, stored))).collect()
}

/// Judges what became of the names, of files that were sent in one upload.
pub(super) fn judge(sent: &[Probe], stored: &[StoredProbe], notes: &mut Notes) {
    lengths(sent, stored, notes);
    characters(sent, stored, notes);
}

fn lengths(sent: &[Probe], stored: &[StoredProbe], notes: &mut Notes) {
    let (mut whole, mut cut, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for probe in sent {
        let What::Length(length) = probe.what else { continue };
        let bytes = probe.name.len();
        match stored.iter().find(|stored| stored.probe == *probe) {
            None => missing.push(length),
            Some(found) if found.file.name == probe.name => whole.push((length, bytes)),
            Some(found) => cut.push((length, found.file.name.chars().count(), found.file.name.len())),
        }
    }
    if whole.is_empty() && cut.is_empty() && missing.is_empty() {
        return;
    }
    let most = whole.iter().filter(|(length, bytes)| length == bytes).map(|(length, _)| *length).max();
    let in_bytes = whole.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    let seen = |rest: String| {
        format!("tried with {LENGTHS:?} letters, and {OF_TWO_BYTES} of two bytes each: {rest}")
    };
    if let Some((_, characters, bytes)) = cut.iter().max_by_key(|(length, ..)| *length) {
        let rest = format!("longer ones are cut to {characters} characters ({bytes} bytes)");
        notes.found(FILE_NAMES, format!("cut at {characters}"), seen(rest));
    } else if let Some(refused) = missing.iter().min() {
        let kept = most.map_or_else(|| "none of them".to_owned(), |most| format!("{most} characters"));
        let rest = format!("{kept} are stored, one of {refused} isn't");
        notes.found(FILE_NAMES, format!("at least {}, not {refused}", most.unwrap_or(0)), seen(rest));
    } else {
        let most = most.unwrap_or(0);
        let rest = format!("all are stored as they were sent, up to {in_bytes} bytes");
        notes.found(FILE_NAMES, format!("at least {most}"), seen(rest));
    }
}

fn characters(sent: &[Probe], stored: &[StoredProbe], notes: &mut Notes) {
    let (mut changed, mut kept, mut dropped, mut unexpected) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for probe in sent {
        let (What::Encoded(text) | What::Sent(text)) = probe.what else { continue };
        let is_expected = matches!(probe.what, What::Encoded(_));
        let shown = if text == " " { "space at the beginning" } else { text };
        match stored.iter().find(|stored| stored.probe == *probe) {
            None => dropped.push(shown),
            Some(found) if found.file.name == probe.name => {
                if is_expected {
                    kept.push(shown);
                }
            }
            Some(_) => {
                changed.push(shown);
                if !is_expected {
                    unexpected.push(shown);
                }
            }
        }
    }
    if sent.iter().all(|probe| !matches!(probe.what, What::Encoded(_) | What::Sent(_))) {
        return;
    }
    let list = |texts: &[&str]| if texts.is_empty() { "none".to_owned() } else { texts.join("  ") };
    let mut seen = format!("changed: {}", list(&changed));
    for (title, texts) in [
        ("changed, though clients send them as they are", &unexpected),
        ("kept, though clients write them otherwise", &kept),
        ("files that weren't stored because of", &dropped),
    ] {
        if !texts.is_empty() {
            seen += &format!("; {title}: {}", list(texts));
        }
    }
    notes.found(CHARACTERS, list(&changed), seen);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn files_are_few_and_small_and_told_apart_by_size() {
        let probes = probes();
        assert!(probes.len() < 30);
        let sizes: HashSet<u64> = probes.iter().map(Probe::size).collect();
        assert_eq!(sizes.len(), probes.len());
        let in_all: usize = probes.iter().map(|probe| probe.name.len() + probe.content.len()).sum();
        assert!(in_all < 4096, "{in_all}");
        for probe in &probes {
            if let What::Length(length) = probe.what {
                assert_eq!(probe.name.chars().count(), length);
            }
        }
    }
}
