//! Metadata of a file besides its content, name and size, key by key.
//!
//! Values are text, as rclone's are. On a disk they are bytes. Those that aren't UTF-8 become private characters in
//! the text, so that a copy is equal to the original.

/// Keys and values, sorted by key.
pub type Metadata = Vec<(String, String)>;

/// Character that represents the byte zero; the others follow it.
const FIRST: u32 = 0x0010_ff00;

/// Returns the bytes of a value as text.
#[must_use]
pub fn value_of(bytes: &[u8]) -> String {
    let mut value = String::with_capacity(bytes.len());
    let stands = |byte: u8| char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match stands_for(character) {
                // A private character itself is written byte by byte, so that it comes back.
                Some(_) => value.extend(character.encode_utf8(&mut [0; 4]).bytes().map(stands)),
                None => value.push(character),
            }
        }
        value.extend(chunk.invalid().iter().copied().map(stands));
    }
    value
}

/// Returns a text value as bytes.
#[must_use]
pub fn bytes_of(value: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    for character in value.chars() {
        match stands_for(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn stands_for(character: char) -> Option<u8> {
    u32::from(character).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_come_back() {
        for bytes in [&b"plain"[..], b"", b"\xff\0\xfe", "é\u{10ff41}".as_bytes(), b"\xf4\x8f\xbd"] {
            assert_eq!(bytes_of(&value_of(bytes)), bytes);
        }
        assert_eq!(value_of("é".as_bytes()), "é");
    }
}
