//! Reads a listing item by item while it comes, since that of a whole account takes some 300 bytes a file.

use std::fmt;
use std::io::{self, BufReader, Read};

use bytes::{Buf as _, Bytes, BytesMut};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use tokio::sync::mpsc;

use crate::answer::Envelope;
use crate::error::ErrorKind;
use crate::key::ApiKey;
use crate::mended_json::Mender;
use crate::transport::{OpenAnswer, endless};
use crate::wire::file::{FileItem, FileListing};
use crate::wire::tolerant::{Item, ItemByItem, Text};

/// The longest listing that is read: thirteen million files. Nothing of it is held here.
const LONGEST_LISTING: u64 = 4 << 30;

/// No answer is nested so deep: one that is only goes on opening brackets.
const ABSURDLY_DEEP: u64 = 10_000;

/// How many pieces of the answer may wait to be read.
const PIECES: usize = 8;

/// Reads an answer with a list of `items` into a collection.
pub(crate) async fn read_files<C>(mut answer: OpenAnswer, collection: C, key: &ApiKey) -> Result<C, ErrorKind>
where
    C: Extend<FileItem> + Send + 'static,
{
    let mut start = BytesMut::new();
    while start.trim_ascii_start().is_empty()
        && let Some(chunk) = answer.chunk().await?
    {
        start.extend_from_slice(&chunk);
    }
    if !answer.status.is_success() || start.trim_ascii_start().first() != Some(&b'{') {
        // No listing but something short.
        let listing: FileListing = answer.whole(start).await?.read(key)?;
        let mut collection = collection;
        collection.extend(listing.items.unwrap_or_default());
        return Ok(collection);
    }
    let status = answer.status;
    let (pieces, coming) = mpsc::channel(PIECES);
    let reading = tokio::task::spawn_blocking(move || parse(coming, collection));
    let sent = hand_over(answer, start.freeze(), pieces).await;
    let parsed = reading.await.map_err(|error| ErrorKind::Setup {
        what: "the thread that reads the answer has ended".into(),
        source: error.into(),
    })?;
    // If the connection broke, that is why the parser found too little.
    sent?;
    let (envelope, collection) = parsed.map_err(|error| sense(&error, key))?;
    let wordless = || ErrorKind::Status { code: status.as_u16(), retry_after: None };
    envelope.check(status, key, wordless)?;
    Ok(collection)
}

async fn hand_over(
    mut answer: OpenAnswer,
    start: Bytes,
    pieces: mpsc::Sender<Bytes>,
) -> Result<(), ErrorKind> {
    let mut length = 0;
    let mut next = Some(start);
    while let Some(piece) = next {
        length += piece.len() as u64;
        if length > LONGEST_LISTING {
            return Err(endless(LONGEST_LISTING));
        }
        // The parser has found something wrong: the rest doesn't matter.
        if pieces.send(piece).await.is_err() {
            break;
        }
        next = answer.chunk().await?;
    }
    Ok(())
}

/// What is wrong with an answer of which nothing was kept that could be quoted.
fn sense(error: &serde_json::Error, key: &ApiKey) -> ErrorKind {
    use serde_json::error::Category;
    match error.classify() {
        Category::Io => ErrorKind::InvalidJson {
            problem: key.redact(&error.to_string()),
            snippet: String::new(),
            well_formed: true,
        },
        Category::Eof => ErrorKind::Truncated { snippet: format!("at column {}", error.column()) },
        category => ErrorKind::InvalidJson {
            problem: key.redact(&error.to_string()),
            snippet: String::new(),
            well_formed: category == Category::Data,
        },
    }
}

fn parse<C: Extend<FileItem>>(
    coming: mpsc::Receiver<Bytes>,
    mut collection: C,
) -> Result<(Envelope, C), serde_json::Error> {
    // Buffered, since the parser takes byte after byte.
    let reader =
        BufReader::new(Pieces { coming, mender: Mender::default(), piece: Bytes::new(), ended: false });
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut files = Files { collection: &mut collection, left_out: 0 };
    let envelope = Listing(&mut files).deserialize(&mut json)?;
    json.end()?;
    if files.left_out > 0 {
        tracing::warn!(count = files.left_out, "files of the listing of all can't be read and are left out");
    }
    Ok((envelope, collection))
}

/// What takes the files that can be read, and counts the others.
struct Files<'a, C> {
    collection: &'a mut C,
    left_out: u64,
}

impl<C: Extend<FileItem>> Extend<Item<FileItem>> for Files<'_, C> {
    fn extend<I: IntoIterator<Item = Item<FileItem>>>(&mut self, items: I) {
        for item in items {
            match item {
                Item::Read(file) => self.collection.extend(Some(file)),
                Item::LeftOut(_) => self.left_out += 1,
            }
        }
    }
}

/// The pieces of an answer, mended, one after the other. A thread that may block reads them.
struct Pieces {
    coming: mpsc::Receiver<Bytes>,
    mender: Mender,
    piece: Bytes,
    ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            if self.ended {
                return Ok(0);
            }
            let mut mended = Vec::new();
            match self.coming.blocking_recv() {
                Some(piece) => self.mender.feed(&piece, &mut mended),
                None => {
                    self.mender.end(&mut mended);
                    self.ended = true;
                }
            }
            if self.mender.depth() > ABSURDLY_DEEP {
                return Err(io::Error::other("it is nested too deep"));
            }
            self.piece = mended.into();
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// An answer with `items`, which go into the collection one by one.
struct Listing<'a, 'b, C>(&'a mut Files<'b, C>);

impl<'de, C: Extend<FileItem>> DeserializeSeed<'de> for Listing<'_, '_, C> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, C: Extend<FileItem>> Visitor<'de> for Listing<'_, '_, C> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a listing")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(field) = object.next_key::<String>()? {
            match field.as_str() {
                "items" => {
                    object.next_value_seed(ItemByItem::<Item<FileItem>, _>::new(&mut *self.0))?;
                }
                "status" => envelope.status = object.next_value::<Text>()?.0,
                "Status" => envelope.capital_status = object.next_value::<Text>()?.0,
                "message" => envelope.message = object.next_value::<Text>()?.0,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the text as if it came in pieces that end at these places.
    fn read(text: &str, cuts: &[usize]) -> Result<(Envelope, Vec<FileItem>), serde_json::Error> {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let (pieces, coming) = mpsc::channel(cuts.len());
        for pair in cuts.windows(2) {
            pieces.try_send(Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]])).unwrap();
        }
        drop(pieces);
        parse(coming, Vec::new())
    }

    proptest! {
        #[test]
        fn whatever_the_pieces_it_reads_what_the_whole_says(
            names in prop::collection::vec("[a-zé\"\\\\{}\\[\\],]{0,6}", 0..5),
            fields in prop::sample::subsequence(
                vec![r#""status":"OK""#, r#""Status":"ok""#, r#""message":7"#, r#""count":"3""#, r#""new":[{"items":[1]}]"#],
                0..5,
            ),
            cuts in prop::collection::vec(0..500_usize, 0..8),
            end in 0..400_usize,
        ) {
            let items: Vec<_> = names.iter().enumerate().map(|(number, name)| {
                let name = serde_json::to_string(name).unwrap();
                format!(r#"{{"url":"https://1fichier.com/?a{number}","filename":{name},"size":"{number}","pass":0}}"#)
            }).collect();
            let mut fields: Vec<_> = fields.into_iter().map(str::to_owned).collect();
            fields.insert(fields.len() / 2, format!(r#""items":[{}]"#, items.join(",")));
            let text = format!("{{{}}}", fields.join(","));
            let (_, files) = read(&text, &cuts).unwrap();
            prop_assert_eq!(files, serde_json::from_str::<FileListing>(&text).unwrap().items.unwrap());
            // What ends early is no listing, wherever it ends.
            let mut end = end % text.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            prop_assert!(read(&text[..end], &cuts).is_err());
        }
    }

    #[test]
    fn no_items_in_many_dresses() {
        for items in ["null", "[]", "{}", "\"\"", "false", "0"] {
            let (envelope, files) = read(&format!(r#"{{"items":{items},"status":"OK"}}"#), &[]).unwrap();
            assert_eq!((files.len(), envelope.status.as_deref()), (0, Some("OK")), "{items}");
        }
        assert!(read(r#"{"items":"some"}"#, &[]).is_err());
        assert!(read(r#"{"items":[]} and more"#, &[]).is_err());
    }
}
