//! Characters of the old sets of 256.

/// A set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Latin1,
    Windows1252,
    Macintosh,
}

/// Characters of Windows-1252 where ISO-8859-1 has control characters.
const WINDOWS: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

/// Characters of Macintosh besides ASCII.
const MACINTOSH: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

impl Charset {
    /// Returns the set of this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let sets = [
            ("ISO-8859-1", Self::Latin1),
            ("Windows-1252", Self::Windows1252),
            ("Macintosh", Self::Macintosh),
        ];
        sets.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, set)| set)
    }

    /// Returns the text with `_` for characters that the set lacks.
    pub(super) fn keep(self, text: &str) -> String {
        text.chars().map(|sign| if self.has(sign) { sign } else { '_' }).collect()
    }

    fn has(self, sign: char) -> bool {
        sign.is_ascii()
            || match self {
                Self::Latin1 => sign <= '\u{ff}',
                Self::Windows1252 => matches!(sign, '\u{a0}'..='\u{ff}') || WINDOWS.contains(sign),
                Self::Macintosh => MACINTOSH.contains(sign),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured on rclone 1.75.2.
    #[test]
    fn what_a_set_has_not_becomes_a_line() {
        for (set, expected) in [
            (Charset::Latin1, "ñx_é___ _\u{81}\u{a0}_"),
            (Charset::Windows1252, "ñx_é€œ… __\u{a0}_"),
            (Charset::Macintosh, "ñxıé€œ… Ω_\u{a0}_"),
        ] {
            assert_eq!(set.keep("ñxıé€œ… Ω\u{81}\u{a0}α"), expected, "{set:?}");
        }
        assert_eq!(MACINTOSH.chars().count(), 128);
    }
}
