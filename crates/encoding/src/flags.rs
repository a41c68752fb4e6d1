//! The set of replacements: names, numbers, parsing, printing.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use std::str::FromStr;

/// Set of the characters of a name to replace, as rclone's encoding flags.
///
/// ```
/// use fichier_encoding::Encoding;
///
/// let encoding: Encoding = "Dot,Slash".parse()?;
/// assert_eq!(encoding, Encoding::LOCAL_UNIX);
/// assert_eq!(encoding.to_string(), "Slash,Dot");
/// # Ok::<(), fichier_encoding::ParseEncodingError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Encoding(u64);

macro_rules! flags {
    ($($bit:literal $constant:ident $name:literal $doc:literal;)*) => {
        impl Encoding {
            $(#[doc = $doc] pub const $constant: Encoding = Encoding(1 << $bit);)*
        }

        /// Every flag with its name, in the order of the bits, which is the order of printing.
        const NAMES: &[(Encoding, &str)] = &[$((Encoding::$constant, $name)),*];
    };
}

// Bits as measured on rclone v1.75.2 by giving `--local-encoding` the number 1 << N.
flags! {
    0 RAW "Raw" "Alone: names pass unchanged, even the quote. Beside other flags it does nothing.";
    1 SLASH "Slash" "`/`";
    2 LT_GT "LtGt" "`<` and `>`";
    3 DOUBLE_QUOTE "DoubleQuote" "`\"`";
    4 SINGLE_QUOTE "SingleQuote" "`'`";
    5 BACK_QUOTE "BackQuote" "`` ` ``";
    6 DOLLAR "Dollar" "`$`";
    7 COLON "Colon" "`:`";
    8 QUESTION "Question" "`?`";
    9 ASTERISK "Asterisk" "`*`";
    10 PIPE "Pipe" "`|`";
    11 HASH "Hash" "`#`";
    12 PERCENT "Percent" "`%`";
    13 BACK_SLASH "BackSlash" "`\\`";
    14 CR_LF "CrLf" "carriage return and line feed";
    15 DEL "Del" "the delete character, 0x7F";
    16 CTL "Ctl" "control characters, 0x01 to 0x1F";
    17 LEFT_SPACE "LeftSpace" "a space at the beginning";
    18 LEFT_PERIOD "LeftPeriod" "a period at the beginning";
    19 LEFT_TILDE "LeftTilde" "a tilde at the beginning";
    20 LEFT_CR_LF_HT_VT "LeftCrLfHtVt" "a carriage return, line feed or tab (either) at the beginning";
    21 RIGHT_SPACE "RightSpace" "a space at the end";
    22 RIGHT_PERIOD "RightPeriod" "a period at the end";
    23 RIGHT_CR_LF_HT_VT "RightCrLfHtVt" "a carriage return, line feed or tab (either) at the end";
    24 INVALID_UTF8 "InvalidUtf8" "bytes that are no UTF-8, written as `‛` and two hexadecimal digits";
    25 DOT "Dot" "the whole names `.` and `..`";
    26 SQUARE_BRACKET "SquareBracket" "`[` and `]`";
    27 SEMICOLON "Semicolon" "`;`";
    28 EXCLAMATION "Exclamation" "`!`";
}

impl Encoding {
    /// No flag, written `None`: only NUL is replaced, and the quote and NUL's look-alike are quoted.
    pub const NONE: Encoding = Encoding(0);

    /// Flags that rclone sets for 1Fichier by default (rclone's manual, "1Fichier").
    pub const FICHIER: Encoding = Self::SLASH
        .union(Self::LT_GT)
        .union(Self::DOUBLE_QUOTE)
        .union(Self::SINGLE_QUOTE)
        .union(Self::BACK_QUOTE)
        .union(Self::DOLLAR)
        .union(Self::BACK_SLASH)
        .union(Self::DEL)
        .union(Self::CTL)
        .union(Self::LEFT_SPACE)
        .union(Self::RIGHT_SPACE)
        .union(Self::INVALID_UTF8)
        .union(Self::DOT);

    /// Flags of names above the backends: in rclone's listings, filters and arguments.
    pub const STANDARD: Encoding = Self::SLASH.union(Self::CTL).union(Self::DEL).union(Self::DOT);

    /// Default flags of rclone's local backend on Linux and the BSDs.
    pub const LOCAL_UNIX: Encoding = Self::SLASH.union(Self::DOT);

    /// Default flags of rclone's local backend on macOS.
    pub const LOCAL_MACOS: Encoding = Self::LOCAL_UNIX.union(Self::INVALID_UTF8);

    /// Default flags of rclone's local backend on Windows.
    pub const LOCAL_WINDOWS: Encoding = Self::SLASH
        .union(Self::LT_GT)
        .union(Self::DOUBLE_QUOTE)
        .union(Self::COLON)
        .union(Self::QUESTION)
        .union(Self::ASTERISK)
        .union(Self::PIPE)
        .union(Self::BACK_SLASH)
        .union(Self::CTL)
        .union(Self::RIGHT_SPACE)
        .union(Self::RIGHT_PERIOD)
        .union(Self::INVALID_UTF8)
        .union(Self::DOT);

    /// Default flags of the local backend on the system that this was compiled for.
    pub const LOCAL: Encoding = if cfg!(windows) {
        Self::LOCAL_WINDOWS
    } else if cfg!(target_os = "macos") {
        Self::LOCAL_MACOS
    } else {
        Self::LOCAL_UNIX
    };

    /// Returns the set with these bits. Bits without a meaning are kept, as rclone keeps them.
    pub const fn from_bits(bits: u64) -> Encoding {
        Encoding(bits)
    }

    /// Returns the bits, as rclone numbers them.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Returns the flags of either set.
    pub const fn union(self, other: Encoding) -> Encoding {
        Encoding(self.0 | other.0)
    }

    /// Checks whether all flags of `other` are set here.
    pub const fn contains(self, other: Encoding) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns every flag with its name, in the order of printing.
    pub fn flags() -> impl Iterator<Item = (Encoding, &'static str)> {
        NAMES.iter().copied()
    }
}

impl BitOr for Encoding {
    type Output = Encoding;

    fn bitor(self, other: Encoding) -> Encoding {
        self.union(other)
    }
}

impl BitOrAssign for Encoding {
    fn bitor_assign(&mut self, other: Encoding) {
        *self = self.union(other);
    }
}

/// Prints the list in the order of the bits; bits without a name follow as one hexadecimal number.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("None");
        }
        let mut rest = self.0;
        let mut comma = "";
        for (flag, name) in NAMES {
            if self.contains(*flag) {
                write!(f, "{comma}{name}")?;
                comma = ",";
                rest &= !flag.0;
            }
        }
        if rest != 0 {
            write!(f, "{comma}{rest:#x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({self})")
    }
}

/// A word in an encoding list that is neither a flag nor a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is no encoding flag. Use a list of: {}.", valid_names())]
pub struct ParseEncodingError {
    /// The word as it was written.
    pub word: String,
}

fn valid_names() -> String {
    let mut names: Vec<&str> = NAMES.iter().map(|(_, name)| *name).chain(["None"]).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Parses a comma-separated list of flags. Spaces around them are allowed, and case matters. A number means its bits
/// (decimal, `0x`, `0o`, `0b`, or octal after a plain `0`, with `_` between digits).
impl FromStr for Encoding {
    type Err = ParseEncodingError;

    fn from_str(list: &str) -> Result<Encoding, ParseEncodingError> {
        let mut encoding = Encoding::NONE;
        for word in list.split(',').map(str::trim) {
            encoding |= match NAMES.iter().find(|(_, name)| *name == word) {
                Some((flag, _)) => *flag,
                None if word == "None" => Encoding::NONE,
                None => {
                    number(word).map(Encoding).ok_or_else(|| ParseEncodingError { word: word.to_owned() })?
                }
            };
        }
        Ok(encoding)
    }
}

fn number(word: &str) -> Option<u64> {
    let lower = word.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        if lower.starts_with('_') {
            return None;
        }
        (10, lower.as_str())
    };
    let malformed =
        digits.is_empty() || digits.ends_with('_') || digits.contains("__") || digits.starts_with('+');
    if malformed {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_defaults_print_as_rclone_prints_them() {
        assert_eq!(
            Encoding::FICHIER.to_string(),
            "Slash,LtGt,DoubleQuote,SingleQuote,BackQuote,Dollar,BackSlash,Del,Ctl,LeftSpace,RightSpace,\
             InvalidUtf8,Dot"
        );
        assert_eq!(Encoding::STANDARD.to_string(), "Slash,Del,Ctl,Dot");
        assert_eq!(Encoding::LOCAL_UNIX.to_string(), "Slash,Dot");
        assert_eq!(
            Encoding::LOCAL_WINDOWS.to_string(),
            "Slash,LtGt,DoubleQuote,Colon,Question,Asterisk,Pipe,BackSlash,Ctl,RightSpace,RightPeriod,\
             InvalidUtf8,Dot"
        );
        assert_eq!(Encoding::NONE.to_string(), "None");
        assert_eq!(Encoding::from_bits(1 << 31 | 2).to_string(), "Slash,0x80000000");
    }

    // Accepted and refused by `rclone lsf --local-encoding WORD` of v1.75.2.
    #[test]
    fn numbers_are_read_as_rclone_reads_them() {
        for (word, bits) in [
            ("0", 0),
            ("2", 2),
            ("010", 8),
            ("0o10", 8),
            ("0b11", 3),
            ("0x10", 16),
            ("0X10", 16),
            ("1_0", 10),
            ("0x_1", 1),
            ("18446744073709551615", u64::MAX),
            ("Slash, Dot", Encoding::LOCAL_UNIX.0),
            (" 2", 2),
            ("Slash,2", 2),
            ("None,2", 2),
            ("Slash,Slash", 2),
            ("Slash,None", 2),
        ] {
            assert_eq!(word.parse(), Ok(Encoding(bits)), "{word}");
        }
        for word in
            ["", ",", "Slash,", "Dot,,Slash", "slash", "NONE", "-1", "+2", "08", "18446744073709551616"]
        {
            assert!(word.parse::<Encoding>().is_err(), "{word}");
        }
    }

    #[test]
    fn an_unknown_flag_is_named_beside_the_known_ones() {
        let message = "Slash,Foo".parse::<Encoding>().unwrap_err().to_string();
        assert!(message.starts_with("\"Foo\" is no encoding flag."), "{message}");
        assert!(message.contains("LtGt, None, Percent"), "{message}");
        assert!(message.ends_with("Slash, SquareBracket."), "{message}");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bits: u64) {
            let printed = Encoding(bits).to_string();
            prop_assert_eq!(printed.parse::<Encoding>(), Ok(Encoding(bits)));
        }

        #[test]
        fn reading_never_fails_without_naming_a_word(text in ".*") {
            if let Err(error) = text.parse::<Encoding>() {
                prop_assert!(text.contains(&error.word));
            }
        }
    }
}
