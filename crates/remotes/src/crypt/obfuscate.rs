//! Names whose characters are shifted: no encryption, but unreadable at a glance, and hardly longer.

/// Character before one that is meant literally.
const QUOTE: char = '!';

/// Shifts the characters of a name. `key_sum` is the sum of the key's bytes.
pub(super) fn obfuscate(name: &[u8], key_sum: u32) -> Vec<u8> {
    if name.is_empty() {
        return Vec::new();
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return [b"!.", name].concat();
    };
    let sum = text.chars().fold(0_u32, |sum, character| sum.wrapping_add(u32::from(character))) % 256;
    let turn = sum + key_sum;
    let mut turned = format!("{sum}.");
    for character in text.chars() {
        match turned_by(character, turn, Way::Forward) {
            Turned::To(other) => turned.push(other),
            Turned::Quoted => turned.extend([QUOTE, character]),
        }
    }
    turned.into_bytes()
}

/// Shifts the characters back; `None` if the name wasn't made this way.
pub(super) fn reveal(name: &[u8], key_sum: u32) -> Option<Vec<u8>> {
    if name.is_empty() {
        return Some(Vec::new());
    }
    if let Some(literal) = name.strip_prefix(b"!.") {
        return Some(literal.to_vec());
    }
    let text = std::str::from_utf8(name).ok()?;
    let (sum, turned) = text.split_once('.')?;
    let turn = sum.parse::<u32>().ok().filter(|sum| *sum < 256)? + key_sum;
    let mut plain = String::with_capacity(turned.len());
    let mut characters = turned.chars();
    while let Some(character) = characters.next() {
        match turned_by(character, turn, Way::Back) {
            Turned::To(other) => plain.push(other),
            Turned::Quoted if character == QUOTE => plain.push(characters.next()?),
            Turned::Quoted => return None,
        }
    }
    Some(plain.into_bytes())
}

#[derive(Clone, Copy)]
enum Way {
    Forward,
    Back,
}

enum Turned {
    To(char),
    /// The character is the quote, or there is none where it would be shifted to.
    Quoted,
}

/// Shifts a character inside its group of characters.
fn turned_by(character: char, turn: u32, way: Way) -> Turned {
    if character == QUOTE {
        return Turned::Quoted;
    }
    let code = u32::from(character);
    let other = match character {
        '0'..='9' => u32::from(b'0') + turned(code - u32::from(b'0'), turn % 9 + 1, 10, way),
        'A'..='Z' | 'a'..='z' => {
            let lower = u32::from(b'a');
            let place = if code >= lower { code - lower + 26 } else { code - u32::from(b'A') };
            let place = turned(place, turn % 25 + 1, 52, way);
            if place >= 26 { lower + place - 26 } else { u32::from(b'A') + place }
        }
        '\u{A0}'..='\u{FF}' => 0xA0 + turned(code - 0xA0, turn % 95 + 1, 96, way),
        '\u{100}'.. => {
            let inside = code % 256;
            code - inside + turned(inside, turn % 127 + 1, 256, way)
        }
        _ => code,
    };
    char::from_u32(other).map_or(Turned::Quoted, Turned::To)
}

fn turned(place: u32, by: u32, group: u32, way: Way) -> u32 {
    match way {
        Way::Forward => (place + by) % group,
        Way::Back => (place + group - by) % group,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_text_is_marked_and_kept() {
        assert_eq!(obfuscate(b"\xff", 7), b"!.\xff");
        assert_eq!(reveal(b"!.\xff", 7).unwrap(), b"\xff");
        for other in ["", "x", "x.y", "256.y", "-1.y"] {
            assert!(other.is_empty() || reveal(other.as_bytes(), 7).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn names_come_back(name in ".{1,30}", key_sum in 0_u32..8161) {
            let turned = obfuscate(name.as_bytes(), key_sum);
            prop_assert_eq!(reveal(&turned, key_sum).unwrap(), name.into_bytes());
        }

        #[test]
        fn nothing_panics(name in proptest::collection::vec(any::<u8>(), 0..30), key_sum in 0_u32..8161) {
            let _ = reveal(&name, key_sum);
        }
    }
}
