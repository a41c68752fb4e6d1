//! Checksums of files: listed by the remote, or computed from the bytes.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bstr::ByteSlice as _;
use bytes::Bytes;
use digest::DynDigest;
use fichier_engine::Reading;
use fichier_storage::{ByteRange, ByteStream, File, HashKind, Hashing, Remote, RemoteExt, Whirlpool};
use futures::{Stream, StreamExt as _};

/// Computes one checksum piece by piece.
pub(crate) enum Hasher {
    Digest(Box<dyn DynDigest + Send>),
    Crc32(crc32fast::Hasher),
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub(crate) fn new(kind: HashKind) -> Self {
        match kind {
            HashKind::Md5 => Self::Digest(Box::new(md5::Md5::default())),
            HashKind::Sha1 => Self::Digest(Box::new(sha1::Sha1::default())),
            HashKind::Whirlpool => Self::Digest(Box::new(whirlpool_simd::Whirlpool::default())),
            HashKind::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            HashKind::Sha256 => Self::Digest(Box::new(sha2::Sha256::default())),
            HashKind::Sha512 => Self::Digest(Box::new(sha2::Sha512::default())),
        }
    }

    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Digest(digest) => digest.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all that was taken in.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Digest(digest) => digest.finalize().into_vec(),
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().into(),
        }
    }
}

/// The checksums of a file, in the order of `kinds`; `None` for a kind that the remote doesn't know. With
/// `download` the bytes are read in this way, and every kind is known.
pub(crate) async fn of_file(
    hashing: &Hashing,
    remote: &dyn Remote,
    file: &File,
    kinds: &[HashKind],
    download: Option<&Reading>,
) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
    let wanted = |kind| download.is_some() || remote.info().hashes.gives(kind);
    let (mut whirlpool, mut others) = (file.whirlpool.filter(|_| download.is_none()), Vec::new());
    let mut reads_whirlpool = false;
    for kind in kinds.iter().copied().filter(|kind| wanted(*kind)) {
        match kind {
            HashKind::Whirlpool => reads_whirlpool = whirlpool.is_none(),
            other => others.push((other, Hasher::new(other))),
        }
    }
    if reads_whirlpool || !others.is_empty() {
        let bytes = match download {
            Some(reading) => reading.open(remote, file, ByteRange::WHOLE).await?,
            None => remote.read(file, ByteRange::WHOLE).await?,
        };
        if reads_whirlpool {
            whirlpool = Some(read(hashing, bytes, file, &mut others).await?);
        } else {
            take_in(bytes, file, &mut others).await?;
        }
    }
    let mut others: BTreeMap<HashKind, Vec<u8>> =
        others.into_iter().map(|(kind, hasher)| (kind, hasher.finish())).collect();
    let of_kind = |kind: &HashKind| match kind {
        HashKind::Whirlpool => whirlpool.map(|sum| sum.as_bytes().to_vec()),
        other => others.remove(other),
    };
    Ok(kinds.iter().map(of_kind).collect())
}

/// Reads a file for its Whirlpool checksum, and the other kinds on the way.
async fn read(
    hashing: &Hashing,
    bytes: ByteStream,
    file: &File,
    others: &mut Vec<(HashKind, Hasher)>,
) -> anyhow::Result<Whirlpool> {
    let (hashed, sum) = hashing.stream(bytes, file.size);
    take_in(hashed, file, others).await?;
    let (_, sum) = sum.await.with_context(|| format!("hashing {:?}", file.path))?;
    Ok(sum)
}

/// Takes a stream to its end, into each hasher, on a blocking thread.
async fn take_in(
    mut bytes: impl Stream<Item = fichier_storage::Result<Bytes>> + Unpin,
    file: &File,
    hashers: &mut Vec<(HashKind, Hasher)>,
) -> anyhow::Result<()> {
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.with_context(|| format!("reading {:?}", file.path))?;
        if hashers.is_empty() {
            continue;
        }
        let mut taken = std::mem::take(hashers);
        *hashers = tokio::task::spawn_blocking(move || {
            taken.iter_mut().for_each(|(_, hasher)| hasher.update(&chunk));
            taken
        })
        .await?;
    }
    Ok(())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// A line of a checksum file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SumLine<'a> {
    /// Checksum, blank, blank or `*`, name.
    Sum {
        /// The checksum in lower case.
        sum: String,
        /// The file's path.
        name: &'a [u8],
        /// Its number, counted from 1.
        number: usize,
    },
    /// Something else.
    Improper {
        /// Which line, counted from 1.
        number: usize,
    },
}

/// The lines of a checksum file that aren't empty.
pub(crate) fn parse_sum_file(text: &[u8]) -> impl Iterator<Item = SumLine<'_>> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(index, line)| {
        let parts = line.split_once_str(" ").and_then(|(sum, name)| {
            let name = name.strip_prefix(b" ").or_else(|| name.strip_prefix(b"*"))?;
            (!sum.is_empty() && !name.is_empty()).then_some((sum, name))
        });
        match parts {
            Some((sum, name)) => {
                SumLine::Sum { sum: sum.to_str_lossy().to_lowercase(), name, number: index + 1 }
            }
            None => SumLine::Improper { number: index + 1 },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured with rclone 1.75.2: `hashsum` of a file that holds `hello world`.
    #[test]
    fn every_kind_of_hello_world() {
        for (kind, beginning) in [
            (HashKind::Md5, "5eb63bbbe01eeed093cb22bb8f5acdc3"),
            (HashKind::Sha1, "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"),
            (HashKind::Whirlpool, "8d8309ca6af848095bcabaf9a53b1b6ce7f594c1434fd6e5177e7e5c20e76cd3"),
            (HashKind::Crc32, "0d4a1185"),
            (HashKind::Sha256, "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"),
            (HashKind::Sha512, "309ecc489c12d6eb4cc40f50c902f2b4d0ed77ee511a7c7a9bcd3ca86d4cd86f"),
        ] {
            let mut hasher = Hasher::new(kind);
            hasher.update(b"hello ");
            hasher.update(b"world");
            let sum = hexadecimal(&hasher.finish());
            assert!(sum.starts_with(beginning), "{kind}: {sum}");
        }
    }

    #[test]
    fn sum_files() {
        let text = b"AA  one\nbb *two words\n\nnonsense\ncc  \xff\n";
        let lines: Vec<_> = parse_sum_file(text).collect();
        let sum = |sum: &str, name, number| SumLine::Sum { sum: sum.into(), name, number };
        assert_eq!(
            lines,
            [
                sum("aa", &b"one"[..], 1),
                sum("bb", b"two words", 2),
                SumLine::Improper { number: 4 },
                sum("cc", b"\xff", 5)
            ]
        );
    }
}
