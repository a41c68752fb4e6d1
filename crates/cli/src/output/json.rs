//! JSON as Go's encoder writes it, so that scripts see the same bytes.

use std::borrow::Cow;

/// Whether `<`, `>` and `&` are escaped: Go does so in data, and doesn't in its logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Html {
    #[default]
    Escaped,
    Plain,
}

/// Appends a JSON string. Bytes that aren't UTF-8 become U+FFFD.
pub(crate) fn string(out: &mut Vec<u8>, bytes: &[u8], html: Html) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(out, character, html);
        }
        // One replacement for each byte, as Go counts them.
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
    out.push(b'"');
}

fn push(out: &mut Vec<u8>, character: char, html: Html) {
    match character {
        '<' | '>' | '&' if html == Html::Plain => out.push(character as u8),
        '"' => out.extend_from_slice(br#"\""#),
        '\\' => out.extend_from_slice(br"\\"),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        '\u{8}' => out.extend_from_slice(br"\b"),
        '\u{c}' => out.extend_from_slice(br"\f"),
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// A JSON object whose members are written in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Object {
    html: Html,
    members: Vec<(Cow<'static, str>, Member)>,
}

#[derive(Debug)]
enum Member {
    /// Text of a value as it is written.
    Plain(Vec<u8>),
    Object(Object),
}

impl Object {
    /// Makes an object in which `<`, `>` and `&` aren't escaped.
    pub(crate) fn plain_html() -> Self {
        Self { html: Html::Plain, members: Vec::new() }
    }

    /// Adds a string.
    pub(crate) fn string(&mut self, name: impl Into<Cow<'static, str>>, value: impl AsRef<[u8]>) {
        let mut text = Vec::new();
        string(&mut text, value.as_ref(), self.html);
        self.members.push((name.into(), Member::Plain(text)));
    }

    /// Adds a number, `true` or `false`.
    pub(crate) fn plain(&mut self, name: impl Into<Cow<'static, str>>, value: impl std::fmt::Display) {
        self.members.push((name.into(), Member::Plain(format!("{value}").into_bytes())));
    }

    /// Adds an object.
    pub(crate) fn object(&mut self, name: impl Into<Cow<'static, str>>, value: Self) {
        self.members.push((name.into(), Member::Object(value)));
    }

    /// Returns the object on one line.
    pub(crate) fn compact(&self) -> Vec<u8> {
        let mut text = vec![b'{'];
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            string(&mut text, name.as_bytes(), self.html);
            text.push(b':');
            match value {
                Member::Plain(value) => text.extend_from_slice(value),
                Member::Object(object) => text.extend_from_slice(&object.compact()),
            }
        }
        text.push(b'}');
        text
    }

    /// Returns the object with one member per line, indented by tabs.
    pub(crate) fn indented(&self) -> Vec<u8> {
        self.indented_by(1)
    }

    fn indented_by(&self, depth: usize) -> Vec<u8> {
        if self.members.is_empty() {
            return b"{}".to_vec();
        }
        let mut text = b"{".to_vec();
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.push(b'\n');
            text.extend(std::iter::repeat_n(b'\t', depth));
            string(&mut text, name.as_bytes(), self.html);
            text.extend_from_slice(b": ");
            match value {
                Member::Plain(value) => text.extend_from_slice(value),
                Member::Object(object) => text.extend_from_slice(&object.indented_by(depth + 1)),
            }
        }
        text.push(b'\n');
        text.extend(std::iter::repeat_n(b'\t', depth - 1));
        text.push(b'}');
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        string(&mut out, bytes, Html::Escaped);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn go_escapes() {
        assert_eq!(text(b"page & <x>"), r#""page \u0026 \u003cx\u003e""#);
        assert_eq!(text(b"bad\xffname"), r#""bad\ufffdname""#);
        assert_eq!(text(b"a\xe6\x97"), r#""a\ufffd\ufffd""#);
        assert_eq!(text("\u{1}\u{7f}\u{2028}é".as_bytes()), "\"\\u0001\u{7f}\\u2028é\"");
    }

    #[test]
    fn members_keep_their_order() {
        let mut object = Object::default();
        object.plain("z", 1);
        object.string("a", "x");
        assert_eq!(object.compact(), br#"{"z":1,"a":"x"}"#);
        assert_eq!(object.indented(), b"{\n\t\"z\": 1,\n\t\"a\": \"x\"\n}");
    }

    #[test]
    fn objects_within_are_indented_further() {
        let (mut outer, mut inner) = (Object::default(), Object::default());
        inner.plain("n", 1);
        outer.object("in", inner);
        outer.object("nothing", Object::default());
        assert_eq!(outer.compact(), br#"{"in":{"n":1},"nothing":{}}"#);
        assert_eq!(outer.indented(), b"{\n\t\"in\": {\n\t\t\"n\": 1\n\t},\n\t\"nothing\": {}\n}");
    }

    proptest! {
        #[test]
        fn text_survives(value in ".*") {
            prop_assert_eq!(serde_json::from_str::<String>(&text(value.as_bytes())).unwrap(), value);
        }
    }
}
