//! Corrects JSON that the service writes wrongly (API document, section 5: a name with a backslash made a listing
//! unreadable), and removes what a parser might fail on.
//!
//! - An escape that doesn't exist means its own characters: `\q` is `\` and `q`.
//! - Half of a surrogate pair and bytes that aren't UTF-8 become U+FFFD, control characters become escapes.
//! - A number that doesn't fit into a float becomes `null`, and so does what is nested deeper than any answer.
//!
//! It works in one pass, piece by piece, in a few bytes of memory.

/// Deepest nesting of an answer; what is deeper becomes `null`.
const DEEPEST: u64 = 32;

/// Longest number that is kept, in bytes.
const LONGEST_NUMBER: usize = 400;

/// Text that replaces an unknown character.
const UNKNOWN: &[u8] = b"\\ufffd";

/// Position of the parser in the syntax.
#[derive(Debug, Clone, Copy, Default)]
enum Place {
    #[default]
    Between,
    Number,
    Text,
    Escape,
    /// After this many digits of a `\u`.
    Unicode(usize),
}

/// Corrects the JSON of an answer as its bytes come in.
#[derive(Debug, Default)]
pub(crate) struct Mender {
    place: Place,
    depth: u64,
    number: Vec<u8>,
    digits: [u8; 4],
    /// The first half of a surrogate pair.
    half: Option<[u8; 4]>,
    /// Beginning of a character that the next piece completes.
    cut: Vec<u8>,
}

/// Returns a whole text, corrected.
pub(crate) fn mended(text: &[u8]) -> Vec<u8> {
    let mut mender = Mender::default();
    let mut out = Vec::with_capacity(text.len() + 16);
    mender.feed(text, &mut out);
    mender.end(&mut out);
    out
}

impl Mender {
    /// Returns how deep the text is nested at this point.
    pub(crate) fn depth(&self) -> u64 {
        self.depth
    }

    /// Reads a piece, and appends the corrected text.
    pub(crate) fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if self.cut.is_empty() {
            self.decode(piece, out);
        } else {
            let mut whole = std::mem::take(&mut self.cut);
            whole.extend_from_slice(piece);
            self.decode(&whole, out);
        }
    }

    /// Appends what is left at the end.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        if !self.cut.is_empty() {
            self.cut.clear();
            self.unknown(out);
        }
        if matches!(self.place, Place::Number) {
            self.end_number(out);
        }
    }

    fn decode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(_) => return self.mend(bytes, out),
                Err(error) => error,
            };
            let (good, rest) = bytes.split_at(error.valid_up_to());
            self.mend(good, out);
            let Some(bad) = error.error_len() else {
                self.cut = rest.to_vec();
                return;
            };
            self.unknown(out);
            bytes = &rest[bad..];
        }
    }

    fn unknown(&mut self, out: &mut Vec<u8>) {
        let stand_in: &[u8] =
            if matches!(self.place, Place::Between | Place::Number) { b"?" } else { "\u{fffd}".as_bytes() };
        self.mend(stand_in, out);
    }

    fn mend(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.place {
                Place::Text if self.half.is_none() => {
                    let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
                    let run = bytes[at..].iter().take_while(|byte| plain(byte)).count();
                    self.put(&bytes[at..at + run], out);
                    at += run;
                    if let Some(&special) = bytes.get(at) {
                        self.in_text(special, out);
                        at += 1;
                    }
                }
                Place::Text => {
                    self.in_text(byte, out);
                    at += 1;
                }
                Place::Between => {
                    self.between(byte, out);
                    at += 1;
                }
                Place::Number if matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') => {
                    if self.number.len() <= LONGEST_NUMBER {
                        self.number.push(byte);
                    }
                    at += 1;
                }
                Place::Number => self.end_number(out),
                Place::Escape => at += usize::from(self.in_escape(byte, out)),
                Place::Unicode(count) => at += usize::from(self.in_unicode(count, byte, out)),
            }
        }
    }

    /// Appends bytes unless they are nested too deep.
    fn put(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.depth <= DEEPEST {
            out.extend_from_slice(bytes);
        }
    }

    fn between(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'[' | b'{' => {
                if self.depth == DEEPEST {
                    self.put(b"null", out);
                }
                self.depth += 1;
                self.put(&[byte], out);
            }
            b']' | b'}' => {
                self.put(&[byte], out);
                self.depth = self.depth.saturating_sub(1);
            }
            b'-' | b'0'..=b'9' => {
                self.number.push(byte);
                self.place = Place::Number;
            }
            b'"' => {
                self.put(b"\"", out);
                self.place = Place::Text;
            }
            _ => self.put(&[byte], out),
        }
    }

    fn end_number(&mut self, out: &mut Vec<u8>) {
        let number = std::mem::take(&mut self.number);
        let value = std::str::from_utf8(&number).ok().and_then(|text| text.parse::<f64>().ok());
        let held = number.len() <= LONGEST_NUMBER && value.is_none_or(f64::is_finite);
        self.put(if held { &number } else { b"null" }, out);
        self.place = Place::Between;
    }

    /// Ends half of a pair whose other half doesn't come.
    fn end_half(&mut self, out: &mut Vec<u8>) {
        if self.half.take().is_some() {
            self.put(UNKNOWN, out);
        }
    }

    fn in_text(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte == b'\\' {
            self.place = Place::Escape;
            return;
        }
        self.end_half(out);
        match byte {
            b'"' => {
                self.put(b"\"", out);
                self.place = Place::Between;
            }
            0..0x20 => self.put(format!("\\u{byte:04x}").as_bytes(), out),
            _ => self.put(&[byte], out),
        }
    }

    /// Reads what follows a backslash. Returns whether the byte belonged to the escape.
    fn in_escape(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        if byte == b'u' {
            self.place = Place::Unicode(0);
            return true;
        }
        self.end_half(out);
        self.place = Place::Text;
        let known = matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
        if known {
            self.put(&[b'\\', byte], out);
        } else {
            self.put(b"\\\\", out);
        }
        known
    }

    /// Reads what follows `\u`. Returns whether the byte belonged to the escape.
    fn in_unicode(&mut self, count: usize, byte: u8, out: &mut Vec<u8>) -> bool {
        if !byte.is_ascii_hexdigit() {
            self.end_half(out);
            self.put(b"\\\\u", out);
            self.put(&self.digits[..count], out);
            self.place = Place::Text;
            return false;
        }
        self.digits[count] = byte;
        if count < 3 {
            self.place = Place::Unicode(count + 1);
            return true;
        }
        self.place = Place::Text;
        let digits = self.digits;
        let first_two = digits.map(|digit| digit.to_ascii_lowercase());
        match (first_two[0], first_two[1]) {
            (b'd', b'8'..=b'9' | b'a'..=b'b') => {
                self.end_half(out);
                self.half = Some(digits);
            }
            (b'd', b'c'..=b'f') => match self.half.take() {
                Some(half) => {
                    for digits in [half, digits] {
                        self.put(b"\\u", out);
                        self.put(&digits, out);
                    }
                }
                None => self.put(UNKNOWN, out),
            },
            _ => {
                self.end_half(out);
                self.put(b"\\u", out);
                self.put(&digits, out);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(text: &[u8]) -> Value {
        let mended = mended(text);
        serde_json::from_slice(&mended)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&mended)))
    }

    #[test]
    fn what_is_written_wrongly_is_read_as_it_was_meant() {
        for (text, meant) in [
            (&br#"["a\qb"]"#[..], json!(["a\\qb"])),
            (br#"["C:\Users\x41"]"#, json!(["C:\\Users\\x41"])),
            (br#"["\u12"]"#, json!(["\\u12"])),
            (br#"["\u12\""]"#, json!(["\\u12\""])),
            (br#"["\ud83d\ude00"]"#, json!(["\u{1f600}"])),
            (
                br#"["\ud83d", "\ud83dx", "\ud83d\n", "\ude00", "\ud83d\ud83d\ude00"]"#,
                json!(["\u{fffd}", "\u{fffd}x", "\u{fffd}\n", "\u{fffd}", "\u{fffd}\u{1f600}"]),
            ),
            (b"[\"a\tb\x1b\"]", json!(["a\tb\u{1b}"])),
            (b"[\"caf\xe9\", 1]", json!(["caf\u{fffd}", 1])),
            (b"[1e400, -1e999, 1e300, -0]", json!([null, null, 1e300, -0.0])),
        ] {
            assert_eq!(read(text), meant, "{}", String::from_utf8_lossy(text));
        }
        let long = format!("[1{}]", "0".repeat(100_000));
        assert_eq!(read(long.as_bytes()), json!([null]));
    }

    #[test]
    fn what_lies_too_deep_becomes_null_and_takes_no_memory() {
        let deep = format!(r#"{{"a":{}"x]"{},"b":1}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let mended = mended(deep.as_bytes());
        assert!(mended.len() < 200, "{}", mended.len());
        assert_eq!(read(deep.as_bytes())["b"], 1);
    }

    proptest! {
        #[test]
        fn good_json_means_what_it_meant_whatever_the_pieces(
            texts in prop::collection::vec("\\PC{0,12}", 0..6),
            numbers in prop::collection::vec(any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), 0..6),
            cuts in prop::collection::vec(0..400_usize, 0..8),
        ) {
            let value = json!({"texts": texts, "numbers": numbers, "deep": [[[{"a": [1, -2, true, null]}]]]});
            let text = value.to_string();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let (mut mender, mut out) = (Mender::default(), Vec::new());
            for pair in cuts.windows(2) {
                mender.feed(&text.as_bytes()[pair[0]..pair[1]], &mut out);
            }
            mender.end(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = mended(&bytes);
        }

        #[test]
        fn any_text_between_quotation_marks_is_readable(text in "[^\"\\\\]{0,20}(\\\\[^\"\\\\]{1,3}){0,4}") {
            let quoted = format!("[\"{text}\"]");
            prop_assert!(serde_json::from_slice::<Value>(&mended(quoted.as_bytes())).is_ok(), "{}", quoted);
        }
    }
}
