//! Reads a listing item by item while it comes in, since that of a whole account takes some 300 bytes per file.

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
use crate::wire::tolerant::{Count, Item, ItemByItem, Text};

/// Longest listing that is read, in bytes: some thirteen million files. It isn't held in memory.
const LONGEST_LISTING: u64 = 4 << 30;

/// No answer is nested so deep; one that is only opens brackets without end.
const ABSURDLY_DEEP: u64 = 10_000;

/// Number of pieces of the answer that may wait to be parsed.
const PIECES: usize = 8;

/// Parses an answer with a list of `items` into a collection.
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
        // The answer is short, so it isn't a listing.
        let listing: FileListing = answer.whole(start).await?.read(key)?;
        let Some(items) = listing.items else { return Err(no_list()) };
        let mut collection = collection;
        collection.extend(items);
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
    // If the connection broke, that is why the parser got too little.
    sent?;
    let (Head { envelope, count, has_list }, Counted { items, collection, .. }) =
        parsed.map_err(|error| sense(&error, key))?;
    let wordless = || ErrorKind::Status { code: status.as_u16(), retry_after: None };
    envelope.check(status, key, wordless)?;
    match count {
        Count::Told(count) if count > items => {
            Err(ErrorKind::Unconfirmed { what: format!("it tells {items} of {count} files") })
        }
        Count::Senseless => {
            Err(ErrorKind::Unconfirmed { what: "its number of files is no number of files".to_owned() })
        }
        Count::Untold if !has_list => Err(no_list()),
        _ => Ok(collection),
    }
}

fn no_list() -> ErrorKind {
    ErrorKind::Unconfirmed { what: "it tells no list of files".to_owned() }
}

/// Fields of a listing besides its items.
#[derive(Debug, Default)]
struct Head {
    envelope: Envelope,
    /// How many files there are, if the listing says so.
    count: Count,
    has_list: bool,
}

/// Collects the files that can be read, and counts all.
#[derive(Debug)]
struct Counted<C> {
    items: u64,
    left_out: u64,
    collection: C,
}

impl<C: Extend<FileItem>> Extend<Item<FileItem>> for Counted<C> {
    fn extend<T: IntoIterator<Item = Item<FileItem>>>(&mut self, items: T) {
        for item in items {
            self.items += 1;
            match item {
                Item::Read(file) => self.collection.extend(Some(file)),
                Item::LeftOut(_) => self.left_out += 1,
            }
        }
    }
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
        // The parser has found a mistake: the rest doesn't matter.
        if pieces.send(piece).await.is_err() {
            break;
        }
        next = answer.chunk().await?;
    }
    Ok(())
}

/// Returns what is wrong with an answer of which nothing was kept for quoting.
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
    collection: C,
) -> Result<(Head, Counted<C>), serde_json::Error> {
    let mut counted = Counted { items: 0, left_out: 0, collection };
    // Buffered, since the parser reads byte by byte.
    let reader =
        BufReader::new(Pieces { coming, mender: Mender::default(), piece: Bytes::new(), ended: false });
    let mut json = serde_json::Deserializer::from_reader(reader);
    let head = Listing(&mut counted).deserialize(&mut json)?;
    json.end()?;
    if counted.left_out > 0 {
        tracing::warn!(
            count = counted.left_out,
            "files of the listing of all can't be read and are left out"
        );
    }
    Ok((head, counted))
}

/// Corrected pieces of an answer, one after the other. A thread that may block reads them.
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

/// An answer with `items`, which are added to the collection one by one.
struct Listing<'a, C>(&'a mut Counted<C>);

impl<'de, C: Extend<FileItem>> DeserializeSeed<'de> for Listing<'_, C> {
    type Value = Head;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Head, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, C: Extend<FileItem>> Visitor<'de> for Listing<'_, C> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a listing")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        let envelope = &mut head.envelope;
        while let Some(field) = object.next_key::<String>()? {
            match field.as_str() {
                "items" => {
                    head.has_list =
                        object.next_value_seed(ItemByItem::<Item<FileItem>, _>::new(&mut *self.0))?;
                }
                "count" => head.count = object.next_value()?,
                "status" => envelope.status = object.next_value::<Text>()?.0,
                "Status" => envelope.capital_status = object.next_value::<Text>()?.0,
                "message" => envelope.message = object.next_value::<Text>()?.0,
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parses the text as if it came in pieces that end at these positions.
    fn read(text: &str, cuts: &[usize]) -> Result<(Head, Vec<FileItem>), serde_json::Error> {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let (pieces, coming) = mpsc::channel(cuts.len());
        for pair in cuts.windows(2) {
            pieces.try_send(Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]])).unwrap();
        }
        drop(pieces);
        parse(coming, Vec::new()).map(|(head, counted)| (head, counted.collection))
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
            // A listing that ends early isn't valid, wherever it ends.
            let mut end = end % text.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            prop_assert!(read(&text[..end], &cuts).is_err());
        }
    }

    #[test]
    fn no_items_in_many_dresses() {
        for items in ["null", "[]", "\"\"", "false", "0"] {
            let (head, files) = read(&format!(r#"{{"items":{items},"status":"OK"}}"#), &[]).unwrap();
            assert_eq!((files.len(), head.envelope.status.as_deref()), (0, Some("OK")), "{items}");
        }
        assert!(read(r#"{"items":"some"}"#, &[]).is_err());
        assert!(read(r#"{"items":{}}"#, &[]).is_err());
        assert!(read(r#"{"items":[]} and more"#, &[]).is_err());
    }
}
