//! The format of rclone.conf, parsed as tolerantly as rclone does (measured on v1.75.2).
//!
//! - Lines are trimmed, line ends may be CR LF, a byte order mark is skipped.
//! - `#` and `;` begin a comment only at the beginning of a line.
//! - `key = value` and `key: value` are the same; the first `=` or `:` separates. A key may be in `"` or `` ` ``.
//! - A value in `` ` `` or `"""` loses these quotes; any other quote is part of the value.
//! - A section that comes twice is one section; of a key that comes twice the last value counts.
//! - Keys before the first section belong to a section `DEFAULT`.
//! - `%(key)s` in a value means the value of that key in the same section or else in `DEFAULT`, or nothing.
//! - Keys and names are case-sensitive.

use std::fmt;

/// Name of the section for keys before any section.
pub const DEFAULT_SECTION: &str = "DEFAULT";

/// How deep `%(key)s` may refer; deeper references are taken for a circle and left as they are.
const MAX_REFERENCES: usize = 32;

/// Why a file can't be parsed. The line isn't part of the error, since it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IniError {
    /// A line is no section, key or comment.
    #[error("line {line}: {fault}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with the line.
        fault: LineFault,
    },
    /// The file is in rclone's encrypted form.
    #[error("the configuration is encrypted, and no password was given")]
    Encrypted,
    /// The file is in an encrypted form that rclone v1.75 doesn't know either.
    #[error("the configuration is encrypted in an unknown way. Give another file with --config.")]
    UnknownEncryption,
}

/// A mistake in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The heading isn't closed, as in `[name`, or text follows it, as in `[name] more`.
    #[error("a section must end with `]`")]
    UnclosedSection,
    /// The name of the section is empty, as in `[]`.
    #[error("a section needs a name")]
    EmptySection,
    /// The line has neither `=` nor `:`.
    #[error("expected `key = value`")]
    NoDivider,
    /// There is no key before `=`.
    #[error("there is no key before the `=`")]
    EmptyKey,
    /// A quote at the beginning of a key or value isn't closed.
    #[error("a quote is not closed")]
    UnclosedQuote,
}

/// One `key = value`.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, as written.
    pub key: String,
    /// Meaning of the value: references resolved.
    pub value: String,
    /// The value as written: trimmed and without quotes, references as they are.
    pub written: String,
    /// Number of the line whose value counts.
    pub line: usize,
}

/// Hides the value, which may be a password.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = <hidden> (line {})", self.key, self.line)
    }
}

/// A section of the file: one remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name of the remote.
    pub name: String,
    /// Number of the line of its first heading; 0 for keys before any heading.
    pub line: usize,
    /// All keys, known or not, in their order.
    pub entries: Vec<Entry>,
}

impl Section {
    /// Returns the entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entry(key).map(|entry| entry.value.as_str())
    }

    fn set(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }
}

/// Returns the first `%(name)s` of a value, with the text before and after it. A name has no `)`, and at least a
/// letter.
pub(crate) fn reference(value: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(start) = value[from..].find("%(").map(|at| from + at) {
        let rest = &value[start + 2..];
        let name = rest.split(')').next().unwrap_or_default();
        match rest[name.len()..].strip_prefix(")s") {
            Some(after) if !name.is_empty() => return Some((&value[..start], name, after)),
            _ => from = start + 2,
        }
    }
    None
}

/// Content of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IniFile {
    sections: Vec<Section>,
}

impl IniFile {
    /// Parses a file's text.
    ///
    /// ```
    /// use fichier_config::IniFile;
    ///
    /// let file = IniFile::parse("[cloud]\ntype = fichier\n# the account of Ada\napi_key = a=b\n")?;
    /// assert_eq!(file.section("cloud").unwrap().get("api_key"), Some("a=b"));
    /// # Ok::<(), fichier_config::IniError>(())
    /// ```
    ///
    /// # Errors
    /// A line that rclone wouldn't accept either, the first one; or an encrypted file.
    pub fn parse(text: &str) -> Result<IniFile, IniError> {
        let mut file = IniFile::default();
        let mut current = DEFAULT_SECTION.to_owned();
        let mut first = true;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let number = number + 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if first {
                check_encryption(line)?;
                first = false;
            }
            let at_line = |fault| IniError::Line { line: number, fault };
            if line.starts_with('[') {
                current = section_name(line).map_err(at_line)?.to_owned();
                file.section_mut(&current, number);
            } else {
                let (key, value) = key_and_value(line).map_err(at_line)?;
                let (key, value) = (key.to_owned(), value.to_owned());
                let entry = Entry { key, written: value.clone(), value, line: number };
                file.section_mut(&current, 0).set(entry);
            }
        }
        file.resolve_references();
        Ok(file)
    }

    fn resolve_references(&mut self) {
        let written = self.clone();
        for section in &mut self.sections {
            for entry in &mut section.entries {
                entry.value = written.resolved(&section.name, &entry.written);
            }
        }
    }

    fn resolved(&self, section: &str, value: &str) -> String {
        let mut value = value.to_owned();
        for _ in 0..MAX_REFERENCES {
            let Some((before, key, after)) = reference(&value) else { break };
            let entry = [section, DEFAULT_SECTION].iter().find_map(|name| self.section(name)?.entry(key));
            value = [before, entry.map_or("", |entry| &entry.written), after].concat();
        }
        value
    }

    /// Returns all sections in their order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Returns the section of this name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    fn section_mut(&mut self, name: &str, line: usize) -> &mut Section {
        let at = match self.sections.iter().position(|section| section.name == name) {
            Some(at) => at,
            None => {
                self.sections.push(Section { name: name.to_owned(), line, entries: Vec::new() });
                self.sections.len() - 1
            }
        };
        &mut self.sections[at]
    }
}

/// Returns an error if the file's first line, comments aside, says that it is encrypted.
fn check_encryption(line: &str) -> Result<(), IniError> {
    if line.starts_with("RCLONE_ENCRYPT_V0:") {
        Err(IniError::Encrypted)
    } else if line.starts_with("RCLONE_ENCRYPT_V") {
        Err(IniError::UnknownEncryption)
    } else {
        Ok(())
    }
}

pub(crate) fn section_name(line: &str) -> Result<&str, LineFault> {
    let inner =
        line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(LineFault::UnclosedSection)?;
    match inner.trim() {
        "" => Err(LineFault::EmptySection),
        name => Ok(name),
    }
}

pub(crate) fn key_and_value(line: &str) -> Result<(&str, &str), LineFault> {
    let quote = line.chars().next().filter(|first| ['"', '`'].contains(first));
    let (key, rest) = match quote {
        Some(quote) => {
            let (key, rest) = line[1..].split_once(quote).ok_or(LineFault::UnclosedQuote)?;
            (key, rest.split_once(['=', ':']).ok_or(LineFault::NoDivider)?.1)
        }
        None => line.split_once(['=', ':']).ok_or(LineFault::NoDivider)?,
    };
    if key.trim().is_empty() {
        return Err(LineFault::EmptyKey);
    }
    Ok((key.trim(), unquoted(rest.trim())?))
}

/// Returns the value without its quotes, which end at the last quote of the line. A text too short to hold two quotes
/// is a plain one.
fn unquoted(value: &str) -> Result<&str, LineFault> {
    for quote in ["\"\"\"", "`"] {
        if let Some(rest) = value.strip_prefix(quote).filter(|_| value.len() >= 2 * quote.len()) {
            return rest.rsplit_once(quote).map(|(inner, _)| inner).ok_or(LineFault::UnclosedQuote);
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str, section: &str, key: &str) -> String {
        IniFile::parse(text).unwrap().section(section).unwrap().get(key).unwrap().to_owned()
    }

    // Meaning of each line as `rclone config dump` of v1.75.2 shows it.
    #[test]
    fn values_are_read_as_rclone_reads_them() {
        for (line, key, meaning) in [
            ("k=a=b # c ; d", "k", "a=b # c ; d"),
            ("  k   =   y z  ", "k", "y z"),
            ("k: v=1", "k", "v=1"),
            ("k=v:1", "k", "v:1"),
            ("k: 1: 2", "k", "1: 2"),
            ("k := 3", "k", "= 3"),
            ("k =", "k", ""),
            ("k = \"q\"", "k", "\"q\""),
            ("k = 'q'", "k", "'q'"),
            ("k = \"un", "k", "\"un"),
            ("k = \"\"", "k", "\"\""),
            ("k = '''x", "k", "'''x"),
            ("k = `x`", "k", "x"),
            ("k = \"\"\"x\"\"\"", "k", "x"),
            ("k = `x`y", "k", "x"),
            ("k = ``", "k", ""),
            ("k = `", "k", "`"),
            ("k = \"\"\"", "k", "\"\"\""),
            ("k = \"\"\"x\"", "k", "\"\"\"x\""),
            ("k = `a`b`c", "k", "a`b"),
            ("k = \"\"\"a`b\"\"\"", "k", "a`b"),
            ("k = ` x `", "k", " x "),
            ("k = %()s", "k", "%()s"),
            ("k = %(a)b)s", "k", "%(a)b)s"),
            ("k = %(b", "k", "%(b"),
            ("k = a\\", "k", "a\\"),
            ("k = # x", "k", "# x"),
            ("k = \tv\t", "k", "v"),
            ("cr = x  \r", "cr", "x"),
            ("`bt` = 1", "bt", "1"),
            ("\"k=x\" = 1", "k=x", "1"),
            ("h://x = 2", "h", "//x = 2"),
            ("x#y = 3", "x#y", "3"),
            ("//c = 1", "//c", "1"),
            ("a b = 3", "a b", "3"),
            ("Type = U", "Type", "U"),
            ("RCLONE_ENCRYPT_V0:", "RCLONE_ENCRYPT_V0", ""),
        ] {
            assert_eq!(value(&format!("[s]\n{line}\n"), "s", key), meaning, "{line}");
        }
    }

    #[test]
    fn sections_are_read_as_rclone_reads_them() {
        assert_eq!(value("\u{feff}# top\ndangling = 1\n[one]\nx=2", DEFAULT_SECTION, "dangling"), "1");
        assert_eq!(value("[ sp ace ]\nk=1", "sp ace", "k"), "1");
        assert_eq!(value(" [a]]\r\nk=1\r\n", "a]", "k"), "1");
        let twice = "[a]\nk = 1\n[b]\nk = 2\n[a]\nk = 3\nz = 4\nk = 5\n";
        let file = IniFile::parse(twice).unwrap();
        let names: Vec<&str> = file.sections().iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let a: Vec<_> =
            file.section("a").unwrap().entries.iter().map(|e| (&*e.key, &*e.value, e.line)).collect();
        assert_eq!(a, [("k", "5", 8), ("z", "4", 7)]);
    }

    #[test]
    fn a_reference_stands_for_another_value() {
        assert_eq!(value("[a]\nremote = x%(type)sy\ntype = t", "a", "remote"), "xty");
        assert_eq!(value("[a]\nremote = %(gone)s", "a", "remote"), "");
        assert_eq!(value("[a]\nx = %(b)s%(c)s%(d)s\nb=1\nc=2", "a", "x"), "12");
        assert_eq!(value("[DEFAULT]\ng=9\n[a]\nx = %(g)s", "a", "x"), "9");
        assert!(value("[a]\nremote = %(remote)s!", "a", "remote").starts_with("%(remote)s"));
    }

    // rclone refuses all of these, too.
    #[test]
    fn a_fault_names_its_line() {
        for (text, line, fault) in [
            ("noeq", 1, LineFault::NoDivider),
            ("[a]\n\nfoo\nb=1", 3, LineFault::NoDivider),
            ("[a\nx=1", 1, LineFault::UnclosedSection),
            ("[a]b\nk=1", 1, LineFault::UnclosedSection),
            ("[b]#c", 1, LineFault::UnclosedSection),
            ("[]\nx=1", 1, LineFault::EmptySection),
            ("[a]\n=v", 2, LineFault::EmptyKey),
            ("[a]\nk = `x\nb=1", 2, LineFault::UnclosedQuote),
            ("[a]\n\"un = 1", 2, LineFault::UnclosedQuote),
            ("[a]\nk =\"\"\"multi\nline\"\"\"", 2, LineFault::UnclosedQuote),
            ("[a]\nk = `x`\nl = \"\"\"multi", 3, LineFault::UnclosedQuote),
        ] {
            assert_eq!(IniFile::parse(text), Err(IniError::Line { line, fault }), "{text}");
        }
    }

    #[test]
    fn an_encrypted_file_is_told_apart() {
        let encrypted = "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAbCd\n";
        assert_eq!(IniFile::parse(encrypted), Err(IniError::Encrypted));
        assert_eq!(IniFile::parse("RCLONE_ENCRYPT_V1:\nAbCd"), Err(IniError::UnknownEncryption));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader_and_no_error_quotes_it(text in "([\\[\\]=:#;\"`%() \ta-c]{0,12}\n){0,8}") {
            match IniFile::parse(&text) {
                Ok(file) => for section in file.sections() {
                    for entry in &section.entries {
                        prop_assert!(section.get(&entry.key).is_some());
                    }
                },
                Err(IniError::Line { line, .. }) => prop_assert!(line >= 1 && line <= text.lines().count()),
                Err(_) => prop_assert!(text.contains("RCLONE_ENCRYPT")),
            }
        }

        #[test]
        fn what_is_written_plainly_is_read_back(value in "[^\\s`\"%][^\r\n`\"%]{0,30}[^\\s`\"%]") {
            prop_assert_eq!(self::value(&format!("[a]\nkey = {value}\n"), "a", "key"), value.trim());
        }
    }
}
