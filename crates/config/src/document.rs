//! rclone.conf as text for editing: what an edit doesn't name stays as it is, byte by byte.
//!
//! [`IniFile`] holds the meaning of a file; a [`Document`] holds its text. Unknown sections and keys, comments,
//! order, empty lines, line ends and bytes that aren't UTF-8 are kept.
//!
//! A comment right above a heading belongs to that section and is removed with it.

use std::fmt;

use crate::ini::{IniError, IniFile, key_and_value, reference, section_name};

/// Why an edit of a configuration file isn't possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No section has this name.
    #[error("there is no remote {0:?} in the configuration file")]
    NoSection(String),
    /// A section of this name exists already.
    #[error("there is a remote {0:?} already")]
    SectionExists(String),
    /// A heading can't hold this name.
    #[error("{0:?} can't be the name of a remote")]
    Name(String),
    /// A line can't hold this key.
    #[error("{0:?} can't be the name of an option")]
    Key(String),
    /// A line can't hold the value of this key. The value isn't kept, since it may be a secret.
    #[error("the value for {0} can't be stored: it holds a line end, or a reference like %(name)s")]
    Value(String),
}

/// Kind of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Blank,
    Comment,
    Heading(String),
    Entry(String),
}

#[derive(Clone, PartialEq, Eq)]
struct Line {
    /// The line as it is in the file, with its end.
    bytes: Vec<u8>,
    kind: Kind,
}

/// Text of a configuration file.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Document {
    lines: Vec<Line>,
}

/// Shows only its length; the text holds secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} lines)", self.lines.len())
    }
}

impl Document {
    /// Parses a file's bytes.
    ///
    /// ```
    /// use fichier_config::Document;
    ///
    /// let mut document = Document::parse(b"# mine\n[cloud]\ntype = fichier\n")?;
    /// document.set("cloud", "cdn", "true")?;
    /// assert_eq!(document.to_bytes(), b"# mine\n[cloud]\ntype = fichier\ncdn = true\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`IniFile::parse`] fails: a file that can't be parsed must not be changed either.
    pub fn parse(bytes: &[u8]) -> Result<Document, IniError> {
        IniFile::parse(&String::from_utf8_lossy(bytes))?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(line);
        Ok(Document { lines: lines.collect() })
    }

    /// Returns the file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| &line.bytes).copied().collect()
    }

    /// Returns the meaning of the text.
    ///
    /// # Errors
    /// As [`IniFile::parse`]; edits never cause one.
    pub fn meaning(&self) -> Result<IniFile, IniError> {
        IniFile::parse(&String::from_utf8_lossy(&self.to_bytes()))
    }

    /// Checks whether a section of this name exists.
    #[must_use]
    pub fn has_section(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.is_heading(name))
    }

    /// Adds an empty section at the end.
    ///
    /// # Errors
    /// A section of this name exists, or the name can't be written.
    pub fn add_section(&mut self, name: &str) -> Result<(), EditError> {
        let heading = heading(name)?;
        if self.has_section(name) {
            return Err(EditError::SectionExists(name.to_owned()));
        }
        self.end_with_blank();
        self.push(heading, Kind::Heading(name.to_owned()));
        self.push(String::new(), Kind::Blank);
        Ok(())
    }

    /// Sets the value of a key in a section. Changes the line that counts, or adds a line at the section's end.
    ///
    /// # Errors
    /// No section has this name, or the key or value can't be written.
    pub fn set(&mut self, section: &str, key: &str, value: &str) -> Result<(), EditError> {
        let text = entry(key, value)?;
        if !self.has_section(section) {
            return Err(EditError::NoSection(section.to_owned()));
        }
        let bytes = [text.as_bytes(), self.line_end().as_bytes()].concat();
        let new = Line { bytes, kind: Kind::Entry(key.to_owned()) };
        if let Some(at) = self.places(section).rfind(|at| self.lines[*at].is_entry(key)) {
            self.lines[at] = new;
            return Ok(());
        }
        let last = self
            .places(section)
            .rfind(|at| matches!(self.lines[*at].kind, Kind::Entry(_) | Kind::Heading(_)));
        // A section that exists has at least a heading.
        let at = last.map_or(self.lines.len(), |at| at + 1);
        self.end_line_before(at);
        self.lines.insert(at, new);
        Ok(())
    }

    /// Removes a key from a section, all lines of it. Returns whether it was there.
    ///
    /// # Errors
    /// No section has this name.
    pub fn unset(&mut self, section: &str, key: &str) -> Result<bool, EditError> {
        if !self.has_section(section) {
            return Err(EditError::NoSection(section.to_owned()));
        }
        let places: Vec<_> = self.places(section).filter(|at| self.lines[*at].is_entry(key)).collect();
        for at in places.iter().rev() {
            self.lines.remove(*at);
        }
        Ok(!places.is_empty())
    }

    /// Removes a section with its comments, all parts of it. Returns whether it was there.
    pub fn remove_section(&mut self, name: &str) -> bool {
        let there = self.has_section(name);
        for (start, end) in self.blocks(name).into_iter().rev() {
            self.lines.drain(start..end);
        }
        there
    }

    /// Renames a section.
    ///
    /// # Errors
    /// No section has the old name, one has the new name already, or the new name can't be written.
    pub fn rename_section(&mut self, name: &str, new: &str) -> Result<(), EditError> {
        let heading = heading(new)?;
        if !self.has_section(name) {
            return Err(EditError::NoSection(name.to_owned()));
        }
        if self.has_section(new) {
            return Err(EditError::SectionExists(new.to_owned()));
        }
        let end = self.line_end();
        for line in self.lines.iter_mut().filter(|line| line.is_heading(name)) {
            line.bytes = [heading.as_bytes(), end.as_bytes()].concat();
            line.kind = Kind::Heading(new.to_owned());
        }
        Ok(())
    }

    /// Adds a copy of a section at the end, including the comments between its lines.
    ///
    /// # Errors
    /// As [`Document::rename_section`].
    pub fn copy_section(&mut self, name: &str, new: &str) -> Result<(), EditError> {
        if !self.has_section(name) {
            return Err(EditError::NoSection(name.to_owned()));
        }
        self.add_section(new)?;
        let mut content = Vec::new();
        for (start, end) in self.blocks(name) {
            // A comment above the heading is about the old section only.
            let lines = self.lines[start..end].iter();
            content.extend(lines.skip_while(|line| !line.is_heading(name)).cloned());
        }
        let content: Vec<_> =
            content.into_iter().filter(|line| matches!(line.kind, Kind::Entry(_) | Kind::Comment)).collect();
        for mut line in content {
            if !line.bytes.ends_with(b"\n") {
                line.bytes.extend_from_slice(self.line_end().as_bytes());
            }
            let at = self.lines.len() - 1;
            self.lines.insert(at, line);
        }
        Ok(())
    }

    /// Returns the lines that belong to a section, including headings but not the comments above the next heading.
    fn places(&self, section: &str) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let blocks = self.blocks(section);
        blocks.into_iter().flat_map(|(start, end)| start..end)
    }

    /// Returns the ranges of a section's lines, one for each of its headings.
    fn blocks(&self, section: &str) -> Vec<(usize, usize)> {
        let starts: Vec<_> = (0..self.lines.len())
            .filter(|at| matches!(self.lines[*at].kind, Kind::Heading(_)))
            .map(|at| (self.start_of(at), at))
            .collect();
        let mut blocks = Vec::new();
        for (index, (start, heading)) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(self.lines.len(), |(next, _)| *next);
            if self.lines[*heading].is_heading(section) {
                blocks.push((*start, end));
            }
        }
        blocks
    }

    /// Returns where the comment that belongs to a heading begins.
    fn start_of(&self, heading: usize) -> usize {
        let above = self.lines[..heading].iter().rev();
        heading - above.take_while(|line| line.kind == Kind::Comment).count()
    }

    fn line_end(&self) -> &'static str {
        let windows = self.lines.first().is_some_and(|line| line.bytes.ends_with(b"\r\n"));
        if windows { "\r\n" } else { "\n" }
    }

    fn push(&mut self, text: String, kind: Kind) {
        let bytes = (text + self.line_end()).into_bytes();
        self.lines.push(Line { bytes, kind });
    }

    /// Adds a line end to the line before a place, if it lacks one.
    fn end_line_before(&mut self, at: usize) {
        let end = self.line_end();
        if let Some(line) = at.checked_sub(1).and_then(|before| self.lines.get_mut(before))
            && !line.bytes.ends_with(b"\n")
        {
            line.bytes.extend_from_slice(end.as_bytes());
        }
    }

    fn end_with_blank(&mut self) {
        self.end_line_before(self.lines.len());
        if self.lines.last().is_some_and(|line| line.kind != Kind::Blank) {
            self.push(String::new(), Kind::Blank);
        }
    }
}

impl Line {
    fn is_heading(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Heading(heading) if heading == name)
    }

    fn is_entry(&self, key: &str) -> bool {
        matches!(&self.kind, Kind::Entry(entry) if entry == key)
    }
}

/// Returns a line of a file that was parsed before without an error.
fn line(bytes: &[u8]) -> Line {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim();
    let kind = if text.is_empty() {
        Kind::Blank
    } else if text.starts_with(['#', ';']) {
        Kind::Comment
    } else if let Ok(name) = section_name(text) {
        Kind::Heading(name.to_owned())
    } else {
        Kind::Entry(key_and_value(text).map(|(key, _)| key.to_owned()).unwrap_or_default())
    };
    Line { bytes: bytes.to_vec(), kind }
}

/// Returns the heading of a section, if parsing it gives the name again.
fn heading(name: &str) -> Result<String, EditError> {
    let heading = format!("[{name}]");
    match section_name(&heading) {
        Ok(read) if read == name && !name.contains(['\n', '\r']) => Ok(heading),
        _ => Err(EditError::Name(name.to_owned())),
    }
}

/// Returns the line of a key and a value, if parsing it gives both again.
fn entry(key: &str, value: &str) -> Result<String, EditError> {
    let keys = [key.to_owned(), format!("`{key}`")];
    let is_key = |written: &&String| {
        !written.starts_with(['#', ';', '['])
            && !key.contains(['\n', '\r'])
            && key_and_value(&format!("{written} = x")) == Ok((key, "x"))
    };
    let written = keys.iter().find(is_key).ok_or_else(|| EditError::Key(key.to_owned()))?;
    if value.contains(['\n', '\r']) || reference(value).is_some() {
        return Err(EditError::Value(key.to_owned()));
    }
    // A value with spaces at the ends or a quote at the beginning needs quotes around it.
    let lines = [format!("{written} = {value}"), format!("{written} = `{value}`")];
    let is_line = |line: &String| key_and_value(line.trim()) == Ok((key, value));
    lines.into_iter().find(is_line).ok_or_else(|| EditError::Value(key.to_owned()))
}

#[cfg(test)]
mod tests;
