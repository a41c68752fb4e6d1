//! `--hash-filter`: one of N shares of all files, chosen by their paths.

use icu_normalizer::ComposingNormalizerBorrowed;
use md5::{Digest, Md5};

use crate::FilterError;

/// Share `number` of `of` shares, for `--hash-filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    number: u64,
    of: u64,
}

impl Share {
    /// Parses `K/N`, or `@/N` for any share: `pick` gets N and chooses one below N.
    ///
    /// # Errors
    /// The text has no slash, or its parts aren't numbers.
    ///
    /// ```
    /// use fichier_filter::Share;
    /// assert_eq!(Share::parse("5/3", |_| 0), Share::parse("@/3", |_| 2));
    /// assert!(Share::parse("1/0", |_| 0).is_err());
    /// ```
    pub fn parse(text: &str, pick: impl FnOnce(u64) -> u64) -> Result<Self, FilterError> {
        let (number, of) = text.split_once('/').ok_or(FilterError::ShareWithoutSlash)?;
        let parse = |which, text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            number.ok_or_else(|| FilterError::ShareNumber { which, text: text.to_owned() })
        };
        let of = parse('N', of)?;
        if of == 0 {
            return Err(FilterError::ShareOfNone);
        }
        let number = if number == "@" { pick(of) } else { parse('K', number)? };
        Ok(Self { number: number % of, of })
    }

    /// Checks whether a file belongs to the share. Paths that differ only in case or in how accents are written
    /// belong to the same share, since some backends treat them as one.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path: String =
            ComposingNormalizerBorrowed::new_nfc().normalize(path).chars().map(lower).collect();
        let digest = Md5::digest(path.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(first) % self.of == self.number
    }
}

/// Returns the small letter of a character, always a single one.
fn lower(character: char) -> char {
    let mut small = character.to_lowercase();
    match (small.next(), small.next()) {
        (Some(small), None) => small,
        // Only İ becomes two letters; as one letter it is an i.
        (Some(first), Some(_)) => first,
        (None, _) => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_apart_and_hold_all() {
        for path in ["a", "b/c.txt", "ünï/日本", ""] {
            let holders = (0..7)
                .filter(|number| Share::parse(&format!("{number}/7"), |_| 0).unwrap().holds(path))
                .count();
            assert_eq!(holders, 1, "{path}");
        }
    }

    #[test]
    fn spellings_of_one_name_belong_together() {
        let share = |path: &str| (0..1000).find(|number| Share { number: *number, of: 1000 }.holds(path));
        assert_eq!(share("É.txt"), share("e\u{301}.TXT"));
        assert_eq!(share("İ"), share("i"));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        let message = |text| Share::parse(text, |_| 0).unwrap_err().to_string();
        assert_eq!(
            message("1"),
            "--hash-filter: no / found: expected K/N such as 1/3, or @/N for a share at random"
        );
        assert_eq!(message("1/0"), "--hash-filter: N must be greater than 0");
        assert!(message("1/x").starts_with("--hash-filter: can't parse N=\"x\""));
        assert!(message("-1/3").starts_with("--hash-filter: can't parse K=\"-1\""));
        assert!(message("1/+3").starts_with("--hash-filter: can't parse N=\"+3\""));
    }
}
