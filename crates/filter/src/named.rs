//! `--files-from`: only the named files.

use std::collections::HashSet;

use bstr::ByteSlice;

/// Files by name, with the folders that lead to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamedFiles {
    files: HashSet<Vec<u8>>,
    folders: HashSet<Vec<u8>>,
}

impl NamedFiles {
    /// Adds a file. Slashes at the ends are ignored.
    pub(crate) fn add(&mut self, path: &[u8]) {
        let path = path.trim_with(|character| character == '/');
        let mut rest = path;
        while let Some(slash) = rest.iter().rposition(|byte| *byte == b'/') {
            rest = &rest[..slash];
            if !self.folders.insert(rest.to_owned()) {
                break;
            }
        }
        self.files.insert(path.to_owned());
    }

    pub(crate) fn has_file(&self, path: &[u8]) -> bool {
        self.files.contains(path)
    }

    pub(crate) fn has_folder(&self, path: &[u8]) -> bool {
        self.folders.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_on_the_way_are_known() {
        let mut named = NamedFiles::default();
        named.add(b"/a/b/c.txt");
        named.add(b"a/d");
        named.add(b"///");
        assert!(named.has_file(b"a/b/c.txt") && named.has_file(b"a/d") && !named.has_file(b"a/b"));
        assert!(named.has_folder(b"a/b") && named.has_folder(b"a") && !named.has_folder(b"a/d"));
    }
}
