//! Lines of files that hold rules or names.

use bstr::ByteSlice;

use crate::FilterError;

/// Length from which rclone refuses a line, in bytes.
const TOO_LONG: usize = 64 * 1024;

/// How to read the lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Space around a line is ignored, and so are empty lines and those that begin with `#` or `;`.
    Commented,
    /// Every line is used as it is.
    Raw,
    /// Every line is used as it is, and ends with a NUL byte.
    Nul,
}

/// Returns the lines that count.
///
/// # Errors
/// A line is too long.
pub(crate) fn of(content: &[u8], notation: Notation) -> Result<Vec<&[u8]>, FilterError> {
    let end = if notation == Notation::Nul { b'\0' } else { b'\n' };
    let content = content.strip_suffix(&[end]).map_or(content, |content| content);
    if content.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    for (number, line) in content.split(|byte| *byte == end).enumerate() {
        if line.len() >= TOO_LONG {
            return Err(FilterError::LineTooLong(number + 1));
        }
        match notation {
            Notation::Nul => lines.push(line),
            Notation::Raw => lines.push(line.strip_suffix(b"\r").unwrap_or(line)),
            Notation::Commented => {
                let line = line.trim();
                if !matches!(line.first(), None | Some(b'#' | b';')) {
                    lines.push(line);
                }
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        let content = b" a \r\n\n#b\n;c\n d;e\0f";
        let text = |notation| of(content, notation).unwrap();
        assert_eq!(text(Notation::Commented), [&b"a"[..], b"d;e\0f"]);
        assert_eq!(text(Notation::Raw), [&b" a "[..], b"", b"#b", b";c", b" d;e\0f"]);
        assert_eq!(text(Notation::Nul), [&b" a \r\n\n#b\n;c\n d;e"[..], b"f"]);
        assert!(of(b"", Notation::Raw).unwrap().is_empty());
        assert_eq!(of(&[b'a'; TOO_LONG], Notation::Raw), Err(FilterError::LineTooLong(1)));
    }
}
