//! Distinguishes one content of an encrypted file from later ones, and holds what the inner remote knows of it.

use fichier_storage::{File, Fingerprint, Whirlpool};

/// First bytes of such a fingerprint, so that it differs from those of all other backends.
const MARK: &[u8] = b"crypt\0";

/// Bytes that identify a remote's keys and options.
pub(super) type Key = [u8; 16];

/// Makes a fingerprint from what is known of a stored file: its checksum and its fingerprint. The checksum remembered
/// under it is that of the plain content, so it identifies the keys, too.
pub(super) fn fingerprint(key: &Key, stored: &File) -> Option<Fingerprint> {
    let inner = stored.fingerprint.as_ref();
    if stored.whirlpool.is_none() && inner.is_none() {
        return None;
    }
    let sum = stored.whirlpool.as_ref().map_or(&[][..], |sum| sum.as_bytes());
    let has_inner = [u8::from(stored.whirlpool.is_some()), u8::from(inner.is_some())];
    let bytes = [MARK, key, &has_inner, sum, inner.map_or(&[][..], Fingerprint::as_bytes)].concat();
    // A checksum distinguishes contents whatever else is known.
    let settled = stored.whirlpool.is_some() || inner.is_some_and(Fingerprint::is_settled);
    Some(if settled { Fingerprint::new(bytes) } else { Fingerprint::unsettled(bytes) })
}

/// Returns the checksum and the fingerprint of the stored file from a fingerprint that was made here.
pub(super) fn stored(
    key: &Key,
    fingerprint: &Fingerprint,
) -> Option<(Option<Whirlpool>, Option<Fingerprint>)> {
    let rest = fingerprint.as_bytes().strip_prefix(MARK)?.strip_prefix(key)?;
    let (has, mut rest) = rest.split_first_chunk::<2>()?;
    let mut sum = None;
    if has[0] == 1 {
        let (bytes, behind) = rest.split_first_chunk::<64>()?;
        (sum, rest) = (Some(Whirlpool::from_bytes(*bytes)), behind);
    }
    let inner = (has[1] == 1).then(|| match fingerprint.is_settled() {
        true => Fingerprint::new(rest),
        false => Fingerprint::unsettled(rest),
    });
    Some((sum, inner))
}

#[cfg(test)]
mod tests {
    use fichier_storage::RemotePath;

    use super::*;

    #[test]
    fn what_the_inner_remote_knew_comes_back() {
        let file = |whirlpool, fingerprint| File {
            path: RemotePath::root(),
            size: 1,
            modified: None,
            whirlpool,
            id: None,
            media_type: None,
            fingerprint,
            seconds_ahead: 0,
        };
        let sum = Some(Whirlpool::of(b"x"));
        let [settled, unsettled] = [Fingerprint::new(*b"f"), Fingerprint::unsettled(*b"f")].map(Some);
        for (sum, inner) in [(sum, None), (None, settled.clone()), (None, unsettled), (sum, settled)] {
            let made = fingerprint(&[1; 16], &file(sum, inner.clone())).unwrap();
            assert_eq!(stored(&[1; 16], &made), Some((sum, inner.clone())));
            assert_eq!(stored(&[2; 16], &made), None);
            assert_ne!(fingerprint(&[2; 16], &file(sum, inner)), Some(made));
        }
        assert_eq!(fingerprint(&[1; 16], &file(None, None)), None);
        assert_eq!(stored(&[1; 16], &Fingerprint::new(*b"other")), None);
    }
}
