//! rclone.conf as text that is edited: what an edit doesn't name stays as it is, byte by byte.
//!
//! [`IniFile`] tells what a file means; a [`Document`] is what is written in it. Unknown
//! sections and keys, comments, order, empty lines, line ends and bytes that aren't UTF-8 survive.
//!
//! A comment right above a heading belongs to that section and goes with it.

use std::fmt;

use crate::ini::{IniError, IniFile, key_and_value, reference, section_name};

/// Why something can't be written into a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no section of this name.
    #[error("there is no remote {0:?} in the configuration file")]
    NoSection(String),
    /// There is a section of this name.
    #[error("there is a remote {0:?} already")]
    SectionExists(String),
    /// A name that a heading can't hold.
    #[error("{0:?} can't be the name of a remote")]
    Name(String),
    /// A key that a line can't hold.
    #[error("{0:?} can't be the name of an option")]
    Key(String),
    /// A value that a line can't hold. The value itself isn't kept, since it may be a secret.
    #[error("the value for {0} can't be stored: it holds a line end, or a reference like %(name)s")]
    Value(String),
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Blank,
    Comment,
    Heading(String),
    Entry(String),
}

#[derive(Clone, PartialEq, Eq)]
struct Line {
    /// As it is in the file, with its end.
    bytes: Vec<u8>,
    kind: Kind,
}

/// The text of a configuration file.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Document {
    lines: Vec<Line>,
}

/// Shows how long it is; the text holds secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} lines)", self.lines.len())
    }
}

impl Document {
    /// Takes in a file's bytes.
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
    /// Where [`IniFile::parse`] has one: a file that can't be read must not be changed either.
    pub fn parse(bytes: &[u8]) -> Result<Document, IniError> {
        IniFile::parse(&String::from_utf8_lossy(bytes))?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(line);
        Ok(Document { lines: lines.collect() })
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| &line.bytes).copied().collect()
    }

    /// What it means.
    ///
    /// # Errors
    /// As [`IniFile::parse`]; edits don't bring one about.
    pub fn meaning(&self) -> Result<IniFile, IniError> {
        IniFile::parse(&String::from_utf8_lossy(&self.to_bytes()))
    }

    /// Whether there is a section of this name.
    #[must_use]
    pub fn has_section(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.is_heading(name))
    }

    /// Adds an empty section at the end.
    ///
    /// # Errors
    /// There is one, or its name can't be written.
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

    /// Gives a key of a section a value. The line that counts is changed, or a new one is added at the
    /// section's end.
    ///
    /// # Errors
    /// There is no such section, or key or value can't be written.
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
        // A section that is there has a heading at least.
        let at = last.map_or(self.lines.len(), |at| at + 1);
        self.end_line_before(at);
        self.lines.insert(at, new);
        Ok(())
    }

    /// Removes a key from a section, wherever it stands there. Returns whether it was there.
    ///
    /// # Errors
    /// There is no such section.
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

    /// Removes a section with its comments, wherever it stands. Returns whether it was there.
    pub fn remove_section(&mut self, name: &str) -> bool {
        let there = self.has_section(name);
        for (start, end) in self.blocks(name).into_iter().rev() {
            self.lines.drain(start..end);
        }
        there
    }

    /// Gives a section another name.
    ///
    /// # Errors
    /// There is no such section, or one of the new name, or the new name can't be written.
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

    /// Adds a section at the end that holds what another one holds, comments between its lines included.
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
            // What stands above the heading is about that section alone.
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

    /// The lines that belong to a section, headings included; comments above the next heading don't.
    fn places(&self, section: &str) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let blocks = self.blocks(section);
        blocks.into_iter().flat_map(|(start, end)| start..end)
    }

    /// From where to where a section's lines stand, once for each of its headings.
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

    /// Where the comment that belongs to a heading begins.
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

    /// Sees to it that what stands before a place ends its line.
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

/// A line of a file that was read before without a fault.
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

/// The heading of a section, if the name is read back from it.
fn heading(name: &str) -> Result<String, EditError> {
    let heading = format!("[{name}]");
    match section_name(&heading) {
        Ok(read) if read == name && !name.contains(['\n', '\r']) => Ok(heading),
        _ => Err(EditError::Name(name.to_owned())),
    }
}

/// The line of a key and a value, if both are read back from it.
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
    // Spaces at the ends and quotes at the beginning need quotes around.
    let lines = [format!("{written} = {value}"), format!("{written} = `{value}`")];
    let is_line = |line: &String| key_and_value(line.trim()) == Ok((key, value));
    lines.into_iter().find(is_line).ok_or_else(|| EditError::Value(key.to_owned()))
}

#[cfg(test)]
mod tests;
