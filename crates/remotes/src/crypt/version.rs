//! The mark of an old version in a name: `-v2006-01-02-150405-000` before the extension. It stays readable, so that old
//! versions are found without the key.

/// Length of the mark in bytes.
const LENGTH: usize = 23;

/// Splits a name with the mark of a version into the name without the mark, and the mark.
pub(super) fn split(name: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (base, extension) = at_extension(name);
    let (rest, mark) = base.split_at_checked(base.len().checked_sub(LENGTH)?)?;
    is_mark(mark).then(|| ([rest, extension].concat(), mark))
}

/// Adds the mark of a version to a name.
pub(super) fn join(name: &[u8], mark: &[u8]) -> Vec<u8> {
    let (base, extension) = at_extension(name);
    [base, mark, extension].concat()
}

/// Splits a name before its last dot. A dot at the beginning of a name starts no extension.
fn at_extension(name: &[u8]) -> (&[u8], &[u8]) {
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    name.split_at(dot.unwrap_or(name.len()))
}

/// Checks whether this is a mark with a time that exists.
fn is_mark(mark: &[u8]) -> bool {
    let pattern = b"-v0000-00-00-000000-000";
    if mark.len() != pattern.len() {
        return false;
    }
    let fits = mark.iter().zip(pattern).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    });
    let number = |range: std::ops::Range<usize>| {
        mark[range].iter().fold(0, |number, digit| number * 10 + u32::from(digit.wrapping_sub(b'0')))
    };
    if !fits {
        return false;
    }
    let [year, month, day, hour, minute, second] =
        [number(2..6), number(7..9), number(10..12), number(13..15), number(15..17), number(17..19)];
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_before_the_extension() {
        let mark = "-v2001-02-03-040506-123";
        for (name, rest) in [
            ("a-v2001-02-03-040506-123.txt", Some("a.txt")),
            ("a-v2001-02-03-040506-123", Some("a")),
            (".hid-v2001-02-03-040506-123", Some(".hid")),
            (".hid-v2001-02-03-040506-123.txt", Some(".hid.txt")),
            ("..a-v2001-02-03-040506-123", None),
            ("-v2001-02-03-040506-123", Some("")),
            ("a-v2001-02-03-040506-123.tar.gz", None),
            ("a-v2001-02-30-040506-123.txt", None),
            ("a-v2001-02-03-240506-123.txt", None),
            ("a-v2001-02-03-040506.123.txt", None),
            ("a", None),
        ] {
            let found = split(name.as_bytes());
            assert_eq!(found, rest.map(|rest| (rest.as_bytes().to_vec(), mark.as_bytes())), "{name}");
            if let Some((rest, mark)) = found {
                assert_eq!(join(&rest, mark), name.as_bytes());
            }
        }
        // Another name comes back than was stored: the caller that stores it has to check that.
        assert_eq!(split(b"-v2001-02-03-040506-123.t"), Some((b".t".to_vec(), mark.as_bytes())));
        assert_eq!(join(b".t", mark.as_bytes()), b".t-v2001-02-03-040506-123");
        assert!(split(b"a-v2000-02-29-235959-999").is_some());
        assert!(split(b"a-v1900-02-29-235959-999").is_none());
    }
}
